"""Probes that fail: containers that are not ready, and those that are killed for it."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from support.pods import at, condition, container, note, pod, running, terminated, waiting

from kausa.cluster.objects import Pod
from kausa.detection.pods import detect_pod
from kausa.detection.surroundings import Note, Surroundings
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.resources.category import Category

PROBE = {"initialDelaySeconds": 5, "periodSeconds": 10, "failureThreshold": 3}


def verdict(pod: Pod, *notes: Note, seconds: float) -> Verdict:
    return detect_pod(pod, around=Surroundings(notes=notes), now=at(seconds))


def probed(*probes: str, **more: Any) -> dict[str, Any]:
    """A spec whose container has these probes."""
    asked = {"name": "api", "image": "i", **{f"{each}Probe": {**PROBE, **more} for each in probes}}
    return {"containers": [asked]}


def complaint(probe: str, *, count: int = 3, first: float = 0, last: float = 0) -> Note:
    return note(
        "Unhealthy",
        f"{probe} probe failed: HTTP probe failed with statuscode: 500",
        container="api",
        count=count,
        first=first,
        last=last,
    )


def unready(
    *probes: str, since: float = 0, runs_since: float = 0, started: bool = True, **more: Any
) -> Pod:
    """A container that runs since then, in a Pod that has not been ready since then."""
    return pod(
        container(running(runs_since), started=started),
        conditions=(
            condition("Ready", "False", "ContainersNotReady", seconds=since),
            condition(
                "ContainersReady",
                "False",
                "ContainersNotReady",
                "containers with unready status: [api]",
                seconds=since,
            ),
        ),
        spec=probed(*probes, **more),
    )


def killed(
    *,
    restarts: int = 1,
    runs_since: float | None = 30,
    code: int = 137,
    ended: float = 30,
    lasted: float = 30,
    probes: tuple[str, ...] = ("liveness",),
) -> Pod:
    """A container with a liveness probe that ended, and runs again or waits to."""
    end = terminated(code, seconds=ended, lasted=lasted)
    state = waiting("CrashLoopBackOff") if runs_since is None else running(runs_since)
    ready = runs_since is not None
    return pod(
        container(state, last=end, restarts=restarts, ready=ready, started=ready),
        conditions=(condition("Ready", "True" if ready else "False"),),
        spec=probed(*probes),
    )


def test_a_container_that_is_ready_no_more_is_a_failure_after_its_probes_own_time() -> None:
    said = complaint("Readiness", count=9, first=606, last=640)
    lost = unready("readiness", since=600)
    early = verdict(lost, said, seconds=620)
    assert (early.symptoms, early.look_again_at) == ((), at(645))
    (symptom,) = verdict(lost, said, seconds=645).symptoms
    assert (symptom.category, symptom.reason, symptom.detail) == (
        Category.PROBE,
        "Unhealthy",
        "readiness",
    )
    assert (symptom.container, symptom.occurrences, symptom.since) == ("api", 9, at(600))
    assert symptom.message.startswith("Readiness probe failed")


QUICK: dict[str, Any] = {"initialDelaySeconds": 0, "periodSeconds": 1, "failureThreshold": 1}


def test_a_quick_probe_still_leaves_half_a_minute_to_come_back() -> None:
    lost = unready("readiness", since=600, **QUICK)
    assert verdict(lost, complaint("Readiness", last=620), seconds=629).symptoms == ()
    assert verdict(lost, complaint("Readiness", last=620), seconds=630).symptoms


@pytest.mark.parametrize("since", [-4.0, 0.0, 10.0])
def test_a_container_that_has_never_been_ready_has_three_minutes_to_start(since: float) -> None:
    """A JVM that needs a minute fails its probe all the while, in every rollout."""
    begins = max(since, 0)
    slow = unready(
        "readiness", since=since, initialDelaySeconds=10, periodSeconds=5, failureThreshold=3
    )
    said = complaint("Readiness", count=30, first=15, last=170)
    early = verdict(slow, said, seconds=begins + 179)
    assert (early.symptoms, early.look_again_at) == ((), at(begins + 180))
    (symptom,) = verdict(slow, said, seconds=begins + 180).symptoms
    assert (symptom.detail, symptom.since) == ("readiness", at(begins))


def test_a_container_whose_probe_gives_longer_than_three_minutes_has_that() -> None:
    slow = unready("readiness", failureThreshold=30)
    said = complaint("Readiness", count=20, last=300)
    assert verdict(slow, said, seconds=314).look_again_at == at(315)
    assert verdict(slow, said, seconds=315).symptoms


def test_a_container_that_was_started_again_begins_anew_to_become_ready() -> None:
    """The Pod is not ready since the container ended: this start has not been ready yet."""
    again = unready("readiness", since=600, runs_since=610, **QUICK)
    said = complaint("Readiness", count=9, first=611, last=780)
    assert verdict(again, said, seconds=700).look_again_at == at(790)
    assert verdict(again, said, seconds=790).symptoms


def test_where_nobody_tells_whether_it_was_ready_it_has_the_longer_time() -> None:
    bare = pod(container(running()), spec=probed("readiness"))
    said = complaint("Readiness", count=9, last=170)
    assert verdict(bare, said, seconds=60).look_again_at == at(180)
    unset = pod(
        container({"running": {"startedAt": "1970-01-01T00:00:00Z"}}),
        conditions=(condition("ContainersReady", "False", seconds=0),),
        spec=probed("readiness"),
    )
    assert verdict(unset, said, seconds=60).look_again_at == at(180)


def test_a_node_that_was_lost_meanwhile_does_not_make_a_container_one_that_was_ready() -> None:
    """The node controller writes Ready at once; ContainersReady is the kubelet's alone."""
    slow = pod(
        container(running()),
        conditions=(
            condition("Ready", "False", seconds=40),
            condition("ContainersReady", "False", seconds=0),
        ),
        spec=probed("readiness"),
    )
    said = complaint("Readiness", count=9, last=100)
    assert verdict(slow, said, seconds=110).look_again_at == at(180)


