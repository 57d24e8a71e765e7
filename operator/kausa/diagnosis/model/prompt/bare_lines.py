"""A line of a log without what every line has: time, level, logger, and the marks of its format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from kausa.evidence.logs.headers import read_header

__all__ = ["FOLDED", "without_header"]

_HEADERS: Final = frozenset(
    (
        *("time", "ts", "timestamp", "@timestamp", "t", "@t", "date", "datetime", "asctime"),
        *("level", "lvl", "severity", "loglevel", "levelname", "logger", "logger_name", "caller"),
        *("pid", "hostname", "host", "thread", "thread_name", "v"),
    )
)
_MESSAGES: Final = ("msg", "message", "@m", "event", "text")
_VALUE: Final = r"(?:\"(?:[^\"\\]|\\.){0,2000}\"|\S{0,2000})"
_PAIR: Final = re.compile(rf"(?<!\S)([\w.@-]{{1,64}})=({_VALUE})")
_LOGFMT: Final = re.compile(rf"(?:[\w.@-]{{1,64}}={_VALUE}(?:\s|$)){{2}}")

FOLDED: Final = re.compile(
    r"(?:the part read of )?the log, \d+ lines, holds:$"
    r"|(?P<head>(?:\w{1,20}, (?:\d+ times from )?line \d+(?: to \d+)?|right before it began, "
    r"line \d+): )"
)
"""How a line of a log's summary begins; without `head` it is the summary's first."""


def without_header(line: str) -> str:
    """Return what the line says; the line itself where it is nothing but that."""
    stripped = line.strip()
    if stripped.startswith("{"):
        fields = _fields_of_json(stripped)
        return _told(fields) if fields else line
    if _LOGFMT.match(stripped) is not None:
        return _told({key: value.strip('"') for key, value in _PAIR.findall(stripped)}) or line
    header = read_header(line)
    return header.message if header.headed or header.level is not None else line


def _fields_of_json(text: str) -> dict[str, Any]:
    try:
        decoded = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _told(fields: Mapping[str, Any]) -> str:
    """`message key=value`, without what every line has."""
    message = next((fields[key] for key in _MESSAGES if isinstance(fields.get(key), str)), "")
    told = [str(message), *_pairs(fields)]
    return " ".join(" ".join(told).split())


def _pairs(fields: Mapping[str, Any]) -> Iterator[str]:
    for key, value in fields.items():
        if key.casefold() not in _HEADERS and key not in _MESSAGES:
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                yield f"{key}={value}"
            elif value is not None:
                yield f"{key}={msgspec.json.encode(value).decode()}"
