"""The ingest with the real store and the real model, killed while it writes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from support.cluster import REPOSITORY
from support.records import RECORD

from kausa.memory.edge.client import EdgeStore
from kausa.memory.filters import EVERYTHING
from kausa.memory.ingest import Ingest
from kausa.memory.metrics import MemoryMetrics
from kausa.memory.opening import open_embedded_memory
from kausa.memory.records import FailureOutcome, FailureRecord
from kausa.memory.service import FailureMemory
from kausa.memory.store import StoredPoint
from kausa.memory.sync import sync_failures

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

ROUNDS = int(os.environ.get("KAUSA_TEST_KILLS", "3"))
SECONDS = 60.0
WAVE = 12

# What the operator does with records, in a process of its own that can be killed.
OPERATOR = """
import asyncio, sys
from pathlib import Path
from prometheus_client import CollectorRegistry
from test_memory_ingest import WAVE, failure
from kausa.memory.ingest import Ingest
from kausa.memory.metrics import MemoryMetrics
from kausa.memory.opening import open_embedded_memory

async def main(folder, model, first):
    memory = open_embedded_memory(folder=Path(folder), model_path=Path(model))
    await memory.start(deadline_seconds=60)
    ingest = Ingest(
        memory=memory, metrics=MemoryMetrics(CollectorRegistry()), batch=5, linger_seconds=0
    )
    running = asyncio.create_task(ingest.run())
    number = int(first)
    while True:
        for each in range(number, number + WAVE):
            ingest.offer(failure(each))
        while len(ingest):
            await asyncio.sleep(0.005)
        number += WAVE
        print(number, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


def failure(number: int) -> FailureRecord:
    """Every third has a text of several passages."""
    lines = 40 if number % 3 == 0 else 2
    text = "\n".join(f"ERROR attempt {n} of {number}: connection refused" for n in range(lines))
    return replace(RECORD, owner_name=f"owner-{number}", text=text)


async def resources(count: int) -> AsyncIterator[FailureRecord]:
    """What the API server would tell of all of them."""
    for number in range(count):
        yield failure(number)


async def ended(record: FailureRecord) -> FailureOutcome:
    return "Superseded"


async def everything(memory: FailureMemory) -> list[StoredPoint]:
    found: list[StoredPoint] = []
    after: str | None = None
    while True:
        page = await memory.store.scroll(
            "failures", where=EVERYTHING, limit=200, after=after, deadline_seconds=SECONDS
        )
        found.extend(page.points)
        after = page.after
        if after is None:
            return found


async def killed_at_work(folder: Path, model: Path, *, first: int, waves: int) -> int:
    """Ingest from `first` on, be killed in the middle of a later wave; what was acknowledged."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OPERATOR, str(folder), str(model), str(first),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": f"{Path(__file__).parent}:{REPOSITORY / 'tests'}"},
    )  # fmt: skip
    assert process.stdout is not None
    acknowledged = first
    try:
        for _ in range(waves):
            line = await asyncio.wait_for(process.stdout.readline(), timeout=SECONDS)
            assert line, "it ended by itself"
            acknowledged = int(line)
        await asyncio.sleep(random.uniform(0.0, 0.25))
    finally:
        process.send_signal(signal.SIGKILL)
        rest = await process.stdout.read()
        await process.wait()
    # It may have come further before the kill came.
    return max([acknowledged, *(int(each) for each in rest.split())])


async def test_a_kill_during_ingest_loses_nothing_and_doubles_nothing(
    tmp_path: Path, embedding_model_path: Path
) -> None:
    folder = tmp_path / "memory"
    acknowledged = 0
    for _ in range(ROUNDS):
        acknowledged = await killed_at_work(
            folder, embedding_model_path, first=acknowledged, waves=2
        )
    told = acknowledged + WAVE
    memory = open_embedded_memory(folder=folder, model_path=embedding_model_path)
    try:
        await memory.start(deadline_seconds=SECONDS)
        points = await everything(memory)
        chunks = Counter(each.payload["owner_name"] for each in points)
        whole = {each.payload["owner_name"]: each.payload["chunks"] for each in points}
        for number in range(acknowledged):
            name = f"owner-{number}"
            assert chunks[name] == whole.get(name), f"{name} was acknowledged"
        assert len({each.id for each in points}) == len(points)

        # What was in hand is brought by the resources, as at the operator's next start.
        report = await sync_failures(
            memory, resources(told), cluster="test", namespace=None, ended=ended
        )
        assert report.unchanged >= acknowledged
        assert await memory.count(deadline_seconds=SECONDS) == told
        again = await sync_failures(
            memory, resources(told), cluster="test", namespace=None, ended=ended
        )
        assert (again.written, again.unchanged, again.ended) == (0, told, 0)
        points = await everything(memory)
        expected = Counter({f"owner-{n}": 1 for n in range(told)})
        chunks = Counter(each.payload["owner_name"] for each in points)
        assert chunks.keys() == expected.keys()
        assert all(each.payload["chunks"] == chunks[each.payload["owner_name"]] for each in points)
    finally:
        await memory.close()


async def test_the_stores_worker_may_be_killed_while_it_ingests(
    tmp_path: Path, embedding_model_path: Path
) -> None:
    memory = open_embedded_memory(folder=tmp_path / "memory", model_path=embedding_model_path)
    ingest = Ingest(
        memory=memory, metrics=MemoryMetrics(CollectorRegistry()), batch=5, linger_seconds=0
    )
    store = memory.store
    assert isinstance(store, EdgeStore)
    try:
        await memory.start(deadline_seconds=SECONDS)
        running = asyncio.create_task(ingest.run())
        for number in range(36):
            ingest.offer(failure(number))
        for _ in range(ROUNDS):
            await asyncio.sleep(random.uniform(0.02, 0.15))
            if store.worker_pid is not None:
                os.kill(store.worker_pid, signal.SIGKILL)
        async with asyncio.timeout(SECONDS):
            while len(ingest):
                await asyncio.sleep(0.01)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        assert ingest.lost == 0
        assert await memory.count(deadline_seconds=SECONDS) == 36
        points = await everything(memory)
        chunks = Counter(each.payload["owner_name"] for each in points)
        assert all(each.payload["chunks"] == chunks[each.payload["owner_name"]] for each in points)
    finally:
        await memory.close()
