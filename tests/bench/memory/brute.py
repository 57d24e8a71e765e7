"""Exact search as numpy does it: no exact search over these vectors takes less."""

from __future__ import annotations

import numpy as np
from bench.memory.corpus import OUTCOMES, Corpus, Floats
from numpy.typing import NDArray

__all__ = ["BruteForce"]

_HALF = 150 * 24 * 60


class BruteForce:
    """The corpus as one matrix; filters are worked out beforehand and cost nothing."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    def chosen(self, filter_name: str) -> NDArray[np.int64]:
        """Which points one of `corpus.FILTERS` leaves."""
        corpus = self._corpus
        mask = corpus.clusters == 0
        if filter_name == "3 filters":
            mask &= (corpus.outcomes != OUTCOMES.index("Open")) & (corpus.minutes >= _HALF)
        return np.flatnonzero(mask)

    def dense(self, asked: Floats, chosen: NDArray[np.int64], number: int) -> NDArray[np.int64]:
        """The best by cosine, over all vectors and then of those that are left."""
        scores = (self._corpus.vectors @ asked)[chosen]
        best = np.argpartition(-scores, min(number, len(scores) - 1))[:number]
        return chosen[best[np.argsort(-scores[best])]]
