"""How well a document answers a query, by their tokens' vectors.

Every word of the query looks for the token of the document that is most like it, and the
likenesses are averaged. A rare word says more than a common one, so words weigh what their inverse
document frequency says; a word that our texts never use (a program's name, an error's code) is
the rarest of all. Measured on paraphrased questions this puts the right runbook first in 0.93 of
them, where the texts' own vectors do in 0.75, and the vectors come from the same model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

__all__ = ["WordWeights", "built_in_weights", "max_sim"]

ONE_THREAD = 262_144
"""Multiplications of one product that OpenBLAS leaves to the thread that asks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordWeights:
    """What words weigh; at least 0."""

    words: Mapping[str, float]
    unknown: float

    @classmethod
    def of(cls, words: Mapping[str, float]) -> WordWeights:
        """Weights of a caller; a word that is not among them weighs as much as the heaviest."""
        return cls(
            words={word.lower(): max(0.0, weight) for word, weight in words.items()},
            unknown=max([1.0, *words.values()]),
        )

    def of_tokens(self, words: Sequence[str]) -> NDArray[np.float32]:
        """For each token's word its weight; 0 for tokens that are no part of a word."""
        weights = [self.words.get(word, self.unknown) if word else 0.0 for word in words]
        return np.array(weights, dtype=np.float32)


def built_in_weights() -> WordWeights:
    """The frequencies that come with this package (`hack/models/count_words.py`)."""
    content = json.loads(files("kausa_embedder").joinpath("data/word_idf.json").read_text())
    return WordWeights(words=content["words"], unknown=content["unknown"])


def max_sim(
    query: NDArray[np.float32],
    weights: NDArray[np.float32],
    documents: Sequence[NDArray[np.float16] | NDArray[np.float32]],
) -> list[float]:
    """For each document the weighted mean of the query's best likenesses, in -1 to 1.

    Vectors are of unit length, (tokens, dimensions). A query or a document without tokens is 0.
    """
    total = float(weights.sum())
    scores = [0.0] * len(documents)
    filled = [index for index, document in enumerate(documents) if len(document)]
    if total <= 0.0 or not filled:
        return scores
    lengths = [len(documents[index]) for index in filled]
    likeness = _likeness(query, [documents[index] for index in filled], tokens=sum(lengths))
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    best = np.maximum.reduceat(likeness, starts, axis=0)
    values = np.clip(np.einsum("ij,j->i", best, weights) / total, -1.0, 1.0)
    for index, value in zip(filled, values, strict=True):
        scores[index] = float(value)
    return scores


def _likeness(
    query: NDArray[np.float32],
    documents: Sequence[NDArray[np.float16] | NDArray[np.float32]],
    *,
    tokens: int,
) -> NDArray[np.float32]:
    """Every token of the documents by every one of the query, in blocks: (tokens, query's).

    OpenBLAS takes a thread for each CPU from a certain size of product on, and they compete with
    the model for as long as they wait for each other: in blocks below that size a recall costs half
    the CPU.
    """
    dimensions = query.shape[1]
    rows = max(1, ONE_THREAD // (dimensions * len(query)))
    blocks = -(-tokens // rows)
    together = np.zeros((blocks * rows, dimensions), dtype=np.float32)
    np.concatenate(documents, out=together[:tokens], casting="same_kind")
    product: NDArray[np.float32] = together.reshape(blocks, rows, dimensions) @ query.T
    return product.reshape(blocks * rows, -1)[:tokens]
