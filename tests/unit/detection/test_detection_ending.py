"""Pods that ended for good: thrown out by their node, failed, or just done."""

from __future__ import annotations

from typing import Any

import pytest
from support.pods import at, container, pod, running, terminated, waiting

from kausa.cluster.objects import Pod
from kausa.detection.pods import detect_pod
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.resources.category import Category


def owner(kind: str, api_version: str = "apps/v1") -> dict[str, Any]:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "name": "o",
        "uid": "o",
        "controller": True,
    }


REPLICA_SET, JOB = owner("ReplicaSet"), owner("Job", "batch/v1")


def verdict(found: Pod, *, seconds: float = 10) -> Verdict:
    return detect_pod(found, now=at(seconds))


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
            "The node was low on resource: memory. Threshold quantity: 350Mi, available: 212Mi. "
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


def test_a_pod_that_has_finished_is_no_failure() -> None:
    assert verdict(pod(container(terminated(0)), phase="Succeeded")) == HEALTHY
