"""However many are asked about at once, each of those that wait has one turn at a time."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest
from support.virtual_time import VirtualTimeLoop

from kausa.diagnosis.consultation_gate import Gate
from kausa.diagnosis.consultation_queue import ConsultationQueue, NotNow
from kausa.diagnosis.errors import ModelUnavailable

EVENT_LOOP = VirtualTimeLoop


async def works() -> None:
    pass


def queue_of(*, concurrent: int) -> tuple[ConsultationQueue[str], Gate]:
    gate = Gate(probe=works)
    clock = asyncio.get_running_loop().time
    return ConsultationQueue(size=50, concurrent=concurrent, gate=gate, clock=clock), gate


async def stop(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("concurrent", [1, 2, 5])
async def test_who_is_offered_while_it_is_asked_about_has_no_second_turn(concurrent: int) -> None:
    queue, _ = queue_of(concurrent=concurrent)
    began: list[str] = []

    async def ask(key: str) -> None:
        began.append(key)
        await asyncio.sleep(10)

    running = asyncio.ensure_future(queue.run(ask))
    queue.offer("a")
    await asyncio.sleep(1)
    for _ in range(3):
        assert queue.offer("a").before == 0
        assert queue.before("a") is None
        await asyncio.sleep(1)
    await asyncio.sleep(60)
    assert not running.done()
    assert began == ["a"]
    queue.offer("a")
    await asyncio.sleep(1)
    assert began == ["a", "a"]
    await stop(running)


async def test_who_is_stopped_and_offered_anew_has_its_turn_when_the_old_one_has_ended() -> None:
    queue, _ = queue_of(concurrent=2)
    said: list[str] = []

    async def ask(key: str) -> None:
        said.append(f"{key} begins")
        try:
            await asyncio.sleep(10)
        finally:
            # Whoever is stopped lets go of what it holds, which takes a while.
            await asyncio.sleep(3)
            said.append(f"{key} ends")

    running = asyncio.ensure_future(queue.run(ask))
    queue.offer("a")
    await asyncio.sleep(1)
    queue.interrupt("a")
    await asyncio.sleep(0.5)
    assert queue.offer("a").before == 1
    queue.offer("b")
    await asyncio.sleep(1)
    assert (said, queue.in_order()) == (["a begins", "b begins"], ("a",))
    await asyncio.sleep(3)
    assert said == ["a begins", "b begins", "a ends", "a begins"]
    await asyncio.sleep(30)
    assert not running.done()
    assert Counter(said) == {"a begins": 2, "a ends": 2, "b begins": 1, "b ends": 1}
    await stop(running)


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_happens_meanwhile_nobody_has_two_turns_and_the_queue_goes_on(
    seed: int,
) -> None:
    chance = random.Random(seed)
    queue, gate = queue_of(concurrent=4)
    asking: Counter[str] = Counter()
    most: Counter[str] = Counter()

    async def ask(key: str) -> None:
        asking[key] += 1
        most[key] = max(most[key], asking[key])
        try:
            await asyncio.sleep(chance.choice((0, 0, 1, 5)))
            if chance.random() < 0.2:
                raise NotNow(chance.choice((None, ModelUnavailable("away"))), pause_seconds=1)
        finally:
            try:
                # Letting go of what it holds takes a while.
                await asyncio.sleep(chance.choice((0, 0, 1)))
            finally:
                asking[key] -= 1

    tasks = asyncio.ensure_future(queue.run(ask)), asyncio.ensure_future(gate.run())
    for _ in range(1500):
        key = chance.choice("abcdefgh")
        chance.choice((queue.offer, queue.offer, queue.offer, queue.interrupt, queue.forget))(key)
        await asyncio.sleep(chance.choice((0, 0, 0.5)))
    assert not any(task.done() for task in tasks)
    queue.offer("last")
    await asyncio.sleep(600)
    assert set(most.values()) == {1}
    assert most["last"] == 1
    assert (len(queue), queue.asking) == (0, 0)
    await stop(*tasks)
