"""The vectors of another model are filled beside those in use, and switched to."""

from __future__ import annotations

import pytest
from support.store_contract.fixtures import Fixtures
from support.store_contract.shorthand import (
    OTHER_SCHEMA,
    SCHEMA,
    SECONDS,
    NewStore,
    count,
    point,
    write,
)

from kausa.memory.errors import MemoryError_, MemoryUnavailableError
from kausa.memory.store import VectorStore

__all__ = ["Generations"]


class Generations(Fixtures):
    """Part of `StoreContract`."""

    async def test_a_generation_is_filled_beside_the_active_one_and_then_switched_to(
        self, store: VectorStore
    ) -> None:
        await write(store, [point(1), point(2)])
        beside = await store.make(OTHER_SCHEMA, deadline_seconds=SECONDS)
        await write(beside, [point(number, schema=OTHER_SCHEMA) for number in (1, 2, 3)])
        assert [await count(store), await count(beside)] == [2, 3]
        listed = {each.schema: each for each in await store.generations(deadline_seconds=SECONDS)}
        assert {schema: each.active for schema, each in listed.items()} == {
            SCHEMA: True,
            OTHER_SCHEMA: False,
        }
        assert dict(listed[SCHEMA].points) == {"failures": 2, "runbooks": 0}
        assert dict(listed[OTHER_SCHEMA].points) == {"failures": 3, "runbooks": 0}
        with pytest.raises(MemoryError_):
            await store.drop(SCHEMA, deadline_seconds=SECONDS)

        await store.activate(OTHER_SCHEMA, deadline_seconds=SECONDS)
        assert await count(store) == 3
        await write(store, [point(4, schema=OTHER_SCHEMA)])
        assert await count(store) == 4
        with pytest.raises(MemoryUnavailableError) as refused:
            await write(store, [point(5)])
        assert refused.value.reason == "DimensionMismatch"
        health = await store.health(deadline_seconds=SECONDS)
        assert health.schema == OTHER_SCHEMA
        assert health.points["failures"] == 4

        await store.drop(SCHEMA, deadline_seconds=SECONDS)
        await store.drop(SCHEMA, deadline_seconds=SECONDS)
        assert [each.schema for each in await store.generations(deadline_seconds=SECONDS)] == [
            OTHER_SCHEMA
        ]
        await beside.close()
        assert await count(store) == 4

    async def test_a_half_filled_generation_is_found_again(self, new_store: NewStore) -> None:
        first = new_store()
        await first.open(SCHEMA, deadline_seconds=SECONDS)
        beside = await first.make(OTHER_SCHEMA, deadline_seconds=SECONDS)
        await write(beside, [point(1, schema=OTHER_SCHEMA)])
        await beside.close()
        await first.close()
        second = new_store()
        assert len(await second.generations(deadline_seconds=SECONDS)) == 2
        again = await second.make(OTHER_SCHEMA, deadline_seconds=SECONDS)
        assert await count(again) == 1
        await again.close()
        await second.open(SCHEMA, deadline_seconds=SECONDS)
        assert await count(second) == 0
        await second.close()

    async def test_a_switch_outlives_a_restart(self, new_store: NewStore) -> None:
        first = new_store()
        await first.open(SCHEMA, deadline_seconds=SECONDS)
        beside = await first.make(OTHER_SCHEMA, deadline_seconds=SECONDS)
        await beside.upsert("runbooks", [point(1, schema=OTHER_SCHEMA)], deadline_seconds=SECONDS)
        await first.activate(OTHER_SCHEMA, deadline_seconds=SECONDS)
        await beside.close()
        await first.close()
        second = new_store()
        with pytest.raises(MemoryUnavailableError) as refused:
            await second.open(SCHEMA, deadline_seconds=SECONDS)
        assert refused.value.reason == "ModelMismatch"
        await second.open(OTHER_SCHEMA, deadline_seconds=SECONDS)
        assert await count(second, "runbooks") == 1
        await second.close()

    async def test_switching_to_what_is_not_there_is_refused(self, store: VectorStore) -> None:
        with pytest.raises(MemoryError_):
            await store.activate(OTHER_SCHEMA, deadline_seconds=SECONDS)
        assert await count(store) == 0
        await store.drop(OTHER_SCHEMA, deadline_seconds=SECONDS)
