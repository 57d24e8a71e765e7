"""What the worker tells somebody who looks for a defect, and whom it tells."""

from __future__ import annotations

import tracemalloc
from typing import Any

import aiohttp
from support.embedding_engine import Serving, serving


async def get(service: Serving, path: str, **headers: str) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession(service.url, headers=headers) as client,
        client.get(path) as response,
    ):
        return response.status, await response.json() if response.status != 404 else None


async def test_nothing_is_told_unless_it_is_wanted() -> None:
    async with serving() as service:
        assert (await get(service, "/debug/memory"))[0] == 404
        assert (await get(service, "/debug/models"))[0] == 404


async def test_whoever_has_no_token_is_told_nothing() -> None:
    async with serving(debug_endpoints=True, token="secret") as service:
        assert (await get(service, "/debug/memory"))[0] == 401
        status, found = await get(service, "/debug/memory", Authorization="Bearer secret")
    assert status == 200
    assert "secret" not in repr(found)


async def test_what_is_held_is_told_beside_what_may_be() -> None:
    async with serving(debug_endpoints=True, max_requests=9, queue_tokens=2048) as service:
        _, found = await get(service, "/debug/memory")
    # The one who asks is not counted: only what brings a body is.
    assert found["parts"]["requests"] == {"entries": 0, "most": 9}
    assert found["parts"]["queue_tokens"]["most"] == 2048
    assert found["parts"]["cache.texts"].keys() >= {"entries", "used_bytes", "most_bytes"}
    assert found["process"]["resident_bytes"] > 1_000_000
    assert found["allocations"] is None


async def test_allocations_are_told_where_python_traces_them() -> None:
    async with serving(debug_endpoints=True) as service:
        tracemalloc.start()
        try:
            _, found = await get(service, "/debug/memory")
        finally:
            tracemalloc.stop()
    assert found["allocations"]["traced_bytes"] > 0
    assert not any(each["line"].startswith("/") for each in found["allocations"]["largest"])


async def test_what_runs_is_told_and_a_worker_that_starts_says_so() -> None:
    async with serving(debug_endpoints=True) as service:
        _, found = await get(service, "/debug/models")
    assert found["phase"] == "serving"
    assert found["trouble"] is None
    assert found["engine"]["model"] == "fake"
    async with serving(started=False, debug_endpoints=True) as service:
        _, found = await get(service, "/debug/models")
        _, memory = await get(service, "/debug/memory")
    assert (found["phase"], found["engine"]) == ("starting", None)
    assert set(memory["parts"]) == {"requests"}
