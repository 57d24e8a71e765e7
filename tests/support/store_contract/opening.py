"""Opening and closing a store, and what it refuses to be opened for."""

from __future__ import annotations

import pytest
from support.store_contract.fixtures import Fixtures
from support.store_contract.shorthand import (
    OTHER_SCHEMA,
    SCHEMA,
    SECONDS,
    NewStore,
    count,
    everything,
    point,
    write,
)

from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.store import Schema, VectorStore

__all__ = ["Opening"]


class Opening(Fixtures):
    """Part of `StoreContract`."""

    async def test_a_new_store_is_empty_and_opening_it_again_changes_nothing(
        self, store: VectorStore
    ) -> None:
        await store.open(SCHEMA, deadline_seconds=SECONDS)
        assert await everything(store) == []
        assert await everything(store, "runbooks") == []
        health = await store.health(deadline_seconds=SECONDS)
        assert health.schema == SCHEMA
        assert dict(health.points) == {"failures": 0, "runbooks": 0}
        assert health.backend
        assert health.version

    async def test_what_was_written_is_there_after_a_restart(self, new_store: NewStore) -> None:
        first = new_store()
        await first.open(SCHEMA, deadline_seconds=SECONDS)
        await write(first, [point(number) for number in range(20)])
        before = await everything(first)
        await first.close()
        second = new_store()
        await second.open(SCHEMA, deadline_seconds=SECONDS)
        assert await everything(second) == before
        assert len(before) == 20
        await second.close()

    @pytest.mark.parametrize(
        ("wanted", "reason"),
        [
            (Schema(model="tiny-8", dimensions=6), "DimensionMismatch"),
            (Schema(model="other-8", dimensions=8), "ModelMismatch"),
            (OTHER_SCHEMA, "ModelMismatch"),
            (Schema(model="tiny-8", dimensions=8, version=99), "SchemaMismatch"),
        ],
    )
    async def test_vectors_of_something_else_are_refused_and_nothing_is_changed(
        self, new_store: NewStore, wanted: Schema, reason: str
    ) -> None:
        first = new_store()
        await first.open(SCHEMA, deadline_seconds=SECONDS)
        await write(first, [point(1)])
        await first.close()
        second = new_store()
        with pytest.raises(MemoryUnavailableError, match="tiny-8") as refused:
            await second.open(wanted, deadline_seconds=SECONDS)
        assert refused.value.reason == reason
        await second.open(SCHEMA, deadline_seconds=SECONDS)
        assert len(await everything(second)) == 1
        await second.close()

    async def test_an_unopened_and_a_closed_store_say_so(self, new_store: NewStore) -> None:
        store = new_store()
        with pytest.raises(MemoryUnavailableError) as unopened:
            await write(store, [point(1)])
        assert unopened.value.reason == "StoreUnavailable"
        await store.open(SCHEMA, deadline_seconds=SECONDS)
        await store.close()
        await store.close()
        with pytest.raises(MemoryUnavailableError) as closed:
            await count(store)
        assert closed.value.reason == "Closed"
