"""Pods that are to go: for another Pod, because they were deleted, or with their node."""

from __future__ import annotations

from typing import Any

import pytest
from support.pods import at, condition, container, note, pod, running, terminated, waiting

from kausa.cluster.objects import Pod
from kausa.detection.pods import detect_pod
from kausa.detection.surroundings import NodeState, Note, Surroundings
from kausa.detection.symptom import Upstream
from kausa.detection.verdict import Verdict
from kausa.resources.category import Category

LOST = NodeState(
    name="node-1",
    uid="n-1",
    ready=False,
    since=at(50),
    reason="NodeStatusUnknown",
    message="Kubelet stopped posting node status.",
)
NODE = Upstream(
    api_version="v1",
    kind="Node",
    name="node-1",
    uid="n-1",
    reason="NodeNotReady",
    stands_for_all=True,
)
NOT_READY = condition("Ready", "False", seconds=60)


def owner(kind: str, api_version: str = "apps/v1") -> dict[str, Any]:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "name": "o",
        "uid": "o",
        "controller": True,
    }


REPLICA_SET, JOB = owner("ReplicaSet"), owner("Job", "batch/v1")


def verdict(pod: Pod, *notes: Note, seconds: float = 10, node: NodeState | None = None) -> Verdict:
    return detect_pod(pod, around=Surroundings(notes=notes, node=node), now=at(seconds))


def leaving(
    *statuses: dict[str, Any],
    seconds: float = 0,
    conditions: tuple[dict[str, Any], ...] = (),
    phase: str = "Running",
) -> Pod:
    """A Pod whose own grace period ends then."""
    made = pod(
        *(statuses or (container(running(), ready=True),)),
        deleting=True,
        conditions=conditions,
        phase=phase,
    )
    assert made.metadata.deletion_timestamp == at(seconds)
    return made


def preempted(phase: str, *, deleting: bool, owner: dict[str, Any] | None = None) -> Pod:
    target = condition("DisruptionTarget", "True", "PreemptionByScheduler", "preempting")
    return pod(
        container(terminated(137), restarts=1),
        phase=phase,
        conditions=(target,),
        owner=owner,
        deleting=deleting,
    )


@pytest.mark.parametrize(("phase", "deleting"), [("Running", True), ("Failed", False)])
def test_a_bare_pod_that_must_go_for_another_is_preempted(phase: str, deleting: bool) -> None:
    (symptom,) = verdict(preempted(phase, deleting=deleting)).symptoms
    assert (symptom.category, symptom.reason) == (Category.EVICTION, "Preempted")


@pytest.mark.parametrize("controller", [REPLICA_SET, JOB, owner("StatefulSet")])
@pytest.mark.parametrize(
    ("phase", "deleting"), [("Running", True), ("Running", False), ("Failed", False)]
)
def test_a_pod_that_must_go_for_another_is_replaced_by_its_controller(
    phase: str, deleting: bool, controller: dict[str, Any]
) -> None:
    """If its replacement finds no place, that one says so."""
    assert verdict(preempted(phase, deleting=deleting, owner=controller)).symptoms == ()


def test_a_preempted_pod_of_a_controller_that_does_not_go_is_seen() -> None:
    stays = preempted("Running", deleting=True, owner=REPLICA_SET)
    assert [each.reason for each in verdict(stays, seconds=120).symptoms] == ["Terminating"]


@pytest.mark.parametrize(
    "reason", ["EvictionByEvictionAPI", "DeletionByPodGC", "DeletionByTaintManager"]
)
def test_a_drain_or_a_clean_up_is_no_failure(reason: str) -> None:
    target = condition("DisruptionTarget", "True", reason, "drained")
    assert verdict(leaving(conditions=(target,))).symptoms == ()


def test_a_pod_that_is_being_deleted_has_two_minutes_after_its_own_time() -> None:
    crashing = container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=3)
    assert verdict(leaving(crashing), seconds=119) == Verdict(look_again_at=at(120))
    (symptom,) = verdict(leaving(crashing), seconds=120).symptoms
    assert (symptom.category, symptom.reason) == (Category.OTHER, "Terminating")
    assert (symptom.since, symptom.caused_by) == (at(0), None)


