"""What the tables of shapes are made of."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Pattern"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One shape of a secret; the group `secret` is what gets hidden."""

    kind: str
    regex: re.Pattern[str]
    hints: tuple[str, ...]
    """Syllables of `kausa.evidence.redaction.hints`; only lines with one of them are looked at;
    every line where there are none."""
    accept: Callable[[str], bool] = bool
    many_lines: bool = False
    """Whether what begins on such a line may end on another."""
