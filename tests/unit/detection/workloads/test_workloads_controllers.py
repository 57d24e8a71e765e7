"""Deployments, StatefulSets and DaemonSets: which fail as a whole, and which only work on it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.objects import NOW, daemon_set, deployment, note, said, stateful_set

from kausa.cluster.workloads import DaemonSet, Deployment, StatefulSet
from kausa.detection.surroundings import Surroundings
from kausa.detection.verdict import HEALTHY
from kausa.detection.workloads.detect import detect_workload
from kausa.resources.category import Category

QUOTA = (
    'pods "checkout-7885cc5bf8-p95nb" is forbidden: exceeded quota: tight, requested: pods=1, '
    "used: pods=1, limited: pods=1"
)
DEADLINE = said(
    "Progressing",
    "False",
    "ProgressDeadlineExceeded",
    'ReplicaSet "checkout-6c47ddd988" has timed out progressing.',
)
UNAVAILABLE = said("Available", "False", "MinimumReplicasUnavailable", "no minimum availability")
REFUSED = said("ReplicaFailure", "True", "FailedCreate", QUOTA)
BUSY = Surroundings(failing_pods=1)


def test_a_deployment_over_quota_fails_without_a_failing_pod() -> None:
    (symptom,) = detect_workload(deployment(REFUSED, UNAVAILABLE, DEADLINE), now=NOW).symptoms
    assert (symptom.category, symptom.reason) == (Category.QUOTA, "FailedCreate")
    assert symptom.caused_by is not None
    assert symptom.caused_by.name == "tight"
    assert symptom.message == QUOTA


def test_a_refusal_counts_beside_failing_pods_too() -> None:
    verdict = detect_workload(deployment(REFUSED), around=BUSY, now=NOW)
    assert [each.category for each in verdict.symptoms] == [Category.QUOTA]


def test_a_refused_replica_set_is_seen_though_there_is_no_replica_failure() -> None:
    message = 'Failed to create new replica set "checkout-1": replicasets.apps is forbidden: x'
    (symptom,) = detect_workload(
        deployment(said("Progressing", "False", "ReplicaSetCreateError", message)), now=NOW
    ).symptoms
    assert (symptom.category, symptom.reason) == (Category.ADMISSION, "ReplicaSetCreateError")


def test_a_rollout_that_stopped_is_a_failure_only_where_no_pod_fails_by_itself() -> None:
    found = deployment(DEADLINE, UNAVAILABLE, available=1)
    verdict = detect_workload(found, now=NOW)
    (symptom,) = verdict.symptoms
    assert (symptom.category, symptom.reason) == (Category.ROLLOUT, "ProgressDeadlineExceeded")
    assert "1 of 3 replicas are available" in symptom.message
    assert verdict.look_again_at == NOW + timedelta(seconds=60)
    silent = detect_workload(found, around=BUSY, now=NOW)
    assert silent.symptoms == ()
    assert silent.look_again_at == NOW + timedelta(seconds=60)


def test_a_stopped_rollout_is_one_failure_whatever_its_replica_set_is_called() -> None:
    other = said("Progressing", "False", "ProgressDeadlineExceeded", 'ReplicaSet "x" timed out')
    (one,), (two,) = (
        detect_workload(deployment(each), now=NOW).symptoms for each in (DEADLINE, other)
    )
    assert (one.reason_class, one.detail) == (two.reason_class, two.detail)


@pytest.mark.parametrize(
    "healthy",
    [
        deployment(said("Progressing", "True", "ReplicaSetUpdated"), UNAVAILABLE),
        deployment(said("Progressing", "True", "NewReplicaSetAvailable"), available=3),
        deployment(UNAVAILABLE),
        deployment(DEADLINE, paused=True),
        deployment(said("Progressing", "Unknown", "DeploymentPaused"), paused=True),
        deployment(DEADLINE, replicas=0),
        deployment(REFUSED, replicas=0),
        deployment(REFUSED, DEADLINE, deleting=True),
        deployment(said("ReplicaFailure", "False", "FailedCreate", QUOTA)),
        deployment(),
    ],
    ids=[
        "moves", "is done", "is young", "paused with a deadline", "paused", "of none",
        "of none, refused", "is deleted", "is not refused any more", "is new",
    ],
)  # fmt: skip
def test_a_deployment_that_does_not_fail_has_no_symptom(healthy: Deployment) -> None:
    assert detect_workload(healthy, now=NOW) is HEALTHY


AT_ITS_END = said("Progressing", "True", "NewReplicaSetAvailable", "has successfully progressed.")


def test_a_deployment_that_is_not_available_for_long_fails_though_its_rollout_is_done() -> None:
    verdict = detect_workload(deployment(AT_ITS_END, UNAVAILABLE, available=1), now=NOW)
    (symptom,) = verdict.symptoms
    assert (symptom.category, symptom.reason) == (Category.ROLLOUT, "MinimumReplicasUnavailable")
    assert symptom.message == (
        "1 of 3 replicas are available, nothing has changed since 2026-03-01 10:00:00"
    )
    assert symptom.since == NOW - timedelta(hours=2)
    assert verdict.look_again_at == NOW + timedelta(seconds=60)
    silent = detect_workload(deployment(AT_ITS_END, UNAVAILABLE), around=BUSY, now=NOW)
    assert (silent.symptoms, silent.look_again_at) == ((), NOW + timedelta(seconds=60))


def test_a_deployment_without_a_deadline_for_progress_is_judged_by_its_availability() -> None:
    found = deployment(UNAVAILABLE, deadline=2**31 - 1)
    assert [each.reason for each in detect_workload(found, now=NOW).symptoms] == [
        "MinimumReplicasUnavailable"
    ]


@pytest.mark.parametrize(
    "young",
    [
        deployment(AT_ITS_END, said("Available", "False", ago=timedelta(minutes=9))),
        deployment(
            AT_ITS_END,
            said("Available", "False", ago=timedelta(minutes=30)),
            changed=timedelta(minutes=9),
        ),
    ],
    ids=["just lost some", "still changes"],
)
def test_a_deployment_may_lack_pods_for_as_long_as_they_take_to_start(young: Deployment) -> None:
    verdict = detect_workload(young, now=NOW)
    assert (verdict.symptoms, verdict.look_again_at) == ((), NOW + timedelta(minutes=1))


def test_a_deployment_that_is_changed_all_the_time_is_unavailable_all_the_same() -> None:
    found = deployment(AT_ITS_END, UNAVAILABLE, changed=timedelta(minutes=1))
    (symptom,) = detect_workload(found, now=NOW).symptoms
    assert symptom.message.endswith("too few since 2026-03-01 10:00:00")


@pytest.mark.parametrize(
    "healthy",
    [
        deployment(AT_ITS_END, UNAVAILABLE, replicas=0),
        deployment(AT_ITS_END, UNAVAILABLE, paused=True),
        deployment(AT_ITS_END, UNAVAILABLE, deleting=True),
        deployment(AT_ITS_END, said("Available", "True", "MinimumReplicasAvailable"), available=2),
        deployment(said("Progressing", "True", "ReplicaSetUpdated"), UNAVAILABLE),
        deployment(said("Progressing", "True", "FoundNewReplicaSet"), UNAVAILABLE),
    ],
    ids=["of none", "paused", "is deleted", "has enough", "rolls out", "rolls back"],
)
def test_a_deployment_that_lacks_pods_on_purpose_or_for_now_is_healthy(healthy: Deployment) -> None:
    assert detect_workload(healthy, now=NOW) is HEALTHY


def test_what_a_pod_needs_may_come_a_moment_after_the_deployment() -> None:
    young = said("ReplicaFailure", "True", "FailedCreate", QUOTA, ago=timedelta(seconds=4))
    verdict = detect_workload(deployment(young), now=NOW)
    assert verdict.symptoms == ()
    assert verdict.look_again_at == NOW + timedelta(seconds=6)


def test_a_namespace_that_goes_refuses_nobody() -> None:
    message = 'pods "x" is forbidden: unable to create new content because it is being terminated'
    going = said("ReplicaFailure", "True", "FailedCreate", message)
    assert detect_workload(deployment(going), now=NOW) is HEALTHY


# -- StatefulSets --------------------------------------------------------------------------------

DB_QUOTA = note(
    "FailedCreate",
    "create Pod db-1 in StatefulSet db failed error: "
    + QUOTA.replace("checkout-7885cc5bf8-p95nb", "db-1"),
    kind="StatefulSet",
    count=7,
)


def test_a_stateful_set_that_may_not_create_its_pods_fails() -> None:
    (symptom,) = detect_workload(
        stateful_set(created=1, ready=1, changed=timedelta(minutes=1)),
        around=Surroundings(notes=(DB_QUOTA,)),
        now=NOW,
    ).symptoms
    assert (symptom.category, symptom.occurrences) == (Category.QUOTA, 7)


def test_a_stateful_set_that_has_all_its_pods_was_refused_before() -> None:
    around = Surroundings(notes=(DB_QUOTA,))
    assert detect_workload(stateful_set(), around=around, now=NOW) is HEALTHY


def test_a_stateful_set_is_stuck_when_nothing_has_changed_for_long() -> None:
    found = stateful_set(created=2, ready=1, changed=timedelta(minutes=11))
    (symptom,) = detect_workload(found, now=NOW).symptoms
    assert (symptom.category, symptom.reason) == (Category.ROLLOUT, "MinimumReplicasUnavailable")
    assert "1 of 3 replicas are ready" in symptom.message
    assert symptom.since == NOW - timedelta(minutes=11)


def test_a_stateful_set_that_has_just_changed_is_not_stuck_yet() -> None:
    verdict = detect_workload(stateful_set(ready=1, changed=timedelta(minutes=9)), now=NOW)
    assert verdict.symptoms == ()
    assert verdict.look_again_at == NOW + timedelta(minutes=1)


@pytest.mark.parametrize(
    "healthy",
    [
        stateful_set(),
        stateful_set(replicas=0, created=0, ready=0),
        stateful_set(ready=0, deleting=True),
        stateful_set(replicas=1, created=3, ready=3),
    ],
    ids=["is ready", "of none", "is deleted", "scales down"],
)
def test_a_stateful_set_that_does_not_fail_has_no_symptom(healthy: StatefulSet) -> None:
    assert detect_workload(healthy, now=NOW) is HEALTHY


def test_failing_pods_speak_for_their_stateful_set() -> None:
    assert detect_workload(stateful_set(ready=0), around=BUSY, now=NOW).symptoms == ()


# -- DaemonSets ----------------------------------------------------------------------------------


def test_a_daemon_set_that_may_not_create_its_pods_fails() -> None:
    message = (
        'Error creating: pods "agent-" is forbidden: violates PodSecurity "baseline:latest": x'
    )
    (symptom,) = detect_workload(
        daemon_set(current=0),
        around=Surroundings(notes=(note("FailedCreate", message, kind="DaemonSet"),)),
        now=NOW,
    ).symptoms
    assert symptom.category is Category.ADMISSION


def test_a_daemon_set_without_a_pod_on_a_node_fails_after_a_while() -> None:
    found = daemon_set(current=2, changed=timedelta(minutes=3))
    (symptom,) = detect_workload(found, now=NOW).symptoms
    assert (symptom.category, symptom.reason) == (Category.ROLLOUT, "FailedPlacement")
    assert symptom.message.startswith("1 of 3 nodes")
    young = detect_workload(daemon_set(current=2, changed=timedelta(minutes=1)), now=NOW)
    assert young.symptoms == ()
    assert young.look_again_at == NOW + timedelta(minutes=1)


def test_daemon_pods_that_stay_unavailable_without_failing_are_a_failure_after_long() -> None:
    (symptom,) = detect_workload(daemon_set(unavailable=2), now=NOW).symptoms
    assert symptom.reason == "NumberUnavailable"
    assert (
        detect_workload(daemon_set(unavailable=2, changed=timedelta(minutes=5)), now=NOW).symptoms
        == ()
    )
    assert detect_workload(daemon_set(unavailable=2), around=BUSY, now=NOW).symptoms == ()


def test_a_daemon_set_whose_pods_are_killed_again_and_again_fails_at_once() -> None:
    killed = note("FailedDaemonPod", "Found failed daemon pod", kind="DaemonSet", count=3)
    found = daemon_set(unavailable=1, changed=timedelta(seconds=20))
    verdict = detect_workload(found, around=Surroundings(notes=(killed,)), now=NOW)
    assert [each.reason for each in verdict.symptoms] == ["FailedDaemonPod"]
    assert verdict.look_again_at == NOW + timedelta(minutes=9)


@pytest.mark.parametrize(
    "healthy",
    [
        daemon_set(),
        daemon_set(misscheduled=2),
        daemon_set(desired=0, current=0),
        daemon_set(current=0, deleting=True),
    ],
    ids=["runs", "has a pod too many", "fits no node", "is deleted"],
)
def test_a_daemon_set_that_does_not_fail_has_no_symptom(healthy: DaemonSet) -> None:
    assert detect_workload(healthy, now=NOW) is HEALTHY


def test_a_daemon_set_that_runs_everywhere_was_refused_before() -> None:
    around = Surroundings(notes=(note("FailedCreate", QUOTA), note("FailedDaemonPod", count=9)))
    assert detect_workload(daemon_set(), around=around, now=NOW) is HEALTHY
