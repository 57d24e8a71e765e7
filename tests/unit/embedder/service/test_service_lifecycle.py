"""What the probes say, who is let in, and who has left."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from support.embedding_engine import FakeEngine, Serving, serving

from kausa_embedder.errors import OverloadedError


async def status(service: Serving, path: str, *, token: str | None = None) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    async with (
        aiohttp.ClientSession(service.url, headers=headers) as client,
        client.get(path) as response,
    ):
        return response.status


async def embed(service: Serving, text: str, **headers: str) -> aiohttp.ClientResponse:
    async with (
        aiohttp.ClientSession(service.url) as client,
        client.post("/v1/embeddings", json={"input": text}, headers=headers) as response,
    ):
        await response.read()
        return response


async def test_a_worker_that_loads_is_alive_and_not_ready() -> None:
    async with serving(started=False) as service:
        assert await status(service, "/livez") == 200
        assert await status(service, "/readyz") == 503
        assert await status(service, "/info") == 503
        assert (await embed(service, "x")).status == 503
        assert service.metric("ready") == 0
        service.lifecycle.serve()
        assert await status(service, "/readyz") == 200
        assert service.metric("ready") == 1


async def test_a_full_worker_is_alive_and_ready() -> None:
    engine = FakeEngine(held={"x"}, queued_tokens=1000)
    async with serving(engine, max_requests=1) as service:
        first = asyncio.create_task(embed(service, "x"))
        while not engine.asked:
            await asyncio.sleep(0.001)
        assert (await embed(service, "y")).status == 429
        assert await status(service, "/livez") == 200
        assert await status(service, "/readyz") == 200
        assert await status(service, "/metrics") == 200
        assert service.metric("queue_tokens") == 1000
        assert service.metric("requests_in_flight") == 1
        engine.errors.append(OverloadedError("full", retry_after_seconds=1))
        engine.release()
        await first


async def test_a_broken_engine_wants_a_new_process() -> None:
    engine = FakeEngine()
    async with serving(engine) as service:
        engine.failure, engine.ready = "the model's thread died", False
        assert await status(service, "/livez") == 503
        assert await status(service, "/readyz") == 503
        refused = await embed(service, "x")
        assert refused.status == 503
        assert engine.asked == []


async def test_a_draining_worker_takes_what_still_comes_and_asks_to_go_elsewhere() -> None:
    async with serving() as service:
        service.lifecycle.drain()
        assert await status(service, "/livez") == 200
        assert await status(service, "/readyz") == 503
        answer = await embed(service, "x")
        assert (answer.status, answer.headers.get("Connection")) == (200, "close")
        service.lifecycle.stop_taking()
        assert (await embed(service, "x")).status == 503


async def test_a_caller_who_leaves_is_not_worked_for() -> None:
    engine = FakeEngine(held={"x"})
    async with serving(engine) as service:
        asking = asyncio.create_task(embed(service, "x"))
        while not engine.asked:
            await asyncio.sleep(0.001)
        asking.cancel()
        await asyncio.wait_for(service.lifecycle.idle(), 5)
        assert engine.left == 1
        assert service.metric("requests_total", route="/v1/embeddings", code="499") == 1
        assert service.metric("rejected_total", reason="cancelled") == 1


@pytest.mark.parametrize("given", [None, "", "wrong", "secre", "secrets", "\u00e9"])
async def test_only_the_token_lets_in(given: str | None) -> None:
    async with serving(token="secret") as service:
        assert await status(service, "/info", token=given) == 401
        assert await status(service, "/nowhere", token=given) == 401
        assert await status(service, "/info", token="secret") == 200


async def test_a_refusal_says_what_is_asked_for() -> None:
    async with serving(token="secret") as service:
        refused = await embed(service, "x")
        assert refused.headers["WWW-Authenticate"] == "Bearer"
        assert service.engine.asked == []
        assert (await embed(service, "x", Authorization="Bearer secret")).status == 200
        assert (await embed(service, "x", Authorization="secret")).status == 401


async def test_the_kubelet_and_prometheus_need_no_token() -> None:
    async with serving(token="secret") as service:
        for path in ("/livez", "/readyz", "/metrics"):
            assert await status(service, path) == 200


async def test_an_old_connection_is_ended_between_two_requests() -> None:
    async with (
        serving(connection_seconds=0.02) as service,
        aiohttp.ClientSession(service.url) as client,
    ):
        ends = []
        for _ in range(3):
            async with client.get("/info") as response:
                ends.append(response.headers.get("Connection"))
            await asyncio.sleep(0.03)
        assert ends == [None, "close", None]
