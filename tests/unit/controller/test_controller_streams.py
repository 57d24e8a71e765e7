"""What the streams hand on, and what they forget."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any, Generic, TypeVar, cast

from support.dossiers import DEPLOYMENT
from support.fake_store import FakeOwners, FakeStore
from support.pods import container, event, pod, terminated, waiting
from support.recording import Recording, Working

from kausa.cluster.objects import Event, Marks, Meta, Pod
from kausa.cluster.watch import Change, ChangeType
from kausa.cluster.workload_kinds import ChangingMeta
from kausa.cluster.workloads import Deployment, Namespace
from kausa.controller.scope import Scope
from kausa.controller.streams import Streams

KILLED = pod(container(terminated(137, "OOMKilled")), uid="u")
RUNS_AGAIN = pod(container({"running": {}}, last=terminated(137, "OOMKilled"), restarts=1), uid="u")
T = TypeVar("T", Pod, Event, Namespace)


class FakeWatcher(Generic[T]):
    """Delivers what it was given, all at once, and then nothing more."""

    def __init__(self, *changes: Change[T]) -> None:
        self._changes: tuple[Change[T], ...] = changes
        self.synced = asyncio.Event()
        self.forbidden = False
        self.lists_asked_for = 0

    def request_list(self) -> None:
        self.lists_asked_for += 1

    async def changes(self) -> AsyncIterator[Change[T]]:
        async for batch in self.batches():
            for change in batch:
                yield change

    async def batches(self) -> AsyncIterator[Iterator[Change[T]]]:
        yield iter(self._changes)
        self.synced.set()
        await asyncio.Event().wait()


def seen(found: T) -> Change[T]:
    return Change(type=ChangeType.SEEN, uid=found.metadata.uid, object=found)


def gone(found: T) -> Change[T]:
    return Change(type=ChangeType.DELETED, uid=found.metadata.uid, object=None)


async def watched(
    *changes: Change[Pod],
    events: tuple[Change[Event], ...] = (),
    namespaces: tuple[Change[Namespace], ...] = (),
    workloads: tuple[Change[Any], ...] = (),
    scope: Scope | None = None,
    recording: Recording | None = None,
    told: dict[str, Any] | None = None,
) -> Recording:
    """What was recorded of these changes."""
    record = recording or Recording(FakeStore(), FakeOwners(DEPLOYMENT))
    process = Working(record=record, scope=scope or Scope(), queue_size=10)
    streams = Streams(
        pods=cast(Any, FakeWatcher(*changes)),
        events=cast(Any, FakeWatcher(*events)),
        namespaces=cast(Any, FakeWatcher(*namespaces)),
        workloads={"deployments": cast(Any, FakeWatcher(*workloads))} if workloads else {},
        scope=process.scope,
        judge=process.judge,
        worker=process.worker,
        writer=record.writer,
        sightings=record.sightings,
        owners=cast(Any, record.owners),
    )
    for name, told_of in (told or {}).items():
        setattr(streams, name, told_of)
    running = asyncio.ensure_future(streams.run())
    await settled(streams, process)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return record


async def settled(streams: Streams, process: Working) -> None:
    """Until all is read, judged and worked on, however busy the machine is."""
    queue, calm = process.queue, 0
    async with asyncio.timeout(30):
        while calm < 5:
            await asyncio.sleep(0.02)
            busy = len(queue) or queue._in_work or queue._timers
            calm = calm + 1 if streams.synced and not busy else 0


async def recorded(*changes: Change[Pod], **given: Any) -> list[str]:
    """The names of the resources that are made of these changes."""
    record = await watched(*changes, **given)
    return [each.metadata.name for each in record.store.applied]


async def test_a_failure_that_is_over_before_anybody_looked_is_recorded_all_the_same() -> None:
    (name,) = await recorded(seen(KILLED), seen(RUNS_AGAIN))
    assert "oomkilled" in name


async def test_a_failure_that_is_over_is_not_held_to_go_on() -> None:
    record = await watched(seen(KILLED), seen(RUNS_AGAIN))
    ((key, sighting),) = record.sightings.by_resource.items()
    assert not sighting.failing
    assert record.sightings.recovered(after_seconds=0) == (key,)


async def test_two_failures_that_follow_one_another_quickly_are_both_recorded() -> None:
    other = pod(container(waiting("ImagePullBackOff")), uid="u")
    names = await recorded(seen(KILLED), seen(other))
    assert sorted(name.split("-")[1] for name in names) == ["imagepull", "oomkilled"]


async def test_a_pod_that_is_gone_before_anybody_looked_is_not_recorded() -> None:
    assert await recorded(seen(KILLED), gone(KILLED)) == []


async def test_a_healthy_pod_is_not_recorded() -> None:
    assert await recorded(seen(RUNS_AGAIN)) == []


async def test_attempts_that_events_count_reach_the_resource() -> None:
    failing = pod(container(waiting("ImagePullBackOff")), uid="u", phase="Pending")
    record = await watched(
        seen(failing), events=(seen(event("Failed", "Failed to pull image", uid="u", count=7)),)
    )
    (sighting,) = record.sightings.by_resource.values()
    assert sighting.count.occurrences == 7


async def test_a_namespace_that_is_left_out_by_its_label_is_not_watched() -> None:
    label = Meta(name="shop", uid="n", labels=Marks(diagnose="disabled"))
    assert await recorded(seen(KILLED), namespaces=(seen(Namespace(metadata=label)),)) == []


async def test_the_own_namespace_is_not_watched() -> None:
    assert await recorded(seen(KILLED), scope=Scope(own_namespace="shop")) == []


async def test_a_workload_that_opted_out_is_not_recorded() -> None:
    owners = FakeOwners(replace(DEPLOYMENT, marked="false"))
    record = Recording(FakeStore(), owners)
    assert await recorded(seen(KILLED), recording=record) == []


async def test_repeats_that_were_not_due_yet_are_written_before_the_end() -> None:
    again = pod(container(terminated(137, "OOMKilled"), restarts=4), uid="u")
    record = await watched(seen(KILLED))
    await watched(seen(again), recording=record)
    last = record.store.sightings[-1].failure
    assert last is not None
    assert last.occurrences == 5


async def test_owners_that_are_watched_are_told_to_who_looks_for_owners() -> None:
    record = Recording(FakeStore(), owners := FakeOwners(DEPLOYMENT))
    here, away = two_deployments()
    await watched(workloads=(seen(here), seen(away), gone(away)), recording=record)
    assert owners.known == {"a": here.metadata}


def two_deployments() -> tuple[Deployment, Deployment]:
    first, second = (
        Deployment(metadata=ChangingMeta(name=name, namespace="shop", uid=name))
        for name in ("a", "b")
    )
    return first, second


async def test_who_follows_rollouts_is_told_of_every_workload_and_of_those_that_are_gone() -> None:
    here, away = two_deployments()
    saw: list[Any] = []
    went: list[str] = []
    await watched(
        workloads=(seen(here), seen(away), gone(away)),
        told={"on_workload": saw.append, "on_workload_gone": went.append},
    )
    assert saw == [here, away]
    assert went == ["b"]


async def test_who_follows_rollouts_and_breaks_does_not_stop_the_stream() -> None:
    here, away = two_deployments()
    saw: list[Any] = []

    def breaks(found: Any) -> None:
        saw.append(found)
        raise RuntimeError("a defect of ours")

    record = Recording(FakeStore(), owners := FakeOwners(DEPLOYMENT))
    await watched(
        workloads=(seen(here), seen(away), gone(away)),
        recording=record,
        told={"on_workload": breaks, "on_workload_gone": breaks},
    )
    assert saw == [here, away, "b"]
    assert owners.known == {"a": here.metadata}
