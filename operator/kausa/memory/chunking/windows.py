"""Pieces that are kept whole where they fit, gathered into windows that overlap a little."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kausa.memory.chunking.tokens import count_tokens, tail_of

__all__ = ["Window", "windows"]

_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_WORDS = re.compile(r"\s*\S+\s*|\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A part of a text. All windows without what they repeat are the text again."""

    text: str
    repeated: int = 0
    """How many characters at its beginning stood at the end of the one before."""


def windows(pieces: Iterable[str], *, limit: int, overlap: int) -> list[Window]:
    """Windows of at most `limit` tokens; a piece that fits into one is never cut.

    The overlap gives way where a piece needs its room. Nothing but white space is a window too, so
    that nothing is lost; no pieces are no windows.
    """
    found: list[Window] = []
    texts: list[str] = []
    room, repeated = limit, 0
    for text, cost in _fitting(pieces, limit=limit):
        if cost > room and texts:
            whole = "".join(texts)
            found.append(Window(text=whole, repeated=repeated))
            tail = tail_of(whole, min(overlap, limit - cost))
            texts, repeated = [tail], len(tail)
            room = limit - count_tokens(tail)
        texts.append(text)
        room -= cost
    if texts:
        found.append(Window(text="".join(texts), repeated=repeated))
    return found


def _fitting(pieces: Iterable[str], *, limit: int) -> Iterator[tuple[str, int]]:
    """Pieces with their tokens; those that are too long in lines, in words, and cut at last."""
    for piece in pieces:
        cost = count_tokens(piece)
        if cost <= limit:
            yield piece, cost
            continue
        smaller = _LINES.findall(piece)
        if len(smaller) == 1:
            smaller = _WORDS.findall(piece)
        if len(smaller) > 1:
            yield from _fitting(smaller, limit=limit)
            continue
        # One word. No character is more than a token, so its length is more than it can cost,
        # whatever is put together with it again.
        step = max(1, limit // 2)
        for start in range(0, len(piece), step):
            part = piece[start : start + step]
            yield part, len(part)
