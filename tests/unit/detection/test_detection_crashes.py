"""Containers that ended: once or again, long ago or just now, and never started again."""

from __future__ import annotations

from typing import Any

import pytest
from support.pods import at, condition, container, note, pod, running, terminated, waiting

from kausa.cluster.objects import Pod
from kausa.detection.pods import detect_pod
from kausa.detection.surroundings import Note, Surroundings
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.resources.category import Category

DAY = 86_400.0
READY = condition("Ready", "True")
PROBE = {"initialDelaySeconds": 5, "periodSeconds": 10, "failureThreshold": 3}


def verdict(found: Pod, *notes: Note, seconds: float) -> Verdict:
    return detect_pod(found, around=Surroundings(notes=notes), now=at(seconds))


def again(
    last: dict[str, Any], *, restarts: int, since: float, ready: bool = True, **more: Any
) -> Pod:
    """A container that runs again since then."""
    return pod(
        container(running(since), last=last, restarts=restarts, ready=ready),
        conditions=(READY if ready else condition("Ready", "False", "ContainersNotReady"),),
        **more,
    )


def complaint(*, last: float) -> Note:
    return note(
        "Unhealthy", "Liveness probe failed: 500", container="api", count=3, first=-9000, last=last
    )


@pytest.mark.parametrize("ready", [True, False])
@pytest.mark.parametrize("restarts", [1, 40])
def test_a_container_that_ran_out_of_memory_just_before_shows_it_though_it_runs_again(
    ready: bool, restarts: int
) -> None:
    """Whoever did not look in the moment between two runs would never see it."""
    back = again(terminated(137, "OOMKilled", lasted=5), restarts=restarts, since=1, ready=ready)
    shown = verdict(back, seconds=10)
    (symptom,) = shown.symptoms
    assert (symptom.category, symptom.occurrences) == (Category.OOM_KILLED, restarts)
    assert (symptom.last_seen, shown.look_again_at) == (at(0), at(121))
    assert verdict(back, seconds=121).symptoms == ()


def test_running_out_of_memory_is_counted_the_same_before_and_after_the_start() -> None:
    end = terminated(137, "OOMKilled")
    (before,) = verdict(pod(container(end, restarts=3)), seconds=1).symptoms
    (after,) = verdict(again(end, restarts=4, since=1), seconds=2).symptoms
    assert before == after


@pytest.mark.parametrize(
    ("lasted", "until"), [(5.0, 120.0), (119.0, 120.0), (300.0, 300.0), (30 * DAY, 600.0)]
)
def test_how_long_an_end_counts_goes_by_the_life_before_it(lasted: float, until: float) -> None:
    back = again(terminated(137, "OOMKilled", lasted=lasted), restarts=1, since=0)
    assert verdict(back, seconds=until - 1).look_again_at == at(until)
    assert verdict(back, seconds=until - 1).symptoms
    assert verdict(back, seconds=until) == HEALTHY


@pytest.mark.parametrize("ready", [True, False])
@pytest.mark.parametrize("last", [terminated(137, "OOMKilled"), terminated(3)])
def test_how_a_running_container_ended_long_ago_is_no_failure_of_now(
    last: dict[str, Any], ready: bool
) -> None:
    assert verdict(again(last, restarts=9, since=1, ready=ready), seconds=601) == HEALTHY


def test_a_container_that_crashed_again_and_again_is_not_well_as_soon_as_it_runs() -> None:
    back = again(terminated(3), restarts=4, since=20)
    (symptom,) = verdict(back, seconds=60).symptoms
    (waits,) = verdict(
        pod(container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=3)), seconds=10
    ).symptoms
    assert symptom == waits
    assert verdict(back, seconds=140) == HEALTHY


@pytest.mark.parametrize(
    ("last", "restarts"),
    [
        (terminated(3), 1),
        (terminated(0, "Completed"), 4),
        (terminated(255, "Unknown", lasted=30 * DAY), 2),
        (terminated(3, lasted=600), 4),
    ],
    ids=["once", "with success", "after weeks, as its node was started anew", "after minutes"],
)
def test_one_end_before_a_run_is_no_failure_of_the_run(last: dict[str, Any], restarts: int) -> None:
    assert verdict(again(last, restarts=restarts, since=1), seconds=2) == HEALTHY


def test_what_a_probe_may_have_killed_is_no_crash_while_it_runs_whoever_says_so() -> None:
    probed = {"containers": [{"name": "api", "livenessProbe": PROBE}]}
    killed = terminated(137, lasted=30)
    assert verdict(again(killed, restarts=4, since=1, spec=probed), seconds=20) == HEALTHY
    plain = {"containers": [{"name": "api"}]}
    assert verdict(again(killed, restarts=4, since=1, spec=plain), seconds=20).symptoms


def test_a_sidecar_that_ran_out_of_memory_is_seen_in_a_pod_that_is_ready() -> None:
    proxied = pod(
        container(running(), ready=True),
        init=(
            container(
                running(1), name="proxy", last=terminated(137, "OOMKilled"), restarts=1, ready=True
            ),
        ),
        conditions=(READY,),
        spec={"initContainers": [{"name": "proxy", "restartPolicy": "Always"}]},
    )
    (symptom,) = verdict(proxied, seconds=2).symptoms
    assert symptom.container == "proxy"


