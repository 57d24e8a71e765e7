from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry
from support.diagnosed import CHANGE, NOON, diagnosed
from support.dossiers import DEPLOYMENT
from support.fake_memory import FakeVectorStore, fake_memory
from support.fake_store import FakeOwners, FakeStore, overloaded
from support.records import RECORD

from kausa.controller import lessons as module
from kausa.controller.lessons import Lessons, TargetFinder
from kausa.learning.resolutions import Mended
from kausa.memory.ingest import Ingest
from kausa.memory.metrics import MemoryMetrics
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.spec import Feedback, Verdict

MENDED = Mended(resolution="more memory", changed=("memory: 1 -> 2",), how=(CHANGE,))


class Learning:
    """One process that learns how failures end, over dicts."""

    def __init__(self) -> None:
        self.store, self.vectors = FakeStore(), FakeVectorStore()
        self.owners = FakeOwners(DEPLOYMENT)
        self.lost: list[int] = []
        self.memory = fake_memory(self.vectors)
        self.ingest = Ingest(
            memory=self.memory, metrics=MemoryMetrics(CollectorRegistry()), linger_seconds=0
        )
        self.lessons = Lessons(
            store=cast(Any, self.store),
            ingest=self.ingest,
            targets=TargetFinder(owners=cast(Any, self.owners)),
            cluster="test",
            on_lost=lambda: self.lost.append(1),
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

    def refuse(self, name: str) -> list[str]:
        """The API server cannot answer for this one; how often it was asked."""
        real, asked = self.store.get, list[str]()

        async def get(**given: Any) -> FailureDiagnosis | None:
            if given["name"] == name:
                asked.append(name)
                raise overloaded()
            return await real(**given)

        self.store.get = get  # type: ignore[method-assign]
        return asked

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
    key = it.keep(diagnosed(resolved=True))
    async with it.running():
        it.lessons.resolved(key, MENDED)
        await it.until(outcome="Resolved", resolution="more memory", changed=["memory: 1 -> 2"])
    (payload,) = it.vectors.payloads()
    assert payload["node"] == "node-1"


async def test_a_relapse_in_the_meantime_is_not_called_resolved() -> None:
    it = Learning()
    key = it.keep(diagnosed(resolved=True, relapsed=True))
    async with it.running():
        it.lessons.resolved(key, MENDED)
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


async def test_feedback_that_is_taken_back_counts_no_more() -> None:
    it = Learning()
    judged = diagnosed(feedback=Feedback(verdict=Verdict.HELPFUL))
    it.keep(judged)
    async with it.running():
        it.lessons.changed(judged)
        await it.until(reward_count=1, verdict="Helpful")
        it.keep(diagnosed())
        it.lessons.changed(diagnosed())
        await it.until(reward_count=0)
    (payload,) = it.vectors.payloads()
    assert not payload.get("verdict")


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
        it.lessons.resolved(key, MENDED)
        await it.until(outcome="Resolved")


async def test_one_that_nobody_thought_of_does_not_stop_the_others() -> None:
    it = Learning()
    key = it.keep(diagnosed(resolved=True))

    async def broken(**_: Any) -> None:
        raise RuntimeError("a defect of ours")

    real, it.store.get = it.store.get, broken  # type: ignore[method-assign]
    async with it.running():
        it.lessons.resolved(key, MENDED)
        await asyncio.sleep(0.01)
        it.store.get = real  # type: ignore[method-assign]
        it.lessons.resolved(key, MENDED)
        await it.until(outcome="Resolved")


async def test_what_waits_is_bounded_and_what_is_dropped_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 10)
    it = Learning()
    for number in range(50):
        it.lessons.resolved(("shop", f"fd-{number}"), MENDED)
    assert len(it.lessons) == 10
    assert len(it.lost) == 40


async def test_a_defect_leaves_the_ending_to_a_walk() -> None:
    it = Learning()

    async def broken(**_: Any) -> None:
        raise RuntimeError("a defect of ours")

    it.store.get = broken  # type: ignore[method-assign]
    async with it.running():
        it.lessons.resolved(("shop", "fd"), MENDED)
        async with asyncio.timeout(5):
            while not it.lost:
                await asyncio.sleep(0.001)


async def test_what_cannot_be_read_at_all_is_left_to_a_walk_and_others_go_on() -> None:
    it = Learning()
    key = it.keep(diagnosed(resolved=True))
    asked = it.refuse("fd-that-hangs")
    async with it.running():
        it.lessons.resolved(("shop", "fd-that-hangs"), MENDED)
        it.lessons.resolved(key, MENDED)
        await it.until(outcome="Resolved")
        async with asyncio.timeout(5):
            while not it.lost:
                await asyncio.sleep(0.001)
    assert len(asked) == module.ATTEMPTS
    assert (len(it.lost), len(it.lessons)) == (1, 0)


async def test_one_that_fails_does_not_hold_up_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 3600)
    it = Learning()
    key = it.keep(diagnosed(resolved=True))
    asked = it.refuse("fd-that-fails")
    async with it.running():
        for _ in range(20):
            # Told again and again, it has its turn when it is due and not sooner.
            it.lessons.resolved(("shop", "fd-that-fails"), MENDED)
            await asyncio.sleep(0.001)
        it.lessons.resolved(key, MENDED)
        await it.until(outcome="Resolved")
    assert (len(asked), len(it.lessons), it.lost) == (1, 1, [])


async def test_a_deletion_right_after_a_recovery_keeps_what_mended_it() -> None:
    it = Learning()
    over = diagnosed(resolved=True, how=())
    it.lessons.resolved(("shop", over.metadata.name), MENDED)
    it.lessons.deleted(over.to_dict())
    async with it.running():
        await it.until(outcome="Resolved", resolution="more memory", changed=["memory: 1 -> 2"])


async def test_a_deletion_is_told_although_word_of_a_recovery_comes_late() -> None:
    it = Learning()
    gone = diagnosed()
    it.lessons.deleted(gone.to_dict())
    it.lessons.resolved(("shop", gone.metadata.name), MENDED)
    async with it.running():
        await it.until(outcome="Superseded")


async def test_a_deletion_that_failed_is_told_with_what_came_meanwhile() -> None:
    it = Learning()
    over = diagnosed(resolved=True, how=())
    key = "shop", over.metadata.name
    real = it.store.get
    failures = 1

    async def get(**given: Any) -> FailureDiagnosis | None:
        nonlocal failures
        if failures:
            failures -= 1
            it.lessons.resolved(key, MENDED)  # While it is in hand.
            raise overloaded()
        return await real(**given)

    it.store.get = get  # type: ignore[method-assign]
    async with it.running():
        it.lessons.deleted(over.to_dict())
        await it.until(outcome="Resolved", resolution="more memory")


async def test_a_resource_that_is_there_again_has_not_ended() -> None:
    it = Learning()
    it.keep(diagnosed())
    async with it.running():
        it.lessons.deleted(diagnosed().to_dict())
        await it.until(outcome="Open")
