"""The failure memory: records written, counted and found; an embedder and a store put together.

Nothing heavy happens before the first record: no model is loaded, no process started, no file
made. When a part is missing, every call says which one, by the reason of its error, and the
caller goes on without memory.

Writes of one record go one after the other. What others may count at the same time, also in another
process, is compared and set (`add_reward`, `set_verdict`). One gap is known and left: who embeds a
record anew reads its reward a moment before, so a reward of another process in that moment is lost.

    record_reader   candidates, rerank, get, walk, count, facet
    record_writer   remember, update, add_reward, set_verdict, forget
    runbook_writer  upsert_runbook, remove_runbook, runbook_sources
"""

from __future__ import annotations

import asyncio

from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.record_reader import RecordReader
from kausa.memory.record_writer import RecordWriter
from kausa.memory.runbook_writer import RunbookWriter
from kausa.memory.store import Health, Schema, VectorStore

__all__ = ["FailureMemory"]

_PROBE = "ready"
_NOBODY = "00000000-0000-0000-0000-000000000000"
"""The id of no point."""


class FailureMemory(RecordReader, RecordWriter, RunbookWriter):
    """Records by identity, by likeness and by words. Every call has a deadline, and raises
    `MemoryUnavailableError`, or `InvalidRecordError` for what was asked wrongly.
    """

    @property
    def model(self) -> str:
        """Which model makes the vectors; empty before the first answer."""
        return self.embedder.model

    @property
    def reranker(self) -> str:
        """What `rerank` scores with; empty where there is none, or before the first answer."""
        return self.embedder.reranker

    @property
    def remembers(self) -> bool:
        """Whether a passage that `rerank` has read costs nothing to read again."""
        return self.embedder.remembers

    @property
    def schema(self) -> Schema | None:
        """What the store was opened for; None before."""
        return self._readiness.schema

    @property
    def error(self) -> MemoryUnavailableError | None:
        """Why the last call failed; None where it came through."""
        return self._readiness.error

    async def start(self, *, deadline_seconds: float, patient: bool = True) -> None:
        """Load the model and open the store now, so that what is missing is known beforehand.

        About a second and a half, and five more where a predecessor still holds the folder.
        Nobody has to call it: the first record does the same. `patient` asks also where the memory
        was away a moment ago. Each part is asked for something, so that one that was opened once
        and went away since does not count as there.
        """
        was_away = self.error is not None
        async with self._doing("starting the memory", deadline_seconds, patient=patient):
            if was_away:
                await self._embed(
                    [_PROBE], priority="interactive", deadline_seconds=deadline_seconds
                )
            await self.store.get("failures", [_NOBODY], deadline_seconds=deadline_seconds)

    def beside(self, store: VectorStore) -> FailureMemory:
        """The same embedder over another generation of the store, to fill it. Never closed."""
        return FailureMemory(embedder=self.embedder, store=store, size=self._size)

    async def health(self, *, deadline_seconds: float) -> Health:
        """Whether the store answers, and what it holds; also before it is opened."""
        return await self.store.health(deadline_seconds=deadline_seconds)

    async def flush(self, *, deadline_seconds: float) -> None:
        """Bring everything to disk now, rather than within a few seconds."""
        await self.store.flush(deadline_seconds=deadline_seconds)

    async def close(self) -> None:
        """Flush and let go of everything. Bounded, and safe to repeat."""
        self._readiness.close()
        await asyncio.gather(self.store.close(), self.embedder.close())
