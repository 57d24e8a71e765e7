"""A stretch of a text, the one thing that all finders bring home."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Span"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text that holds a secret of one kind."""

    start: int
    end: int
    kind: str
