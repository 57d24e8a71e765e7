"""An entry that is still read: what is kept of it, and how it began.

Of an entry that is too long the first lines are kept, and those that name its causes.
"""

from __future__ import annotations

from collections import deque
from enum import Enum, auto
from typing import Final

from kausa.evidence.logs.entry import ENTRY_BYTES, Entry
from kausa.evidence.logs.prefixes import shortened, unstamped
from kausa.evidence.logs.shapes import Kind, Role, kind_of

__all__ = ["MODES", "Mode", "OpenEntry"]

_FIRST_LINES: Final = 144
_FIRST_BYTES: Final = 20 * 1024
_CAUSE_LINES: Final = 48
_CAUSE_BYTES: Final = 10 * 1024
_CAUSE_LINE_BYTES: Final = 2 * 1024
_HEAD_BYTES: Final = 512


class Mode(Enum):
    """How the open entry began, and so what may follow in it."""

    SINGLE = auto()
    PYTHON_FRAMES = auto()
    PYTHON_SAID = auto()
    PYTHON_CHAIN = auto()
    TRACE = auto()
    GO = auto()
    RUST = auto()
    SOURCE = auto()
    JSON = auto()
    BANNER = auto()


MODES: Final = {
    Role.TRACEBACK: Mode.PYTHON_FRAMES,
    Role.PANIC: Mode.GO,
    Role.GOROUTINE: Mode.GO,
    Role.RUST: Mode.RUST,
    Role.SOURCE: Mode.SOURCE,
    Role.OPENING: Mode.JSON,
    Role.BANNER: Mode.BANNER,
    Role.HEADLINE: Mode.TRACE,
}
_KEYS: Final = frozenset({Role.CHAIN, Role.HEADLINE, Role.PANIC, Role.RUST})


class OpenEntry:
    """An entry that more lines may still belong to."""

    __slots__ = (
        "_bytes", "_cause_bytes", "_causes", "_kept", "blanks", "depth", "first_kind",
        "first_mark", "in_key", "left_out", "line", "lists", "mark", "mode", "plain",
        "severity", "size", "strength",
    )  # fmt: skip

    def __init__(self, line: bytes, kind: Kind, *, number: int, mark: bytes) -> None:
        self._kept = [line]
        self._bytes = len(line)
        self._causes: deque[bytes] = deque()
        self._cause_bytes = 0
        self.left_out = 0
        self.line = number
        self.first_kind = kind
        self.severity = kind.severity
        self.strength = kind.strength
        self.mode = MODES.get(kind.role, Mode.SINGLE)
        self.first_mark = mark
        """What the caller knows the first line by."""
        self.mark = mark
        """What the caller knows the last line by that names an exception or a cause."""
        self.size = 1
        self.plain = 0
        self.blanks = 0
        self.lists = False
        """Whether the exception announces lines that say more."""
        self.depth = 1 if kind.role is Role.OPENING else 0
        self.in_key = kind.role is Role.KEY

    def add(self, line: bytes, kind: Kind, *, mark: bytes) -> None:
        """Take one more line, the pending blank ones before it."""
        for _ in range(self.blanks):
            self._keep(b"", important=False)
        self.blanks = 0
        important = kind.role in _KEYS or self._is_message(kind.role)
        if important:
            self.mark = mark
        self._keep(line, important=important)

    def _is_message(self, role: Role) -> bool:
        """Whether a line without any shape of its own is what the exception says."""
        if role is not Role.PLAIN and role is not Role.START:
            return False
        if self.mode is Mode.RUST:
            return self.plain == 1
        return self.plain == 0 and self.mode in (Mode.PYTHON_SAID, Mode.TRACE)

    def _keep(self, line: bytes, *, important: bool) -> None:
        self.size += 1
        if len(self._kept) < _FIRST_LINES and self._bytes + len(line) <= _FIRST_BYTES:
            self._kept.append(line)
            self._bytes += len(line)
            return
        if not important:
            self.left_out += 1
            return
        line = shortened(line, _CAUSE_LINE_BYTES)
        self._causes.append(line)
        self._cause_bytes += len(line)
        while len(self._causes) > _CAUSE_LINES or self._cause_bytes > _CAUSE_BYTES:
            self._cause_bytes -= len(self._causes.popleft())
            self.left_out += 1

    @property
    def head(self) -> bytes:
        """The beginning of its first line, for the time in it."""
        return self._kept[0][:_HEAD_BYTES]

    def worsen(self, kind: Kind) -> None:
        """An exception below a line without a level makes an error of it."""
        if not self.first_kind.levelled and kind.severity > self.severity:
            self.severity, self.strength = kind.severity, kind.strength

    @property
    def is_single(self) -> bool:
        """Whether any line that may begin an entry closes this one."""
        return self.mode is Mode.SINGLE and not self.in_key

    @property
    def foldable(self) -> bool:
        """Whether its first and its telling line say what sets it apart from others."""
        return self.mode not in (Mode.JSON, Mode.BANNER)

    def settle(self) -> None:
        """Judge JSON over several lines, now that all of it is there."""
        if self.mode is Mode.JSON:
            kind = kind_of(shortened(b" ".join(map(unstamped, self._kept)), ENTRY_BYTES))
            self.severity, self.strength = kind.severity, kind.strength

    def close(self) -> Entry:
        """The entry as it is now."""
        return Entry(
            lines=(*self._kept, *self._causes),
            line=self.line,
            severity=self.severity,
            strength=self.strength,
            left_out=self.left_out,
        )
