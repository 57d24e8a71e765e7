"""How good an order is: whether the right one is first, among the first five, and how far down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Metrics", "place_of", "summed_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Over some questions."""

    questions: int
    recall_at_1: float
    recall_at_5: float
    mrr: float

    def __str__(self) -> str:
        return (
            f"recall@1 {self.recall_at_1:.3f}  recall@5 {self.recall_at_5:.3f}  "
            f"MRR {self.mrr:.3f}  ({self.questions})"
        )


def place_of(right: Sequence[str], answered: Sequence[str]) -> int | None:
    """Where the first right one stands, from 1; None where none is among them."""
    return next((place for place, name in enumerate(answered, 1) if name in right), None)


def summed_up(places: Sequence[int | None]) -> Metrics:
    """The metrics of these places; one that was not found counts as nothing."""
    count = len(places)
    found = [place for place in places if place is not None]
    return Metrics(
        questions=count,
        recall_at_1=sum(place == 1 for place in found) / count if count else 0.0,
        recall_at_5=sum(place <= 5 for place in found) / count if count else 0.0,
        mrr=sum(1 / place for place in found) / count if count else 0.0,
    )
