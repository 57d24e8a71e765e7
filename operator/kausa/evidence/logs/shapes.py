"""The part that a line can play in an entry, told from the line alone.

Stack traces of different languages look much the same: a headline that names an exception, frames,
and lines that lead to a cause. What a line really is depends on those before it (`assembly.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from kausa.evidence.logs.entry import Severity
from kausa.evidence.logs.headers import Header, read_header
from kausa.evidence.logs.prefixes import unstamped
from kausa.evidence.logs.severity import NUMBERED_LEVEL, by_words, numbers_matter

__all__ = ["EXCEPTION", "Kind", "Role", "kind_of"]


class Role(Enum):
    """What a line may be in an entry."""

    BLANK = auto()
    START = auto()
    """It has a header, so an entry begins."""
    PLAIN = auto()
    INDENTED = auto()
    FRAME = auto()
    CHAIN = auto()
    """It leads to a cause, or is one: `Caused by:`, `During handling`, `--->`."""
    HEADLINE = auto()
    """It begins with the name of an exception."""
    TRACEBACK = auto()
    PANIC = auto()
    GOROUTINE = auto()
    RUST = auto()
    SOURCE = auto()
    """A place in a JavaScript file, which Node prints before the exception."""
    BANNER = auto()
    """Spring Boot's account of a failed start, in paragraphs."""
    OPENING = auto()
    """A bracket alone: JSON over several lines."""
    CLOSING = auto()
    KEY = auto()
    """A PEM block begins."""
    KEY_END = auto()


@dataclass(frozen=True, slots=True)
class Kind:
    """All that is known of a line from its own words."""

    role: Role
    severity: Severity = Severity.INFO
    strength: int = 0
    levelled: bool = False
    """The severity is a level field's, not of words."""
    stamped: bool = False
    """A time of the kubelet's shape was taken off; perhaps it was the program's own."""
    varying: bool = False
    """Lines that differ in a number only may be of another severity."""


EXCEPTION: Final = re.compile(
    r"(?P<name>(?:[A-Za-z_$][\w$]{0,80}(?:\.|::|\\)){0,12}[A-Z][\w$]{0,80}"
    r"(?:Error|Exception|Fault|Warning|Interrupt|Throwable)\d{0,2}|(?:Errno|PG)::\w{2,40}"
    r"|Error|Exception|SystemExit|Throwable|[A-Z]\w{1,60}(?:::[A-Z]\w{1,60}){1,8}(?=\s\())"
    r"(?=:(?:\s|$)|\s?\(|\s\[|$)"
)
_EMPTY: Final = re.compile(
    r"\s{0,4}:\s{0,8}(?:none|null|nil|false|0|-|<nil>|\[\]|\{\})?\s{0,4}$", re.IGNORECASE
)
_FRAME: Final = re.compile(
    r"\s{1,64}at\s{1,8}[\w$.<>\[\]/@`~\\:#-]|at [\w$.<>]{3,200}\("
    r"|\s{0,64}(?:\.\.\. \d+ (?:more|common)"
    r"|from \S{1,256}:\d|#\d{1,4}\s|File \"|--- End of |\d{1,4}: 0x|\d{1,4}: \w{2,}::"
    r"|thrown in |Stack trace:$|stack backtrace:|note: (?:run with|Some details)|Require stack:"
    r"|[\^~]{1,200}\s{0,4}$|created by )"
)
_CHAIN: Final = re.compile(
    r"\s{0,64}(?:\[?[Cc]aused? ?by:?|\[cause\]:|--->|Suppressed:|Wrapped by:|Next [\w\\]{1,120}:"
    r"|The above exception was|During handling of the above|Root cause|Inner [Ee]xception\b"
    r"|Nested exception|\(Inner Exception #)"
)
_GO_FRAME: Final = re.compile(
    r"(?:[\w.\-/%~]{1,200}\.[\w.()*\[\]{}-]{1,200}\(.{0,1024}\)$|r\w{1,3} {1,6}0x[0-9a-f]{1,16}$"
    r"|exit status \d|\[signal |\[recovered)"
)
_OPENERS: Final = tuple(
    (re.compile(pattern), role)
    for pattern, role in (
        (
            r"\s{0,16}(?:\+ )?(?:Exception Group )?Traceback \(most recent call last\)",
            Role.TRACEBACK,
        ),
        (
            r"\s{0,16}(?:panic: |fatal error: |runtime: (?:goroutine stack exceeds|out of memory))"
            r"|SIG[A-Z]{3,6}: |unexpected fault address",
            Role.PANIC,
        ),
        (
            r"goroutine \d{1,12} (?:gp=\S{1,20} m=\S{1,9} (?:mp=\S{1,20} )?)?\["
            r"|\[?runtime stack:|goroutine running",
            Role.GOROUTINE,
        ),
        (r"\s{0,4}thread '[^']{0,128}'(?: \(\d{1,12}\))? panicked at ", Role.RUST),
        (
            r"(?:file://)?[\w./@-]{1,512}\.[cm]?[jt]sx?:\d{1,7}(?::\d{1,7})?$"
            r"|node:[\w/]{1,200}:\d{1,7}$",
            Role.SOURCE,
        ),
        (r"\s{0,8}APPLICATION FAILED TO START\s{0,8}$", Role.BANNER),
        (r"-----BEGIN [A-Z0-9 ]{1,48}-----", Role.KEY),
        (r"-----END [A-Z0-9 ]{1,48}-----", Role.KEY_END),
    )
)
_UNCAUGHT: Final = re.compile(
    r"(?:Exception in thread |Unhandled exception|Unhandled Exception|Uncaught |PHP Fatal error:"
    r"|Fatal error: |\[?Unhandled(?:Promise)?\s?[Rr]ejection|terminate called)"
)
_RUBY: Final = re.compile(
    r"\S{1,256}:\d{1,7}:in [`'][^'`]{0,200}'?.{0,2048}\([\w:]{1,200}\)\s{0,4}$"
)
_BY_SEVERITY: Final = {
    Role.TRACEBACK: Severity.FATAL,
    Role.PANIC: Severity.FATAL,
    Role.RUST: Severity.FATAL,
    Role.BANNER: Severity.FATAL,
    Role.HEADLINE: Severity.ERROR,
    Role.CHAIN: Severity.ERROR,
}
_SHAPE_CHARACTERS: Final = 2048


