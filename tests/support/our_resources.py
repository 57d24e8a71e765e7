"""Our resources on a real API server, as the dictionaries that go over the wire."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from kubernetes import client
from support.crds import APPLY

from kausa.resources.category import Category
from kausa.resources.condition import DIAGNOSED, RESOLVED, ConditionStatus, set_condition
from kausa.resources.diagnosis import DecidedBy, Diagnosis
from kausa.resources.failure import Failure
from kausa.resources.failure_diagnosis import FailureDiagnosis, status_document
from kausa.resources.group import (
    API_VERSION,
    FAILURE_DIAGNOSIS_PLURAL,
    GROUP,
    VERSION,
)
from kausa.resources.metadata import ObjectMeta, OwnerReference
from kausa.resources.names import resource_name
from kausa.resources.spec import FailureDiagnosisSpec, Target
from kausa.resources.status import FailureDiagnosisStatus

__all__ = [
    "FINGERPRINT",
    "NOW",
    "Document",
    "Server",
    "diagnosis_status",
    "refused",
    "resource",
    "streams_status",
]

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


def refused(error: pytest.ExceptionInfo[client.ApiException]) -> str:
    return str(json.loads(error.value.body)["message"])
