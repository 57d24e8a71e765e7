"""Reading the memory: candidates for recall, records by id, walks, counts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from kausa.memory.embedding.protocol import Priority
from kausa.memory.errors import InvalidRecordError, MemoryUnavailableError
from kausa.memory.filters import EVERYTHING, Filter, OneOf
from kausa.memory.points import from_payload, point_id
from kausa.memory.records import Record
from kausa.memory.session import MOST_AT_ONCE, Session
from kausa.memory.store import Candidate, Collection, HybridQuery, Payload

__all__ = ["RecordReader", "Told"]

MOST_WHERES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A record, and what is kept beside it."""

    record: Record
    payload: Payload


class RecordReader(Session):
    """What is asked of the memory."""

    async def candidates(
        self,
        collection: Collection,
        *,
        text: str,
        words: str,
        wheres: Sequence[Filter],
        limit: int,
        deadline_seconds: float,
    ) -> list[Candidate]:
        """What is like `text` or shares words with `words`, and matches one of the filters.

        Both scores as the store gives them; each list answers `limit` of each filter.
        """
        if not 1 <= len(wheres) <= MOST_WHERES:
            raise InvalidRecordError(f"a search has {len(wheres)} filters: 1 to {MOST_WHERES}")
        async with self._doing("recalling", deadline_seconds) as encoder:
            vectors = await self.embedder.embed(
                [text], kind="query", deadline_seconds=deadline_seconds
            )
            if len(vectors) != 1:
                raise MemoryUnavailableError(
                    f"the embedder answered {len(vectors)} vectors for one text",
                    reason="EmbedderFailed",
                )
            sparse = encoder.encode_query(words)
            dense = tuple(vectors[0])
            self._readiness.worked("embedder")
            queries = [
                HybridQuery(
                    where=where,
                    dense=dense,
                    sparse=sparse if sparse.indices else None,
                    candidates=limit,
                )
                for where in wheres
            ]
            answers = await self._all_candidates(
                collection, queries, deadline_seconds=deadline_seconds
            )
        return _merged(each for answer in answers for each in answer)

    async def _all_candidates(
        self, collection: Collection, queries: Sequence[HybridQuery], *, deadline_seconds: float
    ) -> list[list[Candidate]]:
        """The store's answers to all of them, asked at the same time."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(
                        self.store.candidates(collection, query, deadline_seconds=deadline_seconds)
                    )
                    for query in queries
                ]
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return [task.result() for task in tasks]

    async def rerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        priority: Priority = "interactive",
        deadline_seconds: float,
        most_new_tokens: int | None = None,
    ) -> list[float | None]:
        """How well each document answers the query, from 0 to 1; as the embedder's."""
        return await self.embedder.rerank(
            query,
            documents,
            priority=priority,
            deadline_seconds=deadline_seconds,
            most_new_tokens=most_new_tokens,
        )

    async def get(
        self,
        record_id: str,
        *,
        collection: Collection = "failures",
        deadline_seconds: float,
    ) -> Record | None:
        """One record by its id; of a runbook its first passage."""
        async with self._doing("reading a record", deadline_seconds, embeds=False):
            found = await self.store.get(
                collection, [point_id(record_id, 0)], deadline_seconds=deadline_seconds
            )
        return from_payload(found[0].payload) if found else None

    async def walk(
        self,
        collection: Collection,
        *,
        where: Filter,
        page: int = MOST_AT_ONCE,
        deadline_seconds: float,
    ) -> AsyncGenerator[Record, None]:
        """Every record that matches, once; the deadline is each page's."""
        told = self.walk_told(collection, where=where, page=page, deadline_seconds=deadline_seconds)
        async with contextlib.aclosing(told) as walk:
            async for each in walk:
                yield each.record

    async def walk_told(
        self,
        collection: Collection,
        *,
        where: Filter,
        page: int = MOST_AT_ONCE,
        deadline_seconds: float,
    ) -> AsyncGenerator[Told, None]:
        """The same, each with the whole payload of its first passage."""
        after: str | None = None
        first = _first_passages(where)
        while True:
            async with self._doing("reading records", deadline_seconds, embeds=False):
                found = await self.store.scroll(
                    collection,
                    where=first,
                    limit=page,
                    after=after,
                    deadline_seconds=deadline_seconds,
                )
            for point in found.points:
                # A record of a later release is not for us to touch.
                with contextlib.suppress(InvalidRecordError):
                    yield Told(record=from_payload(point.payload), payload=point.payload)
            after = found.after
            if after is None:
                return

    async def count(
        self,
        collection: Collection = "failures",
        *,
        where: Filter = EVERYTHING,
        deadline_seconds: float,
    ) -> int:
        """How many records match, whatever number of passages they have."""
        first = _first_passages(where)
        async with self._doing("counting records", deadline_seconds, embeds=False):
            return await self.store.count(
                collection, where=first, deadline_seconds=deadline_seconds
            )

    async def facet(
        self,
        collection: Collection,
        field: str,
        *,
        where: Filter,
        limit: int = 20,
        deadline_seconds: float,
    ) -> dict[str, int]:
        """How many matching records have each value of a field, most first."""
        first = _first_passages(where)
        async with self._doing("counting records", deadline_seconds, embeds=False):
            return await self.store.facet(
                collection, field, where=first, limit=limit, deadline_seconds=deadline_seconds
            )


def _merged(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Each point once, with the better of its scores: one list may name it for one filter only."""
    found: dict[str, Candidate] = {}
    for each in candidates:
        known = found.get(each.id)
        if known is not None:
            each = msgspec.structs.replace(
                each,
                dense=_better(known.dense, each.dense),
                sparse=_better(known.sparse, each.sparse),
            )
        found[each.id] = each
    return list(found.values())


def _better(one: float | None, other: float | None) -> float | None:
    scores = [each for each in (one, other) if each is not None]
    return max(scores) if scores else None


def _first_passages(where: Filter) -> Filter:
    """One point of each record that matches."""
    return Filter(must=(*where.must, OneOf("chunk", (0,))), must_not=where.must_not)
