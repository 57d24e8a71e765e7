"""What of a sentence can be looked up: quoted text, numbers, names; and the plain words beside."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from kausa.diagnosis.model.answer.facts import needs_proof
from kausa.diagnosis.model.answer.naming import (
    is_compound_name,
    is_kind,
    is_plain,
    names_follow,
    placed_names,
)
from kausa.resources.category import Category

__all__ = ["Parts", "normal", "parts_of", "pieces", "quotable", "sentences", "without_ids"]

_SENTENCE: Final = re.compile(
    r"(?<=[.!?])\s+(?=[\"'`(\[]*[A-Z0-9À-ÞЀ-ӿ])|\n+|(?<=[\u3002\uff01\uff1f])"
)
# A line of a log has quotation marks of its own (`msg="..."`): the outer ones have spaces around.
_QUOTED: Final = re.compile(
    r"`([^`]+)`|(?:(?<=\s)|(?<=[(\[])|^)\"(.+?)\"(?=[.,;!?)\]\"]*(?:\s|$))|\"([^\"]+)\""
    r"|(?<![\w])'([^']+)'(?!\w)"
)
_CITED: Final = re.compile(r"[(\[]?\bE\d{1,3}\b(?:\s*(?:,|and|-)\s*E\d{1,3}\b)*[)\]]?")
_EDGE: Final = ".,;:!?()[]{}<>\"'`*…"
_NUMBER: Final = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)*(?:%|[a-z]{1,3})?", re.IGNORECASE)
_SPACED_UNIT: Final = re.compile(r"(\d) (Ki|Mi|Gi|Ti|[KMGT]i?B|millicores?|MB|GB)\b", re.IGNORECASE)
_MONTHS: Final = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sep(?:t|tember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_WRITTEN_DATE: Final = re.compile(
    rf"\b(?:(?P<month>{_MONTH})\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?"
    rf"|(?P<first>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<second>{_MONTH})\.?,?)"
    r" (?P<year>\d{4})\b",
    re.IGNORECASE,
)
"""A day as people write it; evidence has it as `2026-11-20`."""
_NAME: Final = re.compile(r"[_/:@=\\.]|[a-z][A-Z]|^[A-Z]{2,}s?$|\d")
_REDACTED: Final = re.compile(r"\[redacted(?::[a-z0-9-]{1,32}(?::[0-9a-f]{6})?)?\]", re.IGNORECASE)
_MARKS_OF_QUOTES: Final = re.compile(r"\\?[\"'`]")
_WORD_OR_WORD: Final = re.compile(r"[^\W\d_]+/[^\W\d_]+")
_ENDS_CLAUSE: Final = ",;:"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SHORT_FORMS: Final = _words(
    "CPU CPUS RAM OOM HTTP HTTPS DNS TLS SSL API APIS URL URLS IP IPS TCP UDP ID IDS JSON YAML PVC "
    "PVCS PV PVS GPU OS IO NOT AND OR NO ENV VM RBAC CRD HPA PDB CNI CSI SQL JVM STDOUT STDERR I A "
    "K8S UI CA NFS UID GID"
)
_KINDS: Final = _words(
    "configmap statefulset daemonset replicaset cronjob persistentvolumeclaim persistentvolume "
    "storageclass networkpolicy serviceaccount clusterrole clusterrolebinding rolebinding "
    "horizontalpodautoscaler poddisruptionbudget resourcequota limitrange kubernetes kubelet "
    "priorityclass runtimeclass ingressclass"
)
_CATEGORIES: Final = frozenset(category.value.casefold() for category in Category)
_PLAIN_SYMBOLS: Final = frozenset(("and/or", "e.g", "i.e", "etc", "vs", "w/o", "n/a"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of one sentence."""

    quoted: tuple[str, ...]
    numbers: tuple[str, ...]
    names: tuple[str, ...]
    placed: tuple[str, ...]
    """Those of the words that are a name where they stand, and no English."""
    words: tuple[str, ...]
    """The rest, in lower case."""


def normal(text: str) -> str:
    """Return text as it is compared: one space, one kind of quotes, lower case."""
    text = text.translate(_QUOTES)
    return " ".join(_SPACED_UNIT.sub(r"\1\2", text).split()).casefold()


