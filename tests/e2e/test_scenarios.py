"""Scenarios as they happen on a real node, all at once: what is said of each while it fails.

The same scenarios are recorded in tests/cases, where the rules are scored without a cluster. Here
the streams see them come, step by step, and the answer is read from the resource.
"""

from __future__ import annotations

import contextlib
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hack.record_cases.cluster import Cluster
from hack.record_cases.scenario import Scenario
from hack.record_cases.scenarios import SCENARIOS
from kubernetes import client
from support.namespace import Namespace
from support.operator_process import OperatorProcess

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

PATIENCE_SECONDS = 240.0
"""Longer than the longest grace that is waited for here: three minutes to become ready."""
QUIET_SECONDS = 60.0
"""How long what is well stands without a resource before it is believed that none comes."""
LONGEST_TEXT = 700

LIVE = (
    "image-of-init-container",
    "image-of-one-of-two",
    "image-changed-in-rollout",
    "crash-missing-variable",
    "crash-caused-by",
    "crash-among-noise",
    "crash-command-misspelt",
    "crash-of-init-container",
    "crash-of-sidecar",
    "crash-after-variable-changed",
    "memory-of-a-child",
    "memory-limit-lowered",
    "probe-wrong-port",
    "probe-liveness-fails",
    "scheduling-no-such-label",
    "volume-class-missing",
    "config-key-missing",
    "config-edited-after",
    "config-volume-missing",
    "quota-of-pods",
    "dependency-not-there",
    "job-always-fails",
    "healthy-deployment",
    "healthy-says-error",
    "healthy-optional-config",
)
WITHOUT_A_POD = ("quota-wants-limits", "permission-no-service-account", "admission-pod-security")
CHANGES = {
    "image-changed-in-rollout": ("image", "localhost/checkout:5"),
    "crash-after-variable-changed": ("CURRENCY", "EURO"),
    "memory-limit-lowered": ("memory", "24Mi"),
    "config-edited-after": ("settings", ""),
}
"""What the resource must tell of the change: words of its path, and of what it is now."""


@dataclass(frozen=True)
class Live:
    """A scenario that runs, and where; since when, by `time.monotonic`."""

    scenario: Scenario
    namespace: Namespace
    ready_at: float

    def resources(self) -> list[dict[str, Any]]:
        """Diagnoses of the scenario's target, or of what it points to."""
        found = self.namespace.diagnoses()
        kind, _, name = self.scenario.target.partition("/")
        own = [
            each
            for each in found
            if (each["spec"]["target"]["kind"], each["spec"]["target"]["name"]) == (kind, name)
        ]
        upstream = {
            each["status"].get("failure", {}).get("causedBy", {}).get("name")
            for each in own
            if "status" in each
        }
        return own + [each for each in found if each["spec"]["target"]["name"] in upstream]


@pytest.fixture(scope="module")
def live(
    kubeconfig: str, api: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Live]]:
    """All scenarios, brought to their last step, with one operator that watched them come."""
    run = uuid.uuid4().hex[:6]
    wanted = [each for each in SCENARIOS if each.id in {*LIVE, *WITHOUT_A_POD}]
    begun = time.monotonic()
    places = {
        each.id: Live(each, Namespace(api, f"{each.id}-{run}"), begun + each.seconds)
        for each in wanted
    }
    operator = OperatorProcess(
        kubeconfig=kubeconfig,
        folder=Path(tmp_path_factory.mktemp("scenarios")),
        KAUSA_MEMORY_ENABLED="false",
    ).start()
    try:
        with (
            Cluster(kubeconfig=kubeconfig) as cluster,
            ThreadPoolExecutor(max_workers=len(wanted)) as pool,
        ):
            list(pool.map(lambda each: _play(cluster, each), places.values()))
        yield places
        assert operator.running
    finally:
        operator.stop()
        core = client.CoreV1Api(api)
        for each in places.values():
            with contextlib.suppress(client.ApiException):
                core.delete_namespace(each.namespace.name, grace_period_seconds=0)


def _play(cluster: Cluster, live: Live) -> None:
    scenario, namespace = live.scenario, live.namespace.name
    cluster.make_namespace(namespace, labels=scenario.labels)
    for name, data in scenario.secrets.items():
        cluster.make_secret(name, namespace=namespace, data=data)
    for step in scenario.steps:
        for name, replicas in step.scale.items():
            cluster.scale(name, namespace=namespace, replicas=replicas)
        for manifest in step.manifests:
            cluster.apply(manifest, namespace=namespace)
        if step is not scenario.steps[-1]:
            time.sleep(step.seconds)


def shortcomings(resource: dict[str, Any], scenario: Scenario) -> list[str]:
    """What is wrong with a diagnosis, in words."""
    status = resource.get("status", {})
    diagnosis = status.get("diagnosis")
    if diagnosis is None:
        return ["not diagnosed yet"]
    text = f"{diagnosis['summary']}\n{diagnosis.get('rootCause', '')}"[:LONGEST_TEXT]
    wrong = [
        f"does not say {' | '.join(group)}: {text}"
        for group in scenario.expected.says
        if not any(re.search(each, text, re.IGNORECASE) for each in group)
    ]
    wrong += [
        f"says {each}" for each in scenario.expected.never_says if re.search(each, text, re.I)
    ]
    known = {each["id"] for each in status.get("evidence", [])}
    if not diagnosis.get("citations") or not known.issuperset(diagnosis["citations"]):
        wrong.append(f"citations {diagnosis.get('citations')} of {sorted(known)}")
    return wrong


@pytest.mark.parametrize("id_", [each for each in LIVE if not each.startswith("healthy")])
def test_the_cause_of_a_failure_is_told_while_it_happens(
    live: Mapping[str, Live], id_: str
) -> None:
    _told(live[id_])


@pytest.mark.parametrize("id_", WITHOUT_A_POD)
def test_a_failure_without_any_pod_is_told_too(live: Mapping[str, Live], id_: str) -> None:
    place = live[id_]
    assert place.namespace.core.list_namespaced_pod(place.namespace.name).items == []
    _told(place)


@pytest.mark.parametrize("id_", sorted(CHANGES))
def test_what_changed_before_it_failed_is_told(live: Mapping[str, Live], id_: str) -> None:
    path, after = CHANGES[id_]

    def changed() -> bool:
        return any(
            path in change["path"] and after in change.get("after", "")
            for each in live[id_].resources()
            for change in each.get("status", {}).get("changes", [])
        )

    deadline = time.monotonic() + PATIENCE_SECONDS
    while not changed():
        assert time.monotonic() < deadline, live[id_].resources()
        time.sleep(1)


@pytest.mark.parametrize("id_", [each for each in LIVE if each.startswith("healthy")])
def test_what_is_well_gets_no_resource(live: Mapping[str, Live], id_: str) -> None:
    # Only a wait can show that nothing comes; the other tests have mostly waited long before.
    time.sleep(max(0.0, live[id_].ready_at + QUIET_SECONDS - time.monotonic()))
    assert live[id_].namespace.diagnoses() == []


def _told(place: Live) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = place.resources()
        wrong = [shortcomings(each, place.scenario) for each in found]
        if any(not each for each in wrong):
            return
        assert time.monotonic() < deadline, wrong or "no resource at all"
        time.sleep(1)
