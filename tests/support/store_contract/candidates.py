"""Hybrid candidates: both lists with the scores that brute force finds, filtered first."""

from __future__ import annotations

import random

import msgspec
import pytest
from support.store_contract.fixtures import Fixtures
from support.store_contract.oracles import brute_force
from support.store_contract.shorthand import (
    SECONDS,
    best_first,
    id_of,
    point,
    search,
    vector,
    words,
    write,
)

from kausa.memory.filters import EVERYTHING, Filter, OneOf, Range
from kausa.memory.store import HybridQuery, Payload, SparseVector, VectorStore

__all__ = ["Candidates"]


class Candidates(Fixtures):
    """Part of `StoreContract`."""

    @pytest.mark.parametrize("exact", [False, True])
    async def test_candidates_are_what_brute_force_finds(
        self, fresh_store: VectorStore, exact: bool
    ) -> None:
        store = fresh_store
        points = [
            point(number, cluster=("a", "b")[number % 2], chunk=number) for number in range(80)
        ]
        await write(store, points)
        noise = random.Random(7)
        for _ in range(12):
            where = Filter(must=(OneOf("cluster", ("a",)), Range("chunk", noise.randrange(40))))
            query = HybridQuery(
                where=where,
                dense=vector(noise.randrange(1000, 2000)),
                sparse=SparseVector(tuple(noise.sample(range(1, 30), 3)), (1.0, 1.0, 1.0)),
                candidates=noise.choice((1, 5, 10, 50)),
                exact=exact,
            )
            found = await store.candidates("failures", query, deadline_seconds=SECONDS)
            dense, sparse = brute_force(points, query)
            assert {each.id: each.dense for each in found if each.dense is not None} == (
                pytest.approx(dense, abs=1e-4)
            )
            assert {each.id: each.sparse for each in found if each.sparse is not None} == (
                pytest.approx(sparse, abs=1e-3)
            )
            assert {each.id for each in found} == dense.keys() | sparse.keys()
            assert found == sorted(found, key=best_first)
            by_id = {each.id: each.payload for each in points}
            assert all(each.payload == by_id[each.id] for each in found)

    async def test_one_list_may_be_asked_alone_and_none_names_nothing(
        self, store: VectorStore
    ) -> None:
        await write(store, [point(number) for number in range(10)])
        by_vector = await search(store, HybridQuery(where=EVERYTHING, dense=vector(3)))
        assert len(by_vector) == 10
        assert all(each.sparse is None for each in by_vector.values())
        by_words = await search(store, HybridQuery(where=EVERYTHING, sparse=words(3)))
        assert by_words
        assert all(each.dense is None and each.sparse for each in by_words.values())
        assert await search(store, HybridQuery(where=EVERYTHING)) == {}
        silent = SparseVector((), ())
        assert await search(store, HybridQuery(where=EVERYTHING, sparse=silent)) == {}
        unknown = SparseVector((10_000,), (1.0,))
        assert await search(store, HybridQuery(where=EVERYTHING, sparse=unknown)) == {}

    async def test_an_empty_store_names_nothing(self, store: VectorStore) -> None:
        query = HybridQuery(where=EVERYTHING, dense=vector(1), sparse=words(1))
        assert await search(store, query) == {}

    async def test_more_candidates_than_a_search_may_name_are_cut_and_not_refused(
        self, store: VectorStore
    ) -> None:
        await write(store, [point(number) for number in range(300)])
        query = HybridQuery(where=EVERYTHING, dense=vector(1), candidates=100_000)
        found = await search(store, query)
        assert len(found) == 256

    async def test_another_tenants_text_is_never_named(self, store: VectorStore) -> None:
        secret: Payload = {"passage": "the other's secret", "namespace": "shop"}
        await write(
            store,
            [
                *(point(number, cluster="theirs", **secret) for number in range(30)),
                *(
                    msgspec.structs.replace(
                        point(number, cluster="ours", namespace="shop"), id=id_of(100 + number)
                    )
                    for number in range(3)
                ),
            ],
        )
        ours = Filter(must=(OneOf("cluster", ("ours",)), OneOf("namespace", ("shop",))))
        query = HybridQuery(where=ours, dense=vector(1), sparse=words(1))
        found = await search(store, query)
        assert set(found) == {id_of(100), id_of(101), id_of(102)}
        page = await store.scroll("failures", where=ours, limit=100, deadline_seconds=SECONDS)
        assert {each.id for each in page.points} == set(found)
        counted = await store.facet(
            "failures", "cluster", where=ours, limit=9, deadline_seconds=SECONDS
        )
        assert counted == {"ours": 3}
