"""What a log is made of: entries, each one line or a whole stack trace."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from kausa.evidence.logs.keys import without_broken_keys

__all__ = [
    "ENTRY_BYTES",
    "ENTRY_LINES",
    "LINE_BYTES",
    "Entry",
    "Found",
    "LogSummary",
    "Severity",
]

LINE_BYTES = 16 * 1024
"""No more of a line is looked at or kept."""
ENTRY_LINES = 200
ENTRY_BYTES = 32 * 1024
"""No more of an entry is kept: its first lines, and those that name its causes."""


class Severity(IntEnum):
    """How bad an entry says it is; debugging counts as information."""

    INFO = 0
    WARNING = 1
    ERROR = 2
    FATAL = 3

    @property
    def word(self) -> str:
        """`fatal`, `error`, `warning` or `info`."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that a program said; not redacted yet."""

    lines: tuple[bytes, ...]
    """Without prefixes of the container runtime, colours, NULs and line ends."""
    line: int
    """The number of its first line in the log, from 1."""
    severity: Severity
    strength: int = 0
    """How surely its words tell a failure, among entries of one severity."""
    left_out: int = 0
    """Lines of it that were too many to keep."""

    @property
    def text(self) -> str:
        """The lines, decoded, without halves of PEM blocks; what is no UTF-8 is replaced."""
        return b"\n".join(without_broken_keys(self.lines)).decode(errors="replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An entry that was kept, and all those like it; not redacted yet."""

    entry: Entry
    """The first of them; of a fatal end, the last."""
    count: int = 1
    first_line: int
    last_line: int
    first_time: datetime | None = None
    last_time: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSummary:
    """What a whole log comes to, in bounded space; not redacted yet.

    Nothing may be cut out of a text in here before the text as a whole was redacted.
    """

    tail: str = ""
    """The last whole lines, at most 64 KiB and a margin."""
    decisive: Found | None = None
    """The entry that most likely says why the program failed; the last one where none does."""
    fatal: Found | None = None
    """The last entry that tells the end of the program."""
    troubles: tuple[Found, ...] = ()
    """Errors and warnings, one of a kind, the most telling first."""
    before: tuple[Found, ...] = ()
    """Rare entries right before a trouble began, such as a configuration that was read again."""
    lines: int = 0
    size: int = 0
    """Bytes that were read."""
    counts: dict[Severity, int] = field(default_factory=dict)
    """Entries by severity."""
    complete: bool = True
    """False where the log goes on beyond what was read."""