def kind_of(line: bytes) -> Kind:
    """What one line is, without prefixes of the runtime and without its end."""
    shape = unstamped(line)
    stamped = len(shape) < len(line)
    line = shape
    text = line.decode(errors="replace")
    if not text.strip():
        return Kind(Role.BLANK)
    head = text[:_SHAPE_CHARACTERS]
    if not head.strip():
        head = f" {text.strip()[:_SHAPE_CHARACTERS]}"
    role = _role_by_shape(head)
    if role is not None:
        severity = _of_headline(head) if role is Role.HEADLINE else _BY_SEVERITY.get(role)
        severity = severity or Severity.INFO
        return Kind(role, severity, strength=2 * (severity > Severity.INFO), stamped=stamped)
    header = read_header(text)
    if header.headed or (header.level is not None and not head[0].isspace()):
        return _headed(header, line, stamped=stamped)
    severity, strength = by_words(head)
    return Kind(
        Role.INDENTED if head[0].isspace() else Role.PLAIN,
        severity,
        strength=strength,
        stamped=stamped,
        varying=bool(numbers_matter(line)),
    )


def _role_by_shape(head: str) -> Role | None:
    for pattern, role in _OPENERS:
        if pattern.match(head):
            return role
    bare = head.strip()
    if bare in ("{", "["):
        return Role.OPENING
    if bare[0] in "}])" and not bare.strip("}]),; "):
        return Role.CLOSING
    if _CHAIN.match(head):
        return Role.CHAIN
    if _FRAME.match(head):
        return Role.FRAME
    if not head[0].isspace():
        if _names_exception(head) or _UNCAUGHT.match(head) or _RUBY.match(head):
            return Role.HEADLINE
        if _GO_FRAME.match(head):
            return Role.FRAME
    return None


def _names_exception(head: str) -> bool:
    found = EXCEPTION.match(head)
    return found is not None and _EMPTY.match(head, found.end()) is None


def _of_headline(head: str) -> Severity:
    if _UNCAUGHT.match(head):
        return Severity.FATAL
    found = EXCEPTION.match(head)
    if found is not None and found["name"].endswith("Warning"):
        return Severity.WARNING
    return max(Severity.ERROR, by_words(head).severity)


def _headed(header: Header, line: bytes, *, stamped: bool) -> Kind:
    level = header.level
    if level is not None:
        severity, strength = level, 2 * (level > Severity.INFO)
        if level is Severity.ERROR and by_words(header.message).severity is Severity.FATAL:
            strength = 3
        varying = NUMBERED_LEVEL.search(line[:1024]) is not None
        return Kind(Role.START, severity, strength, levelled=True, stamped=stamped, varying=varying)
    severity, strength = by_words(
        f"{header.message} {header.error}" if header.error else header.message
    )
    return Kind(Role.START, severity, strength, stamped=stamped, varying=bool(numbers_matter(line)))
