"""One resource for each failure, its repeats counted, whatever fails on the way."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from support.dossiers import DEPLOYMENT
from support.fake_store import FakeOwners, FakeStore, overloaded
from support.pods import container, event, pod, terminated, waiting
from support.recording import Recording

from kausa.cluster.errors import ClusterError, NamespaceTerminatingError
from kausa.cluster.objects import Pod
from kausa.cluster.owners import Owner
from kausa.controller.sighting_writer import AT_ONCE, CROWD
from kausa.detection.events import note_of
from kausa.detection.surroundings import Surroundings
from kausa.resources.failure_diagnosis import FailureDiagnosis


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


async def test_three_pods_that_fail_at_once_open_one_resource(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners)
    keys = await asyncio.gather(*(record.see(crashing(uid)) for uid in "abc"))
    assert len(set(keys)) == len(store.applied) == 1
    (sighting,) = record.sightings.by_resource.values()
    assert (sighting.count.occurrences, sighting.count.pod_count) == (6, 3)


async def test_the_first_sighting_is_written_at_once_and_repeats_only_when_due(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners, interval=0.05)
    await record.see(crashing(restarts=1))
    await record.see(crashing(restarts=2))
    assert [each.failure.occurrences for each in store.sightings if each.failure] == [2]
    assert (await record.write_due()).gone == ()
    assert len(store.sightings) == 1
    await asyncio.sleep(0.06)
    await record.write_due()
    assert [each.failure.occurrences for each in store.sightings if each.failure] == [2, 3]


async def test_where_a_crowd_fails_again_and_again_each_repeat_waits_for_longer(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners, interval=0.05)
    await record.see(crashing(restarts=1))
    (sighting,) = record.sightings.by_resource.values()
    for number in range(3 * CROWD):
        record.sightings.add(("shop", f"other-{number}"), replace(sighting, dirty=False))
    await record.see(crashing(restarts=2))
    await asyncio.sleep(0.06)
    await record.write_due()
    assert len(store.sightings) == 1
    await asyncio.sleep(0.12)
    await record.write_due()
    assert [each.failure.occurrences for each in store.sightings if each.failure] == [2, 3]


async def test_repeats_are_not_written_while_the_resource_is_still_being_opened(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners, interval=0.0)
    opening = asyncio.ensure_future(record.see(crashing()))
    while not record.sightings.by_resource:
        await asyncio.sleep(0)
    assert (await record.write_due()).gone == ()
    await opening
    assert record.sightings.by_resource


async def test_a_failed_apply_is_forgotten_so_that_the_next_try_makes_it(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners)
    store.fail_next = overloaded()
    with pytest.raises(ClusterError):
        await record.see(crashing())
    assert not record.sightings.by_resource
    assert await record.see(crashing()) is not None
    assert len(store.sightings) == 1


async def test_a_failed_write_is_made_good_by_the_next_try(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners, interval=0.0)
    await record.see(crashing(restarts=1))
    await record.see(crashing(restarts=2))
    store.fail_next = overloaded()
    assert (await record.write_due()).error is not None
    assert (await record.write_due()).error is None
    failure = store.sightings[-1].failure
    assert failure is not None
    assert failure.occurrences == 3


async def test_an_owner_that_is_being_deleted_gets_no_resource(
    store: FakeStore, owners: FakeOwners
) -> None:
    owners.there = False
    assert await Recording(store, owners).see(crashing()) is None
    assert store.applied == []


async def test_a_resource_that_somebody_deleted_is_told_as_gone(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners, interval=0.0)
    key = await record.see(crashing(restarts=1))
    store.resources.clear()
    await record.see(crashing(restarts=2))
    assert (await record.write_due()).gone == (key,)


async def test_a_new_process_takes_up_the_count_of_the_one_before(
    store: FakeStore, owners: FakeOwners
) -> None:
    await Recording(store, owners).see(crashing(restarts=4))
    after = Recording(store, owners)
    await after.see(crashing(restarts=4))
    await after.see(crashing(restarts=6))
    (sighting,) = after.sightings.by_resource.values()
    assert sighting.count.occurrences == 7
    assert len(store.applied) == 1


async def test_attempts_that_only_events_count_raise_the_occurrences(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners)
    failing = pod(container(waiting("ImagePullBackOff")), phase="Pending")
    note = note_of(event("Failed", "Failed to pull image", count=5))
    assert note is not None
    await record.see(failing, around=Surroundings(notes=(note,)))
    (sighting,) = record.sightings.by_resource.values()
    assert sighting.count.occurrences == 5


async def test_a_secret_in_a_message_is_not_written(store: FakeStore, owners: FakeOwners) -> None:
    secret = "".join(("not", "-for", "-you"))
    state = terminated(3, message=f"password={secret}")
    failing = pod(container(waiting("CrashLoopBackOff"), last=state, restarts=1))
    await Recording(store, owners).see(failing)
    assert secret not in repr(store.sightings)


async def test_a_namespace_that_is_going_gets_no_resource_and_no_retry(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners)
    store.fail_next = NamespaceTerminatingError("shop is being terminated", status=403)
    assert await record.see(crashing()) is None
    assert not record.sightings.by_resource


async def test_one_resource_that_cannot_be_written_holds_up_no_other(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners, interval=0.0)
    for exit_code in (1, 2, 3):
        for restarts in (1, 2):
            state = container(
                waiting("CrashLoopBackOff"), last=terminated(exit_code), restarts=restarts
            )
            await record.see(pod(state, uid=f"uid-{exit_code}"))
    store.sightings.clear()
    store.fail_next = overloaded()
    written = await record.write_due()
    assert written.error is not None
    assert len(store.sightings) == 2


async def test_repeats_are_written_a_few_at_a_time_and_each_once(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners, interval=0.0)
    for exit_code in range(1, 21):
        for restarts in (1, 2):
            state = container(
                waiting("CrashLoopBackOff"), last=terminated(exit_code), restarts=restarts
            )
            await record.see(pod(state, uid=f"uid-{exit_code}"))
    store.sightings.clear()
    assert (await record.write_due()).count == 20
    assert len(store.sightings) == 20
    assert store.most_at_once == AT_ONCE
    assert {each.failure.exit_code for each in store.sightings if each.failure} == set(range(1, 21))


async def test_restarts_of_an_earlier_failure_are_not_counted_for_a_new_one(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners)
    for exit_code, restarts in ((1, 9), (2, 10)):
        state = container(
            waiting("CrashLoopBackOff"), last=terminated(exit_code), restarts=restarts
        )
        await record.see(pod(state, uid="same"))
    counts = [each.count.occurrences for each in record.sightings.by_resource.values()]
    assert counts == [10, 1]


async def test_an_out_of_memory_that_the_kubelet_calls_an_error_next_time_is_one_failure(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners)
    for restarts, reason in ((1, "OOMKilled"), (2, "Error"), (3, "OOMKilled")):
        state = container(
            waiting("CrashLoopBackOff"), last=terminated(1, reason), restarts=restarts
        )
        await record.see(pod(state, uid="same"))
    (sighting,) = record.sightings.by_resource.values()
    assert sighting.symptom.reason == "OOMKilled"
    assert sighting.count.occurrences == 4
    assert sighting.symptom.last_seen is not None


async def test_a_pod_that_runs_between_two_crashes_is_still_known_for_them(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners)
    key = await record.see(crashing("a"))
    assert record.sightings.resources_of("a") == (key,)
    assert record.sightings.resources_of("b") == ()


async def test_a_new_process_that_sees_an_error_first_knows_the_out_of_memory_of_the_old_one(
    store: FakeStore, owners: FakeOwners
) -> None:
    for restarts, reason in ((1, "OOMKilled"), (2, "Error")):
        state = container(
            waiting("CrashLoopBackOff"), last=terminated(137, reason), restarts=restarts
        )
        await Recording(store, owners).see(pod(state, uid="same"))
    assert len(store.applied) == 1


async def test_an_error_that_is_called_out_of_memory_a_moment_later_is_one_failure(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners)
    for restarts, reason in ((1, "Error"), (1, "OOMKilled"), (2, "Error")):
        state = container(
            waiting("CrashLoopBackOff"), last=terminated(137, reason), restarts=restarts
        )
        await record.see(pod(state, uid="same"))
    (sighting,) = record.sightings.by_resource.values()
    assert sighting.symptom.reason == "OOMKilled"
    assert len(store.applied) == 1


async def test_two_pods_of_which_one_says_error_and_one_out_of_memory_are_one_failure(
    store: FakeStore, owners: FakeOwners
) -> None:
    record = Recording(store, owners)
    for uid, reason in (("a", "Error"), ("b", "OOMKilled")):
        state = container(waiting("CrashLoopBackOff"), last=terminated(137, reason), restarts=1)
        await record.see(pod(state, uid=uid))
    assert len(store.applied) == 1


async def test_a_new_process_that_sees_out_of_memory_first_knows_the_error_of_the_old_one(
    store: FakeStore, owners: FakeOwners
) -> None:
    for restarts, reason in ((1, "Error"), (2, "OOMKilled")):
        state = container(
            waiting("CrashLoopBackOff"), last=terminated(137, reason), restarts=restarts
        )
        await Recording(store, owners).see(pod(state, uid="same"))
    assert len(store.applied) == 1
    failure = store.sightings[-1].failure
    assert failure is not None
    assert failure.reason == "OOMKilled"


class WaitsForTheOther(FakeStore):
    """Does not answer before the owner has been asked for too."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = asyncio.Event()

    async def get(self, *, namespace: str, name: str) -> FailureDiagnosis | None:
        await self.may_answer.wait()
        return await super().get(namespace=namespace, name=name)


