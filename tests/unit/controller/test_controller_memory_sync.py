from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, cast

import pytest
import structlog
from prometheus_client import CollectorRegistry
from support.diagnosed import diagnosed
from support.dossiers import DEPLOYMENT
from support.fake_memory import FakeVectorStore, fake_memory, unavailable
from support.fake_store import FakeClient, FakeOwners, overloaded
from support.records import RECORD

from kausa.controller import memory_sync as module
from kausa.controller.lessons import TargetFinder
from kausa.controller.memory_sync import MemorySync, records_of_resources, sync_memory
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.ingest import Ingest
from kausa.memory.metrics import MemoryMetrics
from kausa.memory.service import FailureMemory
from kausa.memory.store import Schema

PATH = "/apis/kausa.dev/v1alpha1/failurediagnoses"


class Syncing:
    """One process whose memory is brought in line with resources in a tuple."""

    def __init__(self, *, migrate: Any = None, store: FakeVectorStore | None = None) -> None:
        self.client = FakeClient()
        self.vectors = store or FakeVectorStore()
        self.memory = fake_memory(self.vectors)
        self.registry = CollectorRegistry()
        metrics = MemoryMetrics(self.registry)
        self.ingest = Ingest(memory=self.memory, metrics=metrics, most=5)
        self.owners = FakeOwners(DEPLOYMENT)
        self.targets = TargetFinder(owners=cast(Any, self.owners))
        self.sync = MemorySync(
            client=cast(Any, self.client),
            memory=self.memory,
            ingest=self.ingest,
            targets=self.targets,
            metrics=metrics,
            cluster="test",
            namespace=None,
            migrate=migrate,
        )

    def resources(self, count: int) -> None:
        self.client.lists[PATH] = tuple(
            diagnosed(name=f"fd-{n}", owner=f"w{n}").to_dict() for n in range(count)
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self.sync.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    @property
    def syncs(self) -> float:
        return (
            self.registry.get_sample_value("kausa_memory_syncs_total", {"result": "complete"}) or 0
        )


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOOK_SECONDS", "FIRST_PAUSE_SECONDS", "LONGEST_PAUSE_SECONDS"):
        monkeypatch.setattr(module, name, 0.002)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.001)


async def test_every_page_of_the_resources_is_read() -> None:
    it = Syncing()
    it.resources(120)
    found = [
        each
        async for each in records_of_resources(cast(Any, it.client), cluster="test", namespace=None)
    ]
    assert len(found) == 120
    assert len({each.record_id for each in found}) == 120


async def test_what_cannot_be_read_is_left_out() -> None:
    it = Syncing()
    it.resources(2)
    broken = diagnosed().to_dict() | {"spec": {"target": "nobody"}}
    it.client.lists[PATH] = (*cast(Any, it.client.lists[PATH]), broken)
    report = await sync_memory(
        client=cast(Any, it.client),
        memory=it.memory,
        targets=it.targets,
        cluster="test",
        namespace=None,
    )
    assert (report.read, report.written) == (2, 2)


async def test_it_catches_up_at_the_start() -> None:
    it = Syncing()
    it.resources(3)
    async with it.running():
        await until(lambda: it.syncs == 1)
    assert len(it.vectors.payloads()) == 3


async def test_it_waits_for_the_memory_and_catches_up_when_it_comes() -> None:
    it = Syncing()
    it.resources(3)
    it.vectors.fail = unavailable("StoreLocked")
    async with it.running():
        await until(lambda: it.vectors.calls["open"] > 2)
        assert it.registry.get_sample_value("kausa_memory_available") == 0
        it.vectors.fail = None
        await until(lambda: it.syncs == 1)
    assert it.registry.get_sample_value("kausa_memory_available") == 1
    assert len(it.vectors.payloads()) == 3


