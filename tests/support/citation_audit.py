"""Counts invented citations in published diagnoses, knowing nothing of how answers are checked.

It reads what a user reads: the evidence with its ids, and the diagnosis with its citations. A
citation is invented where the id isn't there. A claim is invented where a thing that can be looked
up (quoted text, a number, a name with a mark in it) is in no cited evidence and in nothing else
that was handed in as known.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Audit", "audit", "audit_all"]

_TRIM = string.punctuation + "\u2026\u2018\u2019\u201c\u201d"
_MARKS = "_:/@=\\"
_QUOTES = "\"`'"
_KINDS = {
    "configmap", "statefulset", "daemonset", "replicaset", "cronjob", "serviceaccount",
    "persistentvolumeclaim", "persistentvolume", "storageclass", "networkpolicy",
    "resourcequota", "limitrange", "poddisruptionbudget", "horizontalpodautoscaler",
}  # fmt: skip


_COUNTS = {
    "zero": "0", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "twice": "2",
    "fifteen": "15", "twenty": "20", "thirty": "30", "forty": "40", "fifty": "50",
    "hundred": "100", "thousand": "1000", "million": "1000000",
}  # fmt: skip
"""`one` is too often no count."""


@dataclass(slots=True)
class Audit:
    """What was counted; all zero but `answers`, `citations` and `checked` is how it should be."""

    answers: int = 0
    citations: int = 0
    checked: int = 0
    """How many things were looked up."""
    unknown_ids: list[str] = field(default_factory=list)
    unsupported: list[str] = field(default_factory=list)
    uncited: list[str] = field(default_factory=list)
    """Answers that say something and cite nothing."""

    @property
    def invented(self) -> int:
        """How many inventions there are."""
        return len(self.unknown_ids) + len(self.unsupported) + len(self.uncited)


def audit(
    *,
    evidence: Iterable[Mapping[str, Any]],
    diagnosis: Mapping[str, Any],
    known: Sequence[str] = (),
    name: str = "",
) -> Audit:
    """Audit one status. `evidence` and `diagnosis` as a FailureDiagnosis has them.

    `known`: what may be said without evidence, such as the target's name and the reason.
    """
    texts = {str(each.get("id")): _all_text(each) for each in evidence}
    result = Audit(answers=1)
    cited = [str(each) for each in diagnosis.get("citations") or ()]
    result.citations = len(cited)
    result.unknown_ids = [f"{name}: {each}" for each in cited if each not in texts]
    said = [str(diagnosis.get(part) or "") for part in ("summary", "rootCause", "explanation")]
    if any(said) and not cited:
        result.uncited.append(name)
    shown = _flat(" \n ".join([*(texts.get(each, "") for each in cited), *known]))
    checked = [(text, shown) for text in said]
    for fix in diagnosis.get("remediation") or ():
        # What it proposes may name its own command, and what any of the evidence shows.
        also = _flat(" \n ".join([*texts.values(), *known, str(fix.get("command") or "")]))
        checked += [(str(fix.get(part) or ""), also) for part in ("title", "rationale")]
    for text, shown in checked:
        for thing in _things(text):
            if _is_id(thing):
                if thing not in texts:
                    result.unknown_ids.append(f"{name}: {thing}")
                continue
            result.checked += 1
            if not _stands_in(thing, shown):
                result.unsupported.append(f"{name}: {thing!r} in {text[:120]!r}")
    return result


def audit_all(results: Iterable[Audit]) -> Audit:
    """Add audits up."""
    total = Audit()
    for each in results:
        total.answers += each.answers
        total.citations += each.citations
        total.checked += each.checked
        total.unknown_ids += each.unknown_ids
        total.unsupported += each.unsupported
        total.uncited += each.uncited
    return total


def _all_text(evidence: Mapping[str, Any]) -> str:
    source = evidence.get("source") or {}
    about = source.values() if isinstance(source, Mapping) else (source,)
    labels = [str(each) for each in about if each]
    # `Pod/api-0`, and the two apart.
    return " ".join([*labels, "/".join(labels[:2]), str(evidence.get("text") or "")])


def _flat(text: str) -> str:
    return " ".join(text.lower().replace("\u2019", "'").split())


def _things(text: str) -> Iterable[str]:
    rest = text
    for quote in _QUOTES:
        parts = rest.split(quote)
        if quote == "'":
            # An apostrophe is no quote: only those at the edge of a word.
            break
        if len(parts) % 2:
            yield from (each for each in parts[1::2] if each.strip(_TRIM))
            rest = " ".join(parts[::2])
    for raw in rest.split():
        word = raw.strip(_TRIM)
        word = word.removesuffix("'s")
        if word.lower() in _COUNTS:
            yield word
        if not word or word.lower() in _KINDS or word.lower() in ("and/or", "n/a", "i/o", "k8s"):
            continue
        if any(char.isdigit() for char in word) or any(mark in word for mark in _MARKS):
            yield word


def _is_id(word: str) -> bool:
    return word[:1] == "E" and word[1:].isdigit()


def _stands_in(thing: str, shown: str) -> bool:
    wanted = _flat(thing).strip(_TRIM + " ")
    if _bounded(wanted, shown) or _bounded(wanted.replace(",", ""), shown):
        return True
    if wanted in _COUNTS:
        return _bounded(_COUNTS[wanted], shown)
    number = wanted.rstrip("%")
    if number != wanted and _bounded(number, shown):
        return True
    # What was put together, such as Deployment/api: each part that can be looked up.
    for mark in "/:=,":
        parts = [part for part in wanted.split(mark) if part]
        if len(parts) > 1:
            return all(_bounded(part, shown) for part in parts)
    return False


def _bounded(wanted: str, shown: str) -> bool:
    """Whether it stands there as a whole, and not as a part of a longer word or number."""
    start = shown.find(wanted)
    while start >= 0:
        before = shown[start - 1] if start else " "
        after = shown[start + len(wanted) : start + len(wanted) + 2]
        longer = after[:1].isalnum() or (after[:1] == "." and after[1:2].isdigit())
        # 10.0.0.3 holds no 3, and 2.14 no 14.
        shorter = before.isalnum() or (before == "." and wanted[:1].isdigit())
        if not shorter and not longer:
            return True
        start = shown.find(wanted, start + 1)
    return False
