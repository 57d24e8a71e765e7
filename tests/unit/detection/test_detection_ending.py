"""Pods that ended for good, are to go, or stand on a node that is lost."""

from __future__ import annotations

from typing import Any

import pytest
from support.pods import at, condition, container, note, pod, running, terminated, waiting

from kausa.cluster.objects import Pod
from kausa.detection.pods import detect_pod
from kausa.detection.surroundings import NodeState, Note, Surroundings
from kausa.detection.symptom import Upstream
from kausa.detection.verdict import HEALTHY, Verdict
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


def ended(
    reason: str = "", message: str = "", *, code: int = 137, owner: dict[str, Any] | None = None
) -> Pod:
    return pod(
        container(terminated(code)),
        phase="Failed",
        owner=owner,
        status={"reason": reason, "message": message},
        spec={"restartPolicy": "Never"},
    )


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


@pytest.mark.parametrize(
    ("reason", "category"),
    [
        ("Evicted", Category.EVICTION),
        ("Preempting", Category.EVICTION),
        ("Terminated", Category.NODE),
        ("NodeLost", Category.NODE),
        ("UnexpectedAdmissionError", Category.ADMISSION),
        ("OutOfcpu", Category.ADMISSION),
        ("OutOfmemory", Category.ADMISSION),
        ("OutOfnvidia.com/gpu", Category.ADMISSION),
        ("NodeAffinity", Category.ADMISSION),
        ("NodePorts", Category.ADMISSION),
        ("TopologyAffinityError", Category.ADMISSION),
    ],
)
@pytest.mark.parametrize("controller", [None, REPLICA_SET, JOB], ids=["bare", "set", "job"])
def test_a_pod_that_its_node_throws_out_is_one_failure_of_the_whole_pod(
    reason: str, category: Category, controller: dict[str, Any] | None
) -> None:
    (symptom,) = verdict(ended(reason, "because", owner=controller)).symptoms
    assert (symptom.category, symptom.reason, symptom.container) == (category, reason, None)
    assert (symptom.message, symptom.last_seen) == ("because", at(0))


SHUTDOWNS = [
    ("Terminated", "Pod was terminated in response to imminent node shutdown."),
    ("NodeShutdown", "Pod was rejected as the node is shutting down."),
    ("NodeShutdown", "Pod was rejected: node is shutting down"),
    ("Shutdown", "Node is shutting, evicting pods"),
    ("Terminated", "Node is shutting, evicting pods"),
]


@pytest.mark.parametrize(("reason", "message"), SHUTDOWNS)
@pytest.mark.parametrize("controller", [REPLICA_SET, JOB, owner("DaemonSet")])
@pytest.mark.parametrize("phase", ["Running", "Failed"])
def test_a_pod_whose_node_is_shut_down_in_order_is_replaced_by_its_controller(
    reason: str, message: str, controller: dict[str, Any], phase: str
) -> None:
    """Its containers end before the phase tells of it."""
    gone = pod(
        container(terminated(143), restarts=2),
        phase=phase,
        owner=controller,
        status={"reason": reason, "message": message},
    )
    assert verdict(gone) == HEALTHY


@pytest.mark.parametrize(("reason", "message"), SHUTDOWNS)
def test_a_bare_pod_whose_node_is_shut_down_is_lost(reason: str, message: str) -> None:
    (symptom,) = verdict(ended(reason, message)).symptoms
    assert (symptom.category, symptom.reason, symptom.message) == (Category.NODE, reason, message)


@pytest.mark.parametrize(
    ("message", "detail"),
    [
        (
            "The node was low on resource: memory. Threshold quantity: 100Mi, available: 88Mi. "
            "Container api was using 1Gi, request is 0, has larger consumption of memory. ",
            "memory",
        ),
        ("The node was low on resource: ephemeral-storage. Threshold", "ephemeral-storage"),
        ("Pod was rejected: The node had condition: [DiskPressure]. ", "DiskPressure"),
        ('Usage of EmptyDir volume "d" exceeds the limit "1Mi". ', "Usage of EmptyDir"),
        ("Pod ephemeral local storage usage exceeds the total limit", "ephemeral local storage"),
        ("Pod gone after 12s", "Pod gone after <duration>"),
    ],
)
def test_evictions_by_one_pressure_are_one_failure(message: str, detail: str) -> None:
    (symptom,) = verdict(ended("Evicted", message)).symptoms
    assert (symptom.detail, symptom.message) == (detail, message)


@pytest.mark.parametrize("controller", [REPLICA_SET, JOB, owner("DaemonSet")])
def test_what_ended_an_hour_ago_and_was_replaced_is_history(controller: dict[str, Any]) -> None:
    gone = ended("Evicted", "The node was low on resource: memory.", owner=controller)
    assert verdict(gone, seconds=3599).look_again_at == at(3600)
    assert verdict(gone, seconds=3600) == HEALTHY


