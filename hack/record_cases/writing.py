"""A recorded case as a folder: case.yaml, objects.json and the logs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from hack.record_cases.scenario import Manifest, Scenario

API_VERSIONS = {
    "Pod": "v1",
    "Service": "v1",
    "PersistentVolumeClaim": "v1",
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "Ingress": "networking.k8s.io/v1",
}


def write_case(
    folder: Path,
    scenario: Scenario,
    *,
    namespace: str,
    server_version: str,
    recorded_at: datetime,
    objects: Sequence[Manifest],
    logs: Mapping[tuple[str, str, bool], str],
) -> None:
    """Replace the folder of a case. `logs`: by Pod, container and whether of the previous run."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / "objects.json").write_text(_list(objects))
    for (pod, container, previous), text in logs.items():
        if not text:
            continue
        path = folder / "logs" / namespace / pod / f"{container}{'.previous' * previous}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    case = case_document(
        scenario, namespace=namespace, server_version=server_version, recorded_at=recorded_at
    )
    (folder / "case.yaml").write_text(yaml.safe_dump(case, sort_keys=False, allow_unicode=True))


def _list(objects: Sequence[Manifest]) -> str:
    """A v1 List with one object on each line: short, and what changes is seen in a diff."""
    lines = (json.dumps(each, sort_keys=True, separators=(",", ":")) for each in objects)
    items = ",\n".join(lines)
    return f'{{"apiVersion":"v1","kind":"List","items":[\n{items}\n]}}\n'


def case_document(
    scenario: Scenario, *, namespace: str, server_version: str, recorded_at: datetime
) -> dict[str, Any]:
    """What `case.yaml` holds."""
    kind, _, name = scenario.target.partition("/")
    expect: dict[str, Any] = {
        "outcome": scenario.expected.outcome,
        "category": scenario.expected.category,
    }
    if scenario.expected.says:
        expect["says"] = [list(each) for each in scenario.expected.says]
    if scenario.expected.never_says:
        expect["never_says"] = list(scenario.expected.never_says)
    document: dict[str, Any] = {
        "id": scenario.id,
        "source": f"recorded on a local cluster, Kubernetes {server_version}",
        "title": scenario.title,
        "now": recorded_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "target": {
            "apiVersion": API_VERSIONS[kind],
            "kind": kind,
            "namespace": namespace,
            "name": name,
        },
    }
    if scenario.question:
        document["question"] = scenario.question
    document["expect"] = expect
    return document
