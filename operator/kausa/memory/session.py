"""What all parts of the memory share: an embedder, a store, deadlines, and a lock a record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from kausa.memory.chunking.tokens import ChunkSize
from kausa.memory.embedding.protocol import Embedder, Priority
from kausa.memory.errors import MemoryUnavailableError, deadline
from kausa.memory.points import Passage
from kausa.memory.readiness import Readiness, SparseEncoder
from kausa.memory.store import Payload, Point, VectorStore

__all__ = ["MOST_AT_ONCE", "Session", "point_of"]

MOST_AT_ONCE = 200
"""Points in one write, ids in one read."""
TEXTS_AT_ONCE = 64
LOCKS = 256


class Session:
    """Open at the first need, closed once. Its parts are `FailureMemory`'s bases."""

    def __init__(
        self,
        *,
        embedder: Embedder,
        store: VectorStore,
        encoder: SparseEncoder | None = None,
        size: ChunkSize | None = None,
    ) -> None:
        """Without an `encoder` the store's own BM25 is used."""
        self.embedder = embedder
        self.store = store
        self._size = size or ChunkSize()
        self._readiness = Readiness(embedder=embedder, store=store, encoder=encoder)
        self._locks = tuple(asyncio.Lock() for _ in range(LOCKS))

    def _number(self, record_id: str) -> int:
        """Of the record's lock: who needs several takes them in the order of their numbers."""
        return hash(record_id) % LOCKS

    def _lock(self, record_id: str) -> asyncio.Lock:
        """Held by who writes the record."""
        return self._locks[self._number(record_id)]

    @asynccontextmanager
    async def _doing(
        self, what: str, seconds: float, *, patient: bool = False
    ) -> AsyncIterator[SparseEncoder]:
        """Bound what happens inside, with everything opened, and keep in mind how it went."""
        async with self._noted(), deadline(seconds, doing=what):
            yield await self._readiness.ready(deadline_seconds=seconds, patient=patient)

    @asynccontextmanager
    async def _noted(self) -> AsyncIterator[None]:
        """Keep in mind how it went."""
        try:
            yield
        except MemoryUnavailableError as error:
            self._readiness.failed(error)
            raise
        self._readiness.worked()

    async def _embed(
        self, texts: Sequence[str], *, priority: Priority, deadline_seconds: float
    ) -> list[list[float]]:
        """A vector for each text; nothing is asked where there is none."""
        vectors: list[list[float]] = []
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            part = texts[start : start + TEXTS_AT_ONCE]
            found = await self.embedder.embed(
                part, priority=priority, deadline_seconds=deadline_seconds
            )
            if len(found) != len(part):
                raise MemoryUnavailableError(
                    f"the embedder answered {len(found)} vectors for {len(part)} texts",
                    reason="EmbedderFailed",
                )
            vectors.extend(found)
        return vectors


def point_of(
    passage: Passage,
    vector: Sequence[float],
    *,
    encoder: SparseEncoder,
    values: Payload | None = None,
) -> Point:
    """A passage with its vectors; `values` over those of its payload."""
    return Point(
        id=passage.id,
        dense=list(vector),
        sparse=encoder.encode_passage(passage.text),
        payload=passage.payload | (values or {}),
    )
