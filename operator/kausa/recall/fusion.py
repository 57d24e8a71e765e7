"""One relevance out of several scores that have nothing in common.

A cosine, a BM25 score, a reranker's score and an agreement are each brought to 0..1 and averaged
with weights, over those that are there. Not by ranks: with reciprocal ranks the best of nothing
looks like the best of something, and there is no floor to compare with.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

__all__ = ["FusionWeights", "Signals", "best_signals", "relevance_of", "squash"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionWeights:
    """How much each score says of relevance.

    Chosen on the tuning half and the development questions of `make bench-recall`, where the order
    hardly depends on them: over 729 combinations around these the mean reciprocal rank averages
    0.962, the best has 0.970, and no single weight moves it by more than 0.003.
    """

    dense: float = 0.45
    """Of the cosine of the question and the passage; a negative one is 0."""
    sparse: float = 0.2
    """Of BM25, squashed."""
    rerank: float = 0.4
    """Of the second, word for word reading."""
    agreement: float = 0.15
    """Of whether the passage is written for such a failure."""
    sparse_half: float = 20.0
    """The BM25 score that is worth a half."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"fusion.{field.name} is {value}: it must be 0 or more")
        if self.dense + self.sparse == 0:
            raise ValueError("fusion.dense and fusion.sparse are both 0: nothing could be found")
        if self.sparse_half == 0:
            raise ValueError("fusion.sparse_half is 0: it must be above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What is known of one candidate; None is not known."""

    dense: float | None = None
    sparse: float | None = None
    rerank: float | None = None
    agreement: float | None = None


def squash(score: float, *, half: float) -> float:
    """A score without an upper end, brought to 0..1; `half` becomes a half."""
    return score / (score + half) if score > 0 and math.isfinite(score) else 0.0


def relevance_of(candidates: Sequence[Signals], *, weights: FusionWeights) -> list[float]:
    """The relevance of each, 0 to 1, comparable within one answer.

    A candidate that the dense list left out is at most as near as the last that it named, and gets
    that; one that the sparse list left out shares too few words, and gets 0. Who was not read again
    is not compared with who was: its rerank counts as the lowest that was given, or as its own
    first impression where that is lower.
    """
    least_dense = min((c.dense for c in candidates if c.dense is not None), default=0.0)
    least_rerank = min((c.rerank for c in candidates if c.rerank is not None), default=None)
    return [
        _relevance(c, least_dense=least_dense, least_rerank=least_rerank, weights=weights)
        for c in candidates
    ]


def best_signals(signals: Sequence[Signals]) -> Signals:
    """The highest of each score among several passages of one record."""
    return Signals(
        dense=_highest(each.dense for each in signals),
        sparse=_highest(each.sparse for each in signals),
        rerank=_highest(each.rerank for each in signals),
        agreement=_highest(each.agreement for each in signals),
    )


def _highest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _relevance(
    signals: Signals, *, least_dense: float, least_rerank: float | None, weights: FusionWeights
) -> float:
    if signals.dense is None and not weights.sparse:
        # Only words speak for it, and words have no say.
        return 0.0
    dense = _unit(signals.dense if signals.dense is not None else least_dense)
    sparse = squash(signals.sparse or 0.0, half=weights.sparse_half)
    parts = [(weights.dense, dense), (weights.sparse, sparse)]
    first = _mean(parts)
    if signals.agreement is not None:
        parts.append((weights.agreement, _unit(signals.agreement)))
    if signals.rerank is not None:
        parts.append((weights.rerank, _unit(signals.rerank)))
    elif least_rerank is not None:
        parts.append((weights.rerank, min(first, _unit(least_rerank))))
    return _mean(parts)


def _mean(parts: Sequence[tuple[float, float]]) -> float:
    total = sum(weight for weight, _ in parts)
    return _unit(sum(weight * value for weight, value in parts) / total) if total else 0.0


def _unit(value: float) -> float:
    return min(1.0, max(0.0, value)) if math.isfinite(value) else 0.0
