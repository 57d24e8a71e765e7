from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry
from support.diagnosed import NOON, diagnosed
from support.dossiers import DEPLOYMENT, FakeReader
from support.fake_memory import FakeVectorStore, fake_memory
from support.fake_store import FakeOwners, FakeStore, overloaded
from support.records import RECORD

from kausa.controller import lessons as module
from kausa.controller.lessons import Ending, Lessons, TargetFinder
from kausa.controller.mending import Mender
from kausa.evidence.redaction import Redactor
from kausa.learning.resolutions import Mended
from kausa.memory.ingest import Ingest
from kausa.memory.metrics import MemoryMetrics
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.spec import Feedback, Verdict

ENDING = Ending(owner=DEPLOYMENT, began=NOON, works_since=NOON)


class FakeMender(Mender):
    """Tells what it was told."""

    def __init__(self) -> None:
        super().__init__(reader=FakeReader(), redactor=Redactor(key=b"k" * 32))

    async def mended(self, owner: Any, *, began: Any, works_since: Any) -> Mended:
        return Mended(resolution="more memory", changed=("memory: 1 -> 2",))


class Learning:
    """One process that learns how failures end, over dicts."""

    def __init__(self) -> None:
        self.store, self.vectors = FakeStore(), FakeVectorStore()
        self.owners = FakeOwners(DEPLOYMENT)
        self.memory = fake_memory(self.vectors)
        self.ingest = Ingest(
            memory=self.memory, metrics=MemoryMetrics(CollectorRegistry()), linger_seconds=0
        )
        self.lessons = Lessons(
            store=cast(Any, self.store),
            ingest=self.ingest,
            mender=FakeMender(),
            targets=TargetFinder(owners=cast(Any, self.owners)),
            cluster="test",
        )

    def keep(self, resource: FailureDiagnosis) -> tuple[str, str]:
        key = resource.metadata.namespace or "", resource.metadata.name
        self.store.resources[key] = resource
        return key

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(each()) for each in (self.lessons.run, self.ingest.run)]
            yield
            for each in running:
                each.cancel()

    async def until(self, **wanted: Any) -> None:
        async with asyncio.timeout(5):
            while not any(wanted.items() <= each.items() for each in self.vectors.payloads()):
                await asyncio.sleep(0.001)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.001)


async def test_a_failure_that_is_over_is_remembered_with_what_mended_it() -> None:
    it = Learning()
    await it.memory.remember([RECORD], deadline_seconds=1)
    key = it.keep(diagnosed(resolved=True, how=()))
    async with it.running():
        it.lessons.resolved(key, ENDING)
        await it.until(outcome="Resolved", resolution="more memory", changed=["memory: 1 -> 2"])
    (payload,) = it.vectors.payloads()
    assert payload["node"] == "node-1"


async def test_a_relapse_in_the_meantime_is_not_called_resolved() -> None:
    it = Learning()
    key = it.keep(diagnosed(resolved=True, relapsed=True))
    async with it.running():
        it.lessons.resolved(key, ENDING)
        await it.until(outcome="Open")
    assert "changed" not in it.vectors.payloads()[0]


async def test_feedback_counts_once_however_often_it_is_told() -> None:
    it = Learning()
    resource = diagnosed(feedback=Feedback(verdict=Verdict.HELPFUL, resolution="doubled it"))
    it.keep(resource)
    async with it.running():
        for _ in range(3):
            it.lessons.changed(resource)
            await it.until(reward_sum=1.0, reward_count=1, verdict="Helpful")
        other = diagnosed(feedback=Feedback(verdict=Verdict.WRONG))
        it.keep(other)
        it.lessons.changed(other)
        await it.until(reward_sum=0.0, reward_count=1, verdict="Wrong")


async def test_a_change_without_feedback_is_no_news() -> None:
    it = Learning()
    it.lessons.changed(diagnosed())
    async with it.running():
        await asyncio.sleep(0.01)
    assert it.vectors.payloads() == []


@pytest.mark.parametrize(("there", "outcome"), [(True, "Dismissed"), (False, "Superseded")])
async def test_a_resource_that_is_deleted_while_open_ended_as_fits(
    there: bool, outcome: str
) -> None:
    it = Learning()
    await it.memory.remember([RECORD], deadline_seconds=1)
    if there:
        it.owners.named[("Deployment", "checkout")] = DEPLOYMENT
    async with it.running():
        it.lessons.deleted(diagnosed().to_dict())
        await it.until(outcome=outcome)


async def test_a_resource_that_is_deleted_after_it_was_over_stays_resolved() -> None:
    it = Learning()
    over = replace(RECORD, outcome="Resolved", resolved_at=NOON, resolution="more memory")
    await it.memory.remember([over], deadline_seconds=1)
    async with it.running():
        it.lessons.deleted(diagnosed(resolved=True, how=()).to_dict())
        await asyncio.sleep(0.02)
    (payload,) = it.vectors.payloads()
    assert (payload["outcome"], payload["resolution"]) == ("Resolved", "more memory")


async def test_an_api_server_that_cannot_answer_is_asked_again() -> None:
    it = Learning()
    key = it.keep(diagnosed(resolved=True))
    real, failures = it.store.get, 2

    async def get(**given: Any) -> FailureDiagnosis | None:
        nonlocal failures
        if failures:
            failures -= 1
            raise overloaded()
        return await real(**given)

    it.store.get = get  # type: ignore[method-assign]
    async with it.running():
        it.lessons.resolved(key, ENDING)
        await it.until(outcome="Resolved")


async def test_one_that_nobody_thought_of_does_not_stop_the_others() -> None:
    it = Learning()
    key = it.keep(diagnosed(resolved=True))

    async def broken(**_: Any) -> None:
        raise RuntimeError("a defect of ours")

    real, it.store.get = it.store.get, broken  # type: ignore[method-assign]
    async with it.running():
        it.lessons.resolved(key, ENDING)
        await asyncio.sleep(0.01)
        it.store.get = real  # type: ignore[method-assign]
        it.lessons.resolved(key, ENDING)
        await it.until(outcome="Resolved")


async def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 10)
    it = Learning()
    for number in range(50):
        it.lessons.resolved(("shop", f"fd-{number}"), ENDING)
    assert len(it.lessons._waiting) == 10
