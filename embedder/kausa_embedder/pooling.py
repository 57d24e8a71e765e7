"""From the model's token vectors to what is answered: pooled, of unit length, checked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kausa_embedder.backends.base import Outputs
from kausa_embedder.errors import InferenceError
from kausa_embedder.models import Pooling
from kausa_embedder.padding import Batch

__all__ = ["answers", "pool", "unit"]

Vectors = NDArray[np.float32]


def unit(vectors: Vectors) -> Vectors:
    """Each vector at length 1; one of length 0, or not finite, comes out as not finite."""
    with np.errstate(all="ignore"):
        norms = np.sqrt(np.einsum("...d,...d->...", vectors, vectors))
        return np.asarray(vectors / norms[..., None], dtype=np.float32)


def pool(tokens: Vectors, mask: NDArray[np.int64], *, pooling: Pooling) -> Vectors:
    """One vector per text out of one per token; what is padded does not count."""
    if pooling == "cls":
        return tokens[:, 0]
    weights = mask.astype(np.float32)
    total = np.matmul(weights[:, None, :], tokens)[:, 0]
    return np.asarray(total / weights.sum(axis=1, keepdims=True), dtype=np.float32)


def answers(batch: Batch, outputs: Outputs, *, pooling: Pooling) -> Sequence[object]:
    """What each text of the batch gets: a vector, its tokens' vectors, or a score.

    An entry may be an InferenceError: a text whose vector no store should see gets it alone.
    """
    if outputs.scores is not None:
        return [_finite(np.asarray(score), "score") for score in outputs.scores]
    pooled: Vectors | None = None
    if not all(item.wants_tokens for item in batch.items):
        raw = outputs.sentences
        if raw is None:
            raw = pool(_tokens(outputs), batch.inputs.mask, pooling=pooling)
        pooled = unit(raw)
    result: list[object] = []
    for row, item in enumerate(batch.items):
        if item.wants_tokens:
            own = unit(_tokens(outputs)[row, : item.tokens])
            result.append(_finite(own, "vectors of tokens"))
        elif pooled is not None:
            # A copy, so that one remembered vector does not keep the whole batch.
            result.append(_finite(pooled[row].copy(), "vector"))
    return result


def _tokens(outputs: Outputs) -> Vectors:
    if outputs.tokens is None:
        raise InferenceError("the model answered no vectors of tokens")
    return outputs.tokens


def _finite(values: NDArray[np.float32], what: str) -> NDArray[np.float32] | InferenceError:
    if np.isfinite(values).all():
        return values
    return InferenceError(f"the model answered a {what} that is not finite")
