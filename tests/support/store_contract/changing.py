"""Changing payloads by compare-and-set, and deleting."""

from __future__ import annotations

import asyncio

import pytest
from support.store_contract.fixtures import Fixtures
from support.store_contract.shorthand import (
    SECONDS,
    change,
    count,
    id_of,
    ids,
    point,
    search,
    vector,
    words,
    write,
)

from kausa.memory.filters import EVERYTHING, Absent, Filter, OneOf
from kausa.memory.store import HybridQuery, VectorStore

__all__ = ["Changing"]


class Changing(Fixtures):
    """Part of `StoreContract`."""

    async def test_some_keys_are_written_over_and_the_others_stay(self, store: VectorStore) -> None:
        await write(store, [point(1, cluster="c", reason="A", nested={"a": 1}), point(2)])
        assert await change(store, {"reason": "B", "nested": {"b": 2}, "new": [1, "x"]})
        first, second = await store.get(
            "failures", [id_of(1), id_of(2)], with_vectors=True, deadline_seconds=SECONDS
        )
        assert first.payload == {"cluster": "c", "reason": "B", "nested": {"b": 2}, "new": [1, "x"]}
        assert first.dense == pytest.approx(tuple(point(1).dense), abs=1e-6)
        assert second.payload == point(2).payload

    async def test_only_who_expected_what_was_there_changes_it(self, store: VectorStore) -> None:
        await write(store, [point(1, cluster="c", reward_count=1)])
        first = Filter(must=(OneOf("reward_count", (1,)),))
        assert await change(store, {"reward_count": 2, "node": "winner"}, expect=first)
        assert not await change(store, {"reward_count": 2, "node": "loser"}, expect=first)
        (found,) = await store.get("failures", [id_of(1)], deadline_seconds=SECONDS)
        assert found.payload == {"cluster": "c", "reward_count": 2, "node": "winner"}
        absent = Filter(must=(Absent("outcome"),))
        assert await change(store, {"outcome": "Open"}, expect=absent)
        assert not await change(store, {"outcome": "Resolved"}, expect=absent)

    async def test_repeating_a_change_that_was_made_is_a_success(self, store: VectorStore) -> None:
        await write(store, [point(1, cluster="c", reward_count=1)])
        first = Filter(must=(OneOf("reward_count", (1,)),))
        for _ in range(2):
            assert await change(store, {"reward_count": 2}, expect=first)

    async def test_a_key_is_taken_away_by_null(self, store: VectorStore) -> None:
        await write(store, [point(1, cluster="c", node="n", outcome="Open"), point(2, cluster="c")])
        both = [id_of(1), id_of(2)]
        still_open = Filter(must=(OneOf("outcome", ("Open",)),))
        for _ in range(2):
            assert await change(store, {"node": None})
            assert await change(store, {"node": None, "kind": "x"}, ids_=both)
            assert await change(store, {"outcome": None}, expect=still_open)
        assert await ids(store, Absent("node"), Absent("outcome")) == set(both)
        (found,) = await store.get("failures", [id_of(1)], deadline_seconds=SECONDS)
        kept = {key: value for key, value in found.payload.items() if value is not None}
        assert kept == {"cluster": "c", "kind": "x"}
        assert not await change(store, {"node": None, "kind": "y"}, expect=still_open)

    async def test_all_points_must_have_changed(self, store: VectorStore) -> None:
        await write(store, [point(1, cluster="c", chunk=0), point(2, cluster="c", chunk=1)])
        both = [id_of(1), id_of(2)]
        only_one = Filter(must=(OneOf("chunk", (0,)),))
        assert not await change(store, {"outcome": "Resolved"}, ids_=both, expect=only_one)
        assert await ids(store, OneOf("outcome", ("Resolved",))) == {id_of(1)}
        assert await change(store, {"outcome": "Resolved"}, ids_=both)
        assert not await change(store, {"outcome": "Open"}, ids_=[id_of(1), id_of(9)])
        assert await count(store) == 2

    async def test_racing_changes_lose_nothing(self, store: VectorStore) -> None:
        await write(store, [point(1, cluster="c", reward_count=0, by="")])

        async def add(name: str) -> None:
            for _ in range(200):
                (found,) = await store.get("failures", [id_of(1)], deadline_seconds=SECONDS)
                seen = found.payload["reward_count"]
                values = {"reward_count": seen + 1, "by": name}
                if await change(
                    store, values, expect=Filter(must=(OneOf("reward_count", (seen,)),))
                ):
                    return
            raise AssertionError("never won")

        await asyncio.gather(*(add(f"writer {number}") for number in range(8)))
        (found,) = await store.get("failures", [id_of(1)], deadline_seconds=SECONDS)
        assert found.payload["reward_count"] == 8

    async def test_deleted_points_are_gone_from_everything(self, store: VectorStore) -> None:
        await write(
            store, [point(number, cluster="c", kind=str(number % 3)) for number in range(12)]
        )
        await store.delete("failures", ids=[id_of(0), id_of(99)], deadline_seconds=SECONDS)
        assert await count(store) == 11
        await store.delete(
            "failures", where=Filter(must=(OneOf("kind", ("1",)),)), deadline_seconds=SECONDS
        )
        assert await count(store) == 7
        await store.delete(
            "failures",
            ids=[id_of(3)],
            where=Filter(must=(OneOf("kind", ("2",)),)),
            deadline_seconds=SECONDS,
        )
        left = {id_of(6), id_of(9)}
        assert await ids(store) == left
        query = HybridQuery(where=EVERYTHING, dense=vector(0), sparse=words(0))
        assert set(await search(store, query)) == left
        assert await store.get("failures", [id_of(0)], deadline_seconds=SECONDS) == []
        await store.delete("failures", deadline_seconds=SECONDS)
        assert await ids(store) == left
        await store.delete("failures", where=EVERYTHING, deadline_seconds=SECONDS)
        assert await count(store) == 0
