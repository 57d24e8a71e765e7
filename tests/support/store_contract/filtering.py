"""A filter means what its words say, on every call."""

from __future__ import annotations

import msgspec
from support.store_contract.filter_cases import PAYLOADS, SINGLE_FILTERS, combined_filters
from support.store_contract.fixtures import Fixtures
from support.store_contract.oracles import matches
from support.store_contract.shorthand import (
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

from kausa.memory.filters import Filter, OneOf
from kausa.memory.store import HybridQuery, VectorStore

__all__ = ["Filtering"]


class Filtering(Fixtures):
    """Part of `StoreContract`."""

    async def test_every_filter_means_what_its_words_say(self, store: VectorStore) -> None:
        payloads = {id_of(number): payload for number, payload in enumerate(PAYLOADS)}
        await write(store, [point(number, **each) for number, each in enumerate(PAYLOADS)])
        for where in (*SINGLE_FILTERS, *combined_filters(120)):
            wanted = {id_ for id_, payload in payloads.items() if matches(payload, where)}
            assert await ids(store, *where.must, without=where.must_not) == wanted, where
            assert await count(store, where=where) == len(wanted), where

    async def test_a_filter_narrows_the_search_before_it_looks(self, store: VectorStore) -> None:
        near = [point(1, cluster="c", namespace="loud", chunk=each) for each in range(40)]
        near = [
            msgspec.structs.replace(each, id=id_of(100 + number))
            for number, each in enumerate(near)
        ]
        far = point(2, cluster="c", namespace="quiet")
        await write(store, [*near, far])
        query = HybridQuery(
            where=Filter(must=(OneOf("namespace", ("quiet",)),)),
            dense=vector(1),
            sparse=words(2),
            candidates=3,
        )
        assert set(await search(store, query)) == {far.id}

    async def test_a_filter_sees_what_was_changed(self, store: VectorStore) -> None:
        await write(store, [point(1, cluster="c", outcome="Open", labels=["a=1"])])
        await change(store, {"outcome": "Resolved", "labels": ["b=2"]})
        assert await ids(store, OneOf("outcome", ("Resolved",))) == {id_of(1)}
        assert await ids(store, OneOf("outcome", ("Open",))) == set()
        assert await ids(store, OneOf("labels", ("b=2",))) == {id_of(1)}
        assert await ids(store, OneOf("labels", ("a=1",))) == set()
