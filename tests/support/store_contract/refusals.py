"""What is malformed is refused before anything is written or searched."""

from __future__ import annotations

import math

import msgspec
import pytest
from support.store_contract.fixtures import Fixtures
from support.store_contract.malformed import MALFORMED, UNUSABLE_CONDITIONS
from support.store_contract.shorthand import (
    SECONDS,
    change,
    count,
    everything,
    point,
    search,
    vector,
    write,
)

from kausa.memory.errors import InvalidRecordError, MemoryUnavailableError
from kausa.memory.filters import EVERYTHING, Filter, InvalidFilterError, OneOf
from kausa.memory.schema import MOST_POINTS
from kausa.memory.store import HybridQuery, SparseVector, VectorStore

__all__ = ["Refusals"]


class Refusals(Fixtures):
    """Part of `StoreContract`."""

    async def test_a_malformed_point_is_refused_with_all_of_its_batch(
        self, store: VectorStore
    ) -> None:
        for wrong in MALFORMED:
            bad = msgspec.structs.replace(point(2), **wrong)
            with pytest.raises(InvalidRecordError):
                await write(store, [point(1), bad, point(3)])
            assert await count(store) == 0, wrong

    async def test_vectors_of_another_length_are_refused(self, store: VectorStore) -> None:
        short = msgspec.structs.replace(point(2), dense=[1.0] * 7)
        with pytest.raises(MemoryUnavailableError) as refused:
            await write(store, [point(1), short])
        assert refused.value.reason == "DimensionMismatch"
        assert await count(store) == 0
        with pytest.raises(MemoryUnavailableError) as unasked:
            await search(store, HybridQuery(where=EVERYTHING, dense=(1.0,) * 9))
        assert unasked.value.reason == "DimensionMismatch"

    async def test_a_question_that_is_not_finite_is_refused(self, store: VectorStore) -> None:
        with pytest.raises(InvalidRecordError):
            await search(store, HybridQuery(where=EVERYTHING, dense=(math.nan,) * 8))
        with pytest.raises(InvalidRecordError):
            await search(
                store, HybridQuery(where=EVERYTHING, sparse=SparseVector((1,), (math.inf,)))
            )

    async def test_too_many_points_at_once_are_refused(self, store: VectorStore) -> None:
        with pytest.raises(InvalidRecordError, match="500"):
            await write(store, [point(number) for number in range(MOST_POINTS + 1)])
        assert await count(store) == 0

    async def test_a_filter_that_cannot_be_meant_is_an_error_and_never_ignored(
        self, store: VectorStore
    ) -> None:
        await write(store, [point(1)])
        for condition in UNUSABLE_CONDITIONS:
            for where in (Filter(must=(condition,)), Filter(must_not=(condition,))):
                with pytest.raises(InvalidFilterError):
                    await count(store, where=where)
                with pytest.raises(InvalidFilterError):
                    await search(store, HybridQuery(where=where, dense=vector(1)))
                with pytest.raises(InvalidFilterError):
                    await store.scroll("failures", where=where, limit=1, deadline_seconds=SECONDS)
                with pytest.raises(InvalidFilterError):
                    await store.facet(
                        "failures", "reason", where=where, limit=1, deadline_seconds=SECONDS
                    )
                with pytest.raises(InvalidFilterError):
                    await store.delete("failures", where=where, deadline_seconds=SECONDS)
                with pytest.raises(InvalidFilterError):
                    await change(store, {"node": "n"}, expect=where)
        too_many = Filter(must=(OneOf("cluster", ("c",)),) * 33)
        with pytest.raises(InvalidFilterError):
            await count(store, where=too_many)
        assert [each.payload for each in await everything(store)] == [point(1).payload]
