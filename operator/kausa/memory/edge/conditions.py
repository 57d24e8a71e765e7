"""Kausa's filters in Edge's words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import qdrant_edge as edge

from kausa.memory.filters import (
    Absent,
    Condition,
    Filter,
    InvalidFilterError,
    OneOf,
    Range,
    TimeRange,
)

__all__ = ["translated"]


def translated(where: Filter, *, ids: Sequence[str] | None = None) -> edge.Filter | None:
    """The filter as the engine takes it, None for everything; `ids` narrows it to these points.

    Raises `InvalidFilterError` for a condition that it does not know: it never widens.
    """
    must = [_condition(each) for each in where.must]
    if ids is not None:
        must.append(edge.HasIdCondition(set(ids)))
    must_not = [_condition(each) for each in where.must_not]
    if not must and not must_not:
        return None
    return edge.Filter(must=must or None, must_not=must_not or None)


def _condition(condition: Condition) -> Any:
    match condition:
        case OneOf(field=field, values=values):
            return _one_of(field, values)
        case Range(field=field, least=least, most=most):
            return edge.FieldCondition(field, range=edge.RangeFloat(gte=least, lte=most))
        case TimeRange(field=field, after=after, before=before):
            between = edge.RangeDateTime(gte=_moment(after), lt=_moment(before))
            return edge.FieldCondition(field, range=between)
        case Absent(field=field):
            return edge.IsEmptyCondition(field)
    raise InvalidFilterError(f"the embedded store does not know {type(condition).__name__}")


def _one_of(field: str, values: Sequence[str | int]) -> Any:
    """The engine's lists hold one type only; a list of none matches nothing there too."""
    texts = [value for value in values if isinstance(value, str)]
    numbers = [value for value in values if isinstance(value, int)]
    either: list[Any] = [
        edge.FieldCondition(field, edge.MatchAny(each)) for each in (texts, numbers) if each
    ]
    if len(either) == 1:
        return either[0]
    if either:
        return edge.Filter(should=either)
    return edge.FieldCondition(field, edge.MatchAny([]))


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()
