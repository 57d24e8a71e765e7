"""Whether the evidence bears what a sentence says.

Quoted text, numbers and names have to stand in the evidence, whole, a number beside what it counts;
most of the other words in it or in plain English; and something beyond what stands in every
diagnosis has to be shared. Text that reads like an instruction bears nothing, what contradicts the
evidence's own words about the same thing is refused, and so is what shares words with nothing else.
This doesn't prove a cause; it takes out what was made up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from kausa.diagnosis.model.answer.counting import NUMBER_WORDS, Counts, counted
from kausa.diagnosis.model.answer.denial import denies
from kausa.diagnosis.model.answer.literals import (
    Parts,
    normal,
    parts_of,
    pieces,
    quotable,
    without_ids,
)
from kausa.diagnosis.model.answer.naming import is_compound_name
from kausa.diagnosis.model.answer.polarity import clashes
from kausa.diagnosis.model.answer.words import GENERIC, VOCABULARY, stem
from kausa.diagnosis.model.prompt.injection import MARK, is_instruction
from kausa.diagnosis.model.prompt.screening import ScreenedRequest
from kausa.diagnosis.model.protocol import ModelRequest

__all__ = ["Corpus", "Support"]

_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_DIGITS: Final = re.compile(r"\d{2,}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?z?)?")
_FOREIGN_SHARE: Final = 0.1
_UNKNOWN_SHARE: Final = 1 / 3
_ABOUT: Final = frozenset(("related", "based", "specific", "side", "level", "owned", "managed"))
_LEAST_CUT: Final = 8
"""Characters of a quote that ends in an ellipsis."""


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


@dataclass(kw_only=True)
class _Source:
    """One piece of evidence; not everything is asked of each."""

    raw: str
    ids: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def text(self) -> str:
        return normal(self.raw.replace(MARK, " "))

    @cached_property
    def timeless(self) -> str:
        """The text without its times: the 11 of November bears no `11 times`."""
        return _TIME.sub(" ", self.text)

    @cached_property
    def quotable(self) -> str:
        return quotable(self.text)

    @cached_property
    def stems(self) -> frozenset[str]:
        return _stems(self.text)

    @cached_property
    def counts(self) -> Counts:
        return Counts(self.raw.replace(MARK, " "))

    def holds(self, literal: str, *, quoted: bool = False) -> bool:
        if quoted:
            wanted = quotable(literal)
            if wanted.endswith("\u2026"):
                # It was cut, perhaps within a word.
                return len(wanted) > _LEAST_CUT and wanted[:-1].rstrip() in self.quotable
            return _stands_in(wanted, self.quotable)
        return _stands_in(literal, self.timeless if literal.isdigit() else self.text)


def _stands_in(literal: str, text: str) -> bool:
    # The end of an address or of a version is no number, and a path may follow a port.
    before = r"(?<![\w.])" if literal[:1].isdigit() else r"(?<!\w)"
    if literal[:1] == "/":
        before = r"(?:(?<![\w./-])|(?<=:\d{2})|(?<=:\d{3})|(?<=:\d{4})|(?<=:\d{5}))"
    return re.search(rf"{before}{re.escape(literal)}(?!\w|\.\d)", text) is not None


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in _WORD.findall(text))


class Corpus:
    """All that may bear a claim: the evidence that was shown, and what rules made of it."""

    def __init__(self, screened: ScreenedRequest, *, evidence_ids: Iterable[str]) -> None:
        request = screened.request
        shown = set(evidence_ids)
        self._fails = "no failure" not in request.reason
        self._sources = [
            _Source(raw=f"{each.source} {each.text}", ids=frozenset((each.id,)))
            for each in request.evidence
            if each.id in shown
        ]
        about = f"{request.target} {request.reason} {request.namespace}"
        self._sources.append(_Source(raw=about))
        self._namespace = normal(request.namespace)
        self._names = _names(request)
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
        extra = [_Source(raw=also)] if also.strip() else []
        holders: list[frozenset[str]] = []
        for literal, quoted in (
            *((each, True) for each in parts.quoted),
            *((each, False) for each in (*parts.names, *parts.numbers)),
        ):
            where = self._holders(literal, extra, quoted=quoted)
            if where is None:
                return Support(problem=f"{literal[:60]!r} does not occur in the evidence")
            holders.extend(where)
        for word in parts.words:
            number = NUMBER_WORDS.get(word.removeprefix("^"))
            if number is None:
                continue
            held = self._direct(word.removeprefix("^"), extra) or self._direct(number, extra)
            if held is None:
                return Support(problem=f"{word.removeprefix('^')!r} does not occur in the evidence")
            holders.append(held)
        problem = self._misread(sentence, parts, extra)
        if problem:
            return Support(problem=problem)
        return self._by_words(parts.words, holders=tuple(holders), extra=extra, strict=strict)

    def improper(self, sentence: str) -> str:
        """Why nobody may say or repeat it, whatever bears it; empty where it may be said."""
        letters = [c for c in sentence if c.isalpha()]
        foreign = sum(not c.isascii() for c in letters)
        if foreign > len(letters) * _FOREIGN_SHARE:
            return "it is not English"
        if self._fails and denies(normal(sentence), self._names):
            return "it denies the failure"
        if is_instruction(without_ids(sentence)):
            return "it reads like an instruction"
        return ""

    def _misread(self, sentence: str, parts: Parts, extra: list[_Source]) -> str:
        """Say what stands in the evidence and means something else there, if anything."""
        sources = [*self._sources, *extra]
        known = self._stems.union(*(each.stems for each in extra))
        for word in parts.placed:
            if stem(word) not in known and self._direct(word, extra) is None:
                return f"it speaks of {word!r}, which the evidence does not"
        for each in counted(without_ids(sentence)):
            if not any(source.counts.holds(each) for source in sources):
                return f"{each.number!r} is no {each.role} in the evidence"
        literals = [normal(each) for each in (*parts.quoted, *parts.names) if len(each) > 2]
        clash = clashes(normal(sentence), literals, (each.raw for each in self._sources))
        return f"the evidence says the contrary of {clash[:60]!r}" if clash else ""

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

    def _holders(
        self, literal: str, extra: list[_Source], *, quoted: bool = False
    ) -> list[frozenset[str]] | None:
        """Return what holds it, or each of its parts; None where something is held by nothing."""
        wanted = normal(literal)
        direct = self._direct(wanted, extra, quoted=quoted)
        if direct is not None:
            return [direct]
        if not quoted and is_compound_name(literal):
            return self._compound(wanted, extra)
        first, slash, rest = wanted.partition("/")
        parts = [rest] if slash and rest and first == self._namespace else pieces(wanted)
        found = [self._direct(part, extra) for part in parts]
        held = [each for each in found if each is not None]
        return held if held and len(held) == len(found) else None

    def _compound(self, wanted: str, extra: list[_Source]) -> list[frozenset[str]] | None:
        """Return what holds `start-timeout`, as two words or as one, or the name in `api-side`."""
        spelled = [wanted.replace("-", " "), wanted.replace("-", "")]
        name, _, about = wanted.rpartition("-")
        if about in _ABOUT:
            spelled.append(name)
        held = (self._direct(each, extra) for each in spelled)
        return next(([each] for each in held if each is not None), None)

    def _direct(
        self, literal: str, extra: list[_Source], *, quoted: bool = False
    ) -> frozenset[str] | None:
        holders = [each for each in (*self._sources, *extra) if each.holds(literal, quoted=quoted)]
        return frozenset().union(*(each.ids for each in holders)) if holders else None


def _names(request: ModelRequest) -> frozenset[str]:
    """Return the names of what fails, and of its containers."""
    target = normal(request.target)
    about = {target, target.rpartition("/")[2]}
    for each in request.objects:
        if f"{each.kind}/{each.name}".casefold() == target:
            about |= {normal(name) for name in each.containers}
    return frozenset(each for each in about if each)


def _telling(text: str) -> frozenset[str]:
    text = normal(text)
    return (_stems(text) - GENERIC) | frozenset(_DIGITS.findall(text))