def quotable(text: str) -> str:
    """Return normalised text as quotes are looked up in it.

    Quotation marks fall, and a placeholder of a secret is the same however much of it is repeated.
    """
    return " ".join(_MARKS_OF_QUOTES.sub("", _REDACTED.sub("[redacted]", text)).split())


_QUOTES: Final = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\xab": '"', "\xbb": '"'}
)


def sentences(text: str) -> list[str]:
    """Return the sentences; a dot within a name or a number ends none."""
    return [part.strip() for part in _SENTENCE.split(text) if part and part.strip()]


def without_ids(sentence: str) -> str:
    """Return the sentence without the ids of evidence that it cites."""
    return " ".join(_CITED.sub(" ", sentence).split())


def _iso(found: re.Match[str]) -> str:
    month = found["month"] or found["second"]
    place = _MONTHS.index(month[:3].casefold()) // 4 + 1
    return f"{found['year']}-{place:02}-{int(found['day'] or found['first']):02}"


def parts_of(sentence: str) -> Parts:
    """Take a sentence apart. Ids of evidence (`E3`) are checked elsewhere and belong to nothing."""
    sentence = _WRITTEN_DATE.sub(_iso, sentence)
    text = _SPACED_UNIT.sub(r"\1\2", _CITED.sub(" ", sentence.translate(_QUOTES)))
    quoted = tuple(each for groups in _QUOTED.findall(text) if (each := _quote("".join(groups))))
    numbers: list[str] = []
    names: list[str] = []
    words: list[str] = []
    plain: list[str] = []
    for place, raw in enumerate(_QUOTED.sub(" ", text).split()):
        token = raw.strip(_EDGE)
        token = token.removesuffix("'s").strip(_EDGE)
        if not token:
            continue
        plain.append(token if token.isalpha() else "")
        if token.casefold().removesuffix("s") in _KINDS:
            if needs_proof(token.casefold()):
                words.append(token.casefold())
        elif _NUMBER.fullmatch(token):
            numbers.append(token.replace(",", ""))
        elif _is_word_or_word(token) and not names_follow("".join(plain[-2:-1])):
            words.extend(token.casefold().split("/"))
        elif _is_name(token) or is_compound_name(token):
            names.append(token)
            plain[-1] = ""
        elif token[0].isupper() and place and not token.isupper():
            # In the middle of a sentence: a proper name, unless it is a word that we know.
            words.append(f"^{token.casefold()}")
        else:
            words.append(token.casefold())
        if raw[-1] in _ENDS_CLAUSE:
            plain.append(",")
    return Parts(
        quoted=quoted,
        numbers=tuple(numbers),
        names=tuple(names),
        placed=placed_names(plain),
        words=tuple(words),
    )


def _quote(text: str) -> str:
    """Return what was quoted without its edges; an ellipsis stays, for it cuts a word short."""
    found = text.strip(_EDGE + " \\")
    return f"{found}\u2026" if found and text.rstrip(" \"'").endswith(("\u2026", "...")) else found


def _is_word_or_word(token: str) -> bool:
    """Whether it is `username/password`; what stands behind a kind is the name of an object."""
    if not _WORD_OR_WORD.fullmatch(token) or not token.islower():
        return False
    first, second = token.split("/")
    return not is_kind(first) and is_plain(first) and is_plain(second)


def _is_name(token: str) -> bool:
    low = token.casefold()
    if token.upper() in _SHORT_FORMS or low.rstrip("s") in _KINDS or low in _PLAIN_SYMBOLS:
        return False
    if low in _CATEGORIES:
        return False
    return _NAME.search(token) is not None


def pieces(name: str) -> list[str]:
    """Return what each has to stand in the evidence of a name that we know how it was put together.

    `Deployment/api` stands for `api`, and `api,web` for both; nothing else is taken apart.
    """
    if "," in name:
        return [piece for piece in name.split(",") if piece]
    kind, slash, rest = name.partition("/")
    if slash and rest and is_kind(kind.partition(".")[0]):
        return [rest]
    return []
