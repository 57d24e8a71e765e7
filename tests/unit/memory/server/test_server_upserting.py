"""A record is blamed for a refused request only where the server takes others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from qdrant_client import models
from qdrant_client.http.exceptions import UnexpectedResponse
from support.server_stores import local_stores
from support.store_contract import SCHEMA, SECONDS, count, id_of, ids, point, write

from kausa.memory.errors import InvalidRecordError, MemoryUnavailableError
from kausa.memory.filters import EVERYTHING
from kausa.memory.server.store import ServerStore

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
async def store() -> AsyncIterator[ServerStore]:
    async with local_stores() as make:
        store = make()
        await store.open(SCHEMA, deadline_seconds=SECONDS)
        yield store


def refusing(
    store: ServerStore, refuses: Callable[[list[models.PointStruct]], bool], status: int = 400
) -> list[int]:
    """Have the server refuse such requests; how many points each request had."""
    asked: list[int] = []
    upsert = store._client.upsert

    async def refused(name: str, points: list[models.PointStruct], **how: Any) -> Any:
        asked.append(len(points))
        if refuses(points):
            raise UnexpectedResponse(status, "Bad Request", b"Wrong input: no", httpx.Headers())
        return await upsert(name, points, **how)

    store._client.upsert = refused  # type: ignore[method-assign, assignment]
    return asked


def is_poison(points: list[models.PointStruct]) -> bool:
    return any(each.id == id_of(7) for each in points)


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_of_many_points_the_one_that_is_to_blame_is_named(
    store: ServerStore, status: int
) -> None:
    refusing(store, is_poison, status)
    points = [point(number, record_id=f"record-{number}") for number in range(20)]
    with pytest.raises(InvalidRecordError, match="record-7 is not taken"):
        await write(store, points)
    assert id_of(7) not in await ids(store)
    # Nothing is left of the point that was written to see whether any is taken.
    assert await ids(store) <= {each.id for each in points}


async def test_a_request_that_is_too_large_for_a_proxy_is_sent_in_parts(store: ServerStore) -> None:
    asked = refusing(store, lambda points: len(points) > 4, 413)
    await write(store, [point(number) for number in range(16)])
    assert await count(store) == 16
    assert asked == [16, 8, 4, 4, 8, 4, 4]


async def test_a_server_that_takes_nothing_blames_no_record(store: ServerStore) -> None:
    asked = refusing(store, lambda _: True)
    with pytest.raises(MemoryUnavailableError, match="its log may say more") as refused:
        await write(store, [point(number) for number in range(16)])
    assert refused.value.reason == "StoreRefused"
    assert len(asked) == 6


async def test_a_search_that_is_refused_is_no_fault_of_a_record(store: ServerStore) -> None:
    async def refused(*_: Any, **__: Any) -> Any:
        raise UnexpectedResponse(400, "Bad Request", b"Limit exceeded", httpx.Headers())

    store._client.count = refused  # type: ignore[method-assign]
    with pytest.raises(MemoryUnavailableError) as told:
        await store.count("failures", where=EVERYTHING, deadline_seconds=SECONDS)
    assert told.value.reason == "StoreRefused"