def test_a_pod_that_is_still_ready_long_after_its_deletion_does_not_go() -> None:
    stays = leaving(conditions=(condition("Ready", "True"),))
    assert verdict(stays, seconds=119) == Verdict(look_again_at=at(120))
    assert [each.reason for each in verdict(stays, seconds=120).symptoms] == ["Terminating"]


@pytest.mark.parametrize(
    ("reason", "category"),
    [("FailedKillPod", Category.SANDBOX), ("FailedUnMount", Category.VOLUME)],
)
def test_why_a_pod_does_not_go_is_read_from_its_events(reason: str, category: Category) -> None:
    said = note(reason, "error killing pod", count=5, first=20, last=100)
    (symptom,) = verdict(leaving(), said, seconds=130).symptoms
    assert (symptom.category, symptom.message) == (category, "error killing pod")
    assert (symptom.occurrences, symptom.last_seen) == (5, at(100))


def test_an_event_from_before_the_deletion_does_not_say_why_a_pod_does_not_go() -> None:
    said = note("FailedKillPod", "error killing pod", first=-900, last=-600)
    (symptom,) = verdict(leaving(), said, seconds=130).symptoms
    assert (symptom.category, symptom.message) == (Category.OTHER, "")


@pytest.mark.parametrize(
    "standing",
    [
        pod(container(running(), ready=True), conditions=(NOT_READY,)),
        pod(
            container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=9),
            container(waiting("ImagePullBackOff", "no"), name="b"),
            conditions=(NOT_READY,),
        ),
        pod(container(waiting("ContainerCreating")), phase="Pending", conditions=(NOT_READY,)),
        pod(phase="Pending"),
        leaving(conditions=(NOT_READY,)),
    ],
    ids=["ran", "crashed", "was being made", "was not begun", "is to go"],
)
def test_a_pod_on_a_lost_node_points_to_the_node_and_says_nothing_else(standing: Pod) -> None:
    (symptom,) = verdict(standing, seconds=70, node=LOST).symptoms
    assert (symptom.category, symptom.reason) == (Category.NODE, "NodeNotReady")
    assert (symptom.caused_by, symptom.since) == (NODE, at(50))
    assert symptom.message == "NodeStatusUnknown: Kubelet stopped posting node status."


@pytest.mark.parametrize(
    "standing",
    [
        pod(container(running(), ready=True), conditions=(condition("Ready", "True"),)),
        pod(container(terminated(0)), phase="Succeeded", conditions=(NOT_READY,)),
        pod(container(terminated(137)), phase="Failed", owner=JOB, spec={"restartPolicy": "Never"}),
    ],
    ids=["is still ready", "has finished", "has failed for its job"],
)
def test_a_pod_that_does_not_need_the_node_any_more_is_not_lost(standing: Pod) -> None:
    assert verdict(standing, seconds=70, node=LOST).symptoms == ()


def test_a_node_that_is_ready_is_no_cause() -> None:
    ready = NodeState(name="node-1", uid="n-1", ready=True, since=at(50))
    well = pod(container(running(), ready=True), conditions=(NOT_READY,))
    assert verdict(well, seconds=70, node=ready).symptoms == ()


def test_where_nodes_may_not_be_read_the_pod_speaks_for_itself_after_a_while() -> None:
    stale = pod(container(running(), ready=True), conditions=(NOT_READY,))
    said = note("NodeNotReady", "Node is not ready", first=60)
    assert verdict(stale, said, seconds=70) == Verdict(look_again_at=at(100))
    (symptom,) = verdict(stale, said, seconds=100).symptoms
    assert (symptom.category, symptom.caused_by) == (Category.NODE, None)


def test_a_pod_that_does_not_go_from_a_lost_node_points_to_the_node() -> None:
    gone = leaving(container(terminated(0)), phase="Failed", conditions=(NOT_READY,))
    (symptom,) = verdict(gone, seconds=130, node=LOST).symptoms
    assert (symptom.category, symptom.caused_by) == (Category.NODE, NODE)
