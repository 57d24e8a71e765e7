"""What is being opened goes first, and nobody waits for it for long."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from kausa.controller.openings import CROWD, Openings


def openings(*, longest: float = 5.0, crowd: float = 5.0, quiet: float = 0.01) -> Openings:
    return Openings(
        longest_wait_seconds=longest,
        longest_wait_for_a_crowd_seconds=crowd,
        quiet_seconds=quiet,
    )


async def test_where_nothing_is_being_opened_nobody_waits() -> None:
    async with asyncio.timeout(0):
        await openings(longest=60, quiet=60).over()


async def test_one_waits_until_all_of_them_are_over() -> None:
    found = openings()
    with found.one():
        with found.one():
            waiting = asyncio.create_task(found.over())
            await asyncio.sleep(0.03)
        await asyncio.sleep(0.03)
        assert not waiting.done()
    async with asyncio.timeout(1):
        await waiting


async def test_after_one_alone_nobody_waits_for_a_storm() -> None:
    found = openings(quiet=60)
    with found.one():
        waiting = asyncio.create_task(found.over())
        await asyncio.sleep(0)
    async with asyncio.timeout(1):
        await waiting


async def test_what_begins_right_after_is_waited_for_too() -> None:
    found = openings(quiet=0.05)
    with found.one(), found.one():
        waiting = asyncio.create_task(found.over())
        await asyncio.sleep(0)
    with found.one():
        await asyncio.sleep(0.1)
        assert not waiting.done()
    async with asyncio.timeout(1):
        await waiting


async def test_one_that_failed_to_open_is_over_as_well() -> None:
    found = openings()
    try:
        with found.one():
            raise ValueError
    except ValueError:
        pass
    async with asyncio.timeout(0.5):
        await found.over()


async def test_a_storm_without_end_is_not_waited_out() -> None:
    found = openings(longest=0.05)
    with found.one():
        async with asyncio.timeout(1):
            await found.over()


async def test_a_crowd_is_waited_for_longer_than_a_few_but_not_without_end() -> None:
    found = openings(longest=0.01, crowd=0.3)
    with ExitStack() as crowd:
        for _ in range(CROWD):
            crowd.enter_context(found.one())
        waiting = asyncio.create_task(found.over())
        await asyncio.sleep(0.1)
        assert not waiting.done()
        async with asyncio.timeout(2):
            await waiting


async def test_a_crowd_that_is_over_is_not_waited_for_any_longer() -> None:
    found = openings(longest=0.01, crowd=60)
    with ExitStack() as crowd:
        for _ in range(CROWD):
            crowd.enter_context(found.one())
        waiting = asyncio.create_task(found.over())
        await asyncio.sleep(0.05)
    async with asyncio.timeout(1):
        await waiting
