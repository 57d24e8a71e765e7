"""Names with capitals, and quoted text, for the audit: its own eyes, not the checker's.

In English a capital within a sentence marks a name (`Oracle`, `VMware`), so it is looked up like
any other. A sentence begins with one as well: there a word is a name where it is none of the
words that sentences begin with, or where it bears its capital within another sentence too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from support.citation_names import plain_of

__all__ = ["capitalised", "quotations", "without_quotations"]

_QUOTED = (
    re.compile(r'"([^"]+)"'),
    re.compile(r"`([^`]+)`"),
    re.compile("\u201c([^\u201c\u201d]+)\u201d"),
    re.compile("(?<!\\w)\u2018([^\u2018]+?)\u2019(?!\\w)"),
    # An apostrophe within a word is no quote.
    re.compile(r"(?<![\w'])'((?=\S)(?:[^']|(?<=\w)'(?=\w))+)'(?!\w)"),
)
_SENTENCE_ENDS = re.compile(
    r"[.!?:;\u2026]\"?['\")\]]*\s+$|^\W*$|[\n(\[]\W*$|(?:^|\s)(?:-|\d+\.)\s+$"
)
_WORD = re.compile(r"(?<![\w./:@=\\-])[A-Z][A-Za-z]+(?:'s)?(?![\w/:@=\\-]|\.\w)")
_HUMPED = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_EVERYWHERE = _words(
    "kubernetes pod pods deployment deployments service services secret secrets configmap "
    "configmaps namespace namespaces node nodes job jobs cronjob statefulset daemonset replicaset "
    "ingress role serviceaccount rolebinding clusterrole clusterrolebinding endpoints event events "
    "persistentvolumeclaim persistentvolume storageclass networkpolicy resourcequota limitrange "
    "poddisruptionbudget horizontalpodautoscaler autoscaler kubelet kubectl linux python java go "
    "api cpu dns http https tls ssl json yaml url uri oom tcp udp ip rbac crd id ok io sql pvc pv "
    "hpa pdb cli os ram gb mb kb gib mib sre ca jvm xml html ui"
)
"""What stands in every cluster, and abbreviations that name nothing of their own."""
_FIRST = _words(
    "a about accept access according adapt add additionally address addresses adjust advise "
    "affinities after against agree ahead alert align all allocate allow almost already also "
    "alternatives although always among an analyse analyze and annotations another answer any "
    "append apply approve arguments around as ask assign at attach avoid back backend balance "
    "batches because before below beside besides beyond bind block both break bring brokers "
    "budgets build builds bump but by caches call callers calls can cancel cap carry catch "
    "causes certain certificates change check checks choose claims clean clear clients clocks "
    "close cluster clusters collect commands commit common compare compress configure confirm "
    "connect connections consequently consider consult consumers contact container control "
    "controllers convert copy correct count cover cpu crashes create credentials currently cut "
    "database debug decide declare decrease default define delays delete deploy describe "
    "despite detach determine diagnose digests directly disable disk do double downgrade "
    "download downstream drain drop dump each edit eight either else empty enable enforce "
    "enlarge enough ensure enter error errors escalate especially even eventually every "
    "everything evict examine exclude execute exit exits expand expect export expose extend "
    "failures fall false fast fetch few files fill filter finally find first five fix flags "
    "flush folders follow for force format forward four free frequent from frontend further "
    "furthermore garbage generally generate get give go grant group grow guard half handle he "
    "headers heap help hence her here his hold hosts how however identify if ignore image "
    "images implement import improve in include increase indeed initially inspect install "
    "instead investigate it its join just keep keys kill kills labels large last latency later "
    "layers leave let limit limits lines link list lists load lock locks log logs long longer "
    "look lower make manually many mark match may maybe me meanwhile measure memory merge "
    "message messages metrics migrate migrations modify monitor more moreover most mount mounts "
    "move my name names neither never nevertheless next nine no nobody nodes none nonetheless "
    "nor normally not note nothing notify now numbers of off often once one only open options "
    "or other otherwise our ours out outside over packets partitions pass passwords patterns "
    "pause peers perhaps permit pin plan please pods points policies ports possibly prefer "
    "pressure previously print probably probes process processes producers program programs "
    "progress provide prune pull put queries query queue queues quotas raise rather re-run "
    "reach read readiness reads reason rebase rebuild recall recently recreate reduce "
    "registries regular reinstall reload rely remove rename render renew repair repeat replace "
    "report request requests require reserve reset resize resolve respond restart restarts "
    "restore resume retry return reuse revert review rewrite right roll root rotate route rows "
    "rules run save say scale scan schedule schedules scripts search searches second see seen "
    "selectors send separate serve sessions set settings seven several she should show shows "
    "shrink sign signals similar similarly simply since skip snapshots so sockets some "
    "something sometimes somewhere sort space split start startup status stay still stop store "
    "strict such sure swap switch sync tables tags taints take tasks tell ten terminate test "
    "tests that the their theirs them then there thereby therefore these they third this those "
    "though threads three through thus time timeouts to together tokens tolerations too topics "
    "trace track traffic treat trigger trim trust try tune turn two typically unable under "
    "unless unlock unset until update upgrade upstream usage use user users using usual usually "
    "validate value values variable variables verify version view visit volume volumes wait "
    "warning warnings was watch we were what whatever when where whereas wherever whether which "
    "whichever while who whoever whom why wipe with within without workers worth wrap write "
    "writes yes yet you your zero"
)
"""What English sentences begin with."""
_HEADINGS = _words(
    "amount app application availability cache certificate class client cluster code command "
    "config connection count credentials data detail details disk environment external field "
    "file host key latest limit limits load map metrics mode name names network new number path "
    "performance permissions pool port probe quota registry replicas resource resources rules "
    "schema selector server settings size source spec state storage string time timeout token "
    "traffic type usage values variables volumes"
)
"""What headings are made of as well, whose words all have capitals."""
_FORMED = re.compile(r".{3,}(?:ing|tion|ment|ly|ness|ity|ed|ies|able|ible)s?")


def quotations(text: str) -> Iterator[str]:
    """Yield what stands between quotes of any kind, the outermost ones."""
    rest = text
    for pattern in _QUOTED:
        yield from pattern.findall(rest)
        rest = pattern.sub(' " ', rest)


def without_quotations(text: str) -> str:
    """Return the text with a bare quote where something is quoted."""
    for pattern in _QUOTED:
        text = pattern.sub(' " ', text)
    return text


def capitalised(text: str) -> Iterator[str]:
    """Yield the words that are names by their capitals, in a text without quotations."""
    heading = _is_heading(text)
    found = [
        (each[0].removesuffix("'s"), heading or _begins(text[: each.start()]))
        for each in _WORD.finditer(text)
    ]
    within = {word for word, begins in found if not begins}
    spelled = _spelled_out(text)
    for word, begins in found:
        low = word.lower()
        if low in _EVERYWHERE or word in spelled:
            continue
        plain = low in _FIRST or plain_of(low) or _FORMED.fullmatch(low) is not None
        if heading:
            plain = plain or low in _HEADINGS
        if _HUMPED.search(word) or not begins or word in within or not plain:
            yield word


def _begins(before: str) -> bool:
    return _SENTENCE_ENDS.search(before) is not None


def _is_heading(text: str) -> bool:
    """Whether all its long words have capitals, so that one more says nothing."""
    long = re.findall(r"(?<![\w./:@=\\-])[A-Za-z]{4,}(?![\w./:@=\\-])", text)
    return len(long) > 1 and all(each[0].isupper() for each in long)


def _spelled_out(text: str) -> frozenset[str]:
    """The words of `Data Source Name` beside its abbreviation, which is looked up itself."""
    runs = re.findall(r"[A-Z][a-z]+(?: [A-Z][a-z]+)+", text)
    known = set(re.findall(r"\b[A-Z]{2,}\b", text))
    return frozenset(
        word
        for run in runs
        if "".join(each[0] for each in run.split()) in known
        for word in run.split()
    )
