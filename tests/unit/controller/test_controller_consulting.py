"""Whoever waits for the model says why, as it is by now, and the API server hardly notices."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from support.fake_store import overloaded
from support.virtual_time import VirtualTimeLoop

from kausa.controller.consulting import (
    PACE_SECONDS,
    SETTLED_SECONDS,
    Consulting,
    Why,
)
from kausa.controller.sightings import ResourceKey
from kausa.diagnosis.consultation_gate import LONGEST_PAUSE_SECONDS, Gate
from kausa.diagnosis.consultation_queue import ConsultationQueue, NotNow
from kausa.diagnosis.errors import ModelError, ModelUnavailable
from kausa.diagnosis.model.budget import ModelBudgetSpent

EVENT_LOOP = VirtualTimeLoop
MANY = 300


class Scene:
    """A model that may be away, and what each that waits was told, and when."""

    def __init__(self, *, seconds: float = 50.0, concurrent: int = 1) -> None:
        self.error: ModelError | None = None
        self.seconds = seconds
        self.told: list[tuple[float, str, str]] = []
        self.says: dict[str, str] = {}
        self.asked: list[str] = []
        self.fails: list[Exception] = []
        self.gate = Gate(probe=self.probe, uniform=lambda _, high: high)
        self.queue: ConsultationQueue[ResourceKey] = ConsultationQueue(
            size=MANY, concurrent=concurrent, gate=self.gate, clock=_now
        )
        self.consulting = Consulting(queue=self.queue, gate=self.gate)

    async def probe(self) -> None:
        if self.error is not None:
            raise self.error

    def offer(self, name: str, *, says: str | None = None) -> None:
        why = self.consulting.offer(("shop", name), bonus_seconds=0.0, says=says)
        self.says[name] = says or why[0]

    async def ask(self, key: ResourceKey) -> None:
        self.asked.append(key[1])
        if self.fails:
            raise self.fails.pop(0)
        if self.error is not None:
            self.says[key[1]] = self.error.reason
            raise NotNow(self.error)
        await asyncio.sleep(self.seconds)
        self.says[key[1]] = "Answered"

    async def tell(self, key: ResourceKey, why: Why) -> None:
        assert self.consulting.waits(key)
        assert self.says[key[1]] != why[0], "it says so already"
        self.told.append((_now(), key[1], why[0]))
        self.says[key[1]] = why[0]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self.consulting.run(ask=self.ask, tell=self.tell))
        try:
            yield
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _now() -> float:
    return asyncio.get_running_loop().time()


async def test_when_the_model_is_back_those_who_wait_say_so_long_before_their_turn() -> None:
    it = Scene()
    it.error = ModelUnavailable("nobody answers")
    async with it.running():
        for name in "abcd":
            it.offer(name)
        await asyncio.sleep(20)
        assert set(it.says.values()) == {"Unavailable"}
        it.error = None
        await asyncio.sleep(LONGEST_PAUSE_SECONDS + SETTLED_SECONDS + 4 * PACE_SECONDS)
        assert it.says == {"a": "Unavailable", "b": "Queued", "c": "Queued", "d": "Queued"}
        assert it.asked[-1] == "a"


async def test_where_it_is_away_for_another_reason_by_now_that_is_said() -> None:
    it = Scene()
    it.error = ModelUnavailable("nobody answers")
    async with it.running():
        for name in "abc":
            it.offer(name)
        await asyncio.sleep(5)
        it.error = ModelBudgetSpent("spent", retry_after_seconds=1800)
        await asyncio.sleep(60)
        assert set(it.says.values()) == {"BudgetSpent"}


async def test_very_many_are_told_slowly_and_nobody_whose_turn_came_meanwhile() -> None:
    it = Scene(seconds=2.0)
    names = [f"{number:03}" for number in range(MANY)]
    async with it.running():
        await asyncio.sleep(1)
        for name in names:
            it.offer(name)
        await asyncio.sleep(1)
        it.error = ModelUnavailable("nobody answers")
        await asyncio.sleep(MANY * PACE_SECONDS + 30)
        waits = len(it.queue)
        assert len(it.told) == waits - 1  # The first has found out for itself.
        it.told.clear()
        it.error = None
        before, answered = len(it.asked), set(names) - {name for _, name in it.queue.in_order()}
        await asyncio.sleep(LONGEST_PAUSE_SECONDS + SETTLED_SECONDS + MANY * PACE_SECONDS)
        at = [each[0] for each in it.told]
        assert min(b - a for a, b in itertools.pairwise(at)) >= PACE_SECONDS - 0.01
        assert {each[2] for each in it.told} == {"Queued"}
        came = it.asked[before:]
        # Some had their turn before they were told, and nobody is told twice.
        assert len(it.told) == len({each[1] for each in it.told}) < waits - 2
        assert {each[1] for each in it.told} | set(came) == set(names) - answered
        assert all(it.says[name] == "Queued" for _, name in it.queue.in_order())


async def test_a_model_that_comes_and_goes_costs_some_writes_a_second_and_no_more() -> None:
    it = Scene()
    async with it.running():
        for number in range(MANY):
            it.offer(str(number))
        for _ in range(60):
            it.gate.shut(ModelUnavailable("nobody answers"))
            await asyncio.sleep(10)
        # It is back for moments only, which nobody need know.
        assert len(it.told) <= MANY
        it.told.clear()
        began = _now()
        for _ in range(60):
            it.gate.shut(ModelUnavailable("nobody answers"))
            await asyncio.sleep(40)
        assert 0 < len(it.told) <= (_now() - began) / PACE_SECONDS + 1


async def test_what_an_earlier_process_said_is_put_right() -> None:
    it = Scene()
    async with it.running():
        await asyncio.sleep(60)
        for name in "abc":
            it.offer(name, says="Unavailable")
        await asyncio.sleep(SETTLED_SECONDS + 1)
        assert (it.says["b"], it.says["c"]) == ("Queued", "Queued")
        assert len(it.told) == 2


@pytest.mark.parametrize("reason", ["Queued", None])
async def test_who_says_it_already_is_not_written_again(reason: str | None) -> None:
    it = Scene()
    async with it.running():
        for name in "abc":
            it.offer(name, says=reason)
        await asyncio.sleep(45)
    assert it.told == []


async def test_a_turn_that_the_api_server_cost_leaves_what_it_said() -> None:
    it = Scene(seconds=1.0)
    it.fails = [overloaded()]
    async with it.running():
        it.offer("a", says="Unavailable")
        await asyncio.sleep(0.5)
        assert it.consulting.waits(("shop", "a"))
        await asyncio.sleep(20)
    assert it.says["a"] == "Answered"
    assert it.asked == ["a", "a"]
