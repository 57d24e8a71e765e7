"""The failure memory: remember a failure, recall what is like it.

Nothing heavy happens before the first record: no model is loaded, no process started, no file
made. When a part is missing, every call says which one, by the reason of its error, and the
caller goes on without memory.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from kausa.memory.edge.client import EdgeStore
from kausa.memory.embedding import Embedder, InProcessEmbedder
from kausa.memory.errors import MemoryUnavailableError, deadline
from kausa.memory.records import FailureRecord, clip
from kausa.memory.store import Hit, Point, RecordFilter, VectorStore

__all__ = ["FailureMemory", "open_embedded_memory"]


class FailureMemory:
    """Records by identity and by likeness; an embedder and a store put together."""

    def __init__(self, *, embedder: Embedder, store: VectorStore) -> None:
        self._embedder = embedder
        self._store = store

    async def start(self, *, deadline_seconds: float) -> None:
        """Load the model and open the store now, so that what is missing is known beforehand.

        About a second and a half, and five more where a predecessor still holds the folder.
        Nobody has to call it: the first record does the same.
        """
        async with deadline(deadline_seconds, doing="starting the memory"):
            await self._vector("start", deadline_seconds=deadline_seconds)

    async def remember(self, record: FailureRecord, *, deadline_seconds: float) -> str:
        """Write the record over its earlier self, and return its id. Repeating it is harmless."""
        async with deadline(deadline_seconds, doing="remembering a failure"):
            vector = await self._vector(_text(record), deadline_seconds=deadline_seconds)
            point = Point(record=record, vector=vector)
            await self._store.upsert([point], deadline_seconds=deadline_seconds)
        return record.point_id

    async def recall(
        self,
        record: FailureRecord,
        *,
        where: RecordFilter,
        limit: int,
        minimum_score: float,
        deadline_seconds: float,
    ) -> list[Hit]:
        """Find the records most like this one; it need not have been remembered itself."""
        async with deadline(deadline_seconds, doing="recalling failures"):
            vector = await self._vector(_text(record), deadline_seconds=deadline_seconds)
            return await self._store.search(
                vector,
                where=where,
                limit=limit,
                minimum_score=minimum_score,
                deadline_seconds=deadline_seconds,
            )

    async def get(self, point_id: str, *, deadline_seconds: float) -> FailureRecord | None:
        """One record by its id. Start, remember or recall first."""
        return await self._store.get(point_id, deadline_seconds=deadline_seconds)

    async def count(self, *, where: RecordFilter | None = None, deadline_seconds: float) -> int:
        """How many records match, or all. Start, remember or recall first."""
        return await self._store.count(where=where, deadline_seconds=deadline_seconds)

    async def flush(self, *, deadline_seconds: float) -> None:
        """Bring everything to disk now, rather than within a few seconds."""
        await self._store.flush(deadline_seconds=deadline_seconds)

    async def close(self) -> None:
        """Flush and let go of everything. Bounded, and safe to repeat."""
        await asyncio.gather(self._store.close(), self._embedder.close())

    async def _vector(self, text: str, *, deadline_seconds: float) -> list[float]:
        """Embed, and have the store ready for vectors of this model (one comparison, once open)."""
        vectors = await self._embedder.embed([text], deadline_seconds=deadline_seconds)
        if len(vectors) != 1:
            raise MemoryUnavailableError(
                f"the embedder answered {len(vectors)} vectors for one text",
                reason="EmbedderFailed",
            )
        await self._store.ensure_schema(
            model=self._embedder.model,
            dimensions=self._embedder.dimensions,
            deadline_seconds=deadline_seconds,
        )
        return vectors[0]


def _text(record: FailureRecord) -> str:
    return clip(record).embedding_text


def open_embedded_memory(*, folder: Path, model_path: Path | None) -> FailureMemory:
    """The memory that needs no other service: the model in this process, Edge in a worker.

    `folder` belongs to one process at a time. Without `model_path` the model is looked for where
    `make embedded-models` puts it.
    """
    return FailureMemory(
        embedder=InProcessEmbedder(model_path=model_path), store=EdgeStore(folder=folder)
    )
