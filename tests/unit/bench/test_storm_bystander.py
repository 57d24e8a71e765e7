"""The idle process beside a storm tells how late it came, each time anew."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
from bench.storm.bystander import bystander


@pytest.mark.slow
async def test_an_idle_process_tells_its_worst_lag_and_begins_anew() -> None:
    async with asyncio.timeout(60), bystander() as beside:
        await beside.worst_seconds()
        os.kill(beside.pid, signal.SIGSTOP)
        await asyncio.sleep(0.6)
        os.kill(beside.pid, signal.SIGCONT)
        # It looks once more before it answers, or has looked already.
        await asyncio.sleep(0.3)
        assert await beside.worst_seconds() >= 0.4
        assert await beside.worst_seconds() < 0.4
