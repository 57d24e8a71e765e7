"""Passages embedded with another model, without those that it does not take."""

from __future__ import annotations

from collections.abc import Sequence

from kausa.memory.embedding.protocol import Embedder
from kausa.memory.errors import InvalidRecordError, MemoryUnavailableError
from kausa.memory.isolating import is_refusal
from kausa.memory.store import Point, Schema, SparseVector, StoredPoint
from kausa.telemetry.logs import get_logger

__all__ = ["Reembedder", "with_vector"]

_logger = get_logger("kausa.memory.migration")
_PROBE = "ready"
_FEW_REFUSED = 10
_REFUSED_SHARE = 0.02
"""More than these, and the model is to blame and not the passages."""


class Reembedder:
    """For one migration: what was refused once is not asked for again."""

    def __init__(self, *, embedder: Embedder, target: Schema, seconds: float) -> None:
        """Every call of the embedder gets `seconds`."""
        self._embedder = embedder
        self._target = target
        self._seconds = seconds
        self._passages: dict[str, str] = {}
        self.refused: dict[str, str] = {}
        """Why a passage is not taken, by the id of its point."""

    def is_refused(self, point: StoredPoint) -> bool:
        """Whether it was refused, with the passage that it still has."""
        return self._passages.get(point.id) == str(point.payload["passage"])

    async def __call__(self, points: Sequence[StoredPoint]) -> list[Point]:
        """The same points with vectors of the model; those that it does not take are noted.

        Raises `MemoryUnavailableError`.
        """
        if not points:
            return []
        try:
            vectors = await self._embedder.embed(
                [str(point.payload["passage"]) for point in points],
                kind="passage",
                priority="bulk",
                deadline_seconds=self._seconds,
            )
        except (InvalidRecordError, MemoryUnavailableError) as error:
            if not isinstance(error, InvalidRecordError) and not is_refusal(error):
                raise
            # An embedder that fails with every text is away, whatever it says.
            await self._embedder.embed([_PROBE], priority="bulk", deadline_seconds=self._seconds)
            if len(points) == 1:
                self._note(points[0], why=str(error))
                return []
        else:
            return [
                with_vector(point, vector, target=self._target)
                for point, vector in zip(points, vectors, strict=True)
            ]
        middle = len(points) // 2
        return await self(points[:middle]) + await self(points[middle:])

    def check(self, *, total: int) -> None:
        """Raise `MemoryUnavailableError` where so many are refused that it is the model's fault."""
        bearable = min(max(_FEW_REFUSED, _REFUSED_SHARE * total), total / 2)
        if len(self.refused) <= bearable:
            return
        id_, why = next(iter(self.refused.items()))
        raise MemoryUnavailableError(
            f"{self._target.model} does not take {len(self.refused)} of {total} passages so far, "
            f"such as {id_}: {why}. That many are not given up: mend the embedder or choose "
            "another model, and migrate then",
            reason="EmbedderFailed",
        )

    def _note(self, point: StoredPoint, *, why: str) -> None:
        self._passages[point.id] = str(point.payload["passage"])
        self.refused[point.id] = why
        _logger.warning(
            "The new model does not take a passage, leaving it behind",
            point=point.id,
            record=point.payload.get("record_id"),
            why=why,
        )


def with_vector(point: StoredPoint, dense: Sequence[float], *, target: Schema) -> Point:
    """The point in another generation: its words, and what it says, stay as they are."""
    of_vectors = {"model": target.model, "schema_version": target.version}
    return Point(
        id=point.id,
        dense=list(dense),
        sparse=point.sparse if point.sparse is not None else SparseVector((), ()),
        payload=point.payload | of_vectors,
    )
