"""Our filters in Qdrant's words. What has no word there is refused before, by `memory.schema`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from qdrant_client import models

from kausa.memory.filters import Absent, Condition, Filter, OneOf, Range, TimeRange
from kausa.memory.schema import check_filter

__all__ = ["matches_nothing", "selecting", "translated"]


def matches_nothing(where: Filter) -> bool:
    """Whether no point can match, so that nobody need be asked."""
    return any(map(_empty, where.must))


def translated(where: Filter) -> models.Filter | None:
    """The same filter for a server; None for the one that everything matches.

    Raises `InvalidFilterError` where the memory cannot filter so.
    """
    conditions = _conditions(where)
    return models.Filter(**conditions) if conditions else None


def selecting(ids: Sequence[str], *, where: Filter) -> models.Filter:
    """Those of the ids that are there and that the filter matches."""
    among = models.HasIdCondition(has_id=list(ids))
    conditions = _conditions(where)
    must = [among, *conditions.get("must", [])]
    return models.Filter(**{**conditions, "must": must})


def _conditions(where: Filter) -> dict[str, Any]:
    check_filter(where)
    must = [_condition(each) for each in where.must]
    must_not = [_condition(each) for each in where.must_not if not _empty(each)]
    return {key: each for key, each in (("must", must), ("must_not", must_not)) if each}


def _empty(condition: Condition) -> bool:
    match condition:
        case OneOf(values=values):
            return not values
        case Range(least=float() | int() as least, most=float() | int() as most):
            return math.ceil(least) > math.floor(most)
        case TimeRange(after=datetime() as after, before=datetime() as before):
            return after >= before
    return False


def _condition(condition: Condition) -> models.Condition:
    match condition:
        case OneOf(field=field, values=values):
            # `check_filter` saw that they are all of one type.
            wanted: Any = list(values)
            return models.FieldCondition(key=field, match=models.MatchAny(any=wanted))
        case Range(field=field, least=least, most=most):
            # Of whole numbers; a server would cut the bounds towards 0.
            whole = models.Range(
                gte=math.ceil(least) if least is not None else None,
                lte=math.floor(most) if most is not None else None,
            )
            return models.FieldCondition(key=field, range=whole)
        case TimeRange(field=field, after=after, before=before):
            moments = models.DatetimeRange(gte=_in_utc(after), lt=_in_utc(before))
            return models.FieldCondition(key=field, range=moments)
        case Absent(field=field):
            return models.IsEmptyCondition(is_empty=models.PayloadField(key=field))


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment is not None else None
