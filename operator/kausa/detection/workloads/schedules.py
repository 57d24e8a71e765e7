"""When a CronJob is to run: its schedule, read as the controller reads it (cron, five fields).

The controller's zone is not known, and the image may have no data of zones. So runs are counted on
from one that there was: whichever offset makes that run fit the schedule is the zone's. A change
between winter and summer moves them by an hour, which does not matter to who counts whole runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

import msgspec

from kausa.detection.case import later

__all__ = ["Schedule", "is_known_zone", "next_runs", "parse_schedule"]

LONGEST = 400
MOST_REMEMBERED = 1_024
MOST_DAYS = 5 * 366
"""As far as the controller looks: a schedule that no day fits (30th of February) never runs."""
_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_EVERY = "@every "
_QUARTER = timedelta(minutes=15)
_OFFSETS = tuple(
    sign * number * _QUARTER
    for number in range(14 * 4 + 1)
    for sign in (1, -1)
    if number or sign > 0
)
"""Of all zones that there are, the nearest to UTC first."""
_OLD_NAME = "US/Pacific"
"""Data of zones that lack it lack others too that the controller knows."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """The minutes of the days on which to run, or how long to wait from one run to the next."""

    minutes: frozenset[int] = frozenset()
    hours: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    """Sunday is 0."""
    either_day: bool = False
    """Whether a day of the month or of the week is enough: where both are restricted."""
    every: timedelta | None = None

    def fits(self, local: datetime) -> bool:
        """Whether it is to run in this minute."""
        return local.minute in self.minutes and local.hour in self.hours and self._fits_day(local)

    def after(self, local: datetime) -> Iterator[datetime]:
        """The moments at which it is to run, later than this one."""
        if self.every is not None:
            while True:
                local = later(local, self.every)
                yield local
        day = local.replace(hour=0, minute=0, second=0, microsecond=0)
        times = [
            timedelta(hours=h, minutes=m) for h in sorted(self.hours) for m in sorted(self.minutes)
        ]
        for _ in range(MOST_DAYS):
            if self._fits_day(day):
                yield from (day + time for time in times if day + time > local)
            if day.date() >= datetime.max.date():
                return
            day += timedelta(days=1)

    def _fits_day(self, local: datetime) -> bool:
        if local.month not in self.months:
            return False
        of_month, of_week = local.day in self.days, local.isoweekday() % 7 in self.weekdays
        return (of_month or of_week) if self.either_day else (of_month and of_week)


@lru_cache(maxsize=MOST_REMEMBERED)
def parse_schedule(text: str) -> Schedule | None:
    """The schedule; None where the controller could not read it either."""
    words = text[:LONGEST].strip()
    if words.startswith(("TZ=", "CRON_TZ=")):
        words = words.partition(" ")[2].strip()
    if words.startswith(_EVERY):
        seconds = _seconds(words.removeprefix(_EVERY))
        # Whole seconds, and one at least.
        return None if seconds is None else Schedule(every=timedelta(seconds=max(1, int(seconds))))
    fields = _MACROS.get(words, words).split()
    if len(fields) != 5 or len(text) > LONGEST:
        return None
    parsed = [
        _field(field, low, high, names)
        for field, (low, high, names) in zip(
            fields,
            ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, _MONTHS), (0, 6, _DAYS)),
            strict=True,
        )
    ]
    read = [each for each in parsed if each is not None]
    if len(read) != len(parsed):
        return None
    (minutes, _), (hours, _), (days, any_day), (months, _), (weekdays, any_weekday) = read
    return Schedule(
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=weekdays,
        either_day=not (any_day or any_weekday),
    )


def next_runs(schedule: Schedule, *, ran: datetime, since: datetime, count: int) -> list[datetime]:
    """The next runs after `since`, at most `count`, counted on from one that there was."""
    if schedule.every is not None:
        return list(islice(schedule.after(since), count))
    offset = _offset(schedule, ran)
    try:
        local = since.astimezone(UTC) + offset
        return [each - offset for each in islice(schedule.after(local), count)]
    except OverflowError:
        return []  # A status may hold any year.


@lru_cache(maxsize=MOST_REMEMBERED)
def is_known_zone(name: str) -> bool | None:
    """Whether there is such a time zone; None where the data of zones is missing or not whole."""
    if _has_zone(name):
        return True
    return False if _has_zone(_OLD_NAME) else None


def _has_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError
        return False
    except KeyError:
        return False
    return True


def _offset(schedule: Schedule, ran: datetime) -> timedelta:
    """How far the zone is from UTC, as far as a run tells."""
    for each in _OFFSETS:
        try:
            if schedule.fits(ran.astimezone(UTC) + each):
                return each
        except OverflowError:
            continue
    return timedelta()


def _field(
    text: str, low: int, high: int, names: Sequence[str]
) -> tuple[frozenset[int], bool] | None:
    """The numbers that a field stands for, and whether it is not restricted."""
    numbers: set[int] = set()
    unrestricted = False
    for part in text.split(","):
        if not part:
            continue
        found = _part(part, low, high, names)
        if found is None:
            return None
        numbers.update(found)
        unrestricted = unrestricted or (part[0] in "*?" and found.step == 1)
    return frozenset(numbers), unrestricted


def _part(text: str, low: int, high: int, names: Sequence[str]) -> range | None:
    ends, slash, by = text.partition("/")
    first, dash, last = ends.partition("-")
    step = _number(by, ()) if slash else 1
    if first in ("*", "?"):
        start, end = low, high
    else:
        begin = _number(first, names, low)
        stop = _number(last, names, low) if dash else begin
        if begin is None or stop is None:
            return None
        # `5/15` goes on to the end.
        start, end = begin, high if slash and not dash else stop
    if not step or start < low or end > high or start > end:
        return None
    return range(start, end + 1, step)


def _number(word: str, names: Sequence[str], low: int = 0) -> int | None:
    if word.lower() in names:
        return names.index(word.lower()) + low
    return int(word) if word.isascii() and word.isdecimal() else None


def _seconds(duration: str) -> float | None:
    """A duration as Go writes it: `1h30m`, `90s`, `1.5h`."""
    rest, total = duration.strip(), 0.0
    while rest:
        digits = len(rest) - len(rest.lstrip("0123456789."))
        number, rest = rest[:digits], rest[digits:]
        letters = len(rest) - len(rest.lstrip("hmsuµn"))
        unit, rest = rest[:letters], rest[letters:]
        if unit not in _UNITS or number.count(".") > 1 or not number.strip("."):
            return None
        total += float(number) * _UNITS[unit]
    return total if duration.strip() and total < timedelta.max.total_seconds() else None