def test_a_bare_pod_that_failed_stays_a_failure_for_nobody_replaces_it() -> None:
    late = verdict(ended(code=3), seconds=90_000)
    assert late.look_again_at is None
    (symptom,) = late.symptoms
    assert (symptom.category, symptom.reason, symptom.exit_code) == (
        Category.CRASH_LOOP,
        "Error",
        3,
    )


def test_the_deadline_of_a_pod_is_told_from_its_kill() -> None:
    message = "Pod was active on the node longer than the specified deadline"
    (symptom,) = verdict(ended("DeadlineExceeded", message)).symptoms
    assert (symptom.category, symptom.reason) == (Category.JOB, "DeadlineExceeded")


@pytest.mark.parametrize("reason", ["", "DeadlineExceeded"])
def test_a_failed_pod_of_a_job_is_for_the_job_to_judge(reason: str) -> None:
    assert verdict(ended(reason, owner=JOB)).symptoms == ()


def test_a_failed_pod_of_a_controller_of_another_kind_is_seen() -> None:
    workflow = owner("Workflow", "argoproj.io/v1alpha1")
    (symptom,) = verdict(ended(code=2, owner=workflow)).symptoms
    assert symptom.exit_code == 2
    assert verdict(ended(code=2, owner=workflow), seconds=3600) == HEALTHY


def test_a_sidecar_that_is_ended_with_its_pod_did_not_fail() -> None:
    done = pod(
        container(terminated(3)),
        init=(container(terminated(137), name="proxy"),),
        phase="Failed",
        spec={
            "restartPolicy": "Never",
            "initContainers": [{"name": "proxy", "restartPolicy": "Always"}],
        },
    )
    assert [each.container for each in verdict(done).symptoms] == ["api"]


def with_sidecar(
    sidecar: dict[str, Any],
    *mains: dict[str, Any],
    restarts: str = "Never",
    owner: dict[str, Any] | None = JOB,
) -> Pod:
    """A Pod that still runs, whose native sidecar has been started again before."""
    return pod(
        *mains,
        init=(container(sidecar, name="proxy", last=terminated(1, seconds=-60), restarts=3),),
        owner=owner,
        spec={
            "restartPolicy": restarts,
            "initContainers": [{"name": "proxy", "restartPolicy": "Always"}],
        },
    )


SIDECARS = [
    terminated(143),
    terminated(137),
    terminated(0, "Completed"),
    terminated(1),
    terminated(137, "OOMKilled"),
    waiting("CrashLoopBackOff"),
    running(),
]


@pytest.mark.parametrize("sidecar", SIDECARS)
@pytest.mark.parametrize(
    ("mains", "restarts"),
    [
        ((container(terminated(0)),), "Never"),
        ((container(terminated(0)),), "OnFailure"),
        ((container(terminated(3)), container(terminated(0), name="b")), "Never"),
    ],
)
def test_a_sidecar_that_is_ended_because_all_else_has_ended_did_not_fail(
    sidecar: dict[str, Any], mains: tuple[dict[str, Any], ...], restarts: str
) -> None:
    assert verdict(with_sidecar(sidecar, *mains, restarts=restarts), seconds=600).symptoms == ()


@pytest.mark.parametrize(
    ("mains", "restarts"),
    [
        ((container(running(), ready=True),), "Never"),
        ((container(terminated(0)), container(running(), name="b", ready=True)), "Never"),
        ((container(terminated(0)), container(waiting("PodInitializing"), name="b")), "OnFailure"),
        ((container(terminated(3)),), "OnFailure"),
        ((container(terminated(0)),), "Always"),
    ],
    ids=["runs", "one runs", "one comes", "is tried again", "is started again"],
)
def test_a_sidecar_that_crashes_while_a_container_is_to_run_fails(
    mains: tuple[dict[str, Any], ...], restarts: str
) -> None:
    crashing = with_sidecar(waiting("CrashLoopBackOff"), *mains, restarts=restarts)
    assert [each.container for each in verdict(crashing).symptoms] == ["proxy"]


def test_an_init_container_that_is_no_sidecar_is_judged_whatever_else_has_ended() -> None:
    odd = pod(
        container(terminated(0)),
        init=(container(waiting("CrashLoopBackOff"), name="proxy", restarts=3),),
        spec={"restartPolicy": "Never", "initContainers": [{"name": "proxy"}]},
    )
    assert [each.container for each in verdict(odd).symptoms] == ["proxy"]


def test_a_pod_that_was_refused_for_an_unknown_reason_is_seen() -> None:
    refused = pod(phase="Failed", status={"reason": "BrandNew", "message": "no"})
    (symptom,) = verdict(refused).symptoms
    assert (symptom.category, symptom.reason) == (Category.ADMISSION, "BrandNew")


def test_a_container_that_the_kubelet_lost_is_no_crash() -> None:
    lost = pod(container(terminated(137, "ContainerStatusUnknown")), phase="Failed")
    (symptom,) = verdict(lost).symptoms
    assert symptom.category is Category.NODE


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


def test_a_pod_that_has_finished_is_no_failure() -> None:
    assert verdict(pod(container(terminated(0)), phase="Succeeded")) == HEALTHY


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
        ended(owner=JOB),
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