class Asked(FakeOwners):
    """Says that it was asked; cannot answer where an error is given."""

    def __init__(self, asked: asyncio.Event, *, error: ClusterError | None = None) -> None:
        super().__init__(DEPLOYMENT)
        self.asked = asked
        self.error = error

    async def exists(self, owner: Owner) -> bool:
        self.asked.set()
        if self.error is not None:
            raise self.error
        return await super().exists(owner)


async def test_what_must_be_known_before_a_resource_is_made_is_asked_at_once() -> None:
    store = WaitsForTheOther()
    async with asyncio.timeout(1):
        assert await Recording(store, Asked(store.may_answer)).see(crashing()) is not None
    assert len(store.applied) == 1


async def test_an_owner_that_cannot_be_asked_now_gets_its_resource_with_the_next_try() -> None:
    store = WaitsForTheOther()
    owners = Asked(store.may_answer, error=overloaded())
    record = Recording(store, owners)
    with pytest.raises(ClusterError):
        await record.see(crashing())
    assert (store.applied, record.sightings.by_resource) == ([], {})
    owners.error = None
    assert await record.see(crashing()) is not None


async def test_a_resource_that_is_there_is_taken_up_though_its_owner_cannot_be_asked() -> None:
    store = WaitsForTheOther()
    owners = Asked(store.may_answer)
    key = await Recording(store, owners).see(crashing())
    owners.error = overloaded()
    assert await Recording(store, owners).see(crashing()) == key
    assert len(store.applied) == 1


async def test_diagnoses_wait_while_a_resource_is_made(store: FakeStore) -> None:
    record = Recording(store, FakeOwners(DEPLOYMENT))
    opening = asyncio.create_task(record.see(crashing()))
    await asyncio.sleep(0)
    waiting_for_it = asyncio.create_task(record.sightings.openings.over())
    await asyncio.sleep(0.002)
    assert not waiting_for_it.done()
    await opening
    async with asyncio.timeout(1):
        await waiting_for_it
