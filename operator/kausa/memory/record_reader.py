"""Reading the memory: candidates for recall, records by id, walks, counts."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence

from kausa.memory.errors import InvalidRecordError, MemoryUnavailableError
from kausa.memory.filters import EVERYTHING, Filter, OneOf
from kausa.memory.points import from_payload, point_id
from kausa.memory.records import Record
from kausa.memory.session import MOST_AT_ONCE, Session
from kausa.memory.store import Candidate, Collection, HybridQuery

__all__ = ["RecordReader"]

MOST_WHERES = 8


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
            found: dict[str, Candidate] = {}
            for where in wheres:
                query = HybridQuery(
                    where=where,
                    dense=dense,
                    sparse=sparse if sparse.indices else None,
                    candidates=limit,
                )
                answers = await self.store.candidates(
                    collection, query, deadline_seconds=deadline_seconds
                )
                found |= {each.id: each for each in answers}
        return list(found.values())

    async def rerank(
        self, query: str, documents: Sequence[str], *, deadline_seconds: float
    ) -> list[float]:
        """How well each document answers the query, from 0 to 1."""
        return await self.embedder.rerank(query, documents, deadline_seconds=deadline_seconds)

    async def get(
        self,
        record_id: str,
        *,
        collection: Collection = "failures",
        deadline_seconds: float,
    ) -> Record | None:
        """One record by its id; of a runbook its first passage."""
        async with self._doing("reading a record", deadline_seconds):
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
        after: str | None = None
        first = _first_passages(where)
        while True:
            async with self._doing("reading records", deadline_seconds):
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
                    yield from_payload(point.payload)
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
        async with self._doing("counting records", deadline_seconds):
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
        async with self._doing("counting records", deadline_seconds):
            return await self.store.facet(
                collection, field, where=first, limit=limit, deadline_seconds=deadline_seconds
            )


def _first_passages(where: Filter) -> Filter:
    """One point of each record that matches."""
    return Filter(must=(*where.must, OneOf("chunk", (0,))), must_not=where.must_not)