def ends(
    state: dict[str, Any], *, restarts: int, last: dict[str, Any] | None = None, **more: Any
) -> Pod:
    """A container that has ended, in a Pod that is not ready."""
    return pod(
        container(state, restarts=restarts, last=last),
        conditions=(condition("Ready", "False", "ContainersNotReady"),),
        **more,
    )


@pytest.mark.parametrize(
    ("state", "last"),
    [
        (terminated(1, lasted=3599), None),
        (terminated(1, lasted=30), terminated(1, seconds=-40)),
        # A container that never started has no time: it is at its second attempt.
        ({"terminated": {"exitCode": 128, "startedAt": "1970-01-01T00:00:00Z"}}, None),
    ],
)
def test_a_second_end_within_an_hour_is_a_failure_at_once(
    state: dict[str, Any], last: dict[str, Any] | None
) -> None:
    (symptom,) = verdict(ends(state, restarts=1, last=last), seconds=1).symptoms
    assert symptom.category is Category.CRASH_LOOP


@pytest.mark.parametrize(
    "state",
    [terminated(255, "Unknown", lasted=30 * DAY), terminated(1, lasted=3601)],
    ids=["its node was started anew", "a crash"],
)
def test_an_end_long_after_an_earlier_one_is_a_first_one(state: dict[str, Any]) -> None:
    before = terminated(1, seconds=-30 * DAY)
    found = verdict(ends(state, restarts=1, last=before), seconds=1)
    assert (found.symptoms, found.look_again_at) == ((), at(300))


def test_a_container_that_waits_with_its_next_start_loops_whenever_it_ended_before() -> None:
    waits = pod(
        container(waiting("CrashLoopBackOff"), last=terminated(1, lasted=30 * DAY), restarts=1)
    )
    assert verdict(waits, seconds=1).symptoms


@pytest.mark.parametrize(
    ("state", "restarts", "reason"),
    [
        (terminated(1), 0, "Error"),
        (terminated(0, "Completed"), 0, "Completed"),
        (terminated(0, "Completed"), 3, "Completed"),
        (terminated(255, "Unknown", lasted=30 * DAY), 1, "Unknown"),
    ],
)
def test_a_container_that_ended_and_is_not_started_again_is_a_failure_after_minutes(
    state: dict[str, Any], restarts: int, reason: str
) -> None:
    left = ends(state, restarts=restarts)
    early = verdict(left, seconds=299)
    assert (early.symptoms, early.look_again_at) == ((), at(300))
    (symptom,) = verdict(left, seconds=300).symptoms
    assert (symptom.category, symptom.reason) == (Category.CRASH_LOOP, reason)
    assert symptom.occurrences == restarts + 1


def test_an_end_that_no_start_follows_is_the_same_failure_as_the_loop_before_it() -> None:
    end = terminated(1, lasted=30 * DAY)
    (left,) = verdict(ends(end, restarts=1), seconds=300).symptoms
    (loop,) = verdict(
        pod(container(waiting("CrashLoopBackOff"), last=end, restarts=2)), seconds=1
    ).symptoms
    assert (left.reason_class, left.detail) == (loop.reason_class, loop.detail)


def test_a_container_that_its_probe_ended_and_nobody_starts_again_is_the_probes_failure() -> None:
    probed = {"containers": [{"name": "api", "livenessProbe": PROBE}]}
    left = ends(terminated(137, lasted=40), restarts=0, spec=probed)
    assert verdict(left, complaint(last=-2), seconds=299).look_again_at == at(300)
    (symptom,) = verdict(left, complaint(last=-2), seconds=300).symptoms
    assert (symptom.category, symptom.detail) == (Category.PROBE, "liveness")


JOB = {"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "j", "controller": True}


@pytest.mark.parametrize(
    "done",
    [
        ends(terminated(0, "Completed"), restarts=3, spec={"restartPolicy": "OnFailure"}),
        ends(terminated(0, "Completed"), restarts=0, spec={"restartPolicy": "Never"}),
        ends(terminated(1), restarts=0, spec={"restartPolicy": "Never"}, owner=JOB),
        pod(
            container(running(), ready=True),
            init=(container(terminated(0, "Completed"), name="migrate", restarts=2),),
            conditions=(READY, condition("PodResizePending", "True", "Deferred")),
        ),
    ],
    ids=["on failure", "never", "a job's", "an init container"],
)
def test_a_container_that_has_ended_as_it_should_waits_for_no_start(done: Pod) -> None:
    assert verdict(done, seconds=3600) == HEALTHY


@pytest.mark.parametrize(("last", "shown"), [(-2800.0, 0), (-41.0, 0), (-40.0, 1), (-2.0, 1)])
def test_a_container_that_completed_its_work_was_not_killed_by_a_probe_that_failed_before(
    last: float, shown: int
) -> None:
    worker = {
        "restartPolicy": "OnFailure",
        "containers": [{"name": "api", "livenessProbe": PROBE}],
    }
    done = ends(terminated(0, "Completed", lasted=2800), restarts=1, spec=worker)
    assert len(verdict(done, complaint(last=last), seconds=10).symptoms) == shown
