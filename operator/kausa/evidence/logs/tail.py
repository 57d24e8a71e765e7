"""The end of a log, in bounded memory."""

from __future__ import annotations

from collections import deque
from typing import Final

from kausa.evidence.logs.entry import LINE_BYTES
from kausa.evidence.logs.keys import without_broken_keys
from kausa.evidence.logs.prefixes import bare, shortened

__all__ = ["TAIL_BYTES", "TAIL_MARGIN_BYTES", "Tail", "last_lines"]

TAIL_BYTES: Final = 64 * 1024
TAIL_MARGIN_BYTES: Final = 4 * 1024
"""Redacted with the rest and then cut off: a name may stand a line above its secret."""


class Tail:
    """Remembers the last bytes of all that it was fed."""

    __slots__ = ("_chunks", "_size", "_wanted", "cut")

    def __init__(self, *, wanted: int = TAIL_BYTES + TAIL_MARGIN_BYTES) -> None:
        self._wanted = wanted
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self.cut = False
        """Whether anything came before what is remembered."""

    def feed(self, chunk: bytes) -> None:
        """Remember a chunk, and forget what is not needed any more."""
        if len(chunk) > self._wanted:
            chunk, self.cut = chunk[-self._wanted :], True
        self._chunks.append(chunk)
        self._size += len(chunk)
        while self._size - len(self._chunks[0]) >= self._wanted:
            self._size -= len(self._chunks.popleft())
            self.cut = True

    def text(self) -> str:
        """The last whole lines, without prefixes and without halves of keys."""
        data = b"".join(self._chunks)
        cut = self.cut or len(data) > self._wanted
        if cut:
            _, newline, data = data[-self._wanted :].partition(b"\n")
            if not newline:
                return f"[a line longer than {self._wanted} bytes was left out]"
        lines = (bare(shortened(line, LINE_BYTES)).line for line in data.split(b"\n"))
        return b"\n".join(without_broken_keys(lines)).decode(errors="replace").strip("\n")


def last_lines(text: str, *, size: int) -> str:
    """The last whole lines of a text that take at most so many bytes."""
    if len(text) * 4 <= size:
        return text.strip("\n")
    data = text.encode(errors="replace")
    if len(data) <= size:
        return text.strip("\n")
    _, newline, rest = data[-size:].partition(b"\n")
    return (rest if newline else data[-size:]).decode(errors="ignore").strip("\n")
