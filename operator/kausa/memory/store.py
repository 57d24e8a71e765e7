"""What the memory asks of a vector store, in words of its own.

Backends translate; nothing above them knows Qdrant. All calls take a deadline, are safe to
repeat, and raise only what `errors.py` draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kausa.memory.records import FailureRecord

__all__ = ["MOST_RECORDS", "SCHEMA_VERSION", "Hit", "Point", "RecordFilter", "VectorStore"]

SCHEMA_VERSION = 1
MOST_RECORDS = 100_000
"""What a store keeps; of more, those go that were last seen the longest ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFilter:
    """Which records: all that equal every value given, and not the excluded one."""

    cluster: str
    namespace: str | None = None
    exclude_fingerprint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A record and its vector, on the way in."""

    record: FailureRecord
    vector: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A record and how like the question it is: the cosine, 1 for the same."""

    record: FailureRecord
    score: float


class VectorStore(Protocol):
    """Keeps records by identity and finds them by likeness."""

    async def ensure_schema(self, *, model: str, dimensions: int, deadline_seconds: float) -> None:
        """Open the store for vectors of this model, making it if there is none.

        A store that holds vectors of another model or length is refused, not converted.
        """

    async def upsert(self, points: Sequence[Point], *, deadline_seconds: float) -> None:
        """Write points over those of the same identity; once it returns, a kill loses nothing."""

    async def search(
        self,
        vector: Sequence[float],
        *,
        where: RecordFilter,
        limit: int,
        minimum_score: float,
        deadline_seconds: float,
    ) -> list[Hit]:
        """The most alike first, none below the score."""

    async def get(self, point_id: str, *, deadline_seconds: float) -> FailureRecord | None:
        """One record by its id."""

    async def count(self, *, where: RecordFilter | None, deadline_seconds: float) -> int:
        """How many records there are."""

    async def flush(self, *, deadline_seconds: float) -> None:
        """Bring everything to disk, so that not even the loss of the node loses it."""

    async def close(self) -> None:
        """Flush and let go. Closing twice is closing once."""
