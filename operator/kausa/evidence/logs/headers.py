"""A line's own account of itself: its level, its message, its time.

Known are klog, logfmt, JSON (`structured.py`), syslog, and the family of lines that begin with a
time, a level and a logger's name, in any order and any brackets (log4j, logback, Python, Ruby,
.NET, nginx, Go, Rust, Redis, PostgreSQL).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kausa.evidence.logs.entry import Severity
from kausa.evidence.logs.severity import LEVELS
from kausa.evidence.logs.structured import as_json, as_logfmt
from kausa.evidence.logs.times import after_time, read_time

__all__ = ["Header", "read_header"]

_LEVEL_AT_MOST: Final = 200
_KLOG: Final = re.compile(
    r"([IWEF])\d{4} \d\d:\d\d:\d\d\.\d{1,9}\s{1,8}\d{1,10} [^\s\]]{1,128}\] ?"
)
_SYSLOG: Final = re.compile(r"<\d{1,3}>(?:1 )?")
_HOST: Final = re.compile(r"\s?[\w.-]{1,64} (?P<program>[\w./-]{1,64})(?:\[\d{1,7}\])?: ")
_UPPER: Final = (
    "TRACE|DEBUG|DBUG|DBG|VERBOSE|INFORMATION|INFO|INF|NOTICE|WARNING|WARN|WRN|ERROR|ERR|ERRO|FATAL"
    "|FATA|FTL|CRITICAL|CRIT|SEVERE|EMERGENCY|EMERG|ALERT|PANIC|PANI|FINE|FINER|FINEST|CONFIG|LOG"
)
_LEVEL: Final = re.compile(
    rf"(?:^|(?<=[\s\[\](|:<{{/,-]))(?:"
    rf"(?P<upper>{_UPPER})(?=[\s\])|:>\[/,}}-]|$)"
    r"|(?:(?P<bracket>[\[<|(\t])(?:[\w.-]{1,32}:)?)"
    r"(?P<lower>(?i:trace|debug|dbg|info|notice|warn|warning|error|err|crit|critical|alert|emerg"
    r"|fatal|panic))(?=[\])>|\t:])"
    r"|(?P<dotnet>trce|dbug|info|warn|fail|crit): (?=[\w.]{1,200}\[\d{1,9}\])"
    r"|(?P<letter>[DIWEF])(?:\s{1,4}\d\d/\d\d ))"
)
_STARTS: Final = re.compile(
    r"(?i:(?P<start>trace|debug|info|notice|warn|warning|error|fatal|critical|panic|severe)"
    r"(?=:\s|\]|\[\d))"
)
_REDIS: Final = re.compile(r"\d{1,7}:[A-Z] .{12,40}? (?P<sign>[.\-*#]) ")
_LOGGER: Final = re.compile(
    r"[\s\])|:>}-]{0,8}(?:"
    r"\d{1,7} --- (?:\[[^\]]{0,80}\] ?){1,3}[\w.$/\[\]]{1,100}\s{0,40}: "
    r"|\[\d{4}\] |(?:-- )?(?:[\w.$/-]{1,80})?: (?<=-- : )"
    r"|(?:\[[^\]\n]{0,80}\][\s:-]{0,3}){1,3}(?:[\w.$/-]{2,100} - )?"
    r"|[\w.$]{2,100}\[\d{1,9}\]\s{0,2}|[\w.$/-]{2,100} (?:\[[^\]]{0,80}\] )?- "
    r"|(?:\d{1,7}#\d{1,7}: (?:\*\d{1,12} )?)|[\w-]{1,64}(?:[.:]{1,2}[\w-]{1,64}){1,12}: "
    r"|[\w:.-]{1,100}\] |[a-z_]{2,32}:(?=\S))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a line says of itself."""

    level: Severity | None
    """None where it has no level field, or one that nobody knows."""
    message: str
    """The line without time, level and logger."""
    time: datetime | None = None
    headed: bool = False
    """Whether it has a header at all: then no line of a stack trace looks like it."""
    error: str = ""
    """What a JSON line or a logfmt line holds in its field for errors."""


def read_header(text: str) -> Header:
    """Take one line apart; what is no header is all message."""
    stripped = text.lstrip()
    if stripped.startswith("{"):
        fields = as_json(stripped)
        if fields is not None:
            return Header(**fields)
    klog = _KLOG.match(text)
    if klog is not None:
        return Header(level=LEVELS[klog[1].lower()], message=text[klog.end() :], headed=True)
    fields = as_logfmt(text)
    if fields is not None:
        return Header(**fields)
    return _plain(text)


def _plain(text: str) -> Header:
    redis = _REDIS.match(text)
    if redis is not None:
        # `#` marks warnings and ends alike: there the words decide.
        level = None if redis["sign"] == "#" else Severity.INFO
        return Header(level=level, message=text[redis.end() :], time=read_time(text), headed=True)
    start = 0
    syslog = _SYSLOG.match(text)
    if syslog is not None:
        start = syslog.end()
    behind = after_time(text[start : start + _LEVEL_AT_MOST])
    timed = behind > 0
    time = read_time(text[start : start + _LEVEL_AT_MOST]) if timed else None
    start += behind
    host = _HOST.match(text, start) if timed and (syslog or text[:1].isalpha()) else None
    if host is not None:
        start = host.end()
    head = text[start : start + _LEVEL_AT_MOST]
    found = _level(head, timed=timed)
    if found is None:
        message = text[start:].lstrip(" \t])>|:,-") if timed else text
        return Header(level=None, message=message, time=time, headed=timed)
    level, end = found
    logger = _LOGGER.match(text, start + end)
    message = text[logger.end() if logger is not None else start + end :].lstrip(" \t])>|:,-")
    return Header(
        level=level,
        message=message or text.strip(),
        time=time,
        headed=timed or not head[:1].isspace(),
    )


def _level(head: str, *, timed: bool) -> tuple[Severity, int] | None:
    start = _STARTS.match(head.lstrip("[<("))
    if start is not None:
        return LEVELS[start["start"].lower()], start.end() + len(head) - len(head.lstrip("[<("))
    found = _LEVEL.search(head)
    if found is None:
        return None
    word = found["upper"] or found["lower"] or found["dotnet"] or found["letter"]
    if not timed and found.start() > 60:
        return None
    return LEVELS.get(word.lower(), Severity.INFO), found.end()