async def test_it_catches_up_after_an_outage() -> None:
    it = Syncing()
    async with it.running():
        await until(lambda: it.syncs == 1)
        it.resources(3)
        it.vectors.fail = unavailable()
        with contextlib.suppress(Exception):
            await it.memory.count(deadline_seconds=1)
        calls = it.vectors.calls["open"]
        await asyncio.sleep(0.03)
        assert it.syncs == 1
        it.vectors.fail = None
        await until(lambda: it.syncs == 2)
        assert it.vectors.calls["open"] == calls
    assert len(it.vectors.payloads()) == 3


async def test_it_catches_up_where_records_were_dropped() -> None:
    it = Syncing()
    async with it.running():
        await until(lambda: it.syncs == 1)
        for number in range(9):
            it.ingest.offer(replace(RECORD, owner_name=f"w{number}"))
        await until(lambda: it.syncs == 2)


async def test_it_walks_when_it_is_asked_to_and_once_for_many_who_ask() -> None:
    it = Syncing()
    async with it.running():
        await until(lambda: it.syncs == 1)
        it.resources(3)
        for _ in range(9):
            it.sync.ask()
        await until(lambda: it.syncs == 2)
        await asyncio.sleep(0.02)
        assert it.syncs == 2
    assert len(it.vectors.payloads()) == 3


async def test_an_api_server_that_cannot_answer_is_asked_again() -> None:
    it = Syncing()
    it.client.lists[PATH] = overloaded()
    async with it.running():
        await until(lambda: len(it.client.requests) > 2)
        it.resources(3)
        await until(lambda: it.syncs == 1)


async def test_another_model_is_left_alone_unless_a_setting_says_otherwise() -> None:
    it = Syncing(store=FakeVectorStore(schema=Schema(model="older", dimensions=4)))
    async with it.running():
        await until(lambda: it.vectors.calls["open"] > 2)
    assert it.syncs == 0
    assert it.vectors.schema == Schema(model="older", dimensions=4)
    assert it.memory.error is not None
    assert it.memory.error.reason == "ModelMismatch"


async def test_where_it_may_it_migrates_and_goes_on() -> None:
    migrated: list[FailureMemory] = []

    async def migrate(memory: FailureMemory) -> None:
        migrated.append(memory)
        it.vectors.schema = Schema(model="fake", dimensions=4)

    it = Syncing(migrate=migrate, store=FakeVectorStore(schema=Schema(model="older", dimensions=4)))
    it.resources(3)
    async with it.running():
        await until(lambda: it.syncs == 1)
    assert migrated == [it.memory]


async def test_a_migration_that_is_refused_again_and_again_is_said_once() -> None:
    tried = 0

    async def migrate(memory: FailureMemory) -> None:
        nonlocal tried
        tried += 1
        if tried < 4:
            raise unavailable("StoreRefused")
        it.vectors.schema = Schema(model="fake", dimensions=4)

    it = Syncing(migrate=migrate, store=FakeVectorStore(schema=Schema(model="older", dimensions=4)))
    with structlog.testing.capture_logs() as lines:
        async with it.running():
            await until(lambda: it.syncs == 1)
    said = [each["event"] for each in lines]
    assert tried == 4
    assert said.count("The memory could not be migrated") == 1
    assert said.count("The memory is migrated") == 1


async def test_who_had_it_open_before_does_not_migrate_it_back() -> None:
    """Two operators of two models would embed all of it in turns, for ever."""
    migrated: list[FailureMemory] = []

    async def migrate(memory: FailureMemory) -> None:
        migrated.append(memory)

    it = Syncing(migrate=migrate)
    async with it.running():
        await until(lambda: it.syncs == 1)
        it.vectors.fail = unavailable("ModelMismatch")
        with contextlib.suppress(MemoryUnavailableError):
            await it.memory.count(deadline_seconds=1)
        calls = it.vectors.calls["get"]
        await until(lambda: it.vectors.calls["get"] > calls + 2)
        assert it.registry.get_sample_value("kausa_memory_available") == 0
    assert migrated == []


async def test_what_ended_while_nobody_looked_is_closed() -> None:
    it = Syncing()
    await it.memory.remember([RECORD], deadline_seconds=1)
    async with it.running():
        await until(lambda: it.syncs == 1)
    assert [each["outcome"] for each in it.vectors.payloads()] == ["Superseded"]
