"""An embedder's answer is checked before it is believed: a NaN in the store is there for good."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kausa.memory.embedding.protocol import MOST_CHARACTERS
from kausa.memory.errors import MemoryUnavailableError

__all__ = ["Identity", "check_scores", "check_vectors", "clip_texts"]

NORM_TOLERANCE = 1e-3


class Identity:
    """Which model answers. It is learned from the first answer, and then it does not change."""

    def __init__(self) -> None:
        self.model = ""
        self.dimensions = 0
        self.max_tokens = 0
        """How much of a text the model reads; 0 where nobody said."""
        self.truncated = 0
        """Passages of which the model read only the beginning, so far."""

    def check(self, vectors: Sequence[Sequence[float]], *, model: str, expected: int) -> None:
        """Raise `MemoryUnavailableError` unless these are as many good vectors of the same model.

        Only an answer that is good as a whole is learned from.
        """
        if self.model and model != self.model:
            raise MemoryUnavailableError(
                f"the embedder answers with the model {model!r} now, and did with {self.model!r}: "
                "vectors of two models cannot be compared; restart the operator if the change was "
                "meant, and it will embed everything anew",
                reason="ModelMismatch",
            )
        check_vectors(vectors, expected=expected, dimensions=self.dimensions)
        self.model = model
        if vectors:
            self.dimensions = len(vectors[0])


def check_vectors(vectors: Sequence[Sequence[float]], *, expected: int, dimensions: int) -> None:
    """Raise unless these are so many finite vectors of length 1, all of these dimensions.

    With `dimensions` 0 the first vector says how many they have.
    """
    if len(vectors) != expected:
        raise MemoryUnavailableError(
            f"the embedder answered {len(vectors)} vectors for {expected} texts",
            reason="EmbedderFailed",
        )
    for vector in vectors:
        wanted = dimensions or len(vectors[0])
        if len(vector) != wanted:
            raise MemoryUnavailableError(
                f"the embedder answered a vector of {len(vector)} dimensions, and before of "
                f"{wanted}: it is not the same model",
                reason="DimensionMismatch",
            )
        length = math.hypot(*vector)
        # A NaN fails every comparison, so this one line also catches what is not finite.
        if not abs(length - 1.0) <= NORM_TOLERANCE:
            raise MemoryUnavailableError(
                f"the embedder answered a vector of length {length:.4f} instead of 1",
                reason="EmbedderFailed",
            )


def check_scores(scores: Sequence[float | None], *, expected: int) -> None:
    """Raise unless these are so many scores from 0 to 1, or None of what was not read."""
    if len(scores) != expected:
        raise MemoryUnavailableError(
            f"the embedder scored {len(scores)} of {expected} documents", reason="EmbedderFailed"
        )
    for score in scores:
        if score is not None and not 0.0 <= score <= 1.0:
            raise MemoryUnavailableError(
                f"the embedder answered the score {score!r}, which is not from 0 to 1",
                reason="EmbedderFailed",
            )


def clip_texts(texts: Sequence[str]) -> list[str]:
    """The texts as they may be sent: bounded, and without half characters, which JSON refuses."""
    return [
        text[:MOST_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
        if not text.isascii()
        else text[:MOST_CHARACTERS]
        for text in texts
    ]
