from __future__ import annotations

import asyncio

import numpy as np

from kausa_embedder.queueing import MAX_STREAK, Item, Priority, Stage, TokenQueue


def item(
    tokens: int = 4,
    priority: Priority = "interactive",
    stage: Stage = "embed",
    deadline: float = float("inf"),
) -> Item:
    return Item(
        ids=np.zeros(tokens, dtype=np.int64),
        types=None,
        priority=priority,
        stage=stage,
        wants_tokens=False,
        deadline=deadline,
        answer=asyncio.get_running_loop().create_future(),
        since=0.0,
    )


def filled(*items: Item) -> TokenQueue:
    queue = TokenQueue(capacity=1000)
    for each in items:
        assert queue.reserve(each.tokens, "interactive")
        queue.push(each)
    return queue


async def test_bulk_leaves_room_for_those_who_wait() -> None:
    queue = TokenQueue(capacity=100)
    assert queue.reserve(75, "bulk")
    assert not queue.reserve(1, "bulk")
    assert queue.reserve(25, "interactive")
    assert not queue.reserve(1, "interactive")
    queue.correct(reserved=75, actual=0)
    assert queue.used == 25


async def test_who_waits_goes_before_bulk_in_the_order_of_arrival() -> None:
    bulk, first, second = item(priority="bulk"), item(), item()
    queue = filled(bulk, first, second)
    assert queue.next_window(10, now=0.0) == [first, second]
    assert queue.next_window(10, now=0.0) == [bulk]
    assert queue.used == len(queue) == 0


async def test_bulk_is_not_starved() -> None:
    bulk = item(priority="bulk")
    queue = filled(bulk, *(item() for _ in range(50)))
    windows = [queue.next_window(1, now=0.0) for _ in range(MAX_STREAK + 1)]
    assert windows[-1] == [bulk]
    assert bulk not in [each for window in windows[:-1] for each in window]


async def test_the_dead_are_dropped_and_their_room_is_free() -> None:
    cancelled, expired, alive = item(5), item(7, deadline=1.0), item(9)
    queue = filled(cancelled, expired, alive)
    cancelled.answer.cancel()
    assert queue.next_window(10, now=2.0) == [alive]
    assert queue.used == 0


async def test_a_window_is_of_one_stage_and_the_others_keep_their_places() -> None:
    one, pair, two = item(), item(stage="rerank"), item()
    queue = filled(one, pair, two)
    assert queue.next_window(10, now=0.0) == [one, two]
    assert queue.next_window(10, now=0.0) == [pair]


async def test_what_is_put_back_is_first_again() -> None:
    first, second, third = item(), item(), item()
    queue = filled(first, second, third)
    window = queue.next_window(2, now=0.0)
    queue.put_back(window)
    assert queue.used == 12
    assert queue.next_window(10, now=0.0) == [first, second, third]
