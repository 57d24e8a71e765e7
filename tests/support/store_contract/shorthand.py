"""What the contract's tests say shortly: numbered points, and calls with a deadline."""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kausa.memory.filters import EVERYTHING, Condition, Filter
from kausa.memory.store import (
    Candidate,
    Collection,
    HybridQuery,
    Payload,
    Point,
    Schema,
    SparseVector,
    StoredPoint,
    VectorStore,
)

__all__ = [
    "OTHER_SCHEMA",
    "SCHEMA",
    "SECONDS",
    "NewStore",
    "best_first",
    "change",
    "count",
    "everything",
    "id_of",
    "ids",
    "names_in",
    "point",
    "search",
    "vector",
    "words",
    "write",
]


SCHEMA = Schema(model="tiny-8", dimensions=8)
OTHER_SCHEMA = Schema(model="other-6", dimensions=6)
SECONDS = 30.0
NewStore = Callable[[], VectorStore]


def id_of(number: int) -> str:
    """The id of a numbered point."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))


def point(number: int, *, schema: Schema = SCHEMA, **payload: Any) -> Point:
    """A numbered point; the number decides its vectors, keywords are its payload."""
    noise = random.Random(number)
    dense = [noise.gauss(0, 1) for _ in range(schema.dimensions)]
    length = math.hypot(*dense)
    words = sorted(noise.sample(range(1, 30), 5))
    return Point(
        id=id_of(number),
        dense=[value / length for value in dense],
        sparse=SparseVector(tuple(words), tuple(noise.uniform(0.5, 2.0) for _ in words)),
        payload=payload or {"cluster": "c", "chunk": number},
    )


async def everything(store: VectorStore, collection: Collection = "failures") -> list[StoredPoint]:
    """All points with all that they have, by walking in small steps."""
    found: list[StoredPoint] = []
    after = None
    for _ in range(1000):
        page = await store.scroll(
            collection,
            where=EVERYTHING,
            limit=7,
            after=after,
            with_vectors=True,
            deadline_seconds=SECONDS,
        )
        found += page.points
        after = page.after
        if after is None:
            return found
    raise AssertionError("the walk has no end")


async def write(store: VectorStore, points: list[Point]) -> None:
    await store.upsert("failures", points, deadline_seconds=SECONDS)


async def count(
    store: VectorStore, collection: Collection = "failures", *, where: Filter = EVERYTHING
) -> int:
    return await store.count(collection, where=where, deadline_seconds=SECONDS)


async def ids(
    store: VectorStore, *must: Condition, without: tuple[Condition, ...] = ()
) -> set[str]:
    page = await store.scroll(
        "failures", where=Filter(must=must, must_not=without), limit=500, deadline_seconds=SECONDS
    )
    assert page.after is None
    return {each.id for each in page.points}


async def search(store: VectorStore, query: HybridQuery) -> dict[str, Candidate]:
    found = await store.candidates("failures", query, deadline_seconds=SECONDS)
    assert len({each.id for each in found}) == len(found)
    return {each.id: each for each in found}


async def change(
    store: VectorStore,
    values: Payload,
    *,
    ids_: list[str] | None = None,
    expect: Filter | None = None,
) -> bool:
    return await store.set_payload(
        "failures", ids_ or [id_of(1)], values, expect=expect, deadline_seconds=SECONDS
    )


def names_in(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


def vector(number: int) -> tuple[float, ...]:
    return tuple(point(number).dense)


def words(number: int) -> SparseVector:
    found = point(number).sparse
    return SparseVector(found.indices, (1.0,) * len(found.indices))


def best_first(candidate: Candidate) -> tuple[float, float, str]:
    dense = 2.0 if candidate.dense is None else -candidate.dense
    return (dense, -(candidate.sparse or 0.0), candidate.id)
