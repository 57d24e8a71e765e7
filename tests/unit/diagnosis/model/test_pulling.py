"""A pull that falls silent is given up, and begun again later."""

from __future__ import annotations

import asyncio
from typing import Any

import ollama
import pytest
from support.fake_model_server import FakeModelServer
from support.model_clients import serving

from kausa.diagnosis.errors import ModelMissing
from kausa.diagnosis.model.ollama import OllamaModel
from kausa.diagnosis.model.pulling import Pull


@pytest.mark.parametrize("reports", [0, 1])
async def test_a_pull_that_falls_silent_fails(reports: int) -> None:
    server = FakeModelServer("ollama")

    async def pulling(request: Any) -> Any:
        response = await server._begin(request)
        for _ in range(reports):
            await response.write(
                server.line({"status": "pulling", "digest": "a", "completed": 1, "total": 100})
            )
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            server.left_early.set()
            raise

    server.pulling = pulling
    await server.start()
    client = ollama.AsyncClient(host=server.url, timeout=None)
    pull = Pull(client, model="tiny", where=server.url, silence_seconds=0.4)

    assert "begins to pull" in str(pull.begin())
    async with asyncio.timeout(5):
        while "could not pull" not in str(pull.begin()):
            await asyncio.sleep(0.005)
        await server.left_early.wait()

    assert len(server.pulls) == 1
    await pull.cancel()
    await client.close()  # type: ignore[no-untyped-call]
    await server.stop()


async def test_a_slow_pull_that_reports_goes_on() -> None:
    server = FakeModelServer("ollama")

    async def pulling(request: Any) -> Any:
        response = await server._begin(request)
        for done in range(6):
            await asyncio.sleep(0.1)
            await response.write(
                server.line({"status": "pulling", "digest": "a", "completed": done, "total": 6})
            )
        await response.write(server.line({"status": "success"}))
        return response

    server.pulling = pulling
    await server.start()
    client = ollama.AsyncClient(host=server.url, timeout=None)
    pull = Pull(client, model="tiny", where=server.url, silence_seconds=0.4)

    pull.begin()
    assert pull._task is not None
    async with asyncio.timeout(5):
        await pull._task

    assert pull.progress.percent == 83
    assert "begins to pull" in str(pull.begin())
    await pull.cancel()
    await client.close()  # type: ignore[no-untyped-call]
    await server.stop()


@pytest.mark.parametrize("wait", ["30", "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_a_pull_that_is_asked_to_wait_has_failed_and_is_not_begun_at_once(wait: str) -> None:
    async with serving("ollama") as server:
        server.models = []
        server.pulling = server.raw("{}", status=503, headers={"Retry-After": wait})
        model = OllamaModel(url=server.url, name="tiny", pull=True)

        with pytest.raises(ModelMissing, match="begins to pull"):
            await model.check(deadline_seconds=5)
        async with asyncio.timeout(5):
            while not await _fails_to_pull(model):
                await asyncio.sleep(0.005)

        assert len(server.pulls) == 1
        await model.close()


async def _fails_to_pull(model: OllamaModel) -> bool:
    with pytest.raises(ModelMissing) as caught:
        await model.check(deadline_seconds=5)
    assert "begins" not in str(caught.value)
    return "could not pull" in str(caught.value)
