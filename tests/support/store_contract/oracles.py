"""What a store must answer, in a few lines by hand."""

from __future__ import annotations

import math
from datetime import datetime

from kausa.memory.filters import Absent, Condition, Filter, OneOf, Range, TimeRange
from kausa.memory.store import HybridQuery, Payload, Point

__all__ = ["brute_force", "matches"]


def matches(payload: Payload, where: Filter) -> bool:
    """What a filter means, in a few lines."""
    return all(_holds(payload, each) for each in where.must) and not any(
        _holds(payload, each) for each in where.must_not
    )


def _holds(payload: Payload, condition: Condition) -> bool:
    value = payload.get(condition.field)
    values = value if isinstance(value, list) else [] if value is None else [value]
    match condition:
        case OneOf():
            return any(each in condition.values for each in values)
        case Range(least=least, most=most):
            return any(
                (least is None or each >= least) and (most is None or each <= most)
                for each in values
            )
        case TimeRange(after=after, before=before):
            moments = [datetime.fromisoformat(each) for each in values]
            return any(
                (after is None or each >= after) and (before is None or each < before)
                for each in moments
            )
        case Absent():
            return not values


def brute_force(
    points: list[Point], query: HybridQuery
) -> tuple[dict[str, float], dict[str, float]]:
    """Both lists of a hybrid query: cosine, and BM25 with the IDF of all points."""
    chosen = [each for each in points if matches(each.payload, query.where)]
    assert query.dense is not None
    assert query.sparse is not None
    dense = {
        each.id: sum(a * b for a, b in zip(each.dense, query.dense, strict=True)) for each in chosen
    }
    weights: dict[int, float] = {}
    for index, value in zip(query.sparse.indices, query.sparse.values, strict=True):
        having = sum(index in each.sparse.indices for each in points)
        weights[index] = value * math.log((len(points) - having + 0.5) / (having + 0.5) + 1)
    sparse = {
        each.id: sum(
            weights.get(index, 0.0) * value
            for index, value in zip(each.sparse.indices, each.sparse.values, strict=True)
        )
        for each in chosen
    }
    sparse = {id_: score for id_, score in sparse.items() if score > 0}
    return _best(dense, query.candidates), _best(sparse, query.candidates)


def _best(scores: dict[str, float], number: int) -> dict[str, float]:
    return dict(sorted(scores.items(), key=lambda item: -item[1])[:number])
