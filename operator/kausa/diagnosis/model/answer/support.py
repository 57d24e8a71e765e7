"""Whether the evidence bears what a sentence says.

Quoted text, numbers and names have to stand in the evidence, most of the other words in it or in
plain English, and something beyond what stands in every diagnosis has to be shared. Text that reads
like an instruction bears nothing, and a sentence that shares words with nothing else is refused.
This doesn't prove a cause; it takes out what was made up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from kausa.diagnosis.model.answer.literals import normal, parts_of, pieces, without_ids
from kausa.diagnosis.model.answer.words import GENERIC, VOCABULARY, stem
from kausa.diagnosis.model.prompt.injection import MARK, is_instruction
from kausa.diagnosis.model.prompt.screening import ScreenedRequest

__all__ = ["Corpus", "Support"]

_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_DIGITS: Final = re.compile(r"\d{2,}")
_DENIAL: Final = re.compile(
    r"\b(?:is|are|looks?|seems?|appears?|remains?|marked|stays?)(?: \w+)? "
    r"(?:perfectly |completely )?"
    r"(?:healthy|fine|ok|okay|resolved|good)\b"
    r"|\bno (?:failures?|problems?|issues?|errors?|faults?|actions?)\b"
    r"|\bnothing (?:is |was |to )?(?:wrong|failed|failing|do|broken|fix)\b"
    r"|\b(?:works?|working|runs?|running|operating) (?:fine|well|normally|correctly|perfectly|"
    r"as (?:expected|intended))\b|\bfalse (?:alarm|positive)\b|\ball (?:is )?(?:good|well|clear)\b"
    r"|\bhealthy (?:workload|pod|deployment|container|application|service)\b|^healthy\b"
    r"|\bnot (?:failing|broken)\b"
)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?z?)?")
_NUMBER_WORDS: Final = {
    "zero": "0", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "fifteen": "15",
    "twenty": "20", "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "hundred": "100",
    "thousand": "1000", "million": "1000000", "twice": "2",
}  # fmt: skip
_FOREIGN_SHARE: Final = 0.1
_UNKNOWN_SHARE: Final = 1 / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """What bears a sentence, or what is wrong with it."""

    problem: str = ""
    """Empty where it is borne."""
    holders: tuple[frozenset[str], ...] = ()
    """For each quote, number and name the evidence that holds it."""
    ids: frozenset[str] = frozenset()
    """The evidence that holds most of its other telling words."""

    @property
    def literals(self) -> int:
        """How many quotes, numbers and names stand in evidence."""
        return sum(bool(each) for each in self.holders)

    @property
    def holds(self) -> bool:
        """Whether it may be said."""
        return not self.problem


@dataclass(slots=True)
class _Source:
    text: str
    ids: frozenset[str]
    stems: frozenset[str] = field(default_factory=frozenset)
    timeless: str = ""
    """The text without its times: the 11 of November bears no `11 times`."""

    def __post_init__(self) -> None:
        self.text = normal(self.text.replace(MARK, " "))
        self.timeless = _TIME.sub(" ", self.text)
        self.stems = _stems(self.text)

    def holds(self, literal: str) -> bool:
        text = self.timeless if literal.isdigit() else self.text
        # The end of an address or of a version is no number.
        before = r"(?<![\w.])" if literal[:1].isdigit() else r"(?<!\w)"
        found = re.search(rf"{before}{re.escape(literal)}(?!\w|\.\d)", text)
        return found is not None


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in _WORD.findall(text))


class Corpus:
    """All that may bear a claim: the evidence that was shown, and what rules made of it."""

    def __init__(self, screened: ScreenedRequest, *, evidence_ids: Iterable[str]) -> None:
        request = screened.request
        shown = set(evidence_ids)
        self._fails = "no failure" not in request.reason
        self._sources = [
            _Source(f"{each.source} {each.text}", frozenset((each.id,)))
            for each in request.evidence
            if each.id in shown
        ]
        about = f"{request.target} {request.reason} {request.namespace}"
        self._sources.append(_Source(about, frozenset()))
        self._common = _telling(about)
        self._shown = frozenset().union(*(each.stems for each in self._sources if each.ids))
        # Rules may put it in other words, but their numbers have to stand in the evidence too.
        ruled = request.ruling.root_cause if request.ruling is not None else ""
        self._stems = _stems(ruled).union(*(each.stems for each in self._sources))
        # What only an instruction says.
        planted = _stems(normal(" ".join(screened.left_out)))
        self._planted = planted - self._stems - VOCABULARY - GENERIC

    def text_of(self, ids: Iterable[str]) -> str:
        """Return the normalised text of some evidence, and what is known without any."""
        wanted = set(ids)
        return "\n".join(each.text for each in self._sources if not each.ids or each.ids & wanted)

    def speaks_of(self, sentence: str, line: str) -> bool:
        """Whether a sentence shares a telling word, a number or a name with a line of a log.

        A small model chooses the right line and explains another one, which every word of the
        evidence bears.
        """
        return bool((_telling(sentence) & _telling(line)) - self._common)

    def support(self, sentence: str, *, also: str = "", strict: bool = True) -> Support:
        """Say what bears the sentence.

        `also`: other text whose literals are allowed, such as a fix's own command. Not `strict`:
        it needs to share nothing with the evidence, as what says that something is missing.
        """
        parts = parts_of(sentence)
        problem = self.improper(sentence)
        if problem:
            return Support(problem=problem)
        extra = [_Source(also, frozenset())] if also else []
        holders: list[frozenset[str]] = []
        for literal in (*parts.quoted, *parts.names, *parts.numbers):
            where = self._holders(literal, extra)
            if where is None:
                return Support(problem=f"{literal[:60]!r} does not occur in the evidence")
            holders.extend(where)
        for word in parts.words:
            number = _NUMBER_WORDS.get(word.removeprefix("^"))
            if number is None:
                continue
            held = self._direct(word.removeprefix("^"), extra) or self._direct(number, extra)
            if held is None:
                return Support(problem=f"{word.removeprefix('^')!r} does not occur in the evidence")
            holders.append(held)
        return self._by_words(parts.words, holders=tuple(holders), extra=extra, strict=strict)

    def improper(self, sentence: str) -> str:
        """Why nobody may say or repeat it, whatever bears it; empty where it may be said."""
        letters = [c for c in sentence if c.isalpha()]
        foreign = sum(not c.isascii() for c in letters)
        if foreign > len(letters) * _FOREIGN_SHARE:
            return "it is not English"
        if self._fails and _DENIAL.search(normal(sentence)):
            return "it denies the failure"
        if is_instruction(without_ids(sentence)):
            return "it reads like an instruction"
        return ""

    def _by_words(
        self,
        words: tuple[str, ...],
        *,
        holders: tuple[frozenset[str], ...],
        extra: list[_Source],
        strict: bool,
    ) -> Support:
        known = self._stems.union(*(each.stems for each in extra))
        plain = VOCABULARY | GENERIC | known
        shown = self._shown.union(*(each.stems for each in extra))
        unknown: list[str] = []
        telling = set[str]()
        total = 0
        for word in words:
            bare = word.removeprefix("^")
            stems = [stem(each) for each in _WORD.findall(bare) if len(each) > 2]
            if any(each in self._planted for each in stems):
                return Support(problem=f"{bare!r} is only in text that reads like an instruction")
            if word != bare and not all(each in plain for each in stems):
                return Support(problem=f"{bare!r} does not occur in the evidence")
            total += len(stems)
            unknown += [each for each in stems if each not in plain]
            telling |= {each for each in stems if each in shown and each not in GENERIC}
        if len(unknown) > max(total * _UNKNOWN_SHARE, 1 if total > 2 else 0):
            return Support(problem=f"it speaks of {unknown[0]!r}, which the evidence does not")
        if strict and not any(holders) and not telling:
            return Support(problem="it says nothing that the evidence shows")
        ids = frozenset().union(
            *(
                source.ids
                for source in self._sources
                if len(telling & source.stems) * 2 > len(telling)
            )
        )
        return Support(holders=holders, ids=ids)

    def _holders(self, literal: str, extra: list[_Source]) -> list[frozenset[str]] | None:
        """Return what holds it, or each of its parts; None where something is held by nothing."""
        direct = self._direct(normal(literal), extra)
        if direct is not None:
            return [direct]
        parts = pieces(literal) if len(pieces(literal)) > 1 else _hyphenated(literal)
        if len(parts) < 2:
            return None
        found = [self._direct(normal(part), extra) for part in parts]
        plain = [stem(part) in VOCABULARY for part in parts]
        if any(each is None and not known for each, known in zip(found, plain, strict=True)):
            return None
        return [each for each in found if each is not None]

    def _direct(self, literal: str, extra: list[_Source]) -> frozenset[str] | None:
        holders = [each for each in (*self._sources, *extra) if each.holds(literal)]
        return frozenset().union(*(each.ids for each in holders)) if holders else None


def _telling(text: str) -> frozenset[str]:
    text = normal(text)
    return (_stems(text) - GENERIC) | frozenset(_DIGITS.findall(text))


def _hyphenated(literal: str) -> list[str]:
    return literal.split("-") if re.fullmatch(r"[A-Za-z]+(?:-[A-Za-z]+)+", literal) else []
