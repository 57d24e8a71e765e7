"""From a scanned log to what may leave: redacted first, then picked and cut to fit.

Every kept entry and the tail is redacted as a whole, and only what comes out of it is taken apart:
half a secret is known by nobody any more, and still a secret.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from kausa.evidence.dossier import LogEntry, LogExcerpt
from kausa.evidence.logs.causes import account_of
from kausa.evidence.logs.entry import Found, LogSummary, Severity
from kausa.evidence.logs.tail import TAIL_BYTES, last_lines
from kausa.evidence.redaction import Redactor

__all__ = ["LONGEST_DECISIVE", "excerpt_of"]

LONGEST_DECISIVE: Final = 400
_ENTRIES_BYTES: Final = 24 * 1024
"""Of the 64 KiB that are kept for a container; the tail has the rest."""
_FIRST_ENTRY_BYTES: Final = 12 * 1024
_ENTRY_BYTES: Final = 1536
_NEAR_END: Final = 3


def excerpt_of(
    summary: LogSummary, *, container: str, previous: bool, ended: bool, redactor: Redactor
) -> tuple[LogExcerpt, Counter[str]]:
    """The excerpt of a log without its secrets, and how many of each kind it lost.

    `ended` says that the program is over: then its last line tells more than an old warning.
    """
    lost: Counter[str] = Counter()
    entries: list[LogEntry] = []
    room = _ENTRIES_BYTES
    decisive, cause = "", ""
    for found in _in_order(summary):
        limit = min(room, _FIRST_ENTRY_BYTES if not entries else _ENTRY_BYTES)
        entry, said = _entry(found, limit=limit, redactor=redactor, lost=lost)
        room -= _size(entry.text)
        if not entries:
            decisive, cause = said, entry.cause
        entries.append(entry)
        if room < _ENTRY_BYTES:
            break
    before = tuple(
        _entry(found, limit=_ENTRY_BYTES, redactor=redactor, lost=lost)[0]
        for found in summary.before
    )
    tail = redactor.text(summary.tail)
    lost.update(tail.counts)
    text = last_lines(tail.value, size=TAIL_BYTES - (_ENTRIES_BYTES - room))
    if not decisive or (ended and _is_old_warning(summary)):
        decisive, cause = _last_line(text) or decisive, ""
    return (
        LogExcerpt(
            container=container,
            previous=previous,
            text=text,
            decisive=_clipped(decisive),
            cause=_clipped(cause),
            entries=tuple(entries),
            before=before,
            lines=summary.lines,
            complete=summary.complete,
        ),
        lost,
    )


def _in_order(summary: LogSummary) -> list[Found]:
    decisive = summary.decisive
    if decisive is None:
        return []
    # The decisive one is among the troubles too, with the first of its kind as example.
    return [decisive, *summary.troubles[1:]]


def _entry(
    found: Found, *, limit: int, redactor: Redactor, lost: Counter[str]
) -> tuple[LogEntry, str]:
    redacted = redactor.text(found.entry.text)
    lost.update(redacted.counts)
    account = account_of(redacted.value)
    entry = LogEntry(
        text=_shortened(redacted.value, limit, cause=account.cause),
        message=_clipped(account.message),
        cause=_clipped(account.cause),
        level=found.entry.severity.word,
        count=found.count,
        line=found.first_line,
        last_line=found.last_line,
        first_time=found.first_time,
        last_time=found.last_time,
    )
    return entry, account.decisive


def _shortened(text: str, limit: int, *, cause: str) -> str:
    """The first lines that fit, and the line with the cause."""
    text = text.strip("\n")
    if _size(text) <= limit:
        return text
    lines = text.split("\n")
    telling = next((line for line in reversed(lines[1:]) if cause and cause in line), "")[:limit]
    room = limit - _size(telling) - 8
    kept: list[str] = []
    for line in lines:
        room -= _size(line) + 1
        if room < 0:
            break
        kept.append(line)
    if not kept:
        kept = [lines[0].encode()[: limit // 2].decode(errors="ignore")]
    return "\n".join([*kept, "...", *([telling] if telling and telling not in kept else [])])


def _is_old_warning(summary: LogSummary) -> bool:
    found = summary.decisive
    return (
        found is not None
        and found.entry.severity < Severity.ERROR
        and summary.lines - found.last_line >= _NEAR_END
    )


def _last_line(text: str) -> str:
    lines = text.strip().rsplit("\n", 1)
    return account_of(lines[-1]).message if lines[-1].strip() else ""


def _clipped(text: str) -> str:
    return text.strip()[:LONGEST_DECISIVE]


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="replace"))
