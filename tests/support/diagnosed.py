"""A FailureDiagnosis with a whole status, as the operator leaves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kausa.resources.category import Category
from kausa.resources.condition import RESOLVED, ConditionStatus, set_condition
from kausa.resources.diagnosis import DecidedBy, Diagnosis
from kausa.resources.evidence import Change, Evidence, EvidenceKind, EvidenceSource
from kausa.resources.failure import Failure
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.metadata import ObjectMeta
from kausa.resources.recollection import Resolution
from kausa.resources.spec import FailureDiagnosisSpec, Feedback, Target
from kausa.resources.status import FailureDiagnosisStatus

__all__ = ["diagnosed"]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FAILURE = Failure(
    category=Category.OOM_KILLED,
    reason="OOMKilled",
    container="api",
    exit_code=137,
    message="Container api was killed",
    fingerprint="4f1c2a",
    first_seen=NOON,
    last_seen=NOON + timedelta(minutes=5),
    occurrences=14,
)
DIAGNOSIS = Diagnosis(
    summary="container api reached its memory limit of 256Mi",
    confidence=97,
    decided_by=DecidedBy.RULES,
)
CHANGE = Change(
    path="Deployment/checkout spec.template.spec.containers[api].resources.limits.memory",
    before="256Mi",
    after="512Mi",
)


def diagnosed(
    *,
    name: str = "checkout-oomkilled-4f1c2a",
    owner: str = "checkout",
    namespace: str = "shop",
    failure: Failure | None = FAILURE,
    diagnosis: Diagnosis | None = DIAGNOSIS,
    log_of: str = "api",
    resolved: bool = False,
    relapsed: bool = False,
    how: tuple[Change, ...] = (CHANGE,),
    feedback: Feedback | None = None,
) -> FailureDiagnosis:
    """Open, or resolved an hour after it began."""
    over = resolved and not relapsed
    return FailureDiagnosis(
        metadata=ObjectMeta(name=name, namespace=namespace),
        spec=FailureDiagnosisSpec(
            target=Target(api_version="apps/v1", kind="Deployment", name=owner, container="api"),
            feedback=feedback,
        ),
        status=FailureDiagnosisStatus(
            failure=failure,
            diagnosis=diagnosis,
            evidence=(
                Evidence(id="E1", kind=EvidenceKind.EVENT, text="Back-off restarting"),
                Evidence(
                    id="E2",
                    kind=EvidenceKind.LOG,
                    source=EvidenceSource(
                        kind="Pod", name="checkout-1", field_path=f"log[{log_of}, previous run]"
                    ),
                    text="OutOfMemoryError: Java heap space",
                ),
            ),
            resolution=Resolution(time=NOON + timedelta(hours=1), how=how) if resolved else None,
            conditions=set_condition(
                (),
                type=RESOLVED,
                status=ConditionStatus.TRUE if over else ConditionStatus.FALSE,
                reason="Recovered" if over else "StillFailing",
                message="",
                now=NOON,
            ),
        ),
    )
