"""FailureDiagnosis: one failing workload, why it fails and what to do, as a Kubernetes resource."""

from __future__ import annotations

from typing import Any, Literal

from kausa.resources.group import API_VERSION, FAILURE_DIAGNOSIS_KIND
from kausa.resources.metadata import ObjectMeta
from kausa.resources.part import Part
from kausa.resources.spec import FailureDiagnosisSpec
from kausa.resources.status import FailureDiagnosisStatus

__all__ = ["FailureDiagnosis", "status_document"]


class FailureDiagnosis(Part):
    """One failing workload, why it fails and what to do."""

    api_version: Literal["kausa.dev/v1alpha1"] = API_VERSION
    kind: Literal["FailureDiagnosis"] = FAILURE_DIAGNOSIS_KIND
    metadata: ObjectMeta

    spec: FailureDiagnosisSpec
    """What is to be diagnosed, and how."""

    status: FailureDiagnosisStatus | None = None
    """What the operator found out; written by the operator only."""


def status_document(*, name: str, namespace: str, status: FailureDiagnosisStatus) -> dict[str, Any]:
    """The body of a server-side apply on `/status`: what one field manager owns, and no more."""
    return {
        "apiVersion": API_VERSION,
        "kind": FAILURE_DIAGNOSIS_KIND,
        "metadata": {"name": name, "namespace": namespace},
        "status": status.to_dict(),
    }
