"""Who waits for the model is asked about in order of age and urgency, and nobody starves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.virtual_time import VirtualTimeLoop

from kausa.diagnosis.consultation_gate import Gate
from kausa.diagnosis.consultation_queue import (
    MOST_BONUS_SECONDS,
    ConsultationQueue,
    NotNow,
    urgency_seconds,
)
from kausa.diagnosis.errors import ModelUnavailable
from kausa.diagnosis.model.metrics import ModelMetrics
from kausa.telemetry.metrics import Registry

EVENT_LOOP = VirtualTimeLoop
Ask = Callable[[str], Awaitable[None]]


def now() -> float:
    return asyncio.get_running_loop().time()


async def works() -> None:
    pass


def queue_of(
    *, size: int = 100, concurrent: int = 1, metrics: ModelMetrics | None = None
) -> tuple[ConsultationQueue[str], Gate]:
    gate = Gate(probe=works, metrics=metrics)
    queue: ConsultationQueue[str] = ConsultationQueue(
        size=size, concurrent=concurrent, gate=gate, metrics=metrics, clock=now
    )
    return queue, gate


@asynccontextmanager
async def running(queue: ConsultationQueue[str], gate: Gate, ask: Ask) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(each) for each in (queue.run(ask), gate.run())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Asked:
    """Takes a while for each, and notes who it was."""

    def __init__(self, seconds: float = 1.0) -> None:
        self.seconds = seconds
        self.began: list[str] = []
        self.done: list[str] = []
        self.stopped: list[str] = []

    async def __call__(self, key: str) -> None:
        self.began.append(key)
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.stopped.append(key)
            raise
        self.done.append(key)


# -- the order -----------------------------------------------------------------------------------


async def test_who_came_first_is_first_unless_another_is_more_urgent() -> None:
    queue, gate = queue_of()
    asked = Asked()
    for key, bonus in (("a", 0.0), ("b", 0.0), ("urgent", 100.0)):
        queue.offer(key, bonus_seconds=bonus)
    assert queue.in_order() == ("urgent", "a", "b")
    async with running(queue, gate, asked):
        await asyncio.sleep(10)
    assert asked.done == ["urgent", "a", "b"]


OFFERS = st.lists(
    st.tuples(st.floats(0, 400), st.floats(-10, 2 * MOST_BONUS_SECONDS)), min_size=1, max_size=40
)


@given(OFFERS)
def test_nobody_is_overtaken_by_one_that_came_later_than_the_largest_bonus(
    offers: list[tuple[float, float]],
) -> None:
    clock = 0.0
    queue: ConsultationQueue[int] = ConsultationQueue(
        size=1000, concurrent=1, gate=Gate(probe=works), clock=lambda: clock
    )
    came: dict[int, float] = {}
    for number, (wait, bonus) in enumerate(offers):
        clock += wait
        came[number] = clock
        queue.offer(number, bonus_seconds=bonus)
    order = queue.in_order()
    assert sorted(order) == sorted(came)
    for place, first in enumerate(order):
        for later in order[place + 1 :]:
            assert came[first] <= came[later] + MOST_BONUS_SECONDS


@given(OFFERS, st.integers(1, 10))
def test_no_more_wait_than_may_and_the_last_in_order_has_to_go(
    offers: list[tuple[float, float]], size: int
) -> None:
    clock = 0.0
    queue: ConsultationQueue[int] = ConsultationQueue(
        size=size, concurrent=1, gate=Gate(probe=works), clock=lambda: clock
    )
    out: set[int] = set()
    for number, (wait, bonus) in enumerate(offers):
        clock += wait
        before = queue.in_order()
        offered = queue.offer(number, bonus_seconds=bonus)
        assert len(queue) <= size
        if offered.pushed_out is not None:
            out.add(offered.pushed_out)
            assert offered.pushed_out in (number, *before[-1:])
    assert out | set(queue.in_order()) == set(range(len(offers)))


async def test_who_was_pushed_out_comes_back_with_its_age() -> None:
    queue, _ = queue_of(size=2)
    queue.offer("old")
    await asyncio.sleep(1)
    queue.offer("a", bonus_seconds=500)
    assert queue.offer("b", bonus_seconds=500).pushed_out == "old"
    await asyncio.sleep(600)
    assert queue.offer("new", bonus_seconds=50).pushed_out == "new"
    queue.forget("a")
    queue.offer("old")
    queue.offer("late", bonus_seconds=0)
    assert queue.in_order() == ("b", "old")


async def test_whoever_waits_already_keeps_its_place_and_may_become_more_urgent() -> None:
    queue, _ = queue_of()
    queue.offer("a")
    await asyncio.sleep(10)
    queue.offer("b")
    queue.offer("a")
    assert (queue.in_order(), len(queue)) == (("a", "b"), 2)
    assert queue.offer("b", bonus_seconds=300).before == 0
    assert queue.in_order() == ("b", "a")
    queue.offer("b")
    assert queue.in_order() == ("b", "a")
    assert queue.oldest_seconds == pytest.approx(10, abs=0.5)


@given(st.booleans(), st.booleans(), st.integers(0, 10**6), st.integers(0, 10**6))
def test_urgency_is_bounded_and_grows_with_what_depends_on_it(
    asked: bool, determined: bool, few: int, many: int
) -> None:
    few, many = sorted((few, many))

    def seconds(failing: int) -> float:
        return urgency_seconds(asked_by_person=asked, determined=determined, failing=failing)

    assert 0 <= seconds(few) <= seconds(many) <= MOST_BONUS_SECONDS
    person = urgency_seconds(asked_by_person=True, determined=True, failing=0)
    storm = urgency_seconds(asked_by_person=False, determined=False, failing=many)
    assert person > storm


# -- turns ---------------------------------------------------------------------------------------


async def test_no_more_are_asked_about_at_once_than_may() -> None:
    queue, gate = queue_of(concurrent=2)
    asked = Asked()
    async with running(queue, gate, asked):
        for number in range(5):
            queue.offer(str(number))
        await asyncio.sleep(0.5)
        assert queue.asking == 2
        assert queue.offer("late").before == 5
        await asyncio.sleep(10)
    assert len(asked.done) == 6


async def test_who_waits_and_is_over_is_not_asked_about_and_who_is_asked_is_stopped() -> None:
    registry = Registry()
    queue, gate = queue_of(metrics=ModelMetrics(registry))
    asked = Asked()
    async with running(queue, gate, asked):
        for key in ("asked", "waits", "next"):
            queue.offer(key)
        await asyncio.sleep(0.5)
        assert queue.is_asking("asked")
        queue.forget("waits")
        queue.forget("asked")
        await asyncio.sleep(0.1)
        assert (asked.stopped, asked.began) == (["asked"], ["asked", "next"])
        await asyncio.sleep(5)
    assert asked.done == ["next"]
    left = registry.get_sample_value("kausa_model_queue_left_total", {"why": "over"})
    assert left == 1


async def test_a_turn_may_forget_itself() -> None:
    queue, gate = queue_of()
    done: list[str] = []

    async def ask(key: str) -> None:
        queue.forget(key)
        await asyncio.sleep(1)
        done.append(key)

    async with running(queue, gate, ask):
        queue.offer("a")
        await asyncio.sleep(2)
    assert done == ["a"]


async def test_an_interrupted_turn_is_not_repeated_unless_it_is_offered_again() -> None:
    queue, gate = queue_of()
    asked = Asked()
    async with running(queue, gate, asked):
        queue.offer("a")
        await asyncio.sleep(0.5)
        queue.interrupt("a")
        await asyncio.sleep(5)
        assert asked.began == ["a"]
        queue.offer("a")
        await asyncio.sleep(5)
    assert asked.done == ["a"]


async def test_a_defect_in_one_turn_does_not_end_the_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    queue, gate = queue_of()
    done: list[str] = []

    async def ask(key: str) -> None:
        if key == "bad":
            raise ValueError("nobody thought of it")
        done.append(key)

    async with running(queue, gate, ask):
        queue.offer("bad")
        queue.offer("good")
        await asyncio.sleep(1)
    assert done == ["good"]


async def test_who_is_stopped_with_the_queue_is_stopped() -> None:
    queue, gate = queue_of()
    asked = Asked()
    async with running(queue, gate, asked):
        queue.offer("a")
        await asyncio.sleep(0.5)
    assert asked.stopped == ["a"]
    assert queue.asking == 0


# -- a model that is away ------------------------------------------------------------------------


async def test_while_the_model_is_away_nobody_asks_and_the_order_stays() -> None:
    queue, gate = queue_of()
    away = True
    asked: list[str] = []

    async def ask(key: str) -> None:
        asked.append(key)
        if away:
            raise NotNow(ModelUnavailable("away"))

    async def probe() -> None:
        if away:
            raise ModelUnavailable("away")

    gate._probe = probe
    for number in range(20):
        queue.offer(str(number))
    async with running(queue, gate, ask):
        await asyncio.sleep(300)
        assert len(asked) <= 1
        assert len(queue) == 20
        assert gate.why == ("Unavailable", "away")
        away = False
        await asyncio.sleep(60)
    assert asked[-20:] == [str(number) for number in range(20)]


async def test_one_at_whom_the_server_fails_again_and_again_does_not_keep_the_others() -> None:
    queue, gate = queue_of()
    asked: list[str] = []

    async def ask(key: str) -> None:
        asked.append(key)
        if key == "poison":
            raise NotNow(ModelUnavailable("it answered with the HTTP status 500"))

    queue.offer("poison")
    queue.offer("good")
    async with running(queue, gate, ask):
        await asyncio.sleep(60)
    assert asked == ["poison"] * 3 + ["good"]


async def test_where_something_else_is_in_the_way_others_go_first() -> None:
    queue, gate = queue_of()
    asked: list[str] = []

    async def ask(key: str) -> None:
        asked.append(key)
        if asked.count("a") < 3 and key == "a":
            raise NotNow(pause_seconds=5)

    async with running(queue, gate, ask):
        queue.offer("a")
        queue.offer("b")
        await asyncio.sleep(60)
    assert asked == ["a", "b", "a", "a"]
    assert gate.admits()


async def test_one_that_is_over_while_it_fails_does_not_come_back() -> None:
    queue, gate = queue_of()
    asked: list[str] = []

    async def ask(key: str) -> None:
        asked.append(key)
        queue.forget(key)
        raise NotNow(ModelUnavailable("away"))

    async with running(queue, gate, ask):
        queue.offer("a")
        await asyncio.sleep(60)
        assert len(queue) == 0
    assert asked == ["a"]


async def test_length_age_and_waits_are_told() -> None:
    registry = Registry()
    queue, gate = queue_of(metrics=ModelMetrics(registry))
    asked = Asked(seconds=10)
    async with running(queue, gate, asked):
        queue.offer("a")
        queue.offer("b")
        await asyncio.sleep(5)
        sample = registry.get_sample_value
        assert (sample("kausa_model_queue_waiting"), sample("kausa_model_asking")) == (1, 1)
        assert sample("kausa_model_queue_oldest_seconds") == pytest.approx(5, abs=0.5)
        assert sample("kausa_model_available") == 1
        await asyncio.sleep(10)
        assert sample("kausa_model_queue_wait_seconds_count") == 2
        assert sample("kausa_model_queue_wait_seconds_sum") == pytest.approx(10, abs=0.5)


async def test_who_waited_for_days_in_an_earlier_process_counts_for_a_bonus_and_no_more() -> None:
    queue, _ = queue_of()
    queue.offer("urgent", bonus_seconds=MOST_BONUS_SECONDS)
    queue.offer("old", waited_seconds=259_200)
    assert list(queue.in_order()) == ["urgent", "old"]
