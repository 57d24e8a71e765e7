"""Writing points and reading them by id, many at a time, and many at once."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from support.store_contract.fixtures import Fixtures
from support.store_contract.shorthand import (
    SECONDS,
    count,
    id_of,
    ids,
    point,
    search,
    vector,
    words,
    write,
)

from kausa.memory.filters import EVERYTHING, OneOf
from kausa.memory.schema import MOST_POINTS
from kausa.memory.store import HybridQuery, Payload, SparseVector, VectorStore

__all__ = ["Points"]


class Points(Fixtures):
    """Part of `StoreContract`."""

    async def test_a_point_comes_back_as_it_went(self, store: VectorStore) -> None:
        payload: Payload = {
            "cluster": "c",
            "passage": "naïve 😀 \u0000 line\nline",
            "labels": ["app=web", "tier=front"],
            "none": None,
            "empty": [],
            "big": 2**53 - 1,
            "negative": -7,
            "fraction": 0.1,
            "truth": True,
            "nested": {"a": [{"b": "c"}, 1], "": ""},
        }
        wanted = point(1, **payload)
        await write(store, [wanted])
        (found,) = await store.get(
            "failures", [wanted.id], with_vectors=True, deadline_seconds=SECONDS
        )
        assert found.payload == payload
        assert found.dense == pytest.approx(tuple(wanted.dense), abs=1e-6)
        assert found.sparse is not None
        words = dict(zip(found.sparse.indices, found.sparse.values, strict=True))
        assert words == pytest.approx(
            dict(zip(wanted.sparse.indices, wanted.sparse.values, strict=True)), abs=1e-6
        )

    async def test_writing_twice_is_writing_once_with_the_later_words(
        self, store: VectorStore
    ) -> None:
        await write(store, [point(1, cluster="c", reason="Old", node="n1"), point(2)])
        later = msgspec.structs.replace(point(3, cluster="c", reason="New"), id=id_of(1))
        for _ in range(2):
            await write(store, [later])
        assert await count(store) == 2
        (found,) = await store.get(
            "failures", [id_of(1)], with_vectors=True, deadline_seconds=SECONDS
        )
        assert found.payload == {"cluster": "c", "reason": "New"}
        assert found.dense == pytest.approx(tuple(later.dense), abs=1e-6)
        assert await ids(store, OneOf("reason", ("Old",))) == set()
        named = await store.candidates(
            "failures",
            HybridQuery(where=EVERYTHING, sparse=later.sparse, candidates=1),
            deadline_seconds=SECONDS,
        )
        assert [each.id for each in named] == [id_of(1)]

    async def test_a_point_twice_in_one_call_is_the_later_one(self, store: VectorStore) -> None:
        await write(store, [point(1, cluster="c", reason="A"), point(1, cluster="c", reason="B")])
        assert await ids(store, OneOf("reason", ("B",))) == {id_of(1)}
        assert await count(store) == 1

    async def test_an_id_is_the_same_however_it_is_spelt(self, store: VectorStore) -> None:
        shouted = msgspec.structs.replace(point(1), id=id_of(1).upper())
        plain = msgspec.structs.replace(point(1), id=id_of(1).replace("-", ""))
        await write(store, [shouted])
        await write(store, [plain])
        assert await count(store) == 1
        found = await store.get("failures", [shouted.id], deadline_seconds=SECONDS)
        assert [each.id for each in found] == [id_of(1)]

    async def test_reading_by_id_keeps_the_order_and_leaves_out_what_is_not_there(
        self, store: VectorStore
    ) -> None:
        await write(store, [point(number) for number in range(5)])
        wanted = [id_of(3), id_of(77), id_of(0), id_of(4)]
        found = await store.get("failures", wanted, deadline_seconds=SECONDS)
        assert [each.id for each in found] == [id_of(3), id_of(0), id_of(4)]
        assert all(each.dense is None and each.sparse is None for each in found)
        assert await store.get("failures", [], deadline_seconds=SECONDS) == []

    async def test_a_point_without_words_is_found_by_its_vector_alone(
        self, store: VectorStore
    ) -> None:
        silent = msgspec.structs.replace(point(1), sparse=SparseVector((), ()))
        await write(store, [silent, point(2)])
        found = await search(store, HybridQuery(where=EVERYTHING, dense=vector(1), sparse=words(2)))
        assert found[id_of(1)].sparse is None
        assert found[id_of(1)].dense == pytest.approx(1.0, abs=1e-5)

    async def test_a_batch_of_the_largest_size_fits(self, store: VectorStore) -> None:
        text = "a text as long as a page of a log " * 100
        batch = [point(number, cluster="c", passage=text) for number in range(MOST_POINTS)]
        await write(store, batch)
        assert await count(store) == MOST_POINTS
        found = await store.get(
            "failures", [each.id for each in batch], with_vectors=True, deadline_seconds=SECONDS
        )
        assert len(found) == MOST_POINTS

    async def test_the_two_collections_are_apart(self, store: VectorStore) -> None:
        await write(store, [point(1)])
        await store.upsert("runbooks", [point(1), point(2)], deadline_seconds=SECONDS)
        assert [await count(store), await count(store, "runbooks")] == [1, 2]
        await store.delete("runbooks", where=EVERYTHING, deadline_seconds=SECONDS)
        assert [await count(store), await count(store, "runbooks")] == [1, 0]

    async def test_calls_at_the_same_time_are_all_answered(self, store: VectorStore) -> None:
        async def one(number: int) -> bool:
            await write(store, [point(number)])
            query = HybridQuery(where=EVERYTHING, dense=vector(number), candidates=1)
            found = await search(store, query)
            await store.flush(deadline_seconds=SECONDS)
            return set(found) == {id_of(number)}

        assert all(await asyncio.gather(*(one(number) for number in range(24))))
        assert await count(store) == 24
