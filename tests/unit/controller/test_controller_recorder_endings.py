"""What the recorder says of failures that are over, come back, or were left behind."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from support.dossiers import DEPLOYMENT
from support.fake_store import FakeOwners, FakeStore, overloaded
from support.pods import container, pod, terminated, waiting
from support.recording import Recording

from kausa.cluster.errors import ClusterError
from kausa.cluster.objects import Pod
from kausa.controller.sightings import ResourceKey
from kausa.resources.condition import Condition
from kausa.resources.evidence import Change
from kausa.telemetry.clock import utc_now

HOW = (Change(path="spec.replicas", before="1", after="2"),)


def crashing(uid: str = "a", *, restarts: int = 1) -> Pod:
    return pod(
        container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=restarts),
        uid=uid,
        name=f"checkout-{uid}",
    )


@pytest.fixture
def store() -> FakeStore:
    return FakeStore(delay=0.01)


@pytest.fixture
def owners() -> FakeOwners:
    return FakeOwners(DEPLOYMENT)


async def resolved(record: Recording, key: ResourceKey, uid: str) -> None:
    record.sightings.works(uid)
    await record.recorder.resolve(key, worked_since=utc_now())


def said(store: FakeStore) -> Condition:
    (condition,) = store.sightings[-1].conditions or ()
    return condition


async def test_a_failure_that_is_over_is_said_to_be_and_not_kept(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners)
    key = await record.see(crashing("a"))
    assert key is not None
    await resolved(record, key, "a")
    assert said(store).status == "True"
    assert store.sightings[-1].resolution is not None
    assert not record.sightings.by_resource


async def test_a_failure_that_still_shows_is_not_said_to_be_over(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners)
    key = await record.see(crashing("a"))
    assert key is not None
    await record.recorder.resolve(key, worked_since=utc_now())
    assert said(store).status == "False"
    assert record.sightings.by_resource


async def test_a_relapse_reopens_the_same_resource_and_goes_on_counting(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners)
    key = await record.see(crashing("a", restarts=3))
    assert key is not None
    await resolved(record, key, "a")
    assert await record.see(crashing("a", restarts=5)) == key
    assert len(store.applied) == 1
    assert said(store).status == "False"
    last = store.sightings[-1]
    assert last.resolution is None
    assert last.failure is not None
    assert last.failure.occurrences == 6


async def test_a_failure_over_that_cannot_be_written_is_tried_again(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners)
    key = await record.see(crashing("a"))
    assert key is not None
    record.sightings.works("a")
    store.fail_next = overloaded()
    sighting = record.sightings.by_resource[key]
    began = sighting.turned_at
    with pytest.raises(ClusterError):
        await record.recorder.resolve(key, worked_since=utc_now(), how=HOW)
    assert (sighting.resolved, sighting.turned_at, sighting.how) == (False, began, ())
    await record.recorder.resolve(key, worked_since=utc_now())
    assert said(store).status == "True"


async def test_a_failure_over_that_could_not_be_written_goes_on_since_it_began(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners, interval=0.0)
    key = await record.see(crashing("a", restarts=1))
    assert key is not None
    since = said(store).last_transition_time
    record.sightings.works("a")
    store.fail_next = overloaded()
    later = utc_now() + timedelta(hours=1)  # Conditions have whole seconds.
    with pytest.raises(ClusterError):
        await record.recorder.resolve(key, worked_since=later, how=HOW)
    await record.see(crashing("a", restarts=2))
    await record.write_due()
    assert (said(store).status, said(store).last_transition_time) == ("False", since)
    assert store.sightings[-1].resolution is None


async def test_what_was_changed_until_it_was_over_stands_in_the_resource_until_it_relapses(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners)
    key = await record.see(crashing("a", restarts=3))
    assert key is not None
    record.sightings.works("a")
    await record.recorder.resolve(key, worked_since=utc_now(), how=HOW)
    resolution = store.sightings[-1].resolution
    assert resolution is not None
    assert resolution.how == HOW
    await record.see(crashing("a", restarts=5))
    assert store.sightings[-1].resolution is None


async def test_what_an_earlier_process_left_behind_recovers_too(
    store: FakeStore, owners: FakeOwners
) -> None:
    key = await Recording(store, owners).see(crashing("a"))
    assert key is not None
    after = Recording(store, owners)
    after.recorder.adopt(store.resources[key], owner=DEPLOYMENT)
    assert after.sightings.recovered(after_seconds=0) == (key,)
    await after.recorder.resolve(key, worked_since=utc_now())
    assert said(store).status == "True"


async def test_what_was_taken_up_and_fails_again_is_not_over(
    store: FakeStore, owners: FakeOwners
) -> None:
    key = await Recording(store, owners).see(crashing("a", restarts=3))
    assert key is not None
    after = Recording(store, owners)
    after.recorder.adopt(store.resources[key], owner=DEPLOYMENT)
    assert await after.see(crashing("a", restarts=4)) == key
    assert after.sightings.recovered(after_seconds=0) == ()
    (sighting,) = after.sightings.by_resource.values()
    assert sighting.count.occurrences == 5


async def test_a_write_that_is_broken_off_is_made_good_before_the_end(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners, interval=0.0)
    await record.see(crashing(restarts=1))
    await record.see(crashing(restarts=5))
    writing = asyncio.ensure_future(record.write_due())
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await record.writer.write_due(all_of_them=True)
    failure = store.sightings[-1].failure
    assert failure is not None
    assert failure.occurrences == 6


async def test_an_older_write_never_comes_after_that_the_failure_is_over(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners, interval=0.0)
    key = await record.see(crashing("a", restarts=1))
    await record.see(crashing("a", restarts=2))
    assert key is not None
    record.sightings.works("a")
    await asyncio.gather(record.write_due(), record.recorder.resolve(key, worked_since=utc_now()))
    assert said(store).status == "True"
