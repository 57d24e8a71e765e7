"""Pods of a few lines are judged as what they must be; whole ones are judged as they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from support.snapshots import crashing_pod, thin_pod

from kausa.cluster.objects import Pod
from kausa.detection.pods import detect_pod
from kausa.detection.surroundings import Note, Surroundings
from kausa.offline.thin import completed

NOW = datetime(2026, 1, 31, 12, 10, 5, tzinfo=UTC)


def pod_of(document: dict[str, Any]) -> Pod:
    return msgspec.convert(document, type=Pod)


def note(reason: str, message: str = "said") -> Note:
    return Note(
        uid="u",
        api_version="v1",
        kind="Pod",
        namespace="shop",
        name="a",
        container=None,
        reason=reason,
        message=message,
        count=1,
        first_seen=NOW - timedelta(minutes=5),
        last_seen=NOW,
    )


def reasons(pod: Pod, *notes: Note) -> list[str]:
    whole = completed(pod, notes, now=NOW)
    found = detect_pod(whole, around=Surroundings(notes=notes), now=NOW)
    return [each.reason for each in found.symptoms]


def running(*, begun: timedelta, lasted: timedelta, restarts: int = 5, exit_code: int = 3) -> Pod:
    """A Pod whose container runs, after a run that lasted so long."""
    document = crashing_pod("a")
    status = document["status"]["containerStatuses"][0]
    ended = NOW - begun - timedelta(seconds=1)
    status |= {"ready": True, "restartCount": restarts}
    status["state"] = {"running": {"startedAt": (NOW - begun).isoformat()}}
    status["lastState"]["terminated"] |= {
        "exitCode": exit_code,
        "startedAt": (ended - lasted).isoformat(),
        "finishedAt": ended.isoformat(),
    }
    document["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    return pod_of(document)


def test_a_whole_pod_stays_as_it_is() -> None:
    pod = pod_of(crashing_pod("a"))
    assert completed(pod, (note("BackOff"),), now=NOW) == pod


def test_a_container_that_waits_has_a_node() -> None:
    waits = {"name": "api", "image": "x", "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    pod = pod_of(thin_pod("a", status={"phase": "Pending", "containerStatuses": [waits]}))
    assert detect_pod(pod, now=NOW).symptoms == ()
    assert reasons(pod) == ["ImagePullBackOff"]


def test_a_pod_of_which_the_scheduler_complains_has_no_node() -> None:
    pod = pod_of(thin_pod("a", status={"phase": "Pending"}))
    assert reasons(pod, note("FailedScheduling", "0/3 nodes are available")) == ["FailedScheduling"]


def test_a_pod_of_which_the_kubelet_complains_has_a_node() -> None:
    pod = pod_of(thin_pod("a", status={"phase": "Pending"}))
    assert completed(pod, (note("FailedMount"),), now=NOW).spec.node_name
    assert not completed(pod, (note("FailedCreate"),), now=NOW).spec.node_name


def test_a_pod_that_waits_and_nobody_says_why_was_not_seen_by_a_scheduler() -> None:
    assert reasons(pod_of(thin_pod("a", status={"phase": "Pending"}))) == ["Pending"]


def test_a_condition_with_a_reason_and_no_status_is_not_met() -> None:
    condition = {"type": "PodScheduled", "reason": "Unschedulable", "message": "0/1 nodes"}
    pod = pod_of(thin_pod("a", status={"phase": "Pending", "conditions": [condition]}))
    assert reasons(pod) == ["FailedScheduling"]


def test_a_young_pod_with_its_time_of_creation_stays_young() -> None:
    document = thin_pod("a", status={"phase": "Pending"})
    document["metadata"]["creationTimestamp"] = (NOW - timedelta(seconds=3)).isoformat()
    assert reasons(pod_of(document)) == []


def test_a_loop_that_was_caught_between_two_crashes_is_a_loop() -> None:
    pod = running(begun=timedelta(seconds=3), lasted=timedelta(seconds=5))
    assert reasons(pod) == ["CrashLoopBackOff"]
    ends_well = running(begun=timedelta(seconds=1), lasted=timedelta(seconds=2), exit_code=0)
    assert reasons(ends_well) == ["CrashLoopBackOff"]


@pytest.mark.parametrize(
    "well",
    [
        running(begun=timedelta(minutes=3), lasted=timedelta(seconds=20)),
        running(begun=timedelta(minutes=5), lasted=timedelta(days=20)),
        running(begun=timedelta(seconds=3), lasted=timedelta(seconds=5), restarts=1),
        running(begun=timedelta(seconds=3), lasted=timedelta(seconds=5), restarts=2, exit_code=0),
    ],
    ids=["it runs longer than before", "long runs", "one crash", "it ended well twice"],
)
def test_a_container_that_came_through_is_well(well: Pod) -> None:
    assert reasons(well) == []
