"""One thing that a question gives away, and by what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Clue", "ClueKind"]

ClueKind: TypeAlias = Literal[
    "namespace",
    "pod",
    "owner",
    "container",
    "node",
    "label",
    "exit_code",
    "reason",
    "category",
    "after",
    "before",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clue:
    """What was taken from which words of the question."""

    kind: ClueKind
    value: str
    start: int
    end: int
    """Where the words stand in the question."""
    why: str
    """In a few words, for a person."""
    names: bool = False
    """Whether the words are only a name or a time, and say nothing of what went wrong."""
    left_out: bool = False
    """Whether it narrows nothing, because the question denies it or says otherwise; see `why`."""
