"""Whose evidence is read next."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.controller.reading_turns import HEAD_START_SECONDS, ReadingTurns


async def settled() -> None:
    """Let all go as far as they come: one that is cancelled hands over to the next, and so on."""
    for _ in range(100):
        await asyncio.sleep(0)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Readers:
    """Who reads at what time: all hold their turn until they are let go."""

    def __init__(self, *, concurrent: int = 1) -> None:
        self.clock = Clock()
        self.turns = ReadingTurns(concurrent=concurrent, clock=self.clock)
        self.reading: list[str] = []
        self.read: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}

    async def begin(self, name: str, *, nothing_known: bool) -> asyncio.Task[None]:
        self._ends[name] = asyncio.Event()
        task = asyncio.create_task(self._hold(name, nothing_known=nothing_known))
        await asyncio.sleep(0)
        return task

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await settled()

    async def _hold(self, name: str, *, nothing_known: bool) -> None:
        async with self.turns.turn(nothing_known=nothing_known):
            self.reading.append(name)
            try:
                await self._ends[name].wait()
            finally:
                self.reading.remove(name)
                self.read.append(name)


async def test_of_whom_nothing_is_known_comes_before_those_who_told_something_already() -> None:
    readers = Readers()
    await readers.begin("first", nothing_known=False)
    await readers.begin("glanced", nothing_known=False)
    await readers.begin("unknown", nothing_known=True)
    await readers.begin("glanced later", nothing_known=False)

    for name in ("first", "unknown", "glanced", "glanced later"):
        assert readers.reading == [name]
        await readers.end(name)
    assert readers.reading == []


async def test_who_told_something_is_not_overtaken_by_whoever_comes_after_the_head_start() -> None:
    readers = Readers()
    await readers.begin("first", nothing_known=False)
    await readers.begin("glanced", nothing_known=False)
    readers.clock.now += HEAD_START_SECONDS + 1
    await readers.begin("unknown", nothing_known=True)

    await readers.end("first")

    assert readers.reading == ["glanced"]
    await readers.end("glanced")
    await readers.end("unknown")


async def test_a_waiting_one_that_is_cancelled_leaves_its_turn_to_the_next() -> None:
    readers = Readers()
    await readers.begin("first", nothing_known=True)
    waiting = await readers.begin("cancelled", nothing_known=True)
    await readers.begin("last", nothing_known=False)

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await readers.end("first")

    assert readers.reading == ["last"]
    await readers.end("last")


async def test_a_turn_that_was_handed_over_to_one_that_is_cancelled_just_then_is_not_lost() -> None:
    readers = Readers()
    first = await readers.begin("first", nothing_known=True)
    cancelled = await readers.begin("cancelled", nothing_known=True)
    await readers.begin("last", nothing_known=False)

    # The first lets go in its own step, and the next has not run since.
    first.cancel()
    await asyncio.sleep(0)
    cancelled.cancel()
    await settled()

    assert readers.reading == ["last"]
    await readers.end("last")


async def test_a_turn_in_which_something_fails_is_free_again() -> None:
    turns = ReadingTurns(concurrent=1)
    with pytest.raises(ValueError, match="broken"):
        async with turns.turn(nothing_known=True):
            raise ValueError("broken")

    async with asyncio.timeout(1), turns.turn(nothing_known=False):
        pass


@given(
    known=st.lists(st.booleans(), min_size=1, max_size=30),
    cancelled=st.sets(st.integers(0, 29)),
    concurrent=st.integers(1, 4),
)
def test_all_who_were_not_cancelled_have_their_turn_and_never_too_many_at_a_time(
    known: list[bool], cancelled: set[int], concurrent: int
) -> None:
    async def scenario() -> None:
        readers = Readers(concurrent=concurrent)
        tasks = [
            await readers.begin(str(number), nothing_known=each)
            for number, each in enumerate(known)
        ]
        for number in cancelled:
            if number < len(tasks):
                tasks[number].cancel()
        await settled()
        most = 0
        while any(not each.done() for each in tasks):
            most = max(most, len(readers.reading))
            assert readers.reading, "somebody waits, and nobody reads"
            await readers.end(readers.reading[0])
        assert most <= concurrent
        assert {str(n) for n in range(len(known)) if n not in cancelled} <= set(readers.read)

    asyncio.run(scenario())
