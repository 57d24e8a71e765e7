"""The whole CustomResourceDefinitions, made from the models for `hack/generate_crds.py`."""

from __future__ import annotations

from typing import Any, Final

from kausa.resources import group, limits
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.part import Part
from kausa.resources.runbook import Runbook, RunbookSpec, RunbookStatus
from kausa.resources.schema import structural_schema
from kausa.resources.spec import FailureDiagnosisSpec
from kausa.resources.status import FailureDiagnosisStatus

__all__ = ["failure_diagnosis_crd", "manifests", "runbook_crd"]

_TYPE_META: Final = {
    "apiVersion": {
        "description": "The version of the schema that this object is written in.",
        "type": "string",
        "maxLength": limits.API_VERSION,
    },
    "kind": {
        "description": "The kind of this object.",
        "type": "string",
        "maxLength": limits.KIND,
    },
    # The API server describes it itself, and refuses a CRD that does.
    "metadata": {"type": "object"},
}


def manifests() -> dict[str, dict[str, Any]]:
    """Every CRD of ours by its name, which is also the name of its file."""
    crds = (failure_diagnosis_crd(), runbook_crd())
    return {crd["metadata"]["name"]: crd for crd in crds}


def failure_diagnosis_crd() -> dict[str, Any]:
    """The CRD of FailureDiagnosis."""
    return _crd(
        _object_schema(FailureDiagnosis, spec=FailureDiagnosisSpec, status=FailureDiagnosisStatus),
        kind=group.FAILURE_DIAGNOSIS_KIND,
        plural=group.FAILURE_DIAGNOSIS_PLURAL,
        singular=group.FAILURE_DIAGNOSIS_SINGULAR,
        short_names=[group.FAILURE_DIAGNOSIS_SHORT_NAME],
        columns=[
            _column("Target", ".status.target"),
            _column("Reason", ".status.failure.reason"),
            _column("Cause", ".status.diagnosis.summary"),
            _column("Confidence", ".status.diagnosis.confidence", type="integer"),
            _column("Seen", ".status.failure.occurrences", type="integer"),
            _column("Similar", ".status.similarCount", type="integer"),
            _column("Resolved", '.status.conditions[?(@.type=="Resolved")].status'),
            _column("Age", ".metadata.creationTimestamp", type="date"),
            _column("Category", ".status.failure.category", wide=True),
            _column("DecidedBy", ".status.diagnosis.decidedBy", wide=True),
            _column("Model", ".status.model.name", wide=True),
            _column("LastSeen", ".status.failure.lastSeen", type="date", wide=True),
        ],
        selectable=[
            ".spec.target.name",
            ".spec.target.kind",
            ".status.failure.reason",
            ".status.failure.category",
        ],
    )


def runbook_crd() -> dict[str, Any]:
    """The CRD of Runbook."""
    return _crd(
        _object_schema(Runbook, spec=RunbookSpec, status=RunbookStatus),
        kind=group.RUNBOOK_KIND,
        plural=group.RUNBOOK_PLURAL,
        singular=group.RUNBOOK_SINGULAR,
        short_names=[],
        columns=[
            _column("Title", ".spec.title"),
            _column("Indexed", '.status.conditions[?(@.type=="Indexed")].status'),
            _column("Chunks", ".status.chunks", type="integer"),
            _column("Age", ".metadata.creationTimestamp", type="date"),
        ],
        selectable=[],
    )


def _crd(
    schema: dict[str, Any],
    *,
    kind: str,
    plural: str,
    singular: str,
    short_names: list[str],
    columns: list[dict[str, Any]],
    selectable: list[str],
) -> dict[str, Any]:
    names: dict[str, Any] = {
        "kind": kind,
        "listKind": f"{kind}List",
        "plural": plural,
        "singular": singular,
        "categories": [group.CATEGORY],
    }
    if short_names:
        names["shortNames"] = short_names
    version: dict[str, Any] = {
        "name": group.VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": columns,
        "schema": {"openAPIV3Schema": schema},
    }
    if selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in selectable]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group.GROUP}",
            "labels": {"app.kubernetes.io/name": "kausa", "app.kubernetes.io/part-of": "kausa"},
        },
        "spec": {
            "group": group.GROUP,
            "names": names,
            "scope": "Namespaced",
            "versions": [version],
        },
    }


def _object_schema(model: type[Part], *, spec: type[Part], status: type[Part]) -> dict[str, Any]:
    """The schema of a whole object; what stands in `metadata` is the API server's own affair."""
    return {
        "description": " ".join((model.__doc__ or "").split()),
        "type": "object",
        "required": ["spec"],
        "properties": {
            **_TYPE_META,
            "spec": structural_schema(spec),
            "status": structural_schema(status),
        },
    }


def _column(name: str, path: str, *, type: str = "string", wide: bool = False) -> dict[str, Any]:
    """A column of `kubectl get`; a wide one is shown with `-o wide` only."""
    column = {"name": name, "type": type, "jsonPath": path}
    return {**column, "priority": 1} if wide else column
