"""The main job on real input: five workloads fail, and nobody asks."""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from kubernetes import client, config, watch
from support.namespace import GROUP, PLURAL, VERSION, Namespace, complete, condition
from support.operator_process import OperatorProcess, wait_for
from support.workloads import (
    cannot_be_scheduled,
    crashes,
    healthy,
    image_cannot_be_pulled,
    lacks_its_configmap,
    runs_out_of_memory,
)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

# target -> (category, what its summary and root cause must name)
EXPECTED = {
    "checkout": ("CrashLoop", ["api", "exit code 3", "cannot open config /etc/checkout/app.yaml"]),
    "indexer": ("OOMKilled", ["worker", "memory limit", "24Mi"]),
    "mailer": ("ImagePull", ["mailer", "registry.invalid", "2.4.1"]),
    "trainer": ("Scheduling", ["insufficient cpu", "640"]),
    "cart": ("Config", ["cart", "ConfigMap cart-settings", "not found"]),
}
BAD = {"CrashLoopBackOff", "ErrImagePull", "ImagePullBackOff", "CreateContainerConfigError"}


class Stopwatch:
    """When the first bad status of each workload and its Diagnosed=True came over the wire."""

    def __init__(self, kubeconfig: str, namespace: str) -> None:
        self.bad: dict[str, float] = {}
        self.diagnosed: dict[str, float] = {}
        self._namespace = namespace
        self._kubeconfig = kubeconfig
        for target in (self._pods, self._diagnoses):
            threading.Thread(target=target, daemon=True).start()

    def _pods(self) -> None:
        api = config.new_client_from_config(self._kubeconfig)
        core = client.CoreV1Api(api)
        for change in watch.Watch().stream(
            core.list_namespaced_pod, self._namespace, timeout_seconds=200
        ):
            pod = change["raw_object"]
            if _is_bad(pod):
                self.bad.setdefault(pod["metadata"]["labels"]["app"], time.monotonic())

    def _diagnoses(self) -> None:
        api = config.new_client_from_config(self._kubeconfig)
        custom = client.CustomObjectsApi(api)
        for change in watch.Watch().stream(
            custom.list_namespaced_custom_object,
            GROUP,
            VERSION,
            self._namespace,
            PLURAL,
            timeout_seconds=200,
        ):
            if condition(change["object"], "Diagnosed").get("status") == "True":
                name = change["object"]["spec"]["target"]["name"]
                self.diagnosed.setdefault(name, time.monotonic())


def _is_bad(pod: dict[str, Any]) -> bool:
    """Independent of the operator's own detection: a status that a person would call bad."""
    status = pod.get("status", {})
    for each in status.get("conditions", []):
        if each["type"] == "PodScheduled" and each.get("reason") == "Unschedulable":
            return True
    for each in status.get("containerStatuses", []):
        if each["state"].get("waiting", {}).get("reason") in BAD:
            return True
        ended = each["state"].get("terminated") or each.get("lastState", {}).get("terminated", {})
        if ended.get("reason") == "OOMKilled":
            return True
        # A crash loop: it ended with an error, and not for the first time.
        if each["state"].get("terminated", {}).get("exitCode") and each["restartCount"]:
            return True
    return False


def test_each_of_five_failures_gets_exactly_one_diagnosis_that_names_the_cause(
    start_operator: Callable[..., OperatorProcess],
    namespace: Namespace,
    kubeconfig: str,
    settle: Callable[[float], None],
) -> None:
    operator = start_operator()
    stopwatch = Stopwatch(kubeconfig, namespace.name)
    settle(1.0)  # both watches stand
    namespace.apply(
        crashes(replicas=3),
        runs_out_of_memory(),
        image_cannot_be_pulled(),
        cannot_be_scheduled(),
        lacks_its_configmap(),
        healthy(),
    )
    for target, (category, named) in EXPECTED.items():
        _assert_names_the_cause(namespace.diagnosis_of(target), category=category, named=named)

    before = namespace.diagnosis_of("checkout")["status"]["failure"]["occurrences"]
    grown = wait_for(lambda: _grown(namespace, "checkout", before), what="the crash loop's repeats")
    assert grown["podCount"] == 3
    assert grown["occurrences"] == sum(each["occurrences"] for each in grown["pods"])

    settle(3.0)
    targets = [each["spec"]["target"]["name"] for each in namespace.diagnoses()]
    assert sorted(targets) == sorted(EXPECTED)
    assert operator.running
    _print_times(stopwatch)


