"""The worker's life as a process, without the process: start, serve, drain, end."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from support.embedding_engine import FakeEngine

from kausa_embedder.errors import ModelMissingError
from kausa_embedder.service import server
from kausa_embedder.service.logs import configure_logs
from kausa_embedder.service.server import StoppedWhileLoadingError, serve
from kausa_embedder.settings import InvalidSettingsError, Settings


@dataclass(slots=True)
class Worker:
    url: str
    stops: asyncio.Queue[str]
    task: asyncio.Task[None]

    async def embed(self, text: str) -> int:
        async with (
            aiohttp.ClientSession(self.url) as client,
            client.post("/v1/embeddings", json={"input": text}) as response,
        ):
            return response.status

    async def probe(self, path: str) -> int:
        async with aiohttp.ClientSession(self.url) as client, client.get(path) as response:
            return response.status

    async def until_ready(self) -> None:
        while await self.probe("/readyz") != 200:
            await asyncio.sleep(0.001)


@asynccontextmanager
async def worker(engine: FakeEngine, **settings: Any) -> AsyncIterator[Worker]:
    log = io.StringIO()
    configure_logs(style="json", level="info", stream=log)
    stops: asyncio.Queue[str] = asyncio.Queue()
    told = Settings(host="127.0.0.1", port=0, **{"drain_notice_seconds": 0.0, **settings})
    task = asyncio.create_task(serve(told, make_engine=lambda *_: engine, stops=stops))
    while "Listening" not in log.getvalue() and not task.done():
        await asyncio.sleep(0.001)
    port = json.loads(log.getvalue().splitlines()[0])["port"] if log.getvalue() else 0
    try:
        yield Worker(f"http://127.0.0.1:{port}", stops, task)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task


async def test_it_serves_until_it_is_told_to_stop() -> None:
    engine = FakeEngine()
    async with worker(engine) as running:
        await running.until_ready()
        assert await running.embed("x") == 200
        running.stops.put_nowait("SIGTERM")
        await asyncio.wait_for(running.task, 5)
        assert engine.drained
        assert engine.closed
        with pytest.raises(aiohttp.ClientConnectionError):
            await running.embed("x")


async def test_what_is_under_way_is_answered_before_the_end() -> None:
    engine = FakeEngine(held={"slow"})
    async with worker(engine) as running:
        await running.until_ready()
        asking = asyncio.create_task(running.embed("slow"))
        while not engine.asked:
            await asyncio.sleep(0.001)
        running.stops.put_nowait("SIGTERM")
        while True:
            try:
                assert await running.probe("/readyz") == 503
            except aiohttp.ClientConnectionError:
                break
            await asyncio.sleep(0.001)
        assert not engine.closed
        engine.release()
        assert await asking == 200
        await asyncio.wait_for(running.task, 5)


async def test_between_the_signal_and_the_news_of_it_requests_are_still_taken() -> None:
    async with worker(FakeEngine(), drain_notice_seconds=300) as running:
        await running.until_ready()
        running.stops.put_nowait("SIGTERM")
        while await running.probe("/readyz") == 200:
            await asyncio.sleep(0.001)
        assert await running.embed("x") == 200


async def test_a_second_signal_ends_it_at_once() -> None:
    engine = FakeEngine(held={"slow"})
    async with worker(engine, drain_notice_seconds=300) as running:
        await running.until_ready()
        asking = asyncio.create_task(running.embed("slow"))
        while not engine.asked:
            await asyncio.sleep(0.001)
        running.stops.put_nowait("SIGTERM")
        running.stops.put_nowait("SIGTERM")
        await asyncio.wait_for(running.task, 5)
        with pytest.raises(aiohttp.ClientError):
            await asking


async def test_who_takes_too_long_is_cut_off_in_the_end() -> None:
    engine = FakeEngine(held={"slow"})
    async with worker(engine, drain_seconds=0.05) as running:
        await running.until_ready()
        asking = asyncio.create_task(running.embed("slow"))
        while not engine.asked:
            await asyncio.sleep(0.001)
        running.stops.put_nowait("SIGTERM")
        await asyncio.wait_for(running.task, 5)
        with pytest.raises(aiohttp.ClientError):
            await asking


async def test_a_model_that_cannot_be_loaded_ends_it() -> None:
    engine = FakeEngine(start_error=ModelMissingError("the model is not there"))
    async with worker(engine) as running:
        with pytest.raises(ModelMissingError):
            await asyncio.wait_for(running.task, 5)
    assert engine.closed


class FakeSlowEngine(FakeEngine):
    async def start(self) -> None:
        await asyncio.sleep(3600)


async def test_it_is_alive_while_it_loads_and_can_be_stopped() -> None:
    async with worker(FakeSlowEngine()) as running:
        assert await running.probe("/livez") == 200
        assert await running.probe("/readyz") == 503
        running.stops.put_nowait("SIGTERM")
        with pytest.raises(StoppedWhileLoadingError):
            await asyncio.wait_for(running.task, 5)


async def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = Settings(host="127.0.0.1", port=port)
        with pytest.raises(InvalidSettingsError, match=f"port {port}.*KAUSA_EMBEDDER_PORT"):
            await serve(told, make_engine=lambda *_: FakeEngine(), stops=asyncio.Queue())


@pytest.mark.parametrize(
    ("error", "code"), [(ModelMissingError("no model"), 1), (InvalidSettingsError("no port"), 2)]
)
def test_the_exit_code_says_what_was_wrong(
    monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    async def fail(_: Settings) -> None:
        raise error

    log = io.StringIO()
    configure_logs(style="json", level="info", stream=log)
    monkeypatch.setattr(server, "serve", fail)
    assert server.run(Settings()) == code
    assert json.loads(log.getvalue())["why"] == str(error)
    assert logging.getLogger().handlers