def test_the_time_of_a_slow_probe_is_believed_up_to_a_day() -> None:
    slow = unready("readiness", periodSeconds=2**40, failureThreshold=2**20)
    assert verdict(slow, complaint("Readiness"), seconds=3600).symptoms == ()
    assert verdict(slow, complaint("Readiness", last=86_000), seconds=86_500).symptoms


def test_without_any_event_only_lasting_makes_it_a_failure() -> None:
    silent = unready("readiness")
    assert verdict(silent, seconds=299).look_again_at == at(300)
    (symptom,) = verdict(silent, seconds=300).symptoms
    assert symptom.message == "containers with unready status: [api]"


def test_an_unready_container_without_a_probe_is_no_failure() -> None:
    assert verdict(unready(), seconds=3600) == HEALTHY


def test_events_from_before_the_container_was_ready_are_history() -> None:
    """It was ready for an hour and has just been lost: only what is said now counts."""
    again = unready("readiness", since=3600)
    old = complaint("Readiness", first=0, last=20)
    assert verdict(again, old, seconds=3660).look_again_at == at(3900)
    new = complaint("Readiness", first=0, last=3590)
    assert verdict(again, new, seconds=3660).symptoms


def test_a_container_that_starts_slowly_has_the_time_that_its_startup_probe_gives() -> None:
    slow = unready("startup", "readiness", started=False, failureThreshold=30)
    said = complaint("Startup", count=20, last=200)
    assert verdict(slow, said, seconds=314).symptoms == ()
    (symptom,) = verdict(slow, said, seconds=315).symptoms
    assert symptom.detail == "startup"


@pytest.mark.parametrize("code", [0, 137, 143])
@pytest.mark.parametrize("runs_since", [None, 30.0])
def test_a_container_that_its_liveness_probe_has_killed_is_no_crash(
    code: int, runs_since: float | None
) -> None:
    (symptom,) = verdict(
        killed(code=code, runs_since=runs_since), complaint("Liveness", last=28), seconds=40
    ).symptoms
    assert (symptom.category, symptom.detail) == (Category.PROBE, "liveness")
    assert symptom.last_seen == at(30)


def test_a_startup_probe_kills_too() -> None:
    (symptom,) = verdict(
        killed(runs_since=None, probes=("startup",)), complaint("Startup", last=28), seconds=40
    ).symptoms
    assert symptom.detail == "startup"


