"""The names under which the API server and other people's objects know us."""

from __future__ import annotations

from typing import Final

__all__ = [
    "API_VERSION",
    "CATEGORY",
    "DIAGNOSE_ANNOTATION",
    "DIAGNOSIS_MANAGER",
    "FAILURE_DIAGNOSIS_KIND",
    "FAILURE_DIAGNOSIS_PLURAL",
    "FAILURE_DIAGNOSIS_SHORT_NAME",
    "FAILURE_DIAGNOSIS_SINGULAR",
    "GROUP",
    "RUNBOOK_KIND",
    "RUNBOOK_PLURAL",
    "RUNBOOK_SINGULAR",
    "STREAMS_MANAGER",
    "VERSION",
]

GROUP: Final = "kausa.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = "kausa.dev/v1alpha1"

CATEGORY: Final = "diagnostics"
"""`kubectl get diagnostics` lists both kinds."""

FAILURE_DIAGNOSIS_KIND: Final = "FailureDiagnosis"
FAILURE_DIAGNOSIS_PLURAL: Final = "failurediagnoses"
FAILURE_DIAGNOSIS_SINGULAR: Final = "failurediagnosis"
FAILURE_DIAGNOSIS_SHORT_NAME: Final = "fd"

RUNBOOK_KIND: Final = "Runbook"
RUNBOOK_PLURAL: Final = "runbooks"
RUNBOOK_SINGULAR: Final = "runbook"

DIAGNOSE_ANNOTATION: Final = "kausa.dev/diagnose"
"""People set it on a Pod or a workload: "true", "false", or a question."""

STREAMS_MANAGER: Final = "kausa-streams"
"""Field manager of the metadata and the spec, of `status.failure` and of the condition Resolved."""

DIAGNOSIS_MANAGER: Final = "kausa-diagnosis"
"""Field manager of everything else in a FailureDiagnosis' status, `target` among it."""
