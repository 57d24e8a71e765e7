"""What all parts of the memory share: an embedder, a store, deadlines, and a lock a record.

Every record has a lock of its own, held while it is written and, with its text, embedded: who
counts a verdict on another record does not wait for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from weakref import WeakValueDictionary

from kausa.memory.chunking.tokens import ChunkSize, within_model
from kausa.memory.embedding.protocol import Embedder, Priority
from kausa.memory.errors import MemoryUnavailableError, deadline
from kausa.memory.points import Passage
from kausa.memory.readiness import Readiness, SparseEncoder
from kausa.memory.store import Payload, Point, VectorStore

__all__ = ["MOST_AT_ONCE", "Session", "point_of", "stamped"]

MOST_AT_ONCE = 200
"""Points in one write, ids in one read."""
TEXTS_AT_ONCE = 64


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
        self._wanted_size = size or ChunkSize()
        self.passages_trimmed = 0
        """What the store has taken out so far because it was too much."""
        self._readiness = Readiness(embedder=embedder, store=store, encoder=encoder)
        self._listeners: list[Callable[[Sequence[str]], None]] = []
        self._untold: list[Callable[[Sequence[str]], None]] = []
        """Of runbooks' passages: who is told of them, and who not yet of those that were there."""
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def _size(self) -> ChunkSize:
        """How texts are cut: as it is set, and never longer than the model reads."""
        # An endpoint of OpenAI's shape does not say how much that is.
        return within_model(self._wanted_size, reads=getattr(self.embedder, "max_tokens", 0))

    async def passage_size(self, *, deadline_seconds: float = 60.0) -> ChunkSize:
        """How who cuts texts before they come here must cut them: the model is asked first.

        Raises `MemoryUnavailableError`.
        """
        async with self._doing("asking how long passages may be", deadline_seconds):
            return self._size

    @property
    def texts_truncated(self) -> int:
        """Passages of which the model read only the beginning, so far; 0 where it does not say."""
        return int(getattr(self.embedder, "truncated", 0))

    def _lock(self, record_id: str) -> asyncio.Lock:
        """Held by who writes the record; there as long as somebody holds it or waits for it.

        Who needs several takes them in the order of the ids: two who want the same two would wait
        for each other.
        """
        lock = self._locks.get(record_id)
        if lock is None:
            lock = self._locks[record_id] = asyncio.Lock()
        return lock

    @asynccontextmanager
    async def _doing(
        self, what: str, seconds: float, *, patient: bool = False, embeds: bool = True
    ) -> AsyncIterator[SparseEncoder]:
        """Bound what happens inside, with everything opened, and keep in mind how it went.

        `embeds`: whether vectors are asked for inside, so that an embedder is needed.
        """
        async with self._noted(embeds=embeds), deadline(seconds, doing=what):
            yield await self._readiness.ready(
                deadline_seconds=seconds, patient=patient, embeds=embeds
            )

    @asynccontextmanager
    async def _noted(self, *, embeds: bool) -> AsyncIterator[None]:
        """Keep in mind how it went."""
        try:
            yield
        except MemoryUnavailableError as error:
            self._readiness.failed(error, embeds=embeds)
            raise
        self._readiness.came_through(embeds=embeds)

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
            self._readiness.worked("embedder")
            vectors.extend(found)
        return vectors


def point_of(
    passage: Passage,
    vector: Sequence[float],
    *,
    encoder: SparseEncoder,
    values: Payload | None = None,
) -> Point:
    """A passage with its vectors, written now; `values` over those of its payload."""
    return Point(
        id=passage.id,
        dense=list(vector),
        sparse=encoder.encode_passage(passage.text),
        payload=stamped(passage.payload | (values or {})),
    )


def stamped(values: Payload) -> Payload:
    """With the moment of this writing, as text that sorts as moments do.

    A migration compares it: whatever it is that was changed, the later writing is the one to keep.
    """
    return values | {"written_at": datetime.now(UTC).isoformat(timespec="microseconds")}