def test_a_life_that_was_too_short_for_the_probe_to_kill_it_ended_by_itself() -> None:
    """Five seconds and three failures ten seconds apart take 25 seconds; it ran for 20."""
    short = killed(runs_since=None, restarts=3, ended=900, lasted=20)
    (symptom,) = verdict(short, complaint("Liveness", last=28), seconds=940).symptoms
    assert symptom.category is Category.CRASH_LOOP
    long = killed(runs_since=None, restarts=3, ended=900, lasted=25)
    (symptom,) = verdict(long, complaint("Liveness", last=28), seconds=940).symptoms
    assert symptom.category is Category.PROBE


def test_a_container_without_such_a_probe_was_not_killed_by_it() -> None:
    """The Event may be of before its spec was changed, in a Pod of a StatefulSet's name."""
    plain = killed(runs_since=None, restarts=3, probes=("readiness",))
    (symptom,) = verdict(plain, complaint("Liveness", last=28), seconds=80).symptoms
    assert symptom.category is Category.CRASH_LOOP


def test_the_probe_stays_the_cause_until_the_container_has_run_for_longer_than_it_takes() -> None:
    said = complaint("Liveness", last=28)
    shown = verdict(killed(), said, seconds=60)
    assert shown.look_again_at == at(30 + 35 + 60)
    assert len(shown.symptoms) == 1
    assert verdict(killed(), said, seconds=125) == HEALTHY
    assert verdict(killed(), complaint("Liveness", last=100), seconds=125).symptoms


def test_out_of_memory_is_not_taken_for_a_probes_kill() -> None:
    dead = pod(
        container(waiting("CrashLoopBackOff"), last=terminated(137, "OOMKilled"), restarts=2),
        spec=probed("liveness"),
    )
    (symptom,) = verdict(dead, complaint("Liveness"), seconds=40).symptoms
    assert symptom.category is Category.OOM_KILLED


def test_an_event_of_long_before_does_not_explain_an_end() -> None:
    late = killed(runs_since=None, ended=4000, restarts=3)
    (symptom,) = verdict(late, complaint("Liveness", last=28), seconds=4100).symptoms
    assert symptom.category is Category.CRASH_LOOP


def test_an_event_of_a_later_life_does_not_explain_an_end() -> None:
    later = complaint("Liveness", first=60, last=70)
    assert verdict(killed(), later, seconds=80) == HEALTHY


def test_a_status_that_arrives_before_the_event_waits_for_it_a_moment() -> None:
    """So whichever stream is faster, the failure has one name."""
    dead = killed(runs_since=None, restarts=3)
    alone = verdict(dead, seconds=31)
    assert (alone.symptoms, alone.look_again_at) == ((), at(35))
    (crash,) = verdict(dead, seconds=35).symptoms
    assert crash.category is Category.CRASH_LOOP
    (probe,) = verdict(dead, complaint("Liveness", last=28), seconds=31).symptoms
    assert probe.category is Category.PROBE


def test_a_container_that_was_never_killed_is_well_though_its_liveness_fails_now_and_then() -> None:
    well = pod(container(running(), ready=True), spec=probed("liveness"))
    assert verdict(well, complaint("Liveness", count=1), seconds=30) == HEALTHY


def test_where_liveness_and_readiness_fail_the_one_that_kills_is_named_in_any_order() -> None:
    both = unready("liveness", "readiness")
    said = (
        complaint("Readiness", count=9, last=170),
        complaint("Liveness", count=2, last=160),
        note("BackOff", "Back-off restarting failed container", container="api"),
    )
    verdicts = {verdict(both, *order, seconds=180) for order in permutations(said)}
    assert len(verdicts) == 1
    assert [each.detail for each in verdicts.pop().symptoms] == ["liveness"]


def test_the_same_probe_has_the_same_identity_before_and_after_the_kill() -> None:
    said = complaint("Liveness", last=28)
    before = verdict(unready("liveness", "readiness"), said, seconds=180).symptoms[0]
    after = verdict(killed(runs_since=None), said, seconds=60).symptoms[0]
    assert (before.reason_class, before.detail) == (after.reason_class, after.detail)
