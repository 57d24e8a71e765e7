"""Counts invented citations in published diagnoses, knowing nothing of how answers are checked.

It reads what a user reads: the evidence with its ids, and the diagnosis with its citations. A
citation is invented where the id isn't there. A claim is invented where a thing that can be looked
up (quoted text, a number, a name) is in no cited evidence and in nothing else that was handed in as
known, or where a number stands there as something else. How names and counts are told from plain
words is in `citation_names`, and by their capitals and quotes in `citation_capitals`.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from support.citation_capitals import capitalised, quotations, without_quotations
from support.citation_names import KINDS, named, plain_of, uncounted

__all__ = ["Audit", "audit", "audit_all"]

_TRIM = string.punctuation + "\u2026\u2018\u2019\u201c\u201d"
_MARKS = "_:/@=\\"
_QUOTES = "\"`'"
_CURLY = (("\u2018", "'"), ("\u2019", "'"), ("\u201c", '"'), ("\u201d", '"'))
_BEFORE_PATHS = ("file", "path", "folder", "directory", "image", "volume", "key", "url", "mount")


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
    shown = _flat(" ; ".join([*(texts.get(each, "") for each in cited), *known]))
    checked = [(text, shown) for text in said]
    for fix in diagnosis.get("remediation") or ():
        # What it proposes may name its own command, and what any of the evidence shows.
        also = _flat(" ; ".join([*texts.values(), *known, str(fix.get("command") or "")]))
        checked += [(str(fix.get(part) or ""), also) for part in ("title", "rationale")]
    for text, shown in checked:
        for thing, verbatim in _things(text):
            if _is_id(thing):
                if thing not in texts:
                    result.unknown_ids.append(f"{name}: {thing}")
                continue
            result.checked += 1
            if not _stands_in(thing, shown, verbatim=verbatim, known=known):
                result.unsupported.append(f"{name}: {thing!r} in {text[:120]!r}")
        result.unsupported += [
            f"{name}: {what} in {text[:120]!r}" for what in uncounted(text, shown)
        ]
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
    for curly, straight in _CURLY:
        text = text.replace(curly, straight)
    return " ".join(text.lower().split())


def _things(text: str) -> Iterable[tuple[str, bool]]:
    """What has to be looked up, and whether it is a quotation."""
    yield from ((each, True) for each in quotations(text) if each.strip(_TRIM))
    rest = without_quotations(text)
    before = ""
    for raw in rest.split():
        last, before = before, raw.lower()
        word = raw.strip(_TRIM)
        word = word.removesuffix("'s")
        if word.lower() in _COUNTS:
            yield word, False
        if not word or word.lower() in KINDS or word.lower() in ("and/or", "n/a", "i/o", "k8s"):
            continue
        marked = any(char.isdigit() or char in _MARKS for char in word)
        if marked and not (_is_choice(word) and last not in _BEFORE_PATHS):
            yield word, False
    yield from ((word, False) for word in (*named(rest), *capitalised(rest)))


def _is_choice(word: str) -> bool:
    """Whether it is two words such as `username/password`, rather than a path or an object."""
    first, slash, second = word.partition("/")
    return bool(slash) and first not in KINDS and plain_of(first) and plain_of(second)


def _is_id(word: str) -> bool:
    return word[:1] == "E" and word[1:].isdigit()


def _stands_in(
    thing: str, shown: str, *, verbatim: bool = False, known: Sequence[str] = ()
) -> bool:
    wanted = _flat(thing).strip(_TRIM + " ")
    if _bounded(wanted, shown) or _bounded(wanted.replace(",", ""), shown):
        return True
    if verbatim and _bounded(_unquoted(wanted), _unquoted(shown)):
        return True
    if _is_pair_of_json(wanted, shown):
        return True
    if wanted in _COUNTS:
        return _bounded(_COUNTS[wanted], shown)
    number = wanted.rstrip("%")
    if number != wanted and _bounded(number, shown):
        return True
    kind, slash, rest = wanted.partition("/")
    if slash and rest and (kind.partition(".")[0] in KINDS or kind in map(_flat, known)):
        # `Deployment/api` of evidence that speaks of a Deployment and of api; `namespace/api`.
        return _bounded(rest, shown)
    parts = [part for part in wanted.split(",") if part]
    return not verbatim and len(parts) > 1 and all(_bounded(part, shown) for part in parts)


def _is_pair_of_json(wanted: str, shown: str) -> bool:
    """Whether `status=timeout` is what a line of JSON says: `"status": "timeout"`."""
    key, equals, value = wanted.partition("=")
    if not (key and equals and value):
        return False
    pair = rf'"{re.escape(key)}"\s*:\s*(?:"{re.escape(value)}"|{re.escape(value)}(?![\w.]))'
    return re.search(pair, shown) is not None


def _unquoted(text: str) -> str:
    for mark in ("\\", *_QUOTES):
        text = text.replace(mark, "")
    return " ".join(text.split())


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
