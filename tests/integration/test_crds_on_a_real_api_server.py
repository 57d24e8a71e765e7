"""What only a real API server can say of our CRDs: that it takes, serves and explains them."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest
from kubernetes import client
from support.crds import FOLDER
from support.our_resources import (
    Server,
    refused,
    resource,
)

from kausa.resources.category import Category
from kausa.resources.group import (
    FAILURE_DIAGNOSIS_KIND,
    RUNBOOK_PLURAL,
)
from kausa.resources.metadata import ObjectMeta
from kausa.resources.runbook import Runbook, RunbookMatch, RunbookSpec

pytestmark = pytest.mark.integration


def test_the_crds_are_served_and_structural(conditions: dict[str, dict[str, str]]) -> None:
    assert sorted(conditions) == ["failurediagnoses.kausa.dev", "runbooks.kausa.dev"]
    for found in conditions.values():
        assert found["Established"] == "True"
        assert found["NamesAccepted"] == "True"
        assert found.get("NonStructuralSchema") is None


def test_the_api_server_changes_nothing_in_what_is_committed(
    cluster_kubeconfig: str, conditions: dict[str, dict[str, str]]
) -> None:
    for path in Path(FOLDER).glob("*.yaml"):
        diff = subprocess.run(
            [
                "kubectl",
                "--kubeconfig",
                cluster_kubeconfig,
                "diff",
                "--server-side",
                "--force-conflicts",
                "--field-manager",
                "kausa-tests",
                "-f",
                str(path),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (diff.returncode, diff.stdout, diff.stderr) == (0, "", "")


def test_a_resource_is_created_with_its_defaults(server: Server) -> None:
    document = resource("defaults", server.owner)
    del document["spec"]["trigger"], document["spec"]["suspend"]
    created = server.create(document)
    assert created["spec"]["trigger"] == "Manual"
    assert created["spec"]["suspend"] is False
    assert "status" not in created


def test_a_repeat_finds_that_the_resource_already_exists(server: Server) -> None:
    server.create_resource("repeat")
    with pytest.raises(client.ApiException) as error:
        server.create_resource("repeat")
    assert json.loads(error.value.body)["reason"] == "AlreadyExists"


def test_the_target_is_immutable_and_the_message_says_so(server: Server) -> None:
    name = server.create_resource("immutable")
    with pytest.raises(client.ApiException) as error:
        server.merge(name, {"spec": {"target": {"name": "other"}}})
    assert "spec.target: Forbidden: target is immutable" in refused(error)
    with pytest.raises(client.ApiException) as error:
        server.merge(name, {"spec": {"target": {"container": None}}})
    assert "target is immutable" in refused(error)
    merged = server.merge(name, {"spec": {"feedback": {"verdict": "Helpful"}}})
    assert merged["spec"]["feedback"] == {"verdict": "Helpful"}


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("status.failure.reason=OOMKilled,spec.target.name=checkout", True),
        ("status.failure.category=OOMKilled,spec.target.kind=Deployment", True),
        ("status.failure.reason=Evicted", False),
        ("spec.target.kind=StatefulSet", False),
    ],
)
def test_fields_are_selectable(server: Server, diagnosed: str, selector: str, found: bool) -> None:
    assert (diagnosed in server.select(selector)) is found


def test_a_table_shows_what_the_design_shows(server: Server, diagnosed: str) -> None:
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
    table = json.loads(server.raw(f"/{diagnosed}", accept=accept))
    shown = dict(
        zip(
            (column["name"] for column in table["columnDefinitions"]),
            table["rows"][0]["cells"],
            strict=True,
        )
    )
    assert list(shown) == [
        "Name",
        "Target",
        "Reason",
        "Cause",
        "Confidence",
        "Seen",
        "Similar",
        "Resolved",
        "Age",
        "Category",
        "DecidedBy",
        "Model",
        "LastSeen",
    ]
    assert shown["Target"] == "Deployment/checkout"
    assert shown["Cause"] == "container api reached its memory limit of 256Mi"
    assert (shown["Confidence"], shown["Seen"], shown["Similar"]) == (97, 14, 3)
    assert shown["Resolved"] == "False"


def test_a_runbook_is_taken_and_read_back(server: Server) -> None:
    runbook = Runbook(
        metadata=ObjectMeta(name="out-of-memory"),
        spec=RunbookSpec(
            title="Out of memory",
            content="# Raise the limit\n" * 3000,
            match=RunbookMatch(reasons=("OOMKilled",), categories=(Category.OOM_KILLED,)),
        ),
    )
    created = server.create(runbook.to_dict(), plural=RUNBOOK_PLURAL)
    assert Runbook.parse(created).spec == runbook.spec


def kubectl(kubeconfig: str, *arguments: str) -> str:
    done = subprocess.run(
        ["kubectl", "--kubeconfig", kubeconfig, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def explained(kubeconfig: str, path: str) -> str:
    """The API server publishes a new CRD's documentation some seconds after it serves it."""
    deadline = time.monotonic() + 15
    while True:
        try:
            return kubectl(kubeconfig, "explain", path)
        except subprocess.CalledProcessError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def test_kubectl_explains_every_step_of_a_diagnosis(
    cluster_kubeconfig: str, server: Server
) -> None:
    text = " ".join(explained(cluster_kubeconfig, "fd.status.diagnosis").split())
    assert "The cause in one line." in text
    assert "How sure the diagnosis is, in whole percent." in text


@pytest.mark.parametrize("name", ["fd", "failurediagnosis", "failurediagnoses", "diagnostics"])
def test_kubectl_knows_every_name(
    cluster_kubeconfig: str, server: Server, diagnosed: str, name: str
) -> None:
    text = kubectl(cluster_kubeconfig, "get", name, "-n", server.namespace, "-o", "name")
    assert f"failurediagnosis.kausa.dev/{diagnosed}" in text


def test_no_other_kind_has_our_short_name(cluster_kubeconfig: str, server: Server) -> None:
    lines = kubectl(cluster_kubeconfig, "api-resources", "--no-headers").splitlines()
    ours = [line for line in lines if "fd" in line.split()[1].split(",")]
    assert [line.split()[-1] for line in ours] == [FAILURE_DIAGNOSIS_KIND]
