"""Failures that are over are said to be, in time; also what an earlier process left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import pytest
from msgspec import structs
from support.dossiers import DEPLOYMENT
from support.fake_store import FakeOwners, FakeStore, overloaded
from support.logs import captured_log
from support.pods import container, pod, terminated, waiting
from support.recording import HandClock, Recording

from kausa.cluster.errors import ClusterError, ForbiddenError
from kausa.cluster.objects import Pod
from kausa.cluster.owners import Owner
from kausa.controller import recovery
from kausa.controller.looks import Looks
from kausa.controller.recovery import Recovery
from kausa.controller.scope import Scope
from kausa.controller.sightings import ResourceKey
from kausa.learning.resolutions import Mended
from kausa.resources.evidence import Change
from kausa.resources.recollection import Resolution

STABLE = 300.0
MENDED = Mended(
    resolution="the memory limit was raised",
    changed=("memory: 1 -> 2",),
    how=(Change(path="memory", before="1", after="2"),),
)


class FakeMender:
    """Tells what it was told, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer: Mended | Exception = MENDED
        self.hangs = False
        self.asked: list[tuple[Owner, datetime, datetime]] = []

    async def mended(self, owner: Owner, *, began: datetime, works_since: datetime) -> Mended:
        self.asked.append((owner, began, works_since))
        await asyncio.sleep(3600 if self.hangs else 0)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Recovering:
    """One process that watches for recoveries, on clocks that are set by hand."""

    def __init__(
        self, store: FakeStore | None = None, owners: FakeOwners | None = None, **given: Any
    ) -> None:
        self.clock = HandClock()
        self.store = store or FakeStore()
        self.owners = owners or FakeOwners(DEPLOYMENT)
        self.owners.named.setdefault(("Deployment", "checkout"), DEPLOYMENT)
        self.record = Recording(self.store, self.owners, clock=self.clock)
        self.looks = Looks(refresh_seconds=600, clock=self.clock)
        self.mender = FakeMender()
        self.recovery = Recovery(
            store=cast(Any, self.store),
            owners=cast(Any, self.owners),
            recorder=self.record.recorder,
            mender=cast(Any, self.mender),
            sightings=self.record.sightings,
            looks=self.looks,
            stabilisation_seconds=STABLE,
            **{"scope": Scope(), "namespace": None, "ready": lambda: True, **given},
        )

    async def fail(self) -> ResourceKey:
        """One Pod fails, and is recorded."""
        key = await self.record.see(CRASHES)
        assert key is not None
        return key

    def said(self, key: ResourceKey) -> str:
        """What the condition Resolved of a resource says."""
        status = self.store.resources[key].status
        assert status is not None
        (condition,) = status.conditions or ()
        return str(condition.status)

    def resolution(self, key: ResourceKey) -> Resolution:
        """What a resource says of how it ended."""
        status = self.store.resources[key].status
        assert status is not None
        assert status.resolution is not None
        return status.resolution

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self.recovery.run())
        await asyncio.sleep(0)  # It has begun.
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


CRASHES: Pod = pod(container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=2), uid="a")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "TICK_SECONDS", 0.002)
    monkeypatch.setattr(recovery, "SETTLE_SECONDS", 0.002)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.001)


async def some_ticks() -> None:
    await asyncio.sleep(0.03)


# -- in time -------------------------------------------------------------------------------------


async def test_a_failure_is_over_when_its_owner_was_well_for_so_long_and_not_before() -> None:
    process = Recovering()
    key = await process.fail()
    async with process.running():
        process.clock.now = 100.0
        process.record.sightings.works("a")
        process.clock.now = 100.0 + STABLE - 1
        await some_ticks()
        assert process.said(key) == "False"
        process.clock.now = 100.0 + STABLE
        await until(lambda: process.said(key) == "True")
    assert not process.record.sightings.by_resource


async def test_a_failure_that_goes_on_is_never_over() -> None:
    process = Recovering()
    key = await process.fail()
    async with process.running():
        process.clock.now = 10 * STABLE
        await some_ticks()
    assert process.said(key) == "False"


async def test_that_a_failure_is_over_is_written_again_until_it_works_and_said_once() -> None:
    process = Recovering(ready=lambda: False)  # Nothing is taken up: only the write can fail.
    key = await process.fail()
    with captured_log() as log:
        async with process.running():
            await until(lambda: process.record.sightings.knows_what_was_left)
            process.store.fail_next = overloaded()
            process.record.sightings.works("a")
            process.clock.now = STABLE
            await until(lambda: process.said(key) == "True")
            await some_ticks()
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [each["event"] for each in lines if each["level"] == "warning"] == [
        "Could not write which failures are over, trying until it works"
    ]
    assert any(each["event"].endswith("works again") for each in lines)


async def test_what_is_over_is_not_looked_at_again_for_its_old_words() -> None:
    process = Recovering()
    key = await process.fail()
    symptom = process.record.sightings.by_resource[key].symptom
    process.looks.seen(key, symptom)
    process.record.sightings.works("a")
    process.clock.now = 1000.0
    async with process.running():
        await until(lambda: process.said(key) == "True")
    process.looks.seen(key, structs.replace(symptom, message="other words"))
    assert process.looks.due() == ()


# -- what was left behind ------------------------------------------------------------------------


async def left_behind() -> tuple[FakeStore, ResourceKey]:
    """A store with a failure of which nothing is shown any more."""
    before = Recovering()
    return before.store, await before.fail()


async def test_what_an_earlier_process_recorded_and_nothing_shows_any_more_is_over_in_time() -> (
    None
):
    store, key = await left_behind()
    process = Recovering(store)
    async with process.running():
        await until(lambda: key in process.record.sightings.by_resource)
        process.clock.now = STABLE - 1
        await some_ticks()
        assert process.said(key) == "False"
        process.clock.now = STABLE
        await until(lambda: process.said(key) == "True")


