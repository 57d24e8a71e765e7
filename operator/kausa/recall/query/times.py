"""When a question asks about: a range of time, from words such as `yesterday` or `last 2 hours`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from kausa.recall.query.clues import Clue
from kausa.recall.query.tokens import Token

__all__ = ["time_range"]

_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), timedelta(seconds=1)),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), timedelta(minutes=1)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), timedelta(hours=1)),
    **dict.fromkeys(("d", "day", "days"), timedelta(days=1)),
    **dict.fromkeys(("w", "week", "weeks"), timedelta(weeks=1)),
    **dict.fromkeys(("month", "months"), timedelta(days=30)),
}
_NUMBERS = {
    **dict.fromkeys(("a", "an", "one"), 1),
    "two": 2,
    "couple": 2,
    "three": 3,
    "few": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "ten": 10,
    "twelve": 12,
    "half": 0.5,
}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT = re.compile(r"(?P<count>\d{1,6})(?P<unit>[a-z]{1,7})")
_NUMBER = re.compile(r"\d{1,6}")
_DATE = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})?)?"
)
_CLOCK = re.compile(r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)")
_LAST = frozenset({"last", "past", "previous", "recent"})
_LONGEST = timedelta(days=3650)
_YEARS = (2000, 2200)
_TO = {
    "between": frozenset({"and", "to", "until"}),
    **dict.fromkeys(("from", "since", "after"), frozenset({"to", "until", "till"})),
}
"""What joins the two ends of a range, by the word that begins it."""
_GO_BACK = {"clock": timedelta(days=1), "weekday": timedelta(weeks=1)}
Range = tuple[datetime | None, datetime | None]


def time_range(tokens: Sequence[Token], *, now: datetime) -> Iterator[Clue]:
    """The first range that the question names, as `after` and `before` clues; none is no limit."""
    now = now.astimezone(UTC)
    after: Clue | None = None
    before: Clue | None = None
    position = 0
    while position < len(tokens):
        found = _at(tokens, position, now)
        if found is None:
            position += 1
            continue
        (start, end), used = found
        words = (tokens[position], tokens[min(position + used, len(tokens)) - 1])
        position += used
        if start is not None and after is None:
            after = _clue("after", start, words)
        if end is not None and before is None:
            before = _clue("before", end, words)
    if after and before and after.value >= before.value:
        why = "it is not after the beginning that the question names"
        before = replace(before, why=why, left_out=True)
    yield from (clue for clue in (after, before) if clue is not None)


def _at(tokens: Sequence[Token], position: int, now: datetime) -> tuple[Range, int] | None:
    """The range that begins with this word, and how many words it takes."""
    word = tokens[position].lower
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if word in {"today", "tonight"}:
        return (today, None), 1
    if word == "yesterday":
        return (today - timedelta(days=1), today), 1
    if word == "this" and _word(tokens, position + 1) in {"morning", "week", "month"}:
        return (_this(_word(tokens, position + 1), today), None), 2
    if word in _LAST:
        return _last(tokens, position, now, today)
    if word in {"since", "after", "before", "until", "on", "between", "from"}:
        return _moment_after(tokens, position, now, today)
    if word.startswith("--since="):
        span = _short_span(word.removeprefix("--since="))
        return ((now - span, None), 1) if span else None
    ago = _span(tokens, position)
    if ago is not None and _word(tokens, position + ago[1]) == "ago":
        return _around(now - ago[0], ago[0], now), ago[1] + 1
    return None


def _this(unit: str, today: datetime) -> datetime:
    if unit == "week":
        return today - timedelta(days=today.weekday())
    return today.replace(day=1) if unit == "month" else today


def _last(
    tokens: Sequence[Token], position: int, now: datetime, today: datetime
) -> tuple[Range, int] | None:
    """`last night`, `last hour`, `past 30 minutes`, `last Friday`."""
    following = _word(tokens, position + 1)
    if following == "night":
        return (today - timedelta(hours=6), today + timedelta(hours=8)), 2
    if following in _DAYS:
        day = _weekday(following, today)
        return (day, day + timedelta(days=1)), 2
    if following in _UNITS and len(following) > 2:
        return (now - _UNITS[following], None), 2
    span = _span(tokens, position + 1)
    return ((now - span[0], None), span[1] + 1) if span else None


def _moment_after(
    tokens: Sequence[Token], position: int, now: datetime, today: datetime
) -> tuple[Range, int] | None:
    """`since 14:30`, `before 2026-11-20`, `on Monday`, `since yesterday`, `since 2 hours ago`."""
    word = tokens[position].lower
    moment, length, used = _moment(tokens, position + 1, now, today)
    if moment is None:
        return None
    if _word(tokens, position + 1 + used) in _TO.get(word, ()):
        end, until, more = _moment(tokens, position + 2 + used, now, today)
        if end is not None:
            back = _GO_BACK.get(_sort(tokens, position + 1), timedelta(0))
            if _sort(tokens, position + 1) != _sort(tokens, position + 2 + used):
                back = timedelta(0)
            ends = _in_order((moment, length), (end, until), back=back)
            return ends, used + more + 2
    if word in {"since", "after", "from", "between"}:
        return (moment, None), used + 1
    if word in {"before", "until"}:
        return (None, moment), used + 1
    return ((moment, moment + length), used + 1) if word == "on" else None


def _in_order(
    first: tuple[datetime, timedelta], last: tuple[datetime, timedelta], *, back: timedelta
) -> tuple[datetime, datetime]:
    """From the one to the other, whichever was named first.

    What comes again (`between 22:00 and 02:00`) begins the day or week before (`back`) instead.
    """
    if first[0] > last[0]:
        first, last = ((first[0] - back, first[1]), last) if back else (last, first)
    # A day is meant to its end, a time of day is not.
    whole = last[1] if last[1] == timedelta(days=1) else timedelta(0)
    return first[0], last[0] + whole


def _sort(tokens: Sequence[Token], position: int) -> str:
    word = _word(tokens, position)
    if word in _DAYS:
        return "weekday"
    return "clock" if _CLOCK.fullmatch(word) else ""


def _moment(
    tokens: Sequence[Token], position: int, now: datetime, today: datetime
) -> tuple[datetime | None, timedelta, int]:
    """A point in time, how long what it names lasts, and how many words it takes."""
    word = _word(tokens, position)
    day = timedelta(days=1)
    if word == "yesterday":
        return today - day, day, 1
    if word in {"today", "midnight"}:
        return today, day, 1
    if word in _DAYS:
        return _weekday(word, today), day, 1
    if match := _CLOCK.fullmatch(word):
        at = today.replace(hour=int(match["hour"]), minute=int(match["minute"]))
        return (at if at <= now else at - day), timedelta(hours=1), 1
    if position < len(tokens) and _DATE.fullmatch(tokens[position].text):
        exact = "T" in tokens[position].text
        return _written(tokens[position].text), timedelta(minutes=1) if exact else day, 1
    span = _span(tokens, position)
    if span and _word(tokens, position + span[1]) == "ago":
        return now - span[0], span[0], span[1] + 1
    return None, day, 0


def _written(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
        return moment if _YEARS[0] <= moment.year <= _YEARS[1] else None
    except (ValueError, OverflowError):
        return None


def _span(tokens: Sequence[Token], position: int) -> tuple[timedelta, int] | None:
    """`2 hours`, `30m`, `a couple of days`, `an hour`; with how many words it takes."""
    word = _word(tokens, position)
    short = _short_span(word)
    if short is not None:
        return short, 1
    used = 1
    if word in {"a", "the"} and _word(tokens, position + 1) in {"couple", "few"}:
        word, used = _word(tokens, position + 1), 2
    count = float(word) if _NUMBER.fullmatch(word) else _NUMBERS.get(word)
    if count is None:
        return None
    while _word(tokens, position + used) in {"of", "an", "a"} and used < 4:
        used += 1
    unit = _UNITS.get(_word(tokens, position + used))
    return (min(unit * min(count, 1e6), _LONGEST), used + 1) if unit else None


def _short_span(word: str) -> timedelta | None:
    match = _SHORT.fullmatch(word)
    unit = _UNITS.get(match["unit"]) if match else None
    return min(unit * int(match["count"]), _LONGEST) if match and unit else None


def _around(moment: datetime, span: timedelta, now: datetime) -> Range:
    """What "3 days ago" means: then, give or take half of its last unit."""
    slack = max(span / 4, timedelta(minutes=15))
    return moment - slack, min(moment + slack, now)


def _weekday(name: str, today: datetime) -> datetime:
    """The last such day, today included."""
    return today - timedelta(days=(today.weekday() - _DAYS.index(name)) % 7)


def _word(tokens: Sequence[Token], position: int) -> str:
    return tokens[position].lower if 0 <= position < len(tokens) else ""


def _clue(kind: str, moment: datetime, words: tuple[Token, Token]) -> Clue:
    return Clue(
        kind="after" if kind == "after" else "before",
        value=moment.isoformat(),
        start=words[0].start,
        end=words[1].end,
        why="it names a time",
        names=True,
    )
