"""How one idea of an application's error is written down: what gives it away, and how it is told.

The texts name what the pattern's groups caught and what `complete` added; these words are always
there: {container}, {image}, {command}, {pod}, {subject}, {namespace}. What stands between << and >>
is left out where a word in it is empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category
from kausa.resources.diagnosis import Risk

__all__ = [
    "HOST",
    "PATH",
    "PORT_MARK",
    "Complete",
    "Idea",
    "Look",
    "Told",
    "any_of",
    "as_told",
    "never_with",
]

HOST = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9])?"
PATH = (
    r"(?<![\w./~+@-])(?!(?<=:)//)(?:[A-Za-z]:)?[./~]?(?:[\w.@+~-]{0,200}/){1,40}[\w.@+~-]{1,200}/?"
)
"""A path with a slash in it, so that it is not just any word; and not what follows `https:`."""
PORT_MARK = r"(?:(?<![\sT\[(\"':]\d\d)(?<!^\d\d):(?!\d{1,2}:\d)|\bport )"
"""What stands right before a port; the colon of a time is none."""

Told = Mapping[str, str]
Look = Callable[[str], Told | None]
"""What a text says of one idea, by name; None where it does not speak of it."""
Complete = Callable[[Told, Dossier], Told | None]
"""What the dossier adds to it; None where the idea does not hold after all."""


def as_told(told: Told, dossier: Dossier) -> Told | None:
    """Nothing more is looked up."""
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Idea:
    """One kind of error that programs tell."""

    rule: str
    category: Category | None
    """What the cause belongs to; None: to what Kubernetes shows of it."""
    look: Look
    summary: str
    cause: str
    """Sentences; how the container ended and what it said is put behind them."""
    explanation: str
    advice: str
    command: str | None = None
    """Only reads; left out where a word in it is empty."""
    risk: Risk = Risk.LOW
    risk_of: Callable[[Told], Risk] | None = None
    """The risk, where it depends on what was told."""
    confidence: int = 90
    weak: bool = False
    """It only says that something went wrong: another idea that fits is better."""
    complete: Complete = as_told


def any_of(*patterns: str, flags: re.RegexFlag = re.IGNORECASE) -> Look:
    """The groups of the first of these patterns that is found."""
    compiled = tuple(re.compile(pattern, flags) for pattern in patterns)

    def look(text: str) -> Told | None:
        for pattern in compiled:
            found = pattern.search(text)
            if found is not None:
                return {name: value or "" for name, value in found.groupdict().items()}
        return None

    return look


def never_with(look: Look, *patterns: str) -> Look:
    """The same, but not where the text also has one of these words."""
    others = any_of(*patterns)
    return lambda text: None if others(text) is not None else look(text)
