"""What fails now, under which resources, and when an owner has been well for long enough."""

from __future__ import annotations

from dataclasses import replace

from support.dossiers import DEPLOYMENT
from support.pods import container, pod, waiting
from support.recording import HandClock

from kausa.cluster.owners import Owner
from kausa.controller.found import Found, reference
from kausa.controller.sightings import ResourceKey, Sighting, Sightings
from kausa.detection.counting import FailureCount
from kausa.detection.symptom import Symptom
from kausa.resources.category import Category
from kausa.telemetry.clock import utc_now

FAILS = Symptom(
    category=Category.CRASH_LOOP,
    reason="CrashLoopBackOff",
    reason_class="CrashLoop",
    detail="exit 3",
    message="",
    container="api",
)
A: ResourceKey = ("shop", "a")
B: ResourceKey = ("shop", "b")


def found(uid: str) -> Found:
    failing = pod(container(waiting("CrashLoopBackOff"), restarts=2), uid=uid)
    return Found(object=failing, symptoms=(FAILS,), now=(FAILS,))


def sighting(owner: Owner = DEPLOYMENT) -> Sighting:
    now = utc_now()
    return Sighting(
        owner=owner,
        shown_by=reference(found("a").object),
        symptom=FAILS,
        fingerprint="f" * 16,
        count=FailureCount(first_seen=now, last_seen=now),
        turned_at=now,
    )


def known(clock: HandClock, *keys: ResourceKey) -> Sightings:
    sightings = Sightings(clock=clock)
    for key in keys:
        sightings.add(key, sighting())
    return sightings


def fail(sightings: Sightings, uid: str, *keys: ResourceKey) -> None:
    sightings.fails(uid, found(uid))
    owner = sightings.by_resource[keys[0]].owner if keys else None
    sightings.recorded(uid, keys, owner=owner)
    sightings.seen(keys)


def test_an_owner_is_well_when_none_of_its_objects_has_failed_for_so_long() -> None:
    clock = HandClock()
    sightings = known(clock, A)
    fail(sightings, "p", A)
    clock.now = 100.0
    sightings.works("p")
    assert sightings.recovered(after_seconds=300) == ()
    clock.now = 399.0
    assert sightings.recovered(after_seconds=300) == ()
    clock.now = 400.0
    assert sightings.recovered(after_seconds=300) == (A,)


def test_an_owner_of_which_another_pod_or_another_failure_goes_on_is_not_well() -> None:
    clock = HandClock()
    sightings = known(clock, A, B)
    fail(sightings, "p", A)
    fail(sightings, "q", B)
    sightings.works("p")
    clock.now = 1000.0
    assert sightings.recovered(after_seconds=300) == ()
    sightings.works("q")
    clock.now = 1300.0
    assert set(sightings.recovered(after_seconds=300)) == {A, B}


def test_a_failure_that_was_over_before_it_was_recorded_recovers_too() -> None:
    clock = HandClock()
    sightings = known(clock, A)
    sightings.recorded("p", (A,))
    sightings.seen((A,))
    clock.now = 300.0
    assert sightings.recovered(after_seconds=300) == (A,)


def test_a_short_failure_begins_the_wait_anew() -> None:
    clock = HandClock()
    sightings = known(clock, A)
    sightings.seen((A,))
    clock.now = 200.0
    fail(sightings, "p", A)
    sightings.works("p")
    clock.now = 300.0
    assert sightings.recovered(after_seconds=300) == ()
    clock.now = 500.0
    assert sightings.recovered(after_seconds=300) == (A,)


def test_a_pod_that_fails_otherwise_now_does_not_fail_in_the_first_way_any_more() -> None:
    sightings = known(HandClock(), A, B)
    fail(sightings, "p", A)
    fail(sightings, "p", B)
    assert not sightings.still_fails(A)
    assert sightings.still_fails(B)
    assert sightings.resources_of("p") == (B,)


def test_a_resource_that_was_deleted_gives_back_what_still_fails() -> None:
    sightings = known(HandClock(), A)
    fail(sightings, "p", A)
    fail(sightings, "q", A)
    sightings.works("q")
    assert [each.shown_by.uid for each in sightings.remove(A)] == ["p"]
    assert sightings.by_resource == {}
    assert sightings.of_owner(DEPLOYMENT.uid) == ()


def test_the_failing_pods_of_an_owner_are_counted() -> None:
    sightings = known(HandClock(), A)
    other = replace(DEPLOYMENT, uid="another")
    sightings.add(B, sighting(other))
    for uid in "pqr":
        fail(sightings, uid, A)
    fail(sightings, "s", B)
    assert sightings.failing_pods_of(DEPLOYMENT.uid) == 3
    assert sightings.failing_pods_of("nobody") == 0


def test_repeats_are_due_only_after_the_interval_and_never_before_the_first_write() -> None:
    clock = HandClock()
    sightings = known(clock, A)
    assert sightings.due(interval_seconds=10) == ()
    sightings.by_resource[A].written_at = 0.0
    clock.now = 9.0
    assert sightings.due(interval_seconds=10) == ()
    clock.now = 10.0
    assert sightings.due(interval_seconds=10) == (A,)
    sightings.by_resource[A].dirty = False
    assert sightings.due(interval_seconds=10) == ()


def test_what_is_left_out_is_not_said_to_have_recovered() -> None:
    clock = HandClock()
    sightings = known(clock, A)
    fail(sightings, "p", A)
    sightings.leave("p")
    clock.now = 1000.0
    assert sightings.recovered(after_seconds=300) == ()
    assert sightings.by_resource == {}


def test_an_owner_that_is_left_out_takes_all_its_failures_with_it() -> None:
    sightings = known(HandClock(), A, B)
    fail(sightings, "p", A)
    fail(sightings, "q", B)
    sightings.works("q")
    sightings.leave_owner(DEPLOYMENT.uid)
    assert sightings.by_resource == {}
    assert sightings.failing == {}


def test_a_namespace_that_is_left_out_takes_its_failures_and_no_others() -> None:
    sightings = known(HandClock(), A)
    fail(sightings, "p", A)
    sightings.leave_namespace("another")
    assert set(sightings.by_resource) == {A}
    sightings.leave_namespace("shop")
    assert sightings.by_resource == {}
