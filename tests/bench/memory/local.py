"""The client's local mode, to compare with: numpy for vectors, Python for filters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from qdrant_client import AsyncQdrantClient, models

from kausa.memory.filters import Filter, OneOf, TimeRange
from kausa.memory.schema import DENSE, SPARSE
from kausa.memory.store import HybridQuery, Point

__all__ = ["LocalMode", "local_mode"]


class LocalMode:
    """As much of a store as is measured."""

    def __init__(self, client: AsyncQdrantClient) -> None:
        self._client = client

    async def upsert(
        self, collection: str, points: Sequence[Point], *, deadline_seconds: float
    ) -> None:
        """Write points."""
        made = [
            models.PointStruct(
                id=each.id,
                vector={
                    DENSE: list(each.dense),
                    SPARSE: models.SparseVector(
                        indices=list(each.sparse.indices), values=list(each.sparse.values)
                    ),
                },
                payload=each.payload,
            )
            for each in points
        ]
        await self._client.upsert(collection, made)

    async def candidates(
        self, collection: str, query: HybridQuery, *, deadline_seconds: float
    ) -> list[models.QueryResponse]:
        """Both lists, as one batch."""
        where = _filter(query.where)
        asked: list[tuple[str, models.Query]] = []
        if query.dense is not None:
            asked.append((DENSE, models.NearestQuery(nearest=list(query.dense))))
        if query.sparse is not None:
            words = models.SparseVector(
                indices=list(query.sparse.indices), values=list(query.sparse.values)
            )
            asked.append((SPARSE, models.NearestQuery(nearest=words)))
        requests = [
            models.QueryRequest(
                query=each,
                using=using,
                filter=where,
                limit=query.candidates,
                with_payload=True,
            )
            for using, each in asked
        ]
        return await self._client.query_batch_points(collection, requests)


@asynccontextmanager
async def local_mode(dimensions: int) -> AsyncIterator[LocalMode]:
    """An empty collection in this process's memory."""
    client = AsyncQdrantClient(location=":memory:")
    await client.create_collection(
        "failures",
        vectors_config={
            DENSE: models.VectorParams(size=dimensions, distance=models.Distance.COSINE)
        },
        sparse_vectors_config={SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
    )
    yield LocalMode(client)
    await client.close()


def _filter(where: Filter) -> models.Filter:
    must: list[models.Condition] = []
    for each in where.must:
        match each:
            case OneOf(field=field, values=values):
                any_of = models.MatchAny(any=[str(value) for value in values])
                must.append(models.FieldCondition(key=field, match=any_of))
            case TimeRange(field=field, after=datetime() as after):
                since = models.DatetimeRange(gte=after)
                must.append(models.FieldCondition(key=field, range=since))
            case _:
                raise TypeError(f"the comparison has no {type(each).__name__}")
    return models.Filter(must=must)
