"""What only a real API server can say of our status: who owns what, and what is refused."""

from __future__ import annotations

import pytest
from kubernetes import client
from support.largest import largest, on_the_wire
from support.our_resources import (
    Document,
    Server,
    diagnosis_status,
    refused,
    streams_status,
)

from kausa.resources import limits
from kausa.resources.condition import DIAGNOSED, RESOLVED
from kausa.resources.crd import failure_diagnosis_crd
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.group import (
    DIAGNOSIS_MANAGER,
    STREAMS_MANAGER,
)
from kausa.resources.metadata import ObjectMeta
from kausa.resources.spec import FailureDiagnosisSpec
from kausa.resources.status import FailureDiagnosisStatus

pytestmark = pytest.mark.integration


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
