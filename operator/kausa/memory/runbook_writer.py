"""Runbooks in the memory: all passages of a source are written, and removed, as a set."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from kausa.memory.embedding.protocol import Priority
from kausa.memory.errors import InvalidRecordError
from kausa.memory.filters import Condition, Filter, OneOf
from kausa.memory.points import point_id
from kausa.memory.records import RunbookChunk
from kausa.memory.session import MOST_AT_ONCE, Session, point_of
from kausa.memory.store import Payload
from kausa.memory.writing import plan, reward_of

__all__ = ["RunbookWriter"]


class RunbookWriter(Session):
    """Passages, by their source."""

    def watch_runbooks(self, listener: Callable[[Sequence[str]], None]) -> None:
        """From now on, tell it the passages that are written, in the process that writes them.

        Those that were written before are told when it is next asked which runbooks there are,
        which whoever indexes does first.
        """
        self._untold.append(listener)
        self._listeners.append(listener)

    async def upsert_runbook(
        self,
        chunks: Sequence[RunbookChunk],
        *,
        deadline_seconds: float,
        priority: Priority = "bulk",
    ) -> bool:
        """Write a runbook's passages as a set: those that it had and has no more are gone.

        True where anything was written; the same text again is not even embedded.
        """
        _check_set(chunks)
        first = chunks[0]
        doing = self._doing("indexing a runbook", deadline_seconds)
        async with doing as encoder, self._lock(first.record_id):
            if await self._is_indexed(chunks, deadline_seconds=deadline_seconds):
                return False
            values = await self._reward_of_runbook(first, deadline_seconds=deadline_seconds)
            new = [
                passage
                for chunk in chunks
                for passage in plan(
                    chunk, stored=None, model=self.embedder.model, size=self._size
                ).to_embed
            ]
            vectors = await self._embed(
                [each.text for each in new],
                priority=priority,
                deadline_seconds=deadline_seconds,
            )
            points = []
            for each, vector in zip(new, vectors, strict=True):
                await asyncio.sleep(0)
                points.append(point_of(each, vector, encoder=encoder, values=values))
            # New ones first: in between there is too much, never nothing. Who is killed here
            # finds that the set is not whole, and writes it again.
            for start in range(0, len(points), MOST_AT_ONCE):
                await self.store.upsert(
                    "runbooks",
                    points[start : start + MOST_AT_ONCE],
                    deadline_seconds=deadline_seconds,
                )
            await self._remove_others(chunks, deadline_seconds=deadline_seconds)
        for listener in self._listeners:
            listener([each.text for each in new])
        return True

    async def remove_runbook(self, *, cluster: str, source: str, deadline_seconds: float) -> None:
        """Delete all passages of a source; one that is not there is removed already."""
        async with self._doing("removing a runbook", deadline_seconds):
            await self.store.delete(
                "runbooks",
                where=Filter(must=_of_source(cluster, source)),
                deadline_seconds=deadline_seconds,
            )

    async def runbook_sources(self, *, cluster: str, deadline_seconds: float) -> dict[str, str]:
        """Every source that is indexed, with its digest: what differs from it is written anew."""
        found: dict[str, str] = {}
        after: str | None = None
        untold = tuple(self._untold)
        first = () if untold else (OneOf("chunk", (0,)),)
        where = Filter(must=(*_of(cluster), *first))
        while True:
            async with self._doing("reading which runbooks there are", deadline_seconds):
                page = await self.store.scroll(
                    "runbooks",
                    where=where,
                    limit=MOST_AT_ONCE,
                    after=after,
                    deadline_seconds=deadline_seconds,
                )
            for point in page.points:
                if point.payload.get("chunk") == 0:
                    found[str(point.payload.get("source"))] = str(point.payload.get("digest"))
            for listener in untold:
                listener([str(point.payload.get("passage", "")) for point in page.points])
            if page.after is None:
                self._untold = [each for each in self._untold if each not in untold]
                return found
            after = page.after

    # -- parts -----------------------------------------------------------------------------------

    async def _is_indexed(self, chunks: Sequence[RunbookChunk], *, deadline_seconds: float) -> bool:
        """Whether every passage is there, made of the same text by the same model, and no other."""
        ids = [point_id(chunk.record_id, chunk.position) for chunk in chunks]
        digest = chunks[0].digest
        for start in range(0, len(ids), MOST_AT_ONCE):
            part = ids[start : start + MOST_AT_ONCE]
            found = await self.store.get("runbooks", part, deadline_seconds=deadline_seconds)
            same = [
                each
                for each in found
                if (each.payload.get("digest"), each.payload.get("model"))
                == (digest, self.embedder.model)
            ]
            if digest is None or len(same) < len(part):
                return False
        where = Filter(must=_of_source(chunks[0].cluster, chunks[0].source))
        there = await self.store.count("runbooks", where=where, deadline_seconds=deadline_seconds)
        return there == len(ids)

    async def _reward_of_runbook(self, first: RunbookChunk, *, deadline_seconds: float) -> Payload:
        """What was counted of the runbook's earlier text goes over to the new one."""
        found = await self.store.get(
            "runbooks", [point_id(first.record_id, 0)], deadline_seconds=deadline_seconds
        )
        if not found:
            return {}
        reward = reward_of(found[0].payload)
        return {
            "reward_sum": reward.sum,
            "reward_count": reward.count,
            # Whoever counts one at this moment finds that it was changed, and reads it again.
            "reward_revision": reward.revision + 1,
        }

    async def _remove_others(
        self, chunks: Sequence[RunbookChunk], *, deadline_seconds: float
    ) -> None:
        """Passages of the source beyond those that it has now."""
        first, after = chunks[0], None
        kept = {point_id(each.record_id, each.position) for each in chunks}
        where = Filter(must=_of_source(first.cluster, first.source))
        stale: list[str] = []
        while True:
            page = await self.store.scroll(
                "runbooks",
                where=where,
                limit=MOST_AT_ONCE,
                after=after,
                deadline_seconds=deadline_seconds,
            )
            stale.extend(each.id for each in page.points if each.id not in kept)
            after = page.after
            if after is None:
                break
        for start in range(0, len(stale), MOST_AT_ONCE):
            await self.store.delete(
                "runbooks",
                ids=stale[start : start + MOST_AT_ONCE],
                deadline_seconds=deadline_seconds,
            )


def _of(cluster: str) -> tuple[Condition, ...]:
    return (OneOf("cluster", (cluster,)),)


def _of_source(cluster: str, source: str) -> tuple[Condition, ...]:
    return (*_of(cluster), OneOf("source", (source,)))


def _check_set(chunks: Sequence[RunbookChunk]) -> None:
    """All passages of one source, each once, in order."""
    if not chunks:
        raise InvalidRecordError("a runbook without passages: remove it instead")
    first = chunks[0]
    expected = [(first.record_id, number, len(chunks)) for number in range(len(chunks))]
    if [(each.record_id, each.position, each.count) for each in chunks] != expected:
        raise InvalidRecordError(
            f"the passages of {first.source} are not one whole set, numbered from 0"
        )
