"""When an entry was written, as far as it says so itself."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

__all__ = ["after_time", "read_number", "read_time"]

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
        start=1,
    )
}
_CLOCK: Final = r"(?P<h>\d\d?):(?P<mi>\d\d):(?P<s>\d\d)(?:[.,](?P<f>\d{1,9}))?"
_ZONE: Final = r"(?:\s?(?P<z>Z|UTC|GMT|[+-]\d\d:?\d\d)\b)?(?:\s(?P<half>[AP]M)\b)?"
_BEGIN: Final = r"[\s\[(<\"']{0,3}(?:\d{1,7}:[A-Z]\s|time=\"?|ts=\"?|timestamp=\"?)?"
_PATTERNS: Final = tuple(
    re.compile(_BEGIN + shape)
    for shape in (
        rf"(?P<y>\d{{4}})[-/](?P<mo>\d\d)[-/](?P<d>\d\d)(?:[T ]|\s-\s){_CLOCK}{_ZONE}",
        rf"(?P<y2>\d\d)/(?P<mo>\d\d)/(?P<d>\d\d) {_CLOCK}{_ZONE}",
        rf"(?P<d>\d\d)[/ ](?P<name>[A-Z][a-z]{{2}})[/ ](?P<y>\d{{4}})[: ]{_CLOCK}{_ZONE}",
        rf"(?P<name>[A-Z][a-z]{{2}})\s{{1,2}}(?P<d>\d\d?), (?P<y>\d{{4}}),? {_CLOCK}{_ZONE}",
        rf"(?:[A-Z][a-z]{{2}} )?(?P<name>[A-Z][a-z]{{2}})\s{{1,2}}(?P<d>\d\d?) {_CLOCK}"
        rf"(?: (?P<y>\d{{4}}))?",
        _CLOCK,
        r"(?P<epoch>1[5-9]\d{8}(?:\.\d{1,9})?)(?![\d.])",
    )
)
_MAY_BEGIN: Final = re.compile(r"[\s\[(<\"']{0,3}(?:\d|time|ts=|[A-Z][a-z]{2}\s)")
_EPOCH_UNITS: Final = (1.0, 1e3, 1e6, 1e9)


def after_time(text: str) -> int:
    """Where the text goes on behind the time that it begins with; 0 where there is none."""
    if _MAY_BEGIN.match(text) is None:
        return 0
    return next((found.end() for each in _PATTERNS if (found := each.match(text))), 0)


def read_time(text: str) -> datetime | None:
    """The time that a text begins with; UTC where it names no zone, None where it has no date."""
    for pattern in _PATTERNS:
        found = pattern.match(text)
        if found is not None:
            with contextlib.suppress(ValueError, OverflowError, KeyError):
                return _time_of(found)
            return None
    return None


def read_number(value: float) -> datetime | None:
    """A time in seconds, milli-, micro- or nanoseconds since 1970."""
    for unit in _EPOCH_UNITS:
        if 1.0e9 <= value / unit < 4.0e9:
            return datetime.fromtimestamp(value / unit, tz=UTC)
    return None


def _time_of(found: re.Match[str]) -> datetime | None:
    parts = found.groupdict()
    get: Callable[[str], str | None] = parts.get
    epoch = get("epoch")
    if epoch:
        return read_number(float(epoch))
    year = get("y") or (f"20{parts['y2']}" if get("y2") else None)
    if year is None:
        return None
    name = get("name")
    month = _MONTHS[name.lower()] if name else int(parts["mo"])
    hour = int(parts["h"])
    if get("half"):
        hour = hour % 12 + (12 if parts["half"] == "PM" else 0)
    fraction = ((get("f") or "") + "000000")[:6]
    zone = _zone(get("z"))
    return datetime(
        int(year), month, int(parts["d"]), hour, int(parts["mi"]), int(parts["s"]), int(fraction),
        tzinfo=zone,
    )  # fmt: skip


def _zone(text: str | None) -> timezone:
    if text is None or text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)
