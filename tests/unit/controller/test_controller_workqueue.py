"""The queue keeps the newest of each key and never works on one key twice at once."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from kausa.controller.workqueue import WorkQueue

T = TypeVar("T")


def newer(older: T, newer: T) -> T:
    return newer


def both(older: tuple[str, ...], newer: tuple[str, ...]) -> tuple[str, ...]:
    return (*older, *newer)


async def test_nothing_that_waits_under_a_key_is_lost_but_merged() -> None:
    queue: WorkQueue[tuple[str, ...]] = WorkQueue(size=10, merge=both, first_retry_seconds=0.01)
    queue.put("a", ("1",))
    queue.put("a", ("2",))
    key, value = await queue.take()
    assert value == ("1", "2")
    queue.put("a", ("3",))
    queue.failed(key, value)
    assert len(queue) == 0
    assert await queue.take() == ("a", ("1", "2", "3"))
    queue.failed("a", ("1", "2", "3"))
    queue.put("a", ("4",))
    assert await queue.take() == ("a", ("1", "2", "3", "4"))


async def test_a_key_that_changes_while_it_waits_is_worked_on_once_and_at_its_newest() -> None:
    queue: WorkQueue[int] = WorkQueue(size=10, merge=newer)
    for value in (1, 2, 3):
        queue.put("a", value)
    assert await queue.take() == ("a", 3)
    assert len(queue) == 0


async def test_a_key_that_changes_while_it_is_worked_on_comes_again_afterwards() -> None:
    queue: WorkQueue[int] = WorkQueue(size=10, merge=newer)
    queue.put("a", 1)
    await queue.take()
    queue.put("a", 2)
    queue.put("b", 1)
    assert await queue.take() == ("b", 1)
    waiting = asyncio.ensure_future(queue.take())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    queue.done("a")
    assert await waiting == ("a", 2)


async def test_a_full_queue_drops_the_oldest_and_counts_it() -> None:
    queue: WorkQueue[int] = WorkQueue(size=2, merge=newer)
    for key in ("a", "b", "c"):
        queue.put(key, 0)
    assert queue.dropped == 1
    assert [(await queue.take())[0] for _ in range(2)] == ["b", "c"]


async def test_a_key_that_failed_comes_again_later_and_holds_nobody_meanwhile() -> None:
    queue: WorkQueue[int] = WorkQueue(size=10, merge=newer, first_retry_seconds=0.01)
    queue.put("bad", 1)
    queue.put("good", 1)
    assert (await queue.take())[0] == "bad"
    queue.failed("bad", 1)
    assert (await queue.take())[0] == "good"
    assert await queue.take() == ("bad", 1)


async def test_what_failed_never_replaces_what_came_meanwhile() -> None:
    queue: WorkQueue[str] = WorkQueue(size=10, merge=newer, first_retry_seconds=0.01)
    queue.put("a", "old")
    key, value = await queue.take()
    queue.put("a", "new")
    queue.failed(key, value)
    assert await queue.take() == ("a", "new")
    queue.failed("a", "new")
    queue.put("a", "newest")
    assert await queue.take() == ("a", "newest")
    await asyncio.sleep(0.05)
    assert len(queue) == 0


async def test_a_key_that_is_gone_is_not_tried_again() -> None:
    queue: WorkQueue[int] = WorkQueue(size=10, merge=newer, first_retry_seconds=0.01)
    queue.put("a", 1)
    await queue.take()
    queue.failed("a", 1)
    queue.forget("a")
    await asyncio.sleep(0.05)
    assert len(queue) == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), min_size=1, max_size=30))
async def test_the_last_value_of_every_key_is_always_delivered(
    puts: list[tuple[str, int]],
) -> None:
    queue: WorkQueue[int] = WorkQueue(size=100, merge=newer)
    seen: dict[str, int] = {}

    async def worker() -> None:
        while True:
            key, value = await queue.take()
            await asyncio.sleep(0)
            seen[key] = value
            queue.done(key)

    workers = [asyncio.ensure_future(worker()) for _ in range(3)]
    for key, value in puts:
        queue.put(key, value)
        await asyncio.sleep(0)
    while len(queue):
        await asyncio.sleep(0)
    for _ in range(5):
        await asyncio.sleep(0)
    for each in workers:
        each.cancel()
    assert seen == dict(puts)


async def test_what_is_gone_while_it_is_worked_on_does_not_come_back() -> None:
    queue: WorkQueue[int] = WorkQueue(size=10, merge=newer, first_retry_seconds=0.01)
    queue.put("a", 1)
    key, value = await queue.take()
    queue.forget("a")
    queue.failed(key, value)
    await asyncio.sleep(0.05)
    assert len(queue) == 0
    queue.put("a", 2)
    assert await queue.take() == ("a", 2)


async def test_whoever_wants_to_know_is_told_of_keys_that_are_gone() -> None:
    queue: WorkQueue[int] = WorkQueue(size=10, merge=newer, first_retry_seconds=0.01)
    told: list[str] = []
    queue.on_forget = told.append
    queue.put("a", 1)
    key, value = await queue.take()
    queue.forget("a")
    queue.failed(key, value)
    assert set(told) == {"a"}


async def test_a_key_wakes_one_of_those_who_wait_and_no_other() -> None:
    queue = WorkQueue[int](size=10, merge=max)
    takers = [asyncio.create_task(queue.take()) for _ in range(5)]
    await asyncio.sleep(0)
    queue.put("a", 1)
    assert sum(each.done() for each in queue._takers) == 0
    assert len(queue._takers) == 4
    await asyncio.sleep(0)
    assert [each.result() for each in takers if each.done()] == [("a", 1)]
    for each in takers:
        each.cancel()


async def test_who_is_cancelled_when_it_was_woken_leaves_the_key_to_another() -> None:
    queue = WorkQueue[int](size=10, merge=max)
    first, second = (asyncio.create_task(queue.take()) for _ in range(2))
    await asyncio.sleep(0)
    queue.put("a", 1)
    first.cancel()
    async with asyncio.timeout(1):
        assert await second == ("a", 1)
