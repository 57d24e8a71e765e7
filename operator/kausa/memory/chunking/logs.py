"""Log text in passages that begin and end with entries: a stack trace is cut only if it must be."""

from __future__ import annotations

import re

from kausa.evidence.logs import read_entries
from kausa.memory.chunking.tokens import ChunkSize, clip_to, count_tokens
from kausa.memory.chunking.windows import windows

__all__ = ["entries_of", "log_passages"]

_LINES = re.compile(r"[^\n]*\n|[^\n]+")


def entries_of(text: str) -> list[str]:
    """The text cut where entries begin; put together again it is the text."""
    lines = _LINES.findall(text)
    begins = sorted({max(1, each.line) for each in read_entries(lines)} | {1})
    ends = [*begins[1:], len(lines) + 1]
    pieces = ["".join(lines[a - 1 : b - 1]) for a, b in zip(begins, ends, strict=True)]
    return [each for each in pieces if each]


def log_passages(text: str, *, headline: str, size: ChunkSize) -> tuple[str, ...]:
    """Passages of at most `size.tokens`, each beginning with the headline (shortened to half of
    them); without any text the headline alone.
    """
    heading = clip_to(headline, size.tokens // 2)
    room = size.tokens - count_tokens(heading)
    found = windows(entries_of(text.strip()), limit=room, overlap=min(size.overlap, room // 2))
    if not found:
        return (heading,)
    return tuple(f"{heading}\n{each.text.strip()}".strip() for each in found)
