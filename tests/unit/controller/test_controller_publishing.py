"""Facts are written before a step that takes a while, and once where it does not."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from support.virtual_time import VirtualTimeLoop

from kausa.cluster.errors import ApiUnreachableError
from kausa.controller.publishing import SOON_SECONDS, Publisher

EVENT_LOOP = VirtualTimeLoop


class FakeStore:
    """Counts writes; `error` is what each of them ends in."""

    def __init__(self) -> None:
        self.writes = 0
        self.error: Exception | None = None

    async def write_diagnosis(self, **_: Any) -> bool:
        self.writes += 1
        if self.error is not None:
            raise self.error
        return True


class FakeReport:
    key = ("shop", "checkout")

    def status(self) -> None:
        return None


REPORT = cast(Any, FakeReport())


async def step(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "done"


async def test_a_quick_step_writes_nothing_of_its_own() -> None:
    store = FakeStore()
    publisher = Publisher(store=cast(Any, store))
    assert await publisher.publish_unless_soon(REPORT, step(SOON_SECONDS / 2)) == "done"
    assert store.writes == 0


async def test_before_a_slow_step_is_over_what_is_known_is_written() -> None:
    store = FakeStore()
    publisher = Publisher(store=cast(Any, store))
    assert await publisher.publish_unless_soon(REPORT, step(SOON_SECONDS * 4)) == "done"
    assert store.writes == 1


async def test_what_cannot_be_written_ends_the_step_and_is_said() -> None:
    store, ended = FakeStore(), []
    store.error = ApiUnreachableError("no route")

    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    with pytest.raises(ApiUnreachableError):
        await Publisher(store=cast(Any, store)).publish_unless_soon(REPORT, slow())
    assert ended == [True]


async def test_an_error_of_the_step_is_its_own() -> None:
    async def broken() -> None:
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        await Publisher(store=cast(Any, FakeStore())).publish_unless_soon(REPORT, broken())
