"""What fails without a crash loop, on a real cluster: quotas, probes, Jobs, volumes, a node."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from kubernetes import client, utils
from kubernetes.stream import stream
from support.cluster import REPOSITORY
from support.namespace import GROUP, PLURAL, VERSION, Namespace, condition
from support.operator_process import OperatorProcess, wait_for
from support.workloads import bare_pod, crashes, deployment, healthy, shell

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

LONG = "sleep 99999"


def create(namespace: Namespace, manifest: dict[str, Any]) -> None:
    utils.create_from_dict(namespace.api, manifest, namespace=namespace.name)


def failure_of(
    namespace: Namespace, target: str, *, where: Callable[[dict[str, Any]], bool] | None = None
) -> dict[str, Any]:
    """The one resource of a target, diagnosed by rules."""

    def found() -> dict[str, Any] | None:
        mine = [
            each
            for each in namespace.diagnoses()
            if each["spec"]["target"]["name"] == target
            and condition(each, "Diagnosed").get("status") in {"True", "False"}
            and "failure" in each["status"]
            and (where is None or where(each))
        ]
        assert len(mine) <= 1, [each["metadata"]["name"] for each in mine]
        return mine[0] if mine else None

    return wait_for(found, what=f"the failure of {target}", seconds=120)


def said(resource: dict[str, Any]) -> str:
    diagnosis = resource["status"]["diagnosis"]
    return f"{diagnosis['summary']} {diagnosis['rootCause']}"


def quota(pods: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "tight"},
        "spec": {"hard": {"pods": str(pods)}},
    }


def job(name: str, script: str, **spec: Any) -> dict[str, Any]:
    template = {
        "restartPolicy": "Never",
        "containers": [{"name": "work", **_image(), **shell(script)}],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 1, "template": {"spec": template}, **spec},
    }


def _image() -> dict[str, Any]:
    return {"image": "localhost/busybox:1.36"}


def test_two_workloads_over_one_quota_point_to_that_quota(
    start_operator: Callable[..., OperatorProcess], namespace: Namespace
) -> None:
    start_operator()  # With its memory, for which workloads are decoded further.
    create(namespace, quota(0))
    namespace.apply(healthy("first"), healthy("second"))
    blocker = failure_of(namespace, "tight")
    assert blocker["spec"]["target"]["kind"] == "ResourceQuota"
    assert blocker["status"]["failure"]["category"] == "Quota"
    for target in ("first", "second"):
        found = failure_of(
            namespace, target, where=lambda each: "causedBy" in each["status"]["failure"]
        )
        failure = found["status"]["failure"]
        assert failure["category"] == "Quota"
        assert failure["causedBy"]["kind"] == "ResourceQuota"
        assert failure["causedBy"]["diagnosis"] == blocker["metadata"]["name"]
        assert "tight" in said(found)
    assert len(namespace.diagnoses()) == 3


def test_a_missing_service_account_is_told_of_the_deployment(
    start_operator: Callable[..., OperatorProcess], namespace: Namespace
) -> None:
    start_operator()  # With its memory, for which workloads are decoded further.
    namespace.apply(deployment("robot", shell(LONG), serviceAccountName="missing-account"))
    found = failure_of(namespace, "robot")
    assert found["status"]["failure"]["category"] == "Admission"
    assert "missing-account" in said(found)


def test_a_replica_set_that_nobody_watches_is_told_by_its_events(
    start_operator: Callable[..., OperatorProcess], namespace: Namespace
) -> None:
    start_operator(KAUSA_MEMORY_ENABLED="false")
    create(namespace, quota(0))
    spec = healthy("lonely")["spec"]
    create(
        namespace,
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": "lonely"},
            "spec": {key: spec[key] for key in ("replicas", "selector", "template")},
        },
    )
    found = failure_of(namespace, "lonely")
    assert found["spec"]["target"]["kind"] == "ReplicaSet"
    assert found["status"]["failure"]["category"] == "Quota"


# The official client leaves the sockets of its `exec` to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_failing_probe_is_told_and_its_recovery_and_its_relapse_in_the_same_resource(
    start_operator: Callable[..., OperatorProcess],
    namespace: Namespace,
    settle: Callable[[float], None],
) -> None:
    start_operator(KAUSA_MEMORY_ENABLED="false", KAUSA_STABILISATION_SECONDS="4")
    probe = {
        "exec": {"command": ["cat", "/tmp/ready"]},
        "periodSeconds": 1,
        "failureThreshold": 2,
    }
    container = {"name": "web", "readinessProbe": probe, **shell(f"touch /tmp/ready; {LONG}")}
    namespace.apply(deployment("picky", container))
    wait_for(lambda: _available(namespace, "picky"), what="the Pod to be ready")
    settle(12.0)  # whoever was never ready for longer than that is given minutes to start
    (running,) = namespace.pods("picky")
    _in_pod(namespace, running.metadata.name, "rm /tmp/ready")
    found = failure_of(namespace, "picky")
    assert found["status"]["failure"]["category"] == "Probe"
    assert "readiness" in said(found).lower()

    _in_pod(namespace, running.metadata.name, "touch /tmp/ready")
    resolved = wait_for(
        lambda: next(
            (each for each in namespace.diagnoses() if _is(each, "Resolved", "True")), None
        ),
        what="the recovery",
    )
    assert resolved["status"]["resolution"]["secondsToResolve"] >= 0

    _in_pod(namespace, running.metadata.name, "rm /tmp/ready")
    again = wait_for(
        lambda: next(
            (each for each in namespace.diagnoses() if _is(each, "Resolved", "False")), None
        ),
        what="the relapse",
        seconds=90,
    )
    assert again["metadata"]["uid"] == found["metadata"]["uid"]
    assert "resolution" not in again["status"]
    assert len(namespace.diagnoses()) == 1


def test_a_failure_that_ended_while_no_operator_ran_is_resolved_by_the_next_one(
    start_operator: Callable[..., OperatorProcess], namespace: Namespace
) -> None:
    first = start_operator(KAUSA_MEMORY_ENABLED="false")
    namespace.apply(crashes())
    failure_of(namespace, "checkout")
    first.stop()
    namespace.apps.patch_namespaced_deployment_scale(
        "checkout", namespace.name, {"spec": {"replicas": 0}}
    )
    wait_for(lambda: not namespace.pods("checkout"), what="no Pod any more")
    start_operator(KAUSA_MEMORY_ENABLED="false", KAUSA_STABILISATION_SECONDS="2")
    wait_for(
        lambda: any(_is(each, "Resolved", "True") for each in namespace.diagnoses()),
        what="the recovery",
    )


def test_a_job_that_gave_up_is_told_and_one_that_succeeded_is_not(
    start_operator: Callable[..., OperatorProcess], namespace: Namespace
) -> None:
    start_operator(KAUSA_MEMORY_ENABLED="false")
    create(namespace, job("import", "echo cannot reach the warehouse; exit 7"))
    create(namespace, job("export", "echo done"))
    found = failure_of(
        namespace,
        "import",
        where=lambda each: each["status"]["failure"]["reason"] == "BackoffLimitExceeded",
    )
    assert found["status"]["failure"]["category"] == "Job"
    assert [each["spec"]["target"]["name"] for each in namespace.diagnoses()] == ["import"]


def test_a_claim_without_its_storage_class_is_what_the_stateful_set_points_to(
    start_operator: Callable[..., OperatorProcess], namespace: Namespace
) -> None:
    start_operator(KAUSA_MEMORY_ENABLED="false")
    template = healthy("db")["spec"]["template"]
    create(
        namespace,
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": "db"},
            "spec": {
                "replicas": 3,
                "podManagementPolicy": "Parallel",
                "serviceName": "db",
                "selector": {"matchLabels": {"app": "db"}},
                "template": template,
                "volumeClaimTemplates": [
                    {
                        "metadata": {"name": "data"},
                        "spec": {
                            "accessModes": ["ReadWriteOnce"],
                            "storageClassName": "missing-class",
                            "resources": {"requests": {"storage": "1Gi"}},
                        },
                    }
                ],
            },
        },
    )
    found = failure_of(
        namespace,
        "db",
        where=lambda each: (
            "diagnosis" in each["status"]["failure"].get("causedBy", {})
            and each["status"]["failure"]["podCount"] == 3
        ),
    )
    assert found["spec"]["target"]["kind"] == "StatefulSet"
    assert found["status"]["failure"]["category"] == "Volume"
    assert found["status"]["failure"]["podCount"] == 3
    assert found["status"]["failure"]["causedBy"]["kind"] == "PersistentVolumeClaim"
    kinds = sorted(each["spec"]["target"]["kind"] for each in namespace.diagnoses())
    assert kinds == ["PersistentVolumeClaim", "StatefulSet"]


def test_what_opted_out_is_left_alone(
    start_operator: Callable[..., OperatorProcess], namespace: Namespace
) -> None:
    start_operator(KAUSA_MEMORY_ENABLED="false")
    quiet = crashes("quiet")
    quiet["metadata"]["annotations"] = {"kausa.dev/diagnose": "false"}
    labelled = crashes("labelled")
    labelled["spec"]["template"]["metadata"]["labels"]["kausa.dev/diagnose"] = "disabled"
    namespace.apply(quiet, labelled, crashes("loud"))
    failure_of(namespace, "loud")
    wait_for(
        lambda: all(
            _crashes(each) for each in namespace.pods("quiet") + namespace.pods("labelled")
        ),
        what="the others to crash as well",
    )
    assert [each["spec"]["target"]["name"] for each in namespace.diagnoses()] == ["loud"]


def test_a_namespace_that_opts_out_and_in_again_is_followed(
    start_operator: Callable[..., OperatorProcess],
    namespace: Namespace,
    settle: Callable[[float], None],
) -> None:
    _label(namespace, "disabled")
    start_operator(KAUSA_MEMORY_ENABLED="false")
    namespace.apply(crashes())
    wait_for(lambda: any(_crashes(each) for each in namespace.pods("checkout")), what="crashes")
    settle(3.0)
    assert namespace.diagnoses() == []
    _label(namespace, None)
    failure_of(namespace, "checkout")


def test_a_rollout_that_replaces_healthy_pods_is_no_failure(
    start_operator: Callable[..., OperatorProcess],
    namespace: Namespace,
    settle: Callable[[float], None],
) -> None:
    start_operator(KAUSA_MEMORY_ENABLED="false")
    namespace.apply(healthy("web"))
    wait_for(lambda: _available(namespace, "web"), what="the first Pod")
    for number in range(3):
        namespace.apps.patch_namespaced_deployment(
            "web",
            namespace.name,
            {"spec": {"template": {"metadata": {"annotations": {"turn": str(number)}}}}},
        )
        settle(1.0)
    wait_for(lambda: _available(namespace, "web"), what="the last Pod")
    create(namespace, bare_pod("once", shell("exit 0"), restartPolicy="Never"))
    settle(4.0)
    assert namespace.diagnoses() == []


def test_the_pods_of_a_lost_node_are_one_failure_of_the_node(
    start_operator: Callable[..., OperatorProcess], namespace: Namespace
) -> None:
    start_operator(KAUSA_MEMORY_ENABLED="false", KAUSA_OWN_NAMESPACE="default")
    names = ["one", "two", "three"]
    namespace.apply(*(healthy(name) for name in names))
    wait_for(lambda: all(_available(namespace, each) for each in names), what="all to run")
    home = Namespace(namespace.api, "default")
    tool = [sys.executable, str(REPOSITORY / "hack" / "cluster" / "cluster.py")]
    subprocess.run([*tool, "stop", "kubelet"], check=True)
    try:
        found = wait_for(
            lambda: next(
                (
                    each
                    for each in home.diagnoses()
                    if each["spec"]["target"]["kind"] == "Node"
                    and each.get("status", {}).get("failure", {}).get("podCount", 0) >= 3
                ),
                None,
            ),
            what="the failure of the node with its Pods",
            seconds=150,
        )
        assert found["status"]["failure"]["category"] == "Node"
        assert namespace.diagnoses() == []
    finally:
        subprocess.run([*tool, "restart", "kubelet"], check=True)
        wait_for(lambda: _node_is_ready(namespace), what="the node to be back", seconds=120)
        for each in home.diagnoses():
            if each["spec"]["target"]["kind"] == "Node":
                home.custom.delete_namespaced_custom_object(
                    GROUP, VERSION, "default", PLURAL, each["metadata"]["name"]
                )


def _in_pod(namespace: Namespace, pod: str, command: str) -> None:
    opened = stream(
        namespace.core.connect_get_namespaced_pod_exec,
        pod,
        namespace.name,
        command=["sh", "-c", command],
        stdout=True,
        stderr=True,
        stdin=False,
        tty=False,
        _preload_content=False,
    )
    try:
        opened.run_forever(timeout=20)
    finally:
        opened.close()
        del opened
        gc.collect()


def _label(namespace: Namespace, value: str | None) -> None:
    body = {"metadata": {"labels": {"kausa.dev/diagnose": value}}}
    client.CoreV1Api(namespace.api).patch_namespace(namespace.name, body)


def _is(resource: dict[str, Any], type_: str, status: str) -> bool:
    return bool(condition(resource, type_).get("status") == status)


def _crashes(pod: Any) -> bool:
    return any(each.restart_count > 1 for each in pod.status.container_statuses or ())


def _available(namespace: Namespace, name: str) -> bool:
    found = namespace.apps.read_namespaced_deployment_status(name, namespace.name)
    return bool(
        found.status.observed_generation == found.metadata.generation
        and found.status.updated_replicas == found.status.replicas == found.status.ready_replicas
    )


def _node_is_ready(namespace: Namespace) -> bool:
    nodes = client.CoreV1Api(namespace.api).list_node(label_selector="type!=kwok").items
    return bool(nodes) and all(
        any(each.type == "Ready" and each.status == "True" for each in node.status.conditions)
        for node in nodes
    )
