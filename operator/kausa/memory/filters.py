"""Which points a search, a count or a deletion means, in words that no store owns.

A filter is a conjunction: every `must` holds, no `must_not` does. Fields are payload keys; a field
that is a list matches where one of its items does. A backend translates, it never widens: a filter
that it cannot express is an error, because a search that ignores a tenant's filter shows another
tenant's text.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import TypeAlias

import msgspec

from kausa.memory.errors import MemoryError_

__all__ = [
    "EVERYTHING",
    "MOST_CONDITIONS",
    "MOST_VALUES",
    "Absent",
    "Condition",
    "Filter",
    "InvalidFilterError",
    "OneOf",
    "Range",
    "TimeRange",
    "check",
]

MOST_CONDITIONS = 32
MOST_VALUES = 256
"""Of one `OneOf`."""


class InvalidFilterError(MemoryError_):
    """A filter cannot be expressed, so nothing was searched, counted or deleted."""


class OneOf(msgspec.Struct, frozen=True, tag=True):
    """The field equals one of these values; none of them matches nothing."""

    field: str
    values: tuple[str | int, ...]


class Range(msgspec.Struct, frozen=True, tag=True):
    """The field's number lies between these, both ends included; None is open."""

    field: str
    least: float | None = None
    most: float | None = None


class TimeRange(msgspec.Struct, frozen=True, tag=True):
    """The field's moment is not before `after` and is before `before`; None is open."""

    field: str
    after: datetime | None = None
    before: datetime | None = None


class Absent(msgspec.Struct, frozen=True, tag=True):
    """The point does not have the field, or it is null or an empty list."""

    field: str


Condition: TypeAlias = OneOf | Range | TimeRange | Absent


class Filter(msgspec.Struct, frozen=True):
    """All of `must` and none of `must_not`."""

    must: tuple[Condition, ...] = ()
    must_not: tuple[Condition, ...] = ()


EVERYTHING = Filter()
"""Every point of a collection. Never a default: whoever means everything says so."""


def check(where: Filter) -> None:
    """Refuse, with `InvalidFilterError`, what no store could mean the same by.

    Structs are not checked when they are made, and a condition of another kind, a moment without a
    zone or a bound that is not a number would each be ignored somewhere.
    """
    conditions = (*where.must, *where.must_not)
    if len(conditions) > MOST_CONDITIONS:
        raise InvalidFilterError(f"{len(conditions)} conditions, at most {MOST_CONDITIONS}")
    for condition in conditions:
        wrong = _wrong(condition)
        if wrong:
            raise InvalidFilterError(f"a filter cannot be used: {wrong}")


def _wrong(condition: Condition) -> str:
    match condition:
        case OneOf(values=values):
            if len(values) > MOST_VALUES:
                return f"{len(values)} values of {condition.field!r}, at most {MOST_VALUES}"
            if not all(type(value) in (str, int) for value in values):
                return f"a value of {condition.field!r} is neither a text nor a whole number"
            if any(type(value) is int and not -(2**63) <= value < 2**63 for value in values):
                return f"a number of {condition.field!r} does not fit 64 bits"
        case Range(least=least, most=most):
            bounds = [bound for bound in (least, most) if bound is not None]
            if not bounds or not all(math.isfinite(bound) for bound in bounds):
                return f"{condition.field!r} needs a bound that is a number"
        case TimeRange(after=after, before=before):
            moments = [moment for moment in (after, before) if moment is not None]
            if not moments or any(moment.tzinfo is None for moment in moments):
                return f"{condition.field!r} needs a moment with a time zone"
        case Absent():
            pass
        case _:
            return f"{type(condition).__name__} is no condition"
    return ""
