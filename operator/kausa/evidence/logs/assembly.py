"""Lines become entries: a stack trace stays whole, in whatever language it is written.

A small machine with one open entry (`open_entry.py`), which a line continues or closes
(`following.py`). Everything is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from kausa.evidence.logs.entry import LINE_BYTES, Entry
from kausa.evidence.logs.following import bears_blanks, continues
from kausa.evidence.logs.open_entry import OpenEntry
from kausa.evidence.logs.prefixes import bare, shortened, unstamped
from kausa.evidence.logs.shapes import Kind, Role, kind_of

__all__ = ["Assembler", "read_entries"]

_MOST_LINES: Final = 20_000
"""An entry beyond is cut in two: it is no entry, or something that never ends."""
MOST_BLANKS: Final = 3


class Assembler:
    """Puts lines together; give it one line after the other."""

    __slots__ = ("_all_stamped", "open")

    def __init__(self) -> None:
        self.open: OpenEntry | None = None
        self._all_stamped = True

    def add(self, line: bytes, kind: Kind, *, number: int, mark: bytes = b"") -> OpenEntry | None:
        """Take a line; the entry that it has closed comes back, where it closed one."""
        if kind.role is not Role.BLANK:
            self._all_stamped = self._all_stamped and kind.stamped
        role = kind.role
        if role is Role.PLAIN and kind.stamped and not self._all_stamped:
            role = Role.START
        entry = self.open
        if entry is not None:
            if role is Role.BLANK and not entry.in_key:
                entry.blanks += 1
                closed = entry.blanks > MOST_BLANKS or not bears_blanks(entry)
                if closed:
                    self.open = None
                return _settled(entry) if closed else None
            if entry.size < _MOST_LINES and continues(entry, unstamped(line), role, kind):
                entry.add(line, kind, mark=mark)
                return None
        self.open = None if role is Role.BLANK else OpenEntry(line, kind, number=number, mark=mark)
        return _settled(entry)

    def skip(self, *, stamped: bool) -> None:
        """Take note of boring lines that nobody needs to put together."""
        self._all_stamped = self._all_stamped and stamped

    def finish(self) -> OpenEntry | None:
        """The entry that is still open."""
        entry, self.open = self.open, None
        return _settled(entry)


def _settled(entry: OpenEntry | None) -> OpenEntry | None:
    if entry is not None:
        entry.settle()
    return entry


def read_entries(lines: Iterable[str | bytes]) -> Iterator[Entry]:
    """The entries of a log, in their order, from its lines in any encoding."""
    assembler = Assembler()
    partial, number = b"", 0
    for number, line in enumerate(lines, start=1):
        raw = line.encode(errors="replace") if isinstance(line, str) else line
        found = bare(shortened(raw.translate(None, b"\0").rstrip(b"\r\n"), LINE_BYTES))
        if found.partial:
            partial = (partial + found.line)[: 2 * LINE_BYTES]
            continue
        whole, partial = shortened(partial + found.line, LINE_BYTES), b""
        closed = assembler.add(whole, kind_of(whole), number=number)
        if closed is not None:
            yield closed.close()
    if partial:
        closed = assembler.add(shortened(partial, LINE_BYTES), kind_of(partial), number=number)
        if closed is not None:
            yield closed.close()
    rest = assembler.finish()
    if rest is not None:
        yield rest.close()
