"""One piece of what may bear a claim, read in the ways in which claims are held against it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Final

from kausa.diagnosis.model.answer.counting import Counts
from kausa.diagnosis.model.answer.facts import Facts
from kausa.diagnosis.model.answer.literals import normal, quotable
from kausa.diagnosis.model.answer.words import stem
from kausa.diagnosis.model.prompt.injection import MARK

__all__ = ["WORD", "Source", "stems_of"]

WORD: Final = re.compile(r"[^\W\d_]{2,}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?z?)?")
_STAMP: Final = re.compile(r"(\d{4}-\d\d-\d\d)t(\d\d:\d\d(?::\d\d)?)")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_DAY_OR_HOUR: Final = re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d(?::\d\d)?")
_LEAST_CUT: Final = 8
"""Characters of a quote that ends in an ellipsis."""


@dataclass(kw_only=True)
class Source:
    """One piece of evidence; not everything is asked of each."""

    raw: str
    ids: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def text(self) -> str:
        """As it is compared."""
        return normal(self.raw.replace(MARK, " "))

    @cached_property
    def timeless(self) -> str:
        """The text without its times: the 11 of November bears no `11 times`."""
        return _TIME.sub(" ", self.text)

    @cached_property
    def quotable(self) -> str:
        """As quotes are looked up in it."""
        return quotable(self.text)

    @cached_property
    def stems(self) -> frozenset[str]:
        """Of all its words."""
        return stems_of(self.text)

    @cached_property
    def facts(self) -> Facts:
        """What it says of facts."""
        return Facts(self.text)

    @cached_property
    def dated(self) -> str:
        """The text with each stamp of time taken apart, so that its day and its hour are found."""
        return _STAMP.sub(r"\1 \2 ", self.text)

    @cached_property
    def days(self) -> frozenset[date]:
        """The days that it names."""
        return frozenset(filter(None, map(_day, _DAY.findall(self.text))))

    @cached_property
    def counts(self) -> Counts:
        """Its numbers, and what they count."""
        return Counts(self.raw.replace(MARK, " "))

    def holds(self, literal: str, *, quoted: bool = False) -> bool:
        """Whether a name, a number or a quote, as `normal` returns it, stands here whole."""
        if quoted:
            wanted = quotable(literal)
            if wanted.endswith("\u2026"):
                # It was cut, perhaps within a word.
                return len(wanted) > _LEAST_CUT and wanted[:-1].rstrip() in self.quotable
            return _stands_in(wanted, self.quotable)
        if literal.isdigit():
            return _stands_in(literal, self.timeless)
        return _stands_in(literal, self.text) or (
            _DAY_OR_HOUR.fullmatch(literal) is not None and _stands_in(literal, self.dated)
        )


def _stands_in(literal: str, text: str) -> bool:
    # The end of an address or of a version is no number, and a path may follow a port.
    before = r"(?<![\w.])" if literal[:1].isdigit() else r"(?<!\w)"
    if literal[:1] == "/":
        before = r"(?:(?<![\w./-])|(?<=:\d{2})|(?<=:\d{3})|(?<=:\d{4})|(?<=:\d{5}))"
    return re.search(rf"{before}{re.escape(literal)}(?!\w|\.\d)", text) is not None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def stems_of(text: str) -> frozenset[str]:
    """Return the stems of all words of letters."""
    return frozenset(stem(word) for word in WORD.findall(text))
