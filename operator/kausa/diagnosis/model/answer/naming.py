"""Which plain-looking words of a sentence are names, by their shape and by where they stand.

Most names in a cluster are lower-case words with hyphens, or just words. A hyphenated word is a
name unless English builds it so (`long-running`); any other word that is in no vocabulary and
isn't built from an English one is a name where a name stands: beside the noun that says of what
kind it is (`the secret acme`), as a subject or behind a preposition without an article (`alice
removed it`). This errs towards names, which merely have to stand in the evidence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from kausa.diagnosis.model.answer.words import EXPLAINING, GENERIC, VOCABULARY, stem

__all__ = ["KINDS", "is_compound_name", "is_kind", "is_plain", "names_follow", "placed_names"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KINDS: Final = _words(
    "pod container deployment service secret configmap namespace node job cronjob statefulset "
    "daemonset replicaset replicationcontroller ingress ingressclass serviceaccount role "
    "rolebinding clusterrole clusterrolebinding persistentvolumeclaim persistentvolume "
    "storageclass networkpolicy endpoints endpointslice horizontalpodautoscaler "
    "poddisruptionbudget resourcequota limitrange priorityclass runtimeclass webhook "
    "validatingwebhookconfiguration mutatingwebhookconfiguration customresourcedefinition event "
    "lease failurediagnosis po deploy svc cm ns no sts ds rs pv pvc sa hpa pdb crd ing sc"
)
"""Kinds of objects, in lower case and the singular, and their short forms."""
_NAMED: Final = (KINDS - _words("no event po ds sc ing")) | _words(
    "image volume host hostname server user account cluster registry repository database cache "
    "broker queue topic bucket claim certificate group team tenant gateway proxy sidecar policy "
    "operator controller plugin driver module package library domain endpoint file path folder "
    "directory table column variable key flag"
)
"""Nouns beside which a name stands."""
_COMPONENTS: Final = _words(
    "kube-proxy kube-apiserver kube-scheduler kube-controller-manager kube-dns kube-system "
    "cloud-controller-manager metrics-server cluster-autoscaler cri-o"
)
"""What Kubernetes itself is made of, named in any cluster."""
_COMPOUND: Final = re.compile(r"[^\W_]+(?:-[^\W_]+)+")
_PREFIXES: Final = _words(
    "non pre post re un self multi anti co de mis inter intra cross semi sub over under out in on "
    "off up by so per well long short too not never much still back front"
)
_SMALL: Final = _words("a an and as at by for from in of off on or out over than the to up with")
_ENDINGS: Final = re.compile(
    r".*(?:[a-z]{2}ed|ing|able|ible|less|al|ive|ary)|.*(?:lived|free|only|level|time|wide|side|"
    r"specific|ready|aware|safe|up|off|out|in|down|on|over|back|to|of)"
)
_DERIVED: Final = re.compile(
    r"(?:[a-z]{2,}(?:tion|sion|ment|ness|ity|ety|ance|ence|ancy|ency|able|ible|ful|less|ous|ive|"
    r"al|ic|ing|ed|ism|ist|ship|hood|ward|wise|ate|ize|ise|ify|ure|age|ary|ory)s?|"
    r"[a-z]{3,}(?:ly|ied|ies|ers?|ors?))"
)
_BEFORE_KNOWN: Final = re.compile(r"(?:un|re|pre|mis|dis|non|over|under|inter|sub|super|de)(.+)")
_LEADS: Final = _words(
    "because since as when while that after before if and but so until unless although though "
    "where whereas or"
)
_BEHIND: Final = _words("by from via with of at on in for named called to")
_VERBS: Final = _words(
    "is was were are has had have does did do cannot can could will would should must may might "
    "isn't wasn't doesn't didn't can't couldn't"
)
_GO_ON: Final = _VERBS | _LEADS | _BEHIND | _words("which who not because yesterday now then ,")


def is_kind(word: str) -> bool:
    """Whether a word in any case, singular or plural, is a kind of object."""
    low = word.casefold()
    return low in KINDS or low.removesuffix("s") in KINDS or low.removesuffix("es") in KINDS


def names_follow(word: str) -> bool:
    """Whether the name of something stands behind a word."""
    return _is_noun(word.casefold())


def is_plain(word: str) -> bool:
    """Whether a word of letters is in our vocabulary."""
    known = stem(word)
    return (
        len(word) < 3
        or any(known in each for each in (VOCABULARY, GENERIC, EXPLAINING))
        or is_kind(word)
    )


def is_compound_name(token: str) -> bool:
    """Whether a hyphenated word is a name, rather than one that English puts together."""
    low = token.casefold()
    if not _COMPOUND.fullmatch(low) or low in _COMPONENTS:
        return False
    parts = low.split("-")
    if is_kind("".join(parts)):
        return False
    if not all(is_plain(part) for part in parts if part not in _PREFIXES):
        return True
    return not (
        parts[0] in _PREFIXES
        or any(part in _SMALL for part in parts[1:-1])
        or _ENDINGS.fullmatch(parts[-1])
    )


def placed_names(tokens: Sequence[str]) -> tuple[str, ...]:
    """Return the words that stand where a name stands and that English doesn't have.

    `tokens`: those of one sentence in order, without their edges; whatever is no plain word is
    empty there.
    """
    low = [token.casefold() for token in tokens]
    return tuple(
        word
        for place, word in enumerate(low)
        if word.isalpha() and not _is_english(word) and _is_placed(low, place)
    )


def _is_english(word: str) -> bool:
    if is_plain(word) or word in _GO_ON or not word.isascii() or _DERIVED.fullmatch(word):
        return True
    built = _BEFORE_KNOWN.fullmatch(word)
    return built is not None and len(built[1]) > 2 and is_plain(built[1])


def _is_placed(low: Sequence[str], place: int) -> bool:
    before = low[place - 1] if place else ""
    after = low[place + 1] if place + 1 < len(low) else ""
    if _is_noun(before) or _is_noun(after):
        return True
    if before == "by":
        return True
    if before in _BEHIND:
        return not after or after in _GO_ON or after.endswith("ed")
    if place == 0 or before == "," or before in _LEADS:
        return after in _VERBS or after.endswith("ed")
    return False


def _is_noun(word: str) -> bool:
    return bool(word) and (word in _NAMED or word.removesuffix("s") in _NAMED)
