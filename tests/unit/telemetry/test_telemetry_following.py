"""Every line of a look says to which look it belongs, and no other line does."""

from __future__ import annotations

import asyncio
import json
import re
import threading

from support.logs import captured_log

from kausa.telemetry.following import follow, followed, following, traced
from kausa.telemetry.logs import get_logger

logger = get_logger("kausa.test")


async def steps(name: str, rounds: int = 5) -> None:
    """Lines from the look itself, from tasks that it starts, and from a thread."""
    with following(name):
        for _ in range(rounds):
            logger.info("Here", of=name)
            await asyncio.gather(inner(name), inner(name))
            await asyncio.to_thread(logger.info, "In a thread", of=name)


async def inner(name: str) -> None:
    await asyncio.sleep(0)
    logger.info("Further in", of=name)


async def test_lines_of_looks_at_the_same_time_do_not_mix() -> None:
    names = [f"shop/failure-{number}" for number in range(8)]
    with captured_log() as log:
        await asyncio.gather(*(steps(each) for each in names))
        logger.info("Nobody's")
    lines = [json.loads(each) for each in log.getvalue().splitlines()]
    assert "diagnosis" not in lines.pop()
    assert len(lines) == 8 * 5 * 4
    for name in names:
        (look,) = {each["diagnosis"] for each in lines if each["of"] == name}
        assert re.fullmatch(re.escape(name) + "#[0-9a-f]{6}", look)


def test_a_look_within_a_look_at_the_same_is_the_same_and_at_another_is_another() -> None:
    with following("shop/a") as outer:
        with following("shop/a") as same:
            assert same == outer
        with following("shop/ab") as other:
            assert other != outer
            assert other.startswith("shop/ab#")
        assert followed() == outer
    assert followed() is None


def test_each_look_at_one_resource_has_an_id_of_its_own() -> None:
    ids = set()
    for _ in range(20):
        with following("shop/a") as look:
            ids.add(look)
    assert len(ids) == 20


async def test_what_a_task_follows_ends_with_the_task() -> None:
    async def task() -> str | None:
        follow("shop/a")
        return followed()

    looks = await asyncio.gather(asyncio.create_task(task()), asyncio.create_task(task()))
    assert len({*looks}) == 2
    assert followed() is None


async def test_a_look_goes_over_to_another_event_loop() -> None:
    """As from Kopf's loop, where it begins, to the operator's, where it is made."""
    home = asyncio.get_running_loop()
    found: list[str | None] = []

    async def at_home() -> None:
        found.append(followed())

    async def elsewhere() -> None:
        with following("shop/a") as look:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(at_home(), home))
            found.append(look)

    thread = threading.Thread(target=asyncio.run, args=(elsewhere(),))
    thread.start()
    await asyncio.to_thread(thread.join)
    assert found[0] == found[1] is not None


def test_a_trace_is_named_where_there_is_one() -> None:
    with captured_log() as log, following("shop/a"):
        with traced("ab" * 16):
            logger.info("Traced")
        with traced(""):
            logger.info("Not traced")
    traced_line, other = [json.loads(each) for each in log.getvalue().splitlines()]
    assert traced_line["trace"] == "ab" * 16
    assert "trace" not in other
