"""Kopf is started again however often it has failed in a row."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from support import virtual_time

from kausa.cluster.credentials import Credentials
from kausa.cluster.errors import OverloadedError
from kausa.controller.kopf_host import RESTARTS, KopfHost, RunbookHandlers

EVENT_LOOP = virtual_time.VirtualTimeLoop
FAILURES = 1_100
"""Of nine hours. Not even a float counts 2 ** 1024."""


async def nobody(*_: Any) -> None:
    raise AssertionError("Kopf never ran")


async def starts_of(failures: int) -> list[float]:
    """When Kopf was started by a host that fails each time, so often."""
    starts: list[float] = []
    enough = asyncio.Event()

    async def fails() -> bool:
        starts.append(asyncio.get_running_loop().time())
        if len(starts) == failures:
            enough.set()
        raise OverloadedError("x", status=503)

    host = KopfHost(
        credentials=Credentials(server="http://127.0.0.1:9"),
        namespace=None,
        on_change=nobody,
        on_delete=nobody,
        runbooks=RunbookHandlers(readable=fails, on_event=nobody),
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(host.run())
        await enough.wait()
        running.cancel()
    return starts


async def test_it_is_still_started_after_hours_of_failures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # No answer is on its way.
    monkeypatch.setattr(virtual_time, "LAST_LOOK_SECONDS", 0.0)
    starts = await starts_of(FAILURES)

    pauses = [after - before for before, after in pairwise(starts)]
    assert pauses[0] == pytest.approx(2 * RESTARTS.first_seconds, abs=0.5)
    assert pauses[-1] == pytest.approx(RESTARTS.longest_seconds, abs=0.5)
