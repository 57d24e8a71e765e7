"""What only a real API server can say of our CRDs: that it takes, serves and guards them."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config
from support.crds import APPLY, FOLDER, apply_crds
from unit.resources.largest import largest, on_the_wire

from kausa.resources import limits
from kausa.resources.category import Category
from kausa.resources.condition import DIAGNOSED, RESOLVED, ConditionStatus, set_condition
from kausa.resources.crd import failure_diagnosis_crd
from kausa.resources.diagnosis import DecidedBy, Diagnosis
from kausa.resources.failure import Failure
from kausa.resources.failure_diagnosis import FailureDiagnosis, status_document
from kausa.resources.group import (
    API_VERSION,
    DIAGNOSIS_MANAGER,
    FAILURE_DIAGNOSIS_KIND,
    FAILURE_DIAGNOSIS_PLURAL,
    GROUP,
    RUNBOOK_PLURAL,
    STREAMS_MANAGER,
    VERSION,
)
from kausa.resources.metadata import ObjectMeta, OwnerReference
from kausa.resources.names import resource_name
from kausa.resources.runbook import Runbook, RunbookMatch, RunbookSpec
from kausa.resources.spec import FailureDiagnosisSpec, Target
from kausa.resources.status import FailureDiagnosisStatus

pytestmark = pytest.mark.integration

NOW = datetime.now(UTC)
FINGERPRINT = "4f1c2a0011223344"
Document = dict[str, Any]


class Server:
    """The few requests that these tests make, as the dictionaries that go over the wire."""

    def __init__(self, api: Any, namespace: str, owner: OwnerReference) -> None:
        self.api = api
        self.namespace = namespace
        self.owner = owner
        self._objects: Any = client.CustomObjectsApi(api)
        self._place = (GROUP, VERSION, namespace, FAILURE_DIAGNOSIS_PLURAL)

    def create_resource(self, owner: str) -> str:
        return str(self.create(resource(owner, self.owner))["metadata"]["name"])

    def create(self, document: Document, *, plural: str = FAILURE_DIAGNOSIS_PLURAL) -> Document:
        answer: Document = self._objects.create_namespaced_custom_object(
            GROUP, VERSION, self.namespace, plural, document, field_validation="Strict"
        )
        return answer

    def get(self, name: str) -> Document:
        answer: Document = self._objects.get_namespaced_custom_object(*self._place, name)
        return answer

    def merge(self, name: str, document: Document) -> Document:
        answer: Document = self._objects.patch_namespaced_custom_object(
            *self._place, name, document, _content_type="application/merge-patch+json"
        )
        return answer

    def apply_status(self, name: str, status: Document, *, manager: str) -> Document:
        body = status_document(name=name, namespace=self.namespace, status=FailureDiagnosisStatus())
        answer: Document = self._objects.patch_namespaced_custom_object_status(
            *self._place,
            name,
            body | {"status": status},
            field_manager=manager,
            force=True,
            _content_type=APPLY,
        )
        return answer

    def select(self, selector: str) -> list[str]:
        found = self._objects.list_namespaced_custom_object(*self._place, field_selector=selector)
        return sorted(item["metadata"]["name"] for item in found["items"])

    def stored_bytes(self, name: str) -> int:
        return len(self.raw(f"/{name}", accept="application/json"))

    def raw(self, path: str, *, accept: str) -> bytes:
        collection = f"/apis/{API_VERSION}/namespaces/{self.namespace}/{FAILURE_DIAGNOSIS_PLURAL}"
        request = self.api.param_serialize(
            "GET",
            collection + path,
            header_params={"Accept": accept},
            auth_settings=["BearerToken"],
        )
        response = self.api.call_api(*request)
        response.read()
        return bytes(response.data)


@pytest.fixture(scope="module")
def conditions(cluster_kubeconfig: str) -> dict[str, dict[str, str]]:
    apply_crds(cluster_kubeconfig)
    return apply_crds(cluster_kubeconfig)


@pytest.fixture(scope="module")
def server(cluster_kubeconfig: str, conditions: dict[str, dict[str, str]]) -> Iterator[Server]:
    name = f"crds-{uuid.uuid4().hex[:8]}"
    with config.new_client_from_config(cluster_kubeconfig) as api:
        core = client.CoreV1Api(api)
        uid = core.create_namespace({"metadata": {"name": name}}).metadata.uid
        yield Server(
            api, name, OwnerReference(api_version="v1", kind="Namespace", name=name, uid=uid)
        )
        core.delete_namespace(name)


def resource(owner: str, reference: OwnerReference) -> Document:
    """With an owner that exists: the garbage collector takes what has none."""
    return FailureDiagnosis(
        metadata=ObjectMeta(
            name=resource_name(owner=owner, reason="OOMKilled", fingerprint=FINGERPRINT),
            owner_references=(reference,),
        ),
        spec=FailureDiagnosisSpec(
            target=Target(api_version="apps/v1", kind="Deployment", name=owner, container="api")
        ),
    ).to_dict()


def streams_status() -> FailureDiagnosisStatus:
    return FailureDiagnosisStatus(
        target="Deployment/checkout",
        failure=Failure(
            category=Category.OOM_KILLED,
            reason="OOMKilled",
            container="api",
            exit_code=137,
            fingerprint=FINGERPRINT,
            first_seen=NOW,
            last_seen=NOW,
            occurrences=14,
        ),
        conditions=set_condition(
            (),
            type=RESOLVED,
            status=ConditionStatus.FALSE,
            reason="Failing",
            message="Seen 14 times.",
            now=NOW,
        ),
    )


def diagnosis_status() -> FailureDiagnosisStatus:
    return FailureDiagnosisStatus(
        observed_generation=1,
        diagnosis=Diagnosis(
            summary="container api reached its memory limit of 256Mi",
            confidence=97,
            decided_by=DecidedBy.RULES,
            citations=("E1",),
        ),
        similar_count=3,
        conditions=set_condition(
            (),
            type=DIAGNOSED,
            status=ConditionStatus.TRUE,
            reason="DecidedByRules",
            message="",
            now=NOW,
            observed_generation=1,
        ),
    )


@pytest.fixture(scope="module")
def diagnosed(server: Server) -> str:
    """A resource whose status was written by both field managers."""
    name = server.create_resource("checkout")
    server.apply_status(name, streams_status().to_dict(), manager=STREAMS_MANAGER)
    server.apply_status(name, diagnosis_status().to_dict(), manager=DIAGNOSIS_MANAGER)
    return name


def refused(error: pytest.ExceptionInfo[client.ApiException]) -> str:
    return str(json.loads(error.value.body)["message"])


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


def test_two_managers_merge_their_fields_and_conditions(server: Server, diagnosed: str) -> None:
    status = server.get(diagnosed)["status"]
    assert sorted(condition["type"] for condition in status["conditions"]) == [DIAGNOSED, RESOLVED]
    assert status["failure"]["occurrences"] == 14
    assert status["diagnosis"]["confidence"] == 97
    read = FailureDiagnosis.parse(server.get(diagnosed))
    assert read.status is not None
    assert read.status.failure == streams_status().failure
    assert read.status.diagnosis == diagnosis_status().diagnosis


def test_one_manager_gives_up_its_fields_without_touching_the_others(server: Server) -> None:
    name = server.create_resource("giving-up")
    server.apply_status(name, streams_status().to_dict(), manager=STREAMS_MANAGER)
    server.apply_status(name, diagnosis_status().to_dict(), manager=DIAGNOSIS_MANAGER)
    status = server.apply_status(name, {"observedGeneration": 1}, manager=DIAGNOSIS_MANAGER)[
        "status"
    ]
    assert [condition["type"] for condition in status["conditions"]] == [RESOLVED]
    assert "diagnosis" not in status
    assert status["target"] == "Deployment/checkout"


def test_status_does_not_move_the_generation_nor_change_the_spec(
    server: Server, diagnosed: str
) -> None:
    document = server.get(diagnosed)
    assert document["metadata"]["generation"] == 1
    assert document["spec"]["target"]["name"] == "checkout"


def test_an_unknown_status_field_is_refused_by_apply(server: Server, diagnosed: str) -> None:
    with pytest.raises(client.ApiException) as error:
        server.apply_status(diagnosed, {"junk": 1}, manager="somebody")
    assert "field not declared in schema" in refused(error)


@pytest.mark.parametrize(
    ("status", "complaint"),
    [
        (
            {"failure": streams_status().to_dict()["failure"] | {"category": "Gremlins"}},
            'status.failure.category: Unsupported value: "Gremlins"',
        ),
        (
            {"diagnosis": diagnosis_status().to_dict()["diagnosis"] | {"confidence": 101}},
            "status.diagnosis.confidence",
        ),
        (
            {"diagnosis": diagnosis_status().to_dict()["diagnosis"] | {"summary": "x" * 300}},
            "status.diagnosis.summary: Too long",
        ),
        (
            {"evidence": [{"id": f"E{n}", "kind": "Log", "text": ""} for n in range(1, 42)]},
            "status.evidence: Too many: 41: must have at most 40 items",
        ),
    ],
    ids=["category", "confidence", "summary", "evidence"],
)
def test_a_status_beyond_its_bounds_is_refused(
    server: Server, diagnosed: str, status: Document, complaint: str
) -> None:
    with pytest.raises(client.ApiException) as error:
        server.apply_status(diagnosed, status, manager="somebody")
    assert complaint in refused(error)


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


def test_the_largest_object_is_taken_and_is_below_256_kib(server: Server) -> None:
    schema = failure_diagnosis_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    fields = schema["properties"]
    spec = FailureDiagnosisSpec.model_validate(largest(fields["spec"], filler="<"))
    metadata = ObjectMeta(name="n" * 63)
    document = FailureDiagnosis(metadata=metadata, spec=spec).to_dict()
    name = server.create(document)["metadata"]["name"]
    status = FailureDiagnosisStatus.model_validate(
        largest(fields["status"], filler="<", times=2)
    ).to_dict()
    of_streams = {key: status.pop(key) for key in ("target", "failure")}
    server.apply_status(name, of_streams, manager=STREAMS_MANAGER)
    server.apply_status(name, status, manager=DIAGNOSIS_MANAGER)
    stored = server.stored_bytes(name)
    assert on_the_wire(document) + on_the_wire(status) < stored < limits.OBJECT_BYTES


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
