"""What of a sentence can be looked up: quoted text, numbers, names; and the plain words beside."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from kausa.resources.category import Category

__all__ = ["Parts", "normal", "parts_of", "pieces", "sentences", "without_ids"]

_SENTENCE: Final = re.compile(
    r"(?<=[.!?])\s+(?=[\"'`(\[]*[A-Z0-9À-ÞЀ-ӿ])|\n+|(?<=[\u3002\uff01\uff1f])"
)
_QUOTED: Final = re.compile(r"`([^`]+)`|\"([^\"]+)\"|(?<![\w])'([^']+)'(?!\w)")
_CITED: Final = re.compile(r"[(\[]?\bE\d{1,3}\b(?:\s*(?:,|and|-)\s*E\d{1,3}\b)*[)\]]?")
_EDGE: Final = ".,;:!?()[]{}<>\"'`*…"
_NUMBER: Final = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)*(?:%|[a-z]{1,3})?", re.IGNORECASE)
_SPACED_UNIT: Final = re.compile(r"(\d) (Ki|Mi|Gi|Ti|[KMGT]i?B|millicores?|MB|GB)\b", re.IGNORECASE)
_NAME: Final = re.compile(r"[_/:@=\\.]|[a-z][A-Z]|^[A-Z]{2,}s?$|\d")
_SPLIT: Final = re.compile(r"[/:=,@]")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SHORT_FORMS: Final = _words(
    "CPU CPUS RAM OOM HTTP HTTPS DNS TLS SSL API APIS URL URLS IP IPS TCP UDP ID IDS JSON YAML PVC "
    "PVCS PV PVS GPU OS IO NOT AND OR NO ENV VM RBAC CRD HPA PDB CNI CSI SQL JVM STDOUT STDERR I A "
    "K8S UI CA NFS"
)
_KINDS: Final = _words(
    "configmap statefulset daemonset replicaset cronjob persistentvolumeclaim persistentvolume "
    "storageclass networkpolicy serviceaccount clusterrole clusterrolebinding rolebinding "
    "horizontalpodautoscaler poddisruptionbudget resourcequota limitrange kubernetes kubelet "
    "priorityclass runtimeclass ingressclass"
)
_PLAIN_SYMBOLS: Final = frozenset(("and/or", "e.g", "i.e", "etc", "vs", "w/o", "n/a"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of one sentence."""

    quoted: tuple[str, ...]
    numbers: tuple[str, ...]
    names: tuple[str, ...]
    words: tuple[str, ...]
    """The rest, in lower case."""


def normal(text: str) -> str:
    """Return text as it is compared: one space, one kind of quotes, lower case."""
    text = text.translate(_QUOTES)
    return " ".join(_SPACED_UNIT.sub(r"\1\2", text).split()).casefold()


_QUOTES: Final = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\xab": '"', "\xbb": '"'}
)


def sentences(text: str) -> list[str]:
    """Return the sentences; a dot within a name or a number ends none."""
    return [part.strip() for part in _SENTENCE.split(text) if part and part.strip()]


def without_ids(sentence: str) -> str:
    """Return the sentence without the ids of evidence that it cites."""
    return " ".join(_CITED.sub(" ", sentence).split())


def parts_of(sentence: str) -> Parts:
    """Take a sentence apart. Ids of evidence (`E3`) are checked elsewhere and belong to nothing."""
    text = _SPACED_UNIT.sub(r"\1\2", _CITED.sub(" ", sentence.translate(_QUOTES)))
    quoted = tuple(
        found for groups in _QUOTED.findall(text) if (found := "".join(groups).strip(_EDGE + " "))
    )
    numbers: list[str] = []
    names: list[str] = []
    words: list[str] = []
    rest = _QUOTED.sub(" ", text)
    for place, raw in enumerate(rest.split()):
        token = raw.strip(_EDGE)
        token = token.removesuffix("'s").strip(_EDGE)
        if not token:
            continue
        if token.casefold().removesuffix("s") in _KINDS:
            continue
        if _NUMBER.fullmatch(token):
            numbers.append(token.replace(",", ""))
        elif _is_name(token):
            names.append(token)
        elif token[0].isupper() and place and not token.isupper():
            # In the middle of a sentence: a proper name, unless it is a word that we know.
            words.append(f"^{token.casefold()}")
        else:
            words.append(token.casefold())
    return Parts(quoted=quoted, numbers=tuple(numbers), names=tuple(names), words=tuple(words))


def _is_name(token: str) -> bool:
    low = token.casefold()
    if token.upper() in _SHORT_FORMS or low.rstrip("s") in _KINDS or low in _PLAIN_SYMBOLS:
        return False
    if low in {category.value.casefold() for category in Category}:
        return False
    return _NAME.search(token) is not None


def pieces(name: str) -> list[str]:
    """Return the parts of a name that was put together, such as `Deployment/api`."""
    return [piece for piece in _SPLIT.split(name) if piece]
