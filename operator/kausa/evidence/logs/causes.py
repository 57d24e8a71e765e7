"""What an entry says, in one line, and the first cause that it names.

Languages tell a chain of exceptions in different orders: Java, .NET and Node end with the first
cause, Python begins with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kausa.evidence.logs.entry import Severity
from kausa.evidence.logs.headers import read_header
from kausa.evidence.logs.prefixes import bare, unstamped
from kausa.evidence.logs.shapes import EXCEPTION
from kausa.evidence.logs.times import read_time

__all__ = ["Account", "account_of"]

_LINES: Final = 256
_TIME: Final = 64
_PYTHON: Final = re.compile(r"Traceback \(most recent call last\)")
_CAUSED: Final = re.compile(r"^(\s{0,64})(?:Caused by|caused by|Root cause|Wrapped by): ?(.*)")
_NUMBERED: Final = re.compile(r"^\s{1,16}(?:\d{1,3}: )?(\S.*)$")
_CAUSED_ALONE: Final = re.compile(r"^\s{0,16}Caused by:\s{0,8}$")
_INNER: Final = re.compile(r"\s{0,8}---> (?:\(Inner Exception #\d{1,3}\) )?(.*?)(?:<---)?$")
_NODE: Final = re.compile(r"^\s{0,64}\[cause\]: (.*?)\s?\{?$")
_GO: Final = re.compile(r"^\s{0,16}(?:panic|fatal error): (.*?)(?: ?\[recovered.*)?$")
_RECOVERED: Final = re.compile(r" \[recovered\b[^\]]{0,40}\]$")
_RUST: Final = re.compile(
    r"thread '[^']{0,128}'(?: \(\d{1,12}\))? panicked at (?:'(.*)', )?\S{0,256}?:?$"
)
_PHP: Final = re.compile(r"(?:PHP )?Fatal error:\s{1,4}Uncaught (.*?)(?: in \S{1,256}:\d{1,7})?$")
_RUBY: Final = re.compile(r"^\S{1,256}:\d{1,7}:in [`'][^'`]{0,200}'?: (.*)$")
_UNCAUGHT: Final = re.compile(
    r"^(?:Exception in thread \"?.{0,128}?\"? (?=[\w.$]{3,200}(?:Error|Exception))"
    r"|Unhandled exception[.:]?\s|Unhandled Exception:\s|Uncaught (?:exception:? )?)(.*)$"
)
_METER: Final = re.compile(r"^[\s\d:.%kMG-]{24,512}(?=[A-Za-z])")
_FRAMES: Final = re.compile(r"\s{1,64}(?:at |File \"|\.\.\. \d|from )|\s{0,8}\"?\^|goroutine \d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What an entry says."""

    message: str
    """Its message without header; of a bare stack trace, the exception."""
    cause: str
    """The first cause that it names; empty where it names none beside its message."""
    decisive: str
    """The one line that tells most: the cause where there is a chain, else the message."""
    level: Severity | None = None
    time: datetime | None = None


def account_of(text: str) -> Account:
    """Read an entry's text; any text has an account."""
    lines = [_bare(line) for line in text.split("\n", _LINES)[:_LINES]]
    whole = "\n".join(lines).strip()
    header = read_header(whole if whole[:1] in ("{", "[") else lines[0])
    nested = header.error.split("\n") if header.error else []
    below = [*header.message.split("\n")[1:], *nested, *lines[1:]]
    first = _RECOVERED.sub("", header.message.split("\n", 1)[0]).strip()
    chain = _chain([first, *below])
    python = any(_PYTHON.search(line) for line in (first, *below))
    exception = _exception(first) or next(
        (found for line in nested[:1] if (found := line.strip())), ""
    )
    said = _last_said([first, *below])
    message = said if _is_opening(first) and said else (_exception(first) or first)
    cause = (
        chain
        or (said if said and said != message else "")
        or (exception if exception != message else "")
    )
    # The last exception of Python says what ended it; mostly it quotes the first.
    decisive = chain if chain and not python else said or _joined(message, cause)
    return Account(
        message=message,
        cause=cause,
        decisive=decisive,
        level=header.level,
        time=header.time or read_time(text[:_TIME]),
    )


