"""What a recorded case holds, and what it must never hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hack.record_cases.building import container, deployment
from hack.record_cases.cleaning import cleaned
from hack.record_cases.scenario import HEALTHY, Expected, Scenario, Step
from hack.record_cases.scenarios import SCENARIOS
from hack.record_cases.writing import API_VERSIONS, write_case
from support.cluster import REPOSITORY

CASES = REPOSITORY / "tests" / "cases"


def scenario(expected: Expected = HEALTHY) -> Scenario:
    return Scenario(
        id="some",
        title="Some",
        target="Deployment/web",
        steps=(Step(manifests=(deployment("web", container()),)),),
        expected=expected,
    )


def named(kind: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **fields}


def test_secrets_and_the_clusters_certificate_are_never_written_down() -> None:
    kept = cleaned(
        [
            named("Secret", "token", data={"a": "b"}),
            named("ConfigMap", "kube-root-ca.crt"),
            named("ConfigMap", "settings"),
        ]
    )
    assert [each["metadata"]["name"] for each in kept] == ["settings"]


def test_a_node_is_written_down_without_its_ids_and_images() -> None:
    (node,) = cleaned(
        [
            named(
                "Node",
                "n1",
                status={"images": [1], "nodeInfo": {"machineID": "x", "kubeletVersion": "v1"}},
            )
        ]
    )
    assert node["status"] == {"nodeInfo": {"kubeletVersion": "v1"}}


def test_a_case_is_written_as_the_evaluation_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "some"
    write_case(
        folder,
        scenario(Expected(category="Config", says=(("a", "b"),))),
        namespace="some",
        server_version="1.36.3",
        recorded_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        objects=[named("Pod", "p")],
        logs={("p", "main", True): "last words\n", ("p", "main", False): ""},
    )
    case = yaml.safe_load((folder / "case.yaml").read_text())
    assert case["target"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "namespace": "some",
        "name": "web",
    }
    assert case["expect"] == {"outcome": "failure", "category": "Config", "says": [["a", "b"]]}
    assert case["now"] == "2026-01-02T03:04:05Z"
    assert json.loads((folder / "objects.json").read_text())["items"] == [named("Pod", "p")]
    logs = [path for path in (folder / "logs").rglob("*") if path.is_file()]
    assert [path.relative_to(folder).as_posix() for path in logs] == [
        "logs/some/p/main.previous.log"
    ]


def test_every_scenario_has_a_name_of_its_own_that_a_namespace_may_have() -> None:
    ids = [each.id for each in SCENARIOS]
    assert len(ids) == len(set(ids)) >= 60
    assert all(len(each) <= 63 and each.replace("-", "").isalnum() for each in ids)


@pytest.mark.parametrize("each", SCENARIOS, ids=lambda each: each.id)
def test_every_scenario_is_recorded_and_aims_at_what_it_makes(each: Scenario) -> None:
    kind, _, name = each.target.partition("/")
    assert kind in API_VERSIONS
    made = {
        (manifest["kind"], manifest["metadata"]["name"])
        for step in each.steps
        for manifest in step.manifests
    }
    assert (kind, name) in made
    case = yaml.safe_load((CASES / each.id / "case.yaml").read_text())
    assert case["expect"]["outcome"] == each.expected.outcome
    assert case["target"]["name"] == name


def test_no_case_stands_without_its_scenario() -> None:
    assert {path.name for path in CASES.iterdir() if path.is_dir()} == {
        each.id for each in SCENARIOS
    }
