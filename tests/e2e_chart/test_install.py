"""Installed with the chart's own values: what a user sees in the first minutes."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from e2e_chart.reading import usage
from e2e_chart.release import EMBEDDER, NAMESPACE, OPERATOR, Release
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from support.cluster import is_local
from support.namespace import Namespace, condition
from support.operator_process import wait_for
from support.workloads import (
    bare_pod,
    cannot_be_scheduled,
    crashes,
    healthy,
    image_cannot_be_pulled,
    lacks_its_configmap,
    runs_out_of_memory,
    shell,
)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

MOST_SECONDS_TO_INSTALL, ON_A_BUSY_MACHINE = 60.0, 300.0
QUIET_SECONDS = 60.0
MOST_IDLE_CORES, CORES_ON_A_BUSY_MACHINE = 0.010, 0.050
MOST_IDLE_BYTES = 150 * 1024**2

# target -> (category, what its summary and root cause must name)
EXPECTED = {
    "checkout": ("CrashLoop", ["api", "exit code 3", "cannot open config /etc/checkout/app.yaml"]),
    "indexer": ("OOMKilled", ["worker", "memory limit", "24Mi"]),
    "mailer": ("ImagePull", ["mailer", "registry.invalid", "2.4.1"]),
    "trainer": ("Scheduling", ["insufficient cpu", "640"]),
    "cart": ("Config", ["cart", "ConfigMap cart-settings", "not found"]),
}


def is_quiet() -> bool:
    """Whether this machine, on which the node is, had processors left in the last minute.

    Only then what took time and processors says something of Kausa. A cluster elsewhere is asked
    for the goal in any case.
    """
    return os.getloadavg()[0] < (os.cpu_count() or 1) or not is_local()


def test_a_failure_is_diagnosed_soon_after_the_chart_was_installed(
    installed: Release, seconds_to_install: float, first_failure: Namespace
) -> None:
    quiet = is_quiet()
    most = MOST_SECONDS_TO_INSTALL if quiet else ON_A_BUSY_MACHINE
    print(
        f"\nfrom `helm install` to the first diagnosis: {seconds_to_install:.1f} s (goal: 60;"
        f" at most {most:.0f} on this machine, load {os.getloadavg()[0]:.1f})"
    )
    (resource,) = first_failure.diagnoses()
    assert condition(resource, "Diagnosed")["status"] == "True"
    assert seconds_to_install < most


def test_each_of_five_failures_is_diagnosed_with_the_memory_of_the_cluster(
    installed: Release, namespace: Namespace
) -> None:
    namespace.apply(
        crashes(),
        runs_out_of_memory(),
        image_cannot_be_pulled(),
        cannot_be_scheduled(),
        lacks_its_configmap(),
        healthy(),
    )
    for target, (category, named) in EXPECTED.items():
        resource = namespace.diagnosis_of(target)
        assert resource["status"]["failure"]["category"] == category
        diagnosis = resource["status"]["diagnosis"]
        said = diagnosis["summary"] + diagnosis["rootCause"]
        assert [each for each in named if each not in said] == [], said
    wait_for(
        lambda: all(
            condition(each, "MemoryRecalled").get("status") == "True"
            for each in namespace.diagnoses()
        ),
        what="the memory to be asked about each",
        seconds=120,
    )
    targets = [each["spec"]["target"]["name"] for each in namespace.diagnoses()]
    assert sorted(targets) == sorted(EXPECTED)


def test_a_pod_that_is_annotated_is_diagnosed(installed: Release, namespace: Namespace) -> None:
    namespace.apply(healthy())

    def running() -> str | None:
        pods = [pod for pod in namespace.pods("frontend") if pod.status.phase == "Running"]
        return pods[0].metadata.name if pods else None

    pod = wait_for(running, what="a running Pod")
    namespace.annotate(pod, "is it slow?")
    resource = namespace.diagnosis_of("frontend")
    assert resource["spec"]["trigger"] == "Annotation"
    assert resource["status"]["diagnosis"]["summary"].startswith("no failure found")


def test_what_helm_tests_is_well(installed: Release) -> None:
    assert "Succeeded" in installed.test()


def test_a_pod_that_is_not_restricted_is_refused_where_ours_run(installed: Release) -> None:
    pod = bare_pod("intruder", {**shell("sleep 1"), "securityContext": {"privileged": True}})
    with pytest.raises(ApiException) as refused:
        installed.core.create_namespaced_pod(NAMESPACE, pod)
    assert refused.value.status == 403
    assert "violates PodSecurity" in str(refused.value.body)
    for selector in (OPERATOR, EMBEDDER):
        assert installed.pod(selector).status.phase == "Running"


def test_the_operator_may_read_no_secret_and_write_no_workload(installed: Release) -> None:
    account = f"system:serviceaccount:{NAMESPACE}:kausa"
    assert _may(installed.api, account, verb="list", resource="pods")
    assert not _may(installed.api, account, verb="get", resource="secrets")
    assert not _may(installed.api, account, verb="list", resource="secrets")
    assert not _may(installed.api, account, verb="patch", resource="deployments", group="apps")
    assert not _may(installed.api, account, verb="delete", resource="pods")


def _may(api: Any, user: str, *, verb: str, resource: str, group: str = "") -> bool:
    asked = {"verb": verb, "resource": resource, "group": group}
    answer = client.AuthorizationV1Api(api).create_subject_access_review(
        {"spec": {"user": user, "resourceAttributes": asked}}
    )
    return bool(answer.status.allowed)


def test_an_idle_operator_takes_little(
    installed: Release, first_failure: Namespace, settle: Callable[[float], None]
) -> None:
    apps = first_failure.apps
    apps.delete_collection_namespaced_deployment(first_failure.name)
    wait_for(lambda: not first_failure.diagnoses(), what="the diagnosis to go", seconds=90)
    settle(QUIET_SECONDS / 2)
    pod = installed.pod(OPERATOR)
    before = usage(installed.api, pod)
    settle(QUIET_SECONDS)
    after = usage(installed.api, pod)
    cores = after.cores_since(before)
    # Who waits for a processor spends more of it on caches that others have emptied.
    most = MOST_IDLE_CORES if is_quiet() else CORES_ON_A_BUSY_MACHINE
    print(
        f"\nidle: {cores * 1000:.1f} m CPU (goal: 10; at most {most * 1000:.0f} on this machine,"
        f" load {os.getloadavg()[0]:.1f}), {after.memory_bytes / 1024**2:.0f} MiB (goal: 150)"
    )
    assert cores < most
    assert after.memory_bytes < MOST_IDLE_BYTES
