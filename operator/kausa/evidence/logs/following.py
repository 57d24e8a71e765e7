"""Whether a line belongs to the open entry: what may follow depends on how the entry began.

After a Go panic come blank lines and goroutines, after a Python traceback the exception and perhaps
another traceback. A line of its own severity is never swallowed where it need not be.
"""

from __future__ import annotations

import re
from typing import Final

from kausa.evidence.logs.entry import ENTRY_LINES, Severity
from kausa.evidence.logs.open_entry import MODES, Mode, OpenEntry
from kausa.evidence.logs.shapes import Kind, Role

__all__ = ["bears_blanks", "continues"]

MOST_PLAIN: Final = 10
_HEAD_BYTES: Final = 512
_INSIDE: Final = frozenset({Role.INDENTED, Role.FRAME, Role.CHAIN, Role.CLOSING})
_LISTS: Final = re.compile(rb":\s{0,4}$|\berrors? for |\berrors?:?\s{0,4}$")
_IN_KEY: Final = re.compile(rb"[A-Za-z0-9+/=]{0,128}\s{0,4}$|[A-Z][\w-]{2,32}: ")


def bears_blanks(entry: OpenEntry) -> bool:
    """Whether more of the entry may follow behind a blank line."""
    return entry.mode is not Mode.SINGLE or entry.severity > Severity.INFO


def continues(entry: OpenEntry, line: bytes, role: Role, kind: Kind) -> bool:
    """Whether the line belongs to the open entry; sets what may come next."""
    if role in (Role.KEY, Role.KEY_END):
        entry.in_key = role is Role.KEY
        return True
    if entry.in_key:
        entry.in_key = _IN_KEY.match(line) is not None
        if entry.in_key:
            return True
    decide = _DECIDERS.get(entry.mode, _in_trace)
    return decide(entry, line, role, kind)


def _in_single(entry: OpenEntry, line: bytes, role: Role, kind: Kind) -> bool:
    if role is Role.CHAIN:
        entry.mode = Mode.TRACE
        entry.worsen(kind)
        return True
    if entry.blanks:
        return False
    troubled = entry.severity > Severity.INFO
    if role is Role.FRAME:
        entry.mode = Mode.TRACE
        return True
    if role is Role.INDENTED:
        # An indented line that says more than what stands above it is an entry of its own.
        fits = entry.first_kind.levelled or kind.severity <= entry.severity
        return fits and entry.size < ENTRY_LINES
    if role is Role.CLOSING:
        return True
    if role in (Role.TRACEBACK, Role.HEADLINE, Role.GOROUTINE, Role.PANIC) and troubled:
        if role is Role.HEADLINE and entry.first_kind.role is not Role.START:
            return False
        entry.mode = MODES[role]
        entry.worsen(kind)
        return True
    return False


def _in_trace(entry: OpenEntry, line: bytes, role: Role, kind: Kind) -> bool:
    if role in _INSIDE:
        if role in (Role.FRAME, Role.CHAIN):
            entry.plain = MOST_PLAIN
        return not entry.blanks or role is Role.CHAIN or entry.mode is Mode.SOURCE
    if entry.blanks or role is not Role.PLAIN:
        return line.startswith(b"Node.js v")
    if line.startswith((b"- ", b"Node.js v")):
        return True
    # A message of several lines, before the first frame.
    entry.plain += 1
    return entry.plain <= MOST_PLAIN // 2 and kind.severity is Severity.INFO


def _in_source(entry: OpenEntry, line: bytes, role: Role, kind: Kind) -> bool:
    entry.plain += 1
    if role in (Role.HEADLINE, Role.CHAIN) or (role is Role.PLAIN and entry.blanks):
        entry.mode, entry.plain = Mode.TRACE, 0
        entry.severity, entry.strength = Severity.FATAL, 2
        return True
    return role in (*_INSIDE, Role.PLAIN, Role.SOURCE) and entry.plain <= 2 * MOST_PLAIN


def _in_python_frames(entry: OpenEntry, line: bytes, role: Role, kind: Kind) -> bool:
    if role in (Role.INDENTED, Role.FRAME, Role.CHAIN, Role.CLOSING):
        return True
    if role in (Role.START, Role.TRACEBACK, Role.GOROUTINE, Role.BANNER):
        # A program's own exception may be named like a level: `Error: ...`, and end the trace.
        return role is Role.START and not kind.levelled and not entry.blanks
    entry.mode, entry.plain = Mode.PYTHON_SAID, 0
    entry.lists = _LISTS.search(line[:_HEAD_BYTES]) is not None
    return not entry.blanks


def _in_python_said(entry: OpenEntry, line: bytes, role: Role, kind: Kind) -> bool:
    if role is Role.CHAIN:
        entry.mode = Mode.PYTHON_CHAIN
        return True
    if entry.blanks:
        return role is Role.INDENTED and kind.severity <= Severity.WARNING
    if role in (Role.INDENTED, Role.FRAME, Role.CLOSING, Role.OPENING):
        return True
    if role is not Role.PLAIN:
        return False
    if line.startswith((b"(", b"[", b"- ", b"* ")):
        return True
    entry.plain += 1
    return entry.lists and kind.severity is Severity.INFO and entry.plain <= MOST_PLAIN


def _in_python_chain(entry: OpenEntry, line: bytes, role: Role, kind: Kind) -> bool:
    if role is Role.TRACEBACK:
        entry.mode = Mode.PYTHON_FRAMES
    else:
        entry.mode = Mode.PYTHON_SAID
    return role in (Role.TRACEBACK, Role.HEADLINE)


def _in_go(entry: OpenEntry, line: bytes, role: Role, kind: Kind) -> bool:
    if role in (Role.GOROUTINE, Role.FRAME, Role.CLOSING):
        entry.plain = MOST_PLAIN
        return True
    if role is Role.PANIC:
        return line[:1].isspace() or not entry.blanks
    if entry.blanks:
        return False
    if role is Role.INDENTED:
        return True
    entry.plain += 1
    return role is Role.PLAIN and entry.plain <= MOST_PLAIN // 2


def _in_rust(entry: OpenEntry, line: bytes, role: Role, kind: Kind) -> bool:
    if role is Role.FRAME:
        entry.plain = MOST_PLAIN
    if role in (*_INSIDE, Role.SOURCE):
        return not entry.blanks
    entry.plain += 1
    return (
        role in (Role.PLAIN, Role.HEADLINE) and entry.plain <= MOST_PLAIN // 2 and not entry.blanks
    )


def _in_json(entry: OpenEntry, line: bytes, role: Role, kind: Kind) -> bool:
    if entry.depth <= 0 or entry.size >= ENTRY_LINES:
        return False
    # Brackets inside of strings may be counted too: then the entry ends early, or at the limit.
    opened = line.count(b"{") + line.count(b"[")
    entry.depth += opened - line.count(b"}") - line.count(b"]")
    return role is not Role.START or line[:1] in b'"{'


def _in_banner(entry: OpenEntry, line: bytes, role: Role, kind: Kind) -> bool:
    return role is not Role.START and entry.size < MOST_PLAIN * 3


_DECIDERS: Final = {
    Mode.SINGLE: _in_single,
    Mode.PYTHON_FRAMES: _in_python_frames,
    Mode.PYTHON_SAID: _in_python_said,
    Mode.PYTHON_CHAIN: _in_python_chain,
    Mode.TRACE: _in_trace,
    Mode.GO: _in_go,
    Mode.RUST: _in_rust,
    Mode.SOURCE: _in_source,
    Mode.JSON: _in_json,
    Mode.BANNER: _in_banner,
}
