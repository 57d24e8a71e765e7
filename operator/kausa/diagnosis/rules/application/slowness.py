"""Slow operations in a log without any error: programs tell how long things took."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Slow", "asks_for_slowness", "slowest"]

_ASKED = re.compile(
    r"\b(?:slow\w{0,4}|latenc\w{1,3}|performance|performing|delay\w{0,3}|lag\w{0,4}|hang\w{0,3}|"
    r"hung|time-?outs?|timing out|degrad\w{1,6}|takes? (?:so |too )?long|response times?|sluggish|"
    r"p9[059])\b",
    re.I,
)
_TELLS = re.compile(
    r"\b(?:took|takes|taken|complet\w{2,5}|finish\w{0,3}|elapsed|duration|latency|response.?time|"
    r"processed|executed|request|query|call|within|after|spent|time)\b",
    re.I,
)
_DURATION = re.compile(
    r"(?<![\w.])(?P<number>\d{1,9}(?:\.\d{1,9})?) ?(?P<unit>ms|milliseconds?|msecs?|s|secs?|"
    r"seconds?)\b|(?P<field>\b(?:duration|latency|elapsed|response_time|took|time)_?(?P<of>ms|s|"
    r"seconds|millis)[\"']?[=:] ?)(?P<value>\d{1,9}(?:\.\d{1,9})?)",
    re.I,
)
SLOW_SECONDS = 1.0
"""What a person waits for notices: a call that takes longer is worth telling."""
MOST_LINES = 2000
LONGEST_LINE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """The slowest operation that a log tells, and how many took longer than a second."""

    line: str
    seconds: float
    count: int
    of: int
    """Operations that told how long they took."""


def asks_for_slowness(question: str) -> bool:
    """Whether somebody asks why something is slow."""
    return _ASKED.search(question) is not None


def slowest(text: str) -> Slow | None:
    """The slowest operation of a log's end, where it took longer than a second."""
    found = [
        (seconds, line)
        for line in text.splitlines()[-MOST_LINES:]
        if _TELLS.search(line[:LONGEST_LINE])
        and (seconds := _seconds(line[:LONGEST_LINE])) is not None
    ]
    slow = [each for each in found if each[0] >= SLOW_SECONDS]
    if not slow:
        return None
    seconds, line = max(slow, key=lambda each: each[0])
    return Slow(line=line.strip(), seconds=seconds, count=len(slow), of=len(found))


def _seconds(line: str) -> float | None:
    durations = []
    for found in _DURATION.finditer(line):
        unit = (found["unit"] or found["of"] or "").lower()
        number = float(found["number"] or found["value"])
        durations.append(number / 1000 if unit.startswith(("ms", "mil")) else number)
    return max(durations, default=None)
