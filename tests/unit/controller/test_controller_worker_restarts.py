"""A new process knows whose Pods failed before it says what only follows from that."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import Any, cast

import pytest
from msgspec import structs
from support.dossiers import DEPLOYMENT
from support.fake_store import overloaded
from support.objects import NOW, deployment, said
from support.pods import condition, container, pod, running, terminated, waiting
from support.recording import Recording, Working

from kausa.controller import recovery
from kausa.controller.looks import Looks
from kausa.controller.recovery import Recovery
from kausa.controller.scope import Scope
from kausa.detection.workloads.deployments import DEADLINE

OWNER = replace(DEPLOYMENT, uid="uid-of-checkout")
STOPPED = deployment(said("Progressing", "False", DEADLINE, "it has timed out"))
CRASHES = pod(
    container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=2),
    uid="a",
    conditions=(condition("Ready", "False"),),
)
BETWEEN_TWO_CRASHES = pod(
    container(running(), ready=True), uid="a", conditions=(condition("Ready", "True"),)
)


def process(before: Working | None = None) -> Working:
    """One process; the next one on what an earlier one has written."""
    record = Recording(before.store, before.owners) if before is not None else None
    work = Working(record=record, clock=lambda: NOW) if record else Working(clock=lambda: NOW)
    work.owners.owner = OWNER
    work.owners.named["Deployment", "checkout"] = OWNER
    return work


def recovering(work: Working, *, ready: bool = False) -> Recovery:
    return Recovery(
        store=cast(Any, work.store),
        owners=cast(Any, work.owners),
        recorder=work.record.recorder,
        mender=cast(Any, None),
        sightings=work.sightings,
        looks=Looks(refresh_seconds=600),
        scope=Scope(),
        namespace=None,
        ready=lambda: ready,
        stabilisation_seconds=300,
    )


@contextlib.asynccontextmanager
async def running_beside(work: Working, *, ready: bool = False) -> Any:
    task = asyncio.ensure_future(recovering(work, ready=ready).run())
    await asyncio.sleep(0)  # It has begun.
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "TICK_SECONDS", 0.002)
    monkeypatch.setattr(recovery, "SETTLE_SECONDS", 0.002)


async def crashed_before() -> Working:
    first = process()
    first.judge.pod(CRASHES)
    await first.work()
    assert len(first.store.resources) == 1
    return first


@pytest.mark.parametrize("ready", [False, True], ids=["before", "after"])
async def test_a_stopped_rollout_is_no_failure_of_its_own_after_a_restart_between_two_crashes(
    ready: bool,
) -> None:
    """Whether what was left behind has been taken up by then, or only read."""
    work = process(await crashed_before())
    async with running_beside(work, ready=ready):
        await asyncio.sleep(0.05)
        assert bool(work.sightings.by_resource) is ready
        work.judge.pod(BETWEEN_TWO_CRASHES)
        work.judge.workload(STOPPED)
        await work.work()
    assert len(work.store.resources) == 1


async def test_a_stopped_rollout_waits_until_it_is_known_whose_pods_failed_before() -> None:
    work = process(await crashed_before())
    work.sightings.was_left(None)
    work.judge.workload(STOPPED)
    assert [each.reason for each in work.sightings.failing[OWNER.uid].now] == [DEADLINE]
    await work.work(seconds=0.02)
    assert len(work.store.resources) == 1
    async with running_beside(work):
        await work.work()
    assert len(work.store.resources) == 1


async def test_a_stopped_rollout_of_which_no_pod_failed_is_told_after_a_restart() -> None:
    work = process()
    async with running_beside(work):
        work.judge.workload(STOPPED)
        await work.work()
    assert work.recorded() == ["Deployment/checkout"]


async def test_what_cannot_be_read_soon_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "LONGEST_HOLD_SECONDS", 0.03)
    work = process()

    def fails(**_: Any) -> Any:
        raise overloaded()

    work.store.unresolved = fails  # type: ignore[method-assign]
    async with running_beside(work):
        work.judge.workload(STOPPED)
        await work.work()
    assert work.recorded() == ["Deployment/checkout"]


async def test_a_failure_of_pods_that_is_over_or_deleted_counts_no_more() -> None:
    work = process()
    key = ("shop", "checkout-crashloop-1")
    work.sightings.was_left({OWNER.uid: (key,), "another": (key, ("shop", "x"))})
    assert work.sightings.of_pods(OWNER.uid) == (key,)
    assert work.sightings.failing_pods_of(OWNER.uid) == 1
    work.sightings.remove(key)
    assert work.sightings.of_pods(OWNER.uid) == ()
    assert work.sightings.of_pods("another") == (("shop", "x"),)


async def test_what_was_taken_up_is_still_known_for_a_failure_of_pods() -> None:
    work = process(await crashed_before())
    ((key, resource),) = work.store.resources.items()
    work.record.recorder.adopt(resource, owner=OWNER)
    assert work.sightings.of_pods(OWNER.uid) == (key,)
    assert work.sightings.failing_pods_of(OWNER.uid) == 1
    assert structs.asdict(work.sightings.by_resource[key].shown_by)["kind"] == "Deployment"