async def test_nothing_is_taken_up_before_all_is_listed_and_recorded() -> None:
    store, key = await left_behind()
    ready = asyncio.Event()
    process = Recovering(store, ready=ready.is_set)
    async with process.running():
        await some_ticks()
        assert not process.record.sightings.by_resource
        ready.set()
        await until(lambda: key in process.record.sightings.by_resource)


async def test_a_list_that_fails_is_read_again() -> None:
    store, key = await left_behind()
    store.fail_next = overloaded()
    process = Recovering(store)
    async with process.running():
        await until(lambda: key in process.record.sightings.by_resource)


async def test_what_belongs_to_an_owner_that_cannot_be_read_is_taken_up_by_its_name() -> None:
    store, key = await left_behind()
    process = Recovering(store)
    process.owners.named.clear()
    async with process.running():
        await until(lambda: key in process.record.sightings.by_resource)
    assert process.record.sightings.by_resource[key].owner == DEPLOYMENT


@pytest.mark.parametrize(
    "why", ["its namespace is out of scope", "its owner opted out", "its owner was replaced"]
)
async def test_what_is_not_ours_any_more_is_not_taken_up(why: str) -> None:
    store, key = await left_behind()
    scope = Scope(exclude=("shop",)) if "scope" in why else Scope()
    process = Recovering(store, scope=scope)
    known = process.owners.named
    if "opted out" in why:
        known["Deployment", "checkout"] = replace(DEPLOYMENT, marked="disabled")
    if "replaced" in why:
        known["Deployment", "checkout"] = replace(DEPLOYMENT, uid="another")
    process.clock.now = STABLE
    async with process.running():
        await some_ticks()
    assert not process.record.sightings.by_resource
    assert process.said(key) == "False"


async def test_only_the_namespace_that_is_watched_is_asked_for() -> None:
    store, _ = await left_behind()
    process = Recovering(store, namespace="other")
    async with process.running():
        await some_ticks()
    assert not process.record.sightings.by_resource


# -- what mended it ------------------------------------------------------------------------------


async def over(
    process: Recovering, key: ResourceKey, *, fail_next: ClusterError | None = None
) -> list[tuple[ResourceKey, Mended]]:
    """Who is told what until its resource says that it is over; the first write may fail."""
    told: list[tuple[ResourceKey, Mended]] = []
    process.recovery.on_resolved = lambda key, mended: told.append((key, mended))
    async with process.running():
        await until(lambda: process.record.sightings.knows_what_was_left)
        process.store.fail_next = fail_next
        process.record.sightings.works("a")
        process.clock.now = STABLE
        await until(lambda: process.said(key) == "True")
        await some_ticks()
    return told


async def test_what_mended_it_stands_in_the_resource_and_is_told_once() -> None:
    process = Recovering()
    key = await process.fail()
    began = process.record.sightings.by_resource[key].turned_at
    assert await over(process, key) == [(key, MENDED)]
    assert process.resolution(key).how == MENDED.how
    ((owner, since, works_since),) = process.mender.asked
    assert (owner, since) == (DEPLOYMENT, began)
    assert works_since == process.resolution(key).time


async def test_what_could_not_be_written_is_told_later_with_when_it_began() -> None:
    process = Recovering(ready=lambda: False)  # Nothing is taken up: only the write can fail.
    key = await process.fail()
    began = process.record.sightings.by_resource[key].turned_at
    assert await over(process, key, fail_next=overloaded()) == [(key, MENDED)]
    assert [each[1] for each in process.mender.asked] == [began, began]


@pytest.mark.parametrize(
    "error", [overloaded(), ForbiddenError("no", status=403), RuntimeError("a defect of ours")]
)
async def test_what_mended_it_and_cannot_be_read_holds_nothing_up(error: Exception) -> None:
    process = Recovering()
    key = await process.fail()
    process.mender.answer = error
    assert await over(process, key) == [(key, Mended())]
    assert process.resolution(key).how == ()


async def test_what_mended_it_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "MENDING_SECONDS", 0.01)
    process = Recovering()
    key = await process.fail()
    process.mender.hangs = True
    assert await over(process, key) == [(key, Mended())]


async def test_what_fails_again_while_that_is_read_is_not_over() -> None:
    process = Recovering()
    key = await process.fail()
    real = process.mender.mended

    async def slow(owner: Owner, **given: Any) -> Mended:
        found = await real(owner, **given)
        await process.fail()
        process.record.sightings.works("a")
        return found

    process.mender.mended = slow  # type: ignore[method-assign]
    async with process.running():
        process.record.sightings.works("a")
        process.clock.now = STABLE
        await until(lambda: len(process.mender.asked) > 0)
        await some_ticks()
        assert process.said(key) == "False"
    assert len(process.mender.asked) == 1


async def test_many_that_are_over_wait_for_a_few_at_a_time() -> None:
    process = Recovering()
    names = [f"shop-{number}" for number in range(20)]
    keys = []
    for name in names:
        owner = replace(DEPLOYMENT, name=name, uid=name)
        failing = pod(
            container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=2), uid=name
        )
        keys.append(await process.record.see(failing, owner=owner))
    now, most = 0, 0

    async def slow(owner: Owner, **_: Any) -> Mended:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.002)
        now -= 1
        return MENDED

    process.mender.mended = slow  # type: ignore[method-assign]
    async with process.running():
        for name in names:
            process.record.sightings.works(name)
        process.clock.now = STABLE
        await until(lambda: all(process.said(key) == "True" for key in keys if key))
    assert 1 < most <= recovery.AT_ONCE
