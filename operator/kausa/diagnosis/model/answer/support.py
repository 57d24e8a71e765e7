"""Whether the evidence bears what a sentence says.

Quoted text, numbers and names have to stand in the evidence, whole, a number beside what it counts;
every other word in it or in plain English that only explains; what names a fact of a failure has
to stand there itself, or what says the same. Something beyond what stands in every diagnosis has
to be shared. Text that reads like an instruction bears nothing, and what contradicts the evidence's
own words about the same thing is refused. A proposal may name what isn't there yet.
This doesn't prove a cause; it takes out what was made up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

from kausa.diagnosis.model.answer.counting import NUMBER_WORDS, counted, follows_from
from kausa.diagnosis.model.answer.denial import denies
from kausa.diagnosis.model.answer.facts import Facts, needs_proof
from kausa.diagnosis.model.answer.literals import (
    Parts,
    normal,
    parts_of,
    pieces,
    without_ids,
)
from kausa.diagnosis.model.answer.naming import is_compound_name
from kausa.diagnosis.model.answer.polarity import clashes
from kausa.diagnosis.model.answer.sources import WORD, Source, stems_of
from kausa.diagnosis.model.answer.words import EXPLAINING, GENERIC, VOCABULARY, is_built, stem
from kausa.diagnosis.model.prompt.injection import is_instruction
from kausa.diagnosis.model.prompt.screening import ScreenedRequest
from kausa.diagnosis.model.protocol import ModelRequest

__all__ = ["Corpus", "Support"]

_DIGITS: Final = re.compile(r"\d{2,}")
_FOREIGN_SHARE: Final = 0.1
_UNKNOWN_SHARE: Final = 1 / 3
_PLAIN: Final = VOCABULARY | GENERIC | EXPLAINING
_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SHOWN_BY_ALL: Final = stems_of(
    "crash crashed crashes loop looping back off backoff restart restarts restarted exit exits "
    "exited code error errors fail fails failed failing failure start starts startup end ends "
    "ended state terminate terminated termination status reason cause able unable own occur "
    "occurred happen repeat repeatedly multiple times due issue problem"
)
"""How a failure shows itself; a cause that says no more is none."""
_ABOUT: Final = frozenset(("related", "based", "specific", "side", "level", "owned", "managed"))


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


class Corpus:
    """All that may bear a claim: the evidence that was shown, and what rules made of it."""

    def __init__(self, screened: ScreenedRequest, *, evidence_ids: Iterable[str]) -> None:
        request = screened.request
        shown = set(evidence_ids)
        self._fails = "no failure" not in request.reason
        self._sources = [
            Source(raw=f"{each.source} {each.text}", ids=frozenset((each.id,)))
            for each in request.evidence
            if each.id in shown
        ]
        about = f"{request.target} {request.reason} {request.namespace}"
        self._sources.append(Source(raw=about))
        self._namespace = normal(request.namespace)
        self._names = _names(request)
        self._common = _telling(about)
        anyway = f"{_CAPITAL.sub(' ', request.reason)} {' '.join(self._names)}"
        self._seen = _SHOWN_BY_ALL | stems_of(normal(anyway))
        self._shown = frozenset().union(*(each.stems for each in self._sources if each.ids))
        # Rules may put it in other words, but their numbers have to stand in the evidence too.
        ruled = request.ruling.root_cause if request.ruling is not None else ""
        self._stems = stems_of(ruled).union(*(each.stems for each in self._sources))
        self._ruled = [Source(raw=ruled)] if ruled else []
        # What only an instruction says.
        planted = stems_of(normal(" ".join(screened.left_out)))
        self._planted = planted - self._stems - VOCABULARY - GENERIC

    @cached_property
    def _days(self) -> frozenset[date]:
        return frozenset().union(*(each.days for each in self._sources))

    def text_of(self, ids: Iterable[str]) -> str:
        """Return the normalised text of some evidence, and what is known without any."""
        wanted = set(ids)
        return "\n".join(each.text for each in self._sources if not each.ids or each.ids & wanted)

    def says_why(self, sentence: str) -> bool:
        """Whether a sentence says more than what is seen anyway: that its target fails, and how.

        Unlike `saying_more.says_more`, it takes no symptom for more, whether it was told or not:
        `the container exited` may be an answer, and is no cause.
        """
        telling = _telling(sentence) - self._common - self._seen
        return any(len(each) > 2 and each not in EXPLAINING for each in telling)

    def speaks_of(self, sentence: str, line: str) -> bool:
        """Whether a sentence shares a telling word, a number or a name with a line of a log.

        A small model chooses the right line and explains another one, which every word of the
        evidence bears.
        """
        if (_telling(sentence) & _telling(line)) - self._common:
            return True
        facts = Facts(normal(line))
        words = (each.lstrip("^-") for each in parts_of(sentence).words)
        return any(needs_proof(each) and facts.bears(each) for each in words)

    def support(self, sentence: str, *, also: str | None = None, strict: bool = True) -> Support:
        """Say what bears the sentence.

        `also`: of what a fix proposes, other text whose literals are allowed, such as its command.
        Not `strict`: it needs to share nothing with the evidence, as what says that something is
        missing. Neither has to prove that the things exist of which it speaks.
        """
        parts = parts_of(sentence)
        problem = self.improper(sentence)
        if problem:
            return Support(problem=problem)
        extra = [Source(raw=also)] if also and also.strip() else []
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
            if number is None or follows_from(number, sentence, self._days):
                continue
            held = self._direct(word.removeprefix("^"), extra) or self._direct(number, extra)
            if held is None:
                return Support(problem=f"{word.removeprefix('^')!r} does not occur in the evidence")
            holders.append(held)
        problem = self._misread(sentence, parts, extra)
        if problem:
            return Support(problem=problem)
        return self._by_words(
            parts.words,
            holders=tuple(holders),
            extra=extra,
            strict=strict,
            proposed=also is not None or not strict,
        )

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

    def _misread(self, sentence: str, parts: Parts, extra: list[Source]) -> str:
        """Say what stands in the evidence and means something else there, if anything."""
        sources = [*self._sources, *extra]
        known = self._stems.union(*(each.stems for each in extra))
        for word in parts.placed:
            if needs_proof(word):
                # It is looked up among the other words.
                continue
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
        extra: list[Source],
        strict: bool,
        proposed: bool,
    ) -> Support:
        known = self._stems.union(*(each.stems for each in extra))
        plain = _PLAIN | known
        shown = self._shown.union(*(each.stems for each in extra))
        sources = [*self._sources, *self._ruled, *extra]
        unknown: list[str] = []
        telling = set[str]()
        facts = set[str]()
        total = 0
        for word in words:
            bare = word.lstrip("^-")
            stems = [stem(each) for each in WORD.findall(bare) if len(each) > 2]
            if any(each in self._planted for each in stems):
                return Support(problem=f"{bare!r} is only in text that reads like an instruction")
            total += len(stems)
            spoken = [bare, *(part for part in bare.split("-") if part != bare and len(part) > 2)]
            named = {each for each in spoken if needs_proof(each, proposed=proposed)}
            if not all(any(source.facts.bears(each) for source in sources) for each in named):
                return Support(problem=f"it speaks of {bare!r}, which the evidence does not")
            facts |= named
            if bare in named:
                continue
            if word[0] == "^" and not all(each in plain for each in stems):
                return Support(problem=f"{bare!r} does not occur in the evidence")
            unknown += [each for each in stems if each not in plain]
            built = proposed or bare in NUMBER_WORDS or is_built(bare, plain)
            if not built and not any(source.facts.bears(bare) for source in sources):
                return Support(problem=f"it speaks of {bare!r}, which the evidence does not")
            telling |= {each for each in stems if each in shown and each not in GENERIC}
        if proposed and len(unknown) > max(total * _UNKNOWN_SHARE, 1 if total > 2 else 0):
            return Support(problem=f"it speaks of {unknown[0]!r}, which the evidence does not")
        if strict and not any(holders) and not telling and not self._shows(facts):
            return Support(problem="it says nothing that the evidence shows")
        ids = frozenset().union(
            *(
                source.ids
                for source in self._sources
                if _held(source, telling, facts) * 2 > len(telling) + len(facts)
            )
        )
        return Support(holders=holders, ids=ids)

    def _shows(self, facts: set[str]) -> bool:
        """Whether the evidence itself bears one of them."""
        return any(
            source.facts.bears(each) for source in self._sources if source.ids for each in facts
        )

    def _holders(
        self, literal: str, extra: list[Source], *, quoted: bool = False
    ) -> list[frozenset[str]] | None:
        """Return what holds it, or each of its parts; None where something is held by nothing."""
        wanted = normal(literal)
        direct = self._direct(wanted, extra, quoted=quoted)
        if direct is not None:
            return [direct]
        if not quoted and needs_proof(wanted):
            # `PostgreSQL` is a name by its looks.
            known = [each for each in (*self._sources, *extra) if each.facts.bears(wanted)]
            return [frozenset().union(*(each.ids for each in known))] if known else None
        if not quoted and is_compound_name(literal):
            return self._compound(wanted, extra)
        first, slash, rest = wanted.partition("/")
        parts = [rest] if slash and rest and first == self._namespace else pieces(wanted)
        found = [self._direct(part, extra) for part in parts]
        held = [each for each in found if each is not None]
        return held if held and len(held) == len(found) else None

    def _compound(self, wanted: str, extra: list[Source]) -> list[frozenset[str]] | None:
        """Return what holds `start-timeout`, as two words or as one, or the name in `api-side`."""
        spelled = [wanted.replace("-", " "), wanted.replace("-", "")]
        name, _, about = wanted.rpartition("-")
        if about in _ABOUT:
            spelled.append(name)
        held = (self._direct(each, extra) for each in spelled)
        return next(([each] for each in held if each is not None), None)

    def _direct(
        self, literal: str, extra: list[Source], *, quoted: bool = False
    ) -> frozenset[str] | None:
        holders = [each for each in (*self._sources, *extra) if each.holds(literal, quoted=quoted)]
        return frozenset().union(*(each.ids for each in holders)) if holders else None


def _held(source: Source, telling: set[str], facts: set[str]) -> int:
    """How many of the telling words one source holds."""
    return len(telling & source.stems) + sum(map(source.facts.bears, facts))


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
    return (stems_of(text) - GENERIC) | frozenset(_DIGITS.findall(text))
