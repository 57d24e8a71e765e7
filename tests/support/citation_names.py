"""Names without a mark, and what numbers count, for the audit: its own eyes, not the checker's.

A name is told from a plain word by where it stands: beside a kind of object, or where somebody
does something (`because alice removed it`). What English puts there is listed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["KINDS", "named", "plain_of", "uncounted"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KINDS = {
    "pod", "pods", "container", "deployment", "service", "secret", "configmap", "namespace",
    "node", "job", "cronjob", "statefulset", "daemonset", "replicaset", "ingress", "role",
    "serviceaccount", "rolebinding", "clusterrole", "clusterrolebinding", "endpoints",
    "persistentvolumeclaim", "persistentvolume", "storageclass", "networkpolicy",
    "resourcequota", "limitrange", "poddisruptionbudget", "horizontalpodautoscaler", "deploy",
    "svc", "pvc", "pv", "cm", "sts", "hpa", "pdb",
}  # fmt: skip
_OWNERS = "|".join(
    sorted(
        (KINDS | {"user", "image", "volume", "host", "server", "database", "cluster", "queue",
                  "topic", "bucket", "team", "account"}) - {"role", "image", "volume", "host"}
    )
)  # fmt: skip
_VERB = r"(?:is|was|has|had|does|did|cannot|could|can|will|would|[a-z]+ed)\b"
_PLACES = (
    # `the secret acme does not exist`, `service redis,`
    re.compile(rf"\b(?:{_OWNERS}) ([a-z]{{3,}})(?= (?:{_VERB}|in namespace|not\b)|[,.;)]|$)"),
    re.compile(r"\b(?:named|called) ([a-z]{3,})\b"),
    re.compile(rf"\b(?:because|since|after|when|that) ([a-z]{{3,}})(?= {_VERB})"),
    re.compile(r"\bby ([a-z]{3,})(?=[,.;)]|$)"),
)
_HYPHENATED = re.compile(r"(?<![\w./:@=-])[a-z]+(?:-[a-z]+)+(?![\w/:@=-]|\.\w)")
_JOINED_BY_ENGLISH = re.compile(
    r"(?:non|pre|post|re|un|self|multi|anti|co|semi|sub|over|under|out|in|on|off|up|so|well|long|"
    r"short|high|low|read|write|back|start|end|time|run|built|single|first|last)-.+"
    r"|.+-(?:up|in|out|off|on|only|free|level|time|side|wide|based|related|specific|lived|down|"
    r"ready|aware|safe|[a-z]+ing|[a-z]+ed|[a-z]+able|to|of)"
    r"|[a-z]+-(?:to|of|by|in|and|the|for)-[a-z]+"
)
_PLAIN = _words(
    "about access accident accordingly account accounts address addresses admin after "
    "afterwards again agent all alone already also always and annotation annotations another "
    "answers any anyone anything api app application are argument arguments asks attempt "
    "authentication autoscaler back backend because been before beforehand being binary both "
    "but cache can cannot capacity certificate certificates chance changes check claim class "
    "client code comes command commands component condition config configuration connection "
    "connections constraint container containers content controller could cpu crash crashes "
    "create creation credential credentials current data database default definition deletion "
    "denied denies dependency deployment design did disk does down due each endpoint endpoints "
    "engine entry environment error errors event events every everything exists exit expects "
    "failed failing fails failure failures field fields file files firewall first folder for "
    "from gets gives goes group groups had hand handler has have health here holds hook host id "
    "image images index information ingress init instance into is its itself keeps kernel key "
    "keys kubelet kubernetes label labels last limit limits line listens liveness load log logs "
    "looks makes manager manifest many master may memory message might missing mistake mode "
    "more most mount mounts must name names namespace need needs network new next nobody node "
    "nodes none not nothing now object objects offers old one only onto operator option order "
    "orders other output over own owner parameters password path peer permission permissions "
    "plugin pod pods policy port ports pressure previous probe process processes program "
    "provisioner proxy pull quota readiness reads reason refusal refused registry replica "
    "replicas request requests require requires resource resources response restart restarting "
    "restarts role rollout rule rules run running runs runtime same sandbox says schedule "
    "scheduler scheduling schema secret secrets security selector selectors server servers "
    "serves service services session set settings setup shell should shows side signal since "
    "size socket some somebody someone something somewhere source spec specification stands "
    "start started starting starts state states status still stop stops storage store such "
    "system table tag tags takes target tells template termination text than that the them "
    "themselves then there these they this those time timeout times today together token tokens "
    "two type types unavailable under until update user username users uses value values variable "
    "variables version versions volume volumes wait waits want wants was webhook were what when "
    "where which while who will with words work worker workers workload workloads works would "
    "write writes yesterday "
)
"""What stands beside a kind in plain sentences."""
_COMPONENTS = _words(
    "kube-proxy kube-apiserver kube-scheduler kube-controller-manager kube-dns kube-system "
    "metrics-server cluster-autoscaler cri-o"
)
"""Of any cluster."""


def plain_of(word: str) -> bool:
    """Whether it is a word that says nothing by itself."""
    return word in _PLAIN


def named(text: str) -> Iterator[str]:
    """Yield the names in a text that have no mark, digit or capital."""
    low = " ".join(text.lower().split())
    for word in _HYPHENATED.findall(low):
        if word not in _COMPONENTS and not _JOINED_BY_ENGLISH.fullmatch(word):
            yield word
    for place in _PLACES:
        yield from (word for word in place.findall(low) if not _is_english(word))


def _is_english(word: str) -> bool:
    return (
        word in _PLAIN or re.fullmatch(r".{3,}(?:ing|tion|ment|ly|ness|ity|ed)s?", word) is not None
    )


_CLAIMED = {
    "an exit code": r"\bexit(?:ed|s)?(?: with)?(?: an?| the)?(?: exit| error)?(?: code| status)?"
                    r"(?: of| was| is|:)? (\d+)\b(?! \w+s\b)",
    "a count of restarts": r"\b(\d[\d.]*)(?: container| pod| more)? restarts?\b"
                           r"|\brestarted (\d+) times|\brestart ?count:?(?: of| is)? (\d+)\b",
    "a count of replicas": r"\b(\d+) replicas?\b",
    "a port": r"\bport (\d+)\b",
}  # fmt: skip
_GAP = r"[^\d;,]{0,30}"
_SHOWN = {
    "an exit code": r"(?:exit|code|status|signal|terminat|ended|kill|\brc\b)GAP\bNUM\b"
                    r"|\bNUM\b[^\d;,]{0,12}(?:exit|sigkill|sigterm|signal)",
    "a count of restarts": r"(?:restart|attempt)GAP\bNUM\b|\bNUM\bGAP(?:restart|time|attempt)",
    "a count of replicas": r"(?:replica|want|scale|desired|ready|available|min|max)GAP\bNUM\b"
                           r"|\bNUM\bGAP(?:replica|there|ready|available|unavailable|updated|pod)",
    "a port": r"(?:port|listen|bind|addr)GAP\bNUM\b|:NUM\b|\bNUM/(?:tcp|udp)"
              r"|\bports? \d+ (?:to|and) NUM\b",
}  # fmt: skip


def uncounted(text: str, shown: str) -> Iterator[str]:
    """Yield the numbers of a text that count something which they don't in what is shown."""
    low = " ".join(text.lower().split())
    for role, pattern in _CLAIMED.items():
        for found in re.finditer(pattern, low):
            number = next(each for each in found.groups() if each)
            seen = _SHOWN[role].replace("NUM", re.escape(number)).replace("GAP", _GAP)
            if not re.search(seen, shown):
                yield f"{number} as {role}"
