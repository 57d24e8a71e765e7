"""That somebody waits for a part of the memory which is away: what for, and until when.

An operator asks again in silence, its conditions tell. A person before a terminal takes silence for
a hang, so a command hands in a function that is told before each pause.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["OnWaiting", "Waiting", "nobody"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A call that goes on, though its last attempt came to nothing."""

    part: Literal["embedder", "store"]
    why: str
    """What came of the last attempt, in words for a person."""
    left_seconds: float
    """After so long the call gives up."""


OnWaiting: TypeAlias = Callable[[Waiting], None]
"""Told again and again while it lasts; it must not wait or raise."""


def nobody(_: Waiting) -> None:
    """Nobody is told."""
