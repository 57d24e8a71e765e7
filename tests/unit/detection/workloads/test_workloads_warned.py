"""Objects that are watched and whose status looks well, of which only Warning Events say more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.objects import (
    NOW,
    autoscaler,
    claim,
    cron_job,
    daemon_set,
    deployment,
    job,
    node,
    note,
    said,
    stateful_set,
)

from kausa.cluster.workloads import Workload
from kausa.detection.events import merge_notes
from kausa.detection.surroundings import Note, Surroundings
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.detection.workloads.detect import detect_workload
from kausa.resources.category import Category

READY = said("Ready", "True", "KubeletReady")
SCALES = said("ScalingActive", "True", "ValidMetricFound")
DONE = said("Available", "True"), said("Progressing", "True", "NewReplicaSetAvailable")
HOUR = timedelta(hours=1)


def lasting(reason: str, message: str = "", **more: Any) -> Note:
    """A warning that was repeated all the last half hour."""
    return note(reason, message, **{"count": 9, "first": timedelta(minutes=30), **more})


def judged(found: Workload, *notes: Note) -> Verdict:
    return detect_workload(found, around=Surroundings(notes=notes), now=NOW)


@pytest.mark.parametrize(
    ("found", "reason", "category"),
    [
        (node(READY), "SystemOOM", Category.NODE),
        (node(READY), "ImageGCFailed", Category.NODE),
        (node(READY), "FreeDiskSpaceFailed", Category.NODE),
        (node(READY), "KubeletSetupFailed", Category.NODE),
        (node(READY), "TaskHung", Category.NODE),
        (node(READY), "Rebooted", Category.NODE),
        (stateful_set(), "FailedDelete", Category.ROLLOUT),
        (stateful_set(), "RecreatingFailedPod", Category.ROLLOUT),
        (deployment(*DONE, available=3), "SelectingAll", Category.ROLLOUT),
        (daemon_set(), "FailedDelete", Category.ROLLOUT),
        (job(active=1), "FailedDelete", Category.JOB),
        (cron_job(ran=HOUR), "FailedDelete", Category.JOB),
        (autoscaler(SCALES), "FailedGetPodsMetric", Category.AUTOSCALING),
        (claim(phase="Bound"), "SomebodysWarning", Category.STORAGE),
    ],
)
def test_a_warning_that_repeats_and_lasts_is_a_failure_of_what_looks_well(
    found: Workload, reason: str, category: Category
) -> None:
    assert judged(found) is HEALTHY
    verdict = judged(found, lasting(reason, "it does not work"))
    (symptom,) = verdict.symptoms
    assert (symptom.category, symptom.reason, symptom.message) == (
        category,
        reason,
        "it does not work",
    )
    assert symptom.occurrences == 9
    assert symptom.since == NOW - timedelta(minutes=30)
    assert verdict.look_again_at == NOW + timedelta(minutes=19)


def test_what_is_refused_to_a_controller_is_called_after_who_refuses_it() -> None:
    message = (
        'delete Pod db-1 in StatefulSet db failed error: admission webhook "guard.example" denied '
        "the request: not now"
    )
    (symptom,) = judged(stateful_set(), lasting("FailedDelete", message)).symptoms
    assert symptom.category is Category.ADMISSION


def test_every_reason_is_a_failure_of_its_own_and_every_metric_is_not() -> None:
    cpu = lasting("FailedGetPodsMetric", "no metric requests")
    other = lasting("FailedGetPodsMetric", "no metric latency", last=timedelta(minutes=2))
    outside = lasting("FailedGetExternalMetric", "no queue")
    verdict = judged(autoscaler(SCALES), other, outside, cpu)
    assert [(each.reason, each.message) for each in verdict.symptoms] == [
        ("FailedGetExternalMetric", "no queue"),
        ("FailedGetPodsMetric", "no metric requests"),
    ]


def test_warnings_that_differ_in_their_numbers_are_repeats_of_one() -> None:
    notes: tuple[Note, ...] = ()
    for minutes, pid in ((12, 4711), (7, 4912), (1, 5113)):
        ago = timedelta(minutes=minutes)
        message = f"System OOM encountered, victim process: java, pid: {pid}"
        once = note(
            "SystemOOM", message, kind="Node", api_version="", name="node-1", first=ago, last=ago
        )
        notes = merge_notes(notes, once)
    (symptom,) = judged(node(READY), *notes).symptoms
    assert symptom.occurrences == 3


@pytest.mark.parametrize(
    "silent",
    [
        lasting("SystemOOM", count=2),
        lasting("SystemOOM", last=timedelta(minutes=26)),
        lasting("SystemOOM", first=HOUR, last=timedelta(minutes=20)),
        lasting("SystemOOM", first=None, last=None),
        lasting("OOMKilling", "Memory cgroup out of memory: Killed process 7 (java)"),
        lasting("EvictionThresholdMet", "Attempting to reclaim memory"),
        lasting("InvalidDiskCapacity", "invalid capacity 0 on image filesystem"),
    ],
    ids=[
        "twice", "a burst", "long ago", "without times", "of a container", "of a condition",
        "of every start",
    ],
)  # fmt: skip
def test_a_warning_of_a_node_is_no_failure(silent: Note) -> None:
    assert judged(node(READY), silent) is HEALTHY


def test_a_warning_that_began_just_now_is_looked_at_again() -> None:
    verdict = judged(node(READY), lasting("ImageGCFailed", first=timedelta(minutes=4)))
    assert (verdict.symptoms, verdict.look_again_at) == ((), NOW + timedelta(minutes=1))


def test_where_the_status_shows_a_failure_warnings_say_nothing_else() -> None:
    pressed = node(READY, said("MemoryPressure", "True"))
    verdict = judged(pressed, lasting("SystemOOM"))
    assert [each.reason for each in verdict.symptoms] == ["MemoryPressure"]


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (node(READY, deleting=True), "SystemOOM"),
        (stateful_set(replicas=0, created=0, ready=0), "RecreatingFailedPod"),
        (deployment(replicas=0), "FailedDelete"),
        (deployment(paused=True), "FailedDelete"),
        (deployment(*DONE, available=3), "ReplicaSetCreateError"),
        (stateful_set(), "FailedCreate"),
        (daemon_set(), "FailedDaemonPod"),
        (job(said("Complete", "True"), succeeded=1), "FailedDelete"),
        (job(suspend=True), "FailedDelete"),
        (job(active=1), "DeadlineExceeded"),
        (cron_job(suspend=True), "FailedDelete"),
        (cron_job(ran=HOUR), "UnexpectedJob"),
        (cron_job(schedule="TZ=UTC 0 3 * * *", ran=HOUR), "UnsupportedSchedule"),
        (autoscaler(said("ScalingActive", "False", "ScalingDisabled")), "FailedGetPodsMetric"),
        (claim(phase="Bound"), "VolumeResizeFailed"),
        (claim(phase="Bound"), "ProvisioningFailed"),
    ],
)
def test_what_rests_or_is_judged_by_its_status_is_healthy(found: Workload, reason: str) -> None:
    assert judged(found, lasting(reason)) is HEALTHY


def test_an_autoscaler_that_got_its_metrics_since_is_healthy() -> None:
    scales_again = said("ScalingActive", "True", "ValidMetricFound", ago=timedelta(minutes=6))
    late = lasting("FailedGetResourceMetric", last=timedelta(minutes=5))
    assert judged(autoscaler(scales_again), late) is HEALTHY
    still = lasting("FailedGetResourceMetric", last=timedelta(seconds=30))
    assert judged(autoscaler(scales_again), still).symptoms


def test_what_only_says_that_something_is_under_way_is_no_failure() -> None:
    busy = lasting("FailedUpdate", 'pods "db-0" already exists, object is being deleted')
    assert judged(stateful_set(), busy) is HEALTHY