def _bare(line: str) -> str:
    stripped = unstamped(bare(line.encode(errors="replace")).line).decode(errors="replace")
    # What curl counts while it waits stands before its error.
    return _METER.sub("", stripped)


def _joined(message: str, cause: str) -> str:
    return message if not cause or cause in message else f"{message.rstrip(': .')}: {cause}"


def _is_opening(line: str) -> bool:
    """A line that only says that an exception follows."""
    return bool(
        not line
        or _PYTHON.search(line)
        or _RUST.search(line)
        or line.endswith((".js:", ".ts:"))
        or re.search(r"^(?:file://|node:)?\S{1,512}:\d{1,7}$", line)
        or line.startswith(("APPLICATION FAILED TO START", "{", "["))
    )


def _exception(line: str) -> str:
    """The exception that a line names in the fashion of its language, without that fashion."""
    for pattern in (_UNCAUGHT, _GO, _PHP, _RUBY):
        found = pattern.match(line)
        if found is not None:
            rest = found[1].strip()
            return rest.split(" ---> ")[0] if pattern is _UNCAUGHT else rest
    return ""


def _last_said(lines: list[str]) -> str:
    """The exception of the last traceback of Python, or the first of another language."""
    traceback = max((n for n, line in enumerate(lines) if _PYTHON.search(line)), default=None)
    if traceback is not None:
        return _below_frames(lines, traceback)
    for number, line in enumerate(lines[1:], start=1):
        if _RUST.search(lines[number - 1]):
            return line.strip()
        if EXCEPTION.match(line) or (number > 1 and _exception(line)):
            return _exception(line) or line.strip()
    if "APPLICATION FAILED TO START" in lines[0]:
        return _described(lines)
    return ""


def _below_frames(lines: list[str], traceback: int) -> str:
    indent = _indent(lines[traceback])
    for line in lines[traceback + 1 :]:
        if line.strip() and _indent(line) <= indent and not line.lstrip().startswith(("|", "+")):
            return line.strip()
    return ""


def _described(lines: list[str]) -> str:
    after = iter(lines)
    for line in after:
        if line.strip() == "Description:":
            return next((each.strip() for each in after if each.strip()), "")
    return ""


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _chain(lines: list[str]) -> str:
    """The first cause of a chain, or nothing where there is no chain."""
    tracebacks = [number for number, line in enumerate(lines) if _PYTHON.search(line)]
    if len(tracebacks) > 1:
        return _below_frames(lines, tracebacks[0])
    for number, line in enumerate(lines):
        if _CAUSED_ALONE.match(line):
            return _numbered_cause(lines[number + 1 :])
    caused = [found for line in lines if (found := _CAUSED.match(line)) is not None]
    if caused:
        # Deeper indentation belongs to a suppressed exception.
        outer = min(len(found[1]) for found in caused)
        return next(found[2].strip() for found in reversed(caused) if len(found[1]) == outer)
    for pattern in (_NODE, _INNER):
        inner = [found[1].strip() for line in lines if (found := pattern.search(line)) is not None]
        if inner:
            return inner[-1].rpartition("---> ")[2].strip()
    return _next_in_php(lines)


def _numbered_cause(lines: list[str]) -> str:
    """Rust's anyhow: `0: ...`, `1: ...`, the last being the first cause."""
    cause = ""
    for line in lines:
        found = _NUMBERED.match(line)
        if found is None or _FRAMES.match(line) or found[1].startswith("Stack backtrace"):
            break
        cause = found[1].strip()
    return cause


def _next_in_php(lines: list[str]) -> str:
    if any(line.startswith("Next ") for line in lines):
        return _exception(lines[0])
    return ""