def _assert_names_the_cause(resource: dict[str, Any], *, category: str, named: list[str]) -> None:
    status = resource["status"]
    assert condition(resource, "Diagnosed")["status"] == "True"
    assert condition(resource, "Diagnosed")["reason"] == "DecidedByRules"
    assert condition(resource, "EvidenceGathered")["status"] == "True"
    assert condition(resource, "MemoryRecalled")["status"] == "True"
    assert condition(resource, "ModelConsulted")["reason"] == "Disabled"
    assert condition(resource, "Resolved")["status"] == "False"
    assert status["failure"]["category"] == category
    said = status["diagnosis"]["summary"] + status["diagnosis"]["rootCause"]
    for each in named:
        assert each in said, (each, said)
    ids = {each["id"] for each in status["evidence"]}
    assert len(ids) >= 2
    cited = status["diagnosis"]["citations"]
    assert cited
    assert set(cited) <= ids
    for step in status["diagnosis"]["remediation"]:
        assert set(step["citations"]) <= ids


def _grown(namespace: Namespace, target: str, before: int) -> dict[str, Any] | None:
    failure: dict[str, Any] = namespace.diagnosis_of(target)["status"]["failure"]
    return failure if failure["occurrences"] > before + 3 and failure["podCount"] == 3 else None


def _print_times(stopwatch: Stopwatch) -> None:
    taken = {
        name: stopwatch.diagnosed[name] - stopwatch.bad[name]
        for name in EXPECTED
        if name in stopwatch.diagnosed and name in stopwatch.bad
    }
    assert set(taken) == set(EXPECTED)
    print("\nfrom the first bad status to Diagnosed=True, as seen on the wire, no model:")
    for name, seconds in sorted(taken.items(), key=lambda item: item[1]):
        print(f"  {name:10} {seconds * 1000:6.0f} ms")
    print(f"  median     {statistics.median(taken.values()) * 1000:6.0f} ms (goal: below 2000 ms)")
    assert statistics.median(taken.values()) < 20, "something hangs"


def test_an_event_on_the_workload_tells_the_cause_once(
    start_operator: Callable[..., OperatorProcess], namespace: Namespace
) -> None:
    start_operator()
    namespace.apply(lacks_its_configmap())
    summary = namespace.diagnosis_of("cart")["status"]["diagnosis"]["summary"]
    events = namespace.core.list_namespaced_event(
        namespace.name, field_selector="reason=FailureDiagnosed"
    ).items
    assert [each.involved_object.kind for each in events] == ["Deployment"]
    assert summary in events[0].message


def test_deleting_the_workload_removes_its_diagnosis(
    start_operator: Callable[..., OperatorProcess],
    namespace: Namespace,
    settle: Callable[[float], None],
) -> None:
    start_operator()
    namespace.apply(crashes())
    namespace.diagnosis_of("checkout")
    namespace.apps.delete_namespaced_deployment("checkout", namespace.name)
    # The garbage collector learns of a new kind within half a minute.
    wait_for(lambda: not namespace.diagnoses(), what="the diagnosis to go", seconds=90)
    settle(3.0)
    assert namespace.diagnoses() == []


def test_a_second_failure_of_the_same_kind_recalls_the_first(
    start_operator: Callable[..., OperatorProcess], namespace: Namespace
) -> None:
    start_operator()
    namespace.apply(crashes("orders", words="fatal: database orders-db refused the connection"))
    first = namespace.diagnosis_of("orders")
    namespace.apply(crashes("billing", words="fatal: database billing-db refused the connection"))
    second = namespace.diagnosis_of("billing")
    assert second["status"]["similarCount"] == 1
    (similar,) = second["status"]["similar"]
    assert similar["reference"] == f"{namespace.name}/{first['metadata']['name']}"
    assert "orders-db" in similar["cause"]


def test_a_secret_in_a_log_is_nowhere_in_the_resource_or_in_the_operators_log(
    start_operator: Callable[..., OperatorProcess], namespace: Namespace
) -> None:
    secret = "".join(("corr", "ect-horse", "-fake"))
    operator = start_operator()
    words = f"error: cannot connect to postgres://app:{secret}@orders-db.example/orders"
    namespace.apply(crashes(words=words))
    resource = namespace.diagnosis_of("checkout")
    assert secret not in json.dumps(resource["status"])
    assert secret not in operator.log()
    assert "orders-db.example" in resource["status"]["diagnosis"]["summary"]
    assert sum(each["count"] for each in resource["status"]["redactions"]) > 0


def test_what_is_written_is_no_older_than_it_says(
    start_operator: Callable[..., OperatorProcess], namespace: Namespace
) -> None:
    started = datetime.now(UTC).replace(microsecond=0)
    start_operator()
    namespace.apply(runs_out_of_memory())
    resource = namespace.diagnosis_of("indexer")
    assert complete(resource)
    failure = resource["status"]["failure"]
    assert started <= datetime.fromisoformat(failure["firstSeen"]) <= datetime.now(UTC)
    assert failure["firstSeen"] <= failure["lastSeen"]
