"""What nobody watches and nobody named: told where it surely does not work, and only there."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from support.snapshots import BEGAN, folder_of, loaded, thin_pod

from kausa.cluster.snapshot import load_snapshot
from kausa.evidence.redaction import Redactor
from kausa.offline.diagnosing import Answer, OfflineDiagnosis, moment_of
from kausa.offline.unwatched import MOST_OBJECTS, unwatched

Json = dict[str, Any]
CASES = Path(__file__).parents[2] / "cases"
FAILING = {
    "autoscaler-no-metrics": ["HorizontalPodAutoscaler"],
    "autoscaler-no-target": ["HorizontalPodAutoscaler"],
    "ingress-without-service": ["Ingress"],
    "probe-wrong-path": ["Deployment"],
    "probe-wrong-port": ["Deployment"],
    "scheduling-unknown-scheduler": ["Pod"],
    "service-pods-not-ready": ["Deployment", "Service"],
    "service-selects-nothing": ["Service"],
    "cron-job-suspended": [],
}


def service(name: str, *, namespace: str = "shop", **selector: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": BEGAN},
        "spec": {"selector": selector, "clusterIP": "10.0.0.1", "ports": [{"port": 80}]},
    }


def all_of(folder: Path, *, namespace: str = "") -> tuple[Answer, ...]:
    snapshot = load_snapshot(folder)
    pipeline = OfflineDiagnosis(snapshot, redactor=Redactor(key=bytes(32)), now=moment_of(snapshot))
    return asyncio.run(pipeline.of_all(namespace=namespace))


@pytest.mark.parametrize(("name", "kinds"), FAILING.items())
def test_a_failure_is_told_though_nobody_names_it(name: str, kinds: list[str]) -> None:
    assert [each.subject.owner.kind for each in all_of(CASES / name)] == kinds


@pytest.mark.parametrize("folder", sorted(CASES.glob("healthy-*")), ids=lambda each: each.name)
def test_what_is_healthy_is_not_told(folder: Path) -> None:
    assert all_of(folder) == ()


def test_of_another_namespace_nothing_is_told() -> None:
    assert all_of(CASES / "service-selects-nothing", namespace="default") == ()


def test_pods_that_only_start_slowly_fail_no_service_and_no_ingress(tmp_path: Path) -> None:
    whole = json.loads((CASES / "healthy-slow-start" / "objects.json").read_text())
    pod = next(each for each in whole["items"] if each["kind"] == "Pod")
    meta = pod["metadata"]
    front = service("front", namespace=meta["namespace"])
    front["spec"]["selector"] = meta["labels"]
    backend = {"service": {"name": "front", "port": {"number": 80}}}
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "public", "namespace": meta["namespace"], "creationTimestamp": BEGAN},
        "spec": {"defaultBackend": backend},
    }
    assert all_of(folder_of(tmp_path, *whole["items"], front, ingress)) == ()


def test_an_autoscaler_that_does_well_again_is_not_told(tmp_path: Path) -> None:
    whole = json.loads((CASES / "autoscaler-no-metrics" / "objects.json").read_text())
    for each in whole["items"]:
        if each["kind"] == "HorizontalPodAutoscaler":
            for condition in each["status"]["conditions"]:
                condition |= {"status": "True", "reason": "ValidMetricFound", "message": ""}
    assert all_of(folder_of(tmp_path, *whole["items"])) == ()


def test_no_more_than_some_objects_are_asked_about(tmp_path: Path) -> None:
    many = [service(f"s{number}", app="a") for number in range(MOST_OBJECTS + 5)]
    snapshot = loaded(tmp_path, thin_pod("a"), *many, service("x", namespace="front"))
    assert len(list(unwatched(snapshot))) == MOST_OBJECTS
    assert [each.name for each in unwatched(snapshot, namespace="front")] == ["x"]
