"""The operator's queue and a real connection, on a model server's bad days."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from support.diagnosing import Diagnosing
from support.fake_language_model import ANSWER
from support.fake_model_server import FakeModelServer
from support.model_clients import client
from support.model_scenes import CONSULTED, KEY, UNSURE
from support.virtual_time import VirtualTimeLoop

from kausa.diagnosis.model.breaker import CircuitBreaker
from kausa.diagnosis.model.budget import HourlyBudget, TokenLimits
from kausa.diagnosis.model.models import Models, Names

EVENT_LOOP = VirtualTimeLoop
PAGE = b"<html>\n<p>We are back soon: stay tuned.</p>\n</html>\n"
# With the pauses of the gate (2 to 30 seconds) and of the breaker.
SOON_SECONDS = 200


@pytest.fixture(params=["ollama", "openai"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[FakeModelServer]:
    fake = FakeModelServer(request.param)
    fake.script = [fake.says(json.dumps(ANSWER))]
    await fake.start()
    yield fake
    await fake.stop()


@asynccontextmanager
async def working(
    server: FakeModelServer, *, after: Diagnosing | None = None
) -> AsyncIterator[Diagnosing]:
    """A process of the operator, which finds what an earlier one left."""

    def connect(*_: object) -> object:
        clock = asyncio.get_running_loop().time
        return client(server.kind, server.url, breaker=CircuitBreaker(clock=clock))

    models = Models(
        names=Names(simple="tiny", reasoning="tiny"),
        connect=connect,  # type: ignore[arg-type]
        limits=TokenLimits(),
        budget=HourlyBudget(tokens=None),
        redact=str,
    )
    it = Diagnosing(UNSURE, models=models)
    if after is not None:
        it.fails()
        it.store.resources = after.store.resources
    async with it.running():
        yield it
    await models.close()


async def test_garbage_on_the_wire_is_no_answer_and_another_process_asks_again(
    server: FakeModelServer,
) -> None:
    good, server.script = server.script, [server.raw(PAGE, type_="text/html")]
    async with working(server) as before:
        await before.reconciler.reconcile(before.fails())
        await asyncio.sleep(SOON_SECONDS)
    assert before.condition(CONSULTED)[1] in ("Unavailable", "CircuitOpen")
    status = before.now().status
    assert status is not None
    assert status.model is None

    server.script = good
    async with working(server, after=before) as after:
        await after.reconciler.look_again(KEY)
        await asyncio.sleep(SOON_SECONDS)
        assert after.condition(CONSULTED) == ("True", "Answered", "tiny")


async def test_a_page_that_stands_before_the_server_for_a_while_costs_nobody_its_answer(
    server: FakeModelServer,
) -> None:
    server.script = [server.raw(PAGE, type_="text/html"), *server.script]
    async with working(server) as it:
        for name in ("a", "b"):
            await it.reconciler.reconcile(it.fails(name))
        await asyncio.sleep(SOON_SECONDS)
        for name in ("a", "b"):
            assert it.condition(CONSULTED, name)[:2] == ("True", "Answered")


async def test_a_server_that_hangs_shuts_the_gate_and_nobody_loses_its_turn(
    server: FakeModelServer,
) -> None:
    good = server.listing
    names = ("a", "b", "c", "d", "e")
    async with working(server) as it:
        await asyncio.sleep(1)
        server.listing = server.slow(100_000)
        for name in names:
            await it.reconciler.reconcile(it.fails(name))
        await asyncio.sleep(30)
        assert it.gate.why is not None
        for name in names:
            assert it.condition(CONSULTED, name)[1] in ("Unavailable", "CircuitOpen")
        assert it.queue is not None
        assert len(it.queue) == len(names)
        server.listing = good
        await asyncio.sleep(SOON_SECONDS)
        for name in names:
            assert it.condition(CONSULTED, name)[:2] == ("True", "Answered")
