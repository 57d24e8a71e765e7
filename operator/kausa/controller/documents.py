"""From what the steps found to what the resource says; pure, no decisions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kausa.cluster.owners import Owner
from kausa.detection.counting import FailureCount, PodCount
from kausa.detection.symptom import Symptom
from kausa.diagnosis.finding import Diagnosis, Finding, Fix
from kausa.diagnosis.model.protocol import ModelReply
from kausa.evidence.dossier import Dossier, Evidence
from kausa.recall import similar as recall
from kausa.resources import diagnosis as resource_diagnosis
from kausa.resources import evidence as resource_evidence
from kausa.resources import recollection
from kausa.resources.diagnosis import DryRun
from kausa.resources.failure import FailingPod, Failure
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.group import API_VERSION
from kausa.resources.limits import PODS, REDACTIONS
from kausa.resources.metadata import ObjectMeta, OwnerReference
from kausa.resources.spec import FailureDiagnosisSpec, Target, Trigger

__all__ = [
    "ASKED_ANNOTATION",
    "MANAGED_BY_LABELS",
    "diagnosis_part",
    "evidence_parts",
    "failure_count",
    "failure_part",
    "model_part",
    "new_resource",
    "similar_part",
    "target_event",
]

ASKED_ANNOTATION = "kausa.dev/asked"
"""On our own resource: which request (a short hash) it last answered."""
MANAGED_BY_LABELS = {"app.kubernetes.io/managed-by": "kausa"}
EVENT_REASON = "FailureDiagnosed"
LONGEST_EVENT_MESSAGE = 1000


def new_resource(
    *,
    name: str,
    owner: Owner,
    container: str | None,
    trigger: Trigger,
    question: str | None = None,
    asked: str | None = None,
) -> FailureDiagnosis:
    """The resource as it is first applied: whom it is about, and that it goes when they go."""
    return FailureDiagnosis(
        metadata=ObjectMeta(
            name=name,
            namespace=owner.namespace,
            labels=MANAGED_BY_LABELS,
            annotations={ASKED_ANNOTATION: asked} if asked else None,
            owner_references=(
                OwnerReference(
                    api_version=owner.api_version, kind=owner.kind, name=owner.name, uid=owner.uid
                ),
            ),
        ),
        spec=FailureDiagnosisSpec(
            target=Target(
                api_version=owner.api_version,
                kind=owner.kind,
                name=owner.name,
                container=container,
            ),
            trigger=trigger,
            question=question,
        ),
    )


def failure_part(
    symptom: Symptom, *, message: str, fingerprint: str, count: FailureCount
) -> Failure:
    """What fails and how often; `message` is the redacted one."""
    return Failure(
        category=symptom.category,
        reason=symptom.reason,
        container=symptom.container,
        exit_code=symptom.exit_code,
        signal=symptom.signal,
        message=message or None,
        fingerprint=fingerprint,
        first_seen=count.first_seen,
        last_seen=count.last_seen,
        occurrences=count.occurrences,
        pods=tuple(
            FailingPod(
                name=each.name,
                uid=each.uid,
                occurrences=each.occurrences,
                last_seen=each.last_seen or count.last_seen,
            )
            for each in count.latest_pods(PODS)
        ),
        pod_count=count.pod_count,
    )


def failure_count(failure: Failure) -> FailureCount:
    """Where an earlier process left off, read back from the resource."""
    count = FailureCount(
        first_seen=failure.first_seen,
        last_seen=failure.last_seen,
        occurrences=failure.occurrences,
        unlisted_pods=max(0, (failure.pod_count or 0) - len(failure.pods)),
    )
    for pod in reversed(failure.pods):
        count.pods[pod.uid] = PodCount(
            uid=pod.uid, name=pod.name, occurrences=pod.occurrences, last_seen=pod.last_seen
        )
    return count


def evidence_parts(
    dossier: Dossier,
) -> tuple[
    tuple[resource_evidence.Evidence, ...],
    tuple[resource_evidence.EvidenceGap, ...],
    tuple[resource_evidence.Redaction, ...],
]:
    """Evidence, gaps and the count of what was redacted."""
    gaps = tuple(
        resource_evidence.EvidenceGap(what=gap.what, why=gap.why, permission=gap.permission)
        for gap in dossier.gaps
    )
    redactions = tuple(
        resource_evidence.Redaction(kind=kind, count=count)
        for kind, count in sorted(dossier.redactions.items())[:REDACTIONS]
    )
    return tuple(_evidence(each) for each in dossier.evidence), gaps, redactions


def _evidence(evidence: Evidence) -> resource_evidence.Evidence:
    return resource_evidence.Evidence(
        id=evidence.id,
        kind=evidence.kind,
        source=resource_evidence.EvidenceSource(
            kind=evidence.source.kind,
            name=evidence.source.name,
            field_path=evidence.source.field_path or None,
        ),
        time=evidence.time,
        text=evidence.text,
    )


def diagnosis_part(diagnosis: Diagnosis) -> resource_diagnosis.Diagnosis:
    """The answer, its fixes and its alternatives."""
    return resource_diagnosis.Diagnosis(
        summary=diagnosis.summary,
        root_cause=diagnosis.root_cause,
        explanation=diagnosis.explanation,
        confidence=diagnosis.confidence,
        decided_by=diagnosis.decided_by,
        citations=diagnosis.citations,
        remediation=tuple(_remediation(fix) for fix in diagnosis.fixes),
        alternatives=tuple(_alternative(finding) for finding in diagnosis.alternatives),
    )


def _remediation(fix: Fix) -> resource_diagnosis.Remediation:
    return resource_diagnosis.Remediation(
        title=fix.title,
        rationale=fix.rationale,
        command=fix.command,
        risk=fix.risk,
        dry_run=DryRun.NOT_RUN,
        citations=fix.citations,
    )


def _alternative(finding: Finding) -> resource_diagnosis.Alternative:
    return resource_diagnosis.Alternative(
        cause=finding.root_cause, confidence=finding.confidence, citations=finding.citations
    )


def similar_part(
    similar: tuple[recall.SimilarFailure, ...],
) -> tuple[recollection.SimilarFailure, ...]:
    """The failures of the past that are like this one."""
    return tuple(
        recollection.SimilarFailure(
            reference=each.reference,
            score=each.score_percent,
            when=each.when,
            cause=each.cause or None,
            resolution=each.resolution or None,
            outcome=recollection.Outcome(each.outcome),
        )
        for each in similar
    )


def model_part(reply: ModelReply) -> resource_diagnosis.ModelUse:
    """Which model answered, and what it took."""
    return resource_diagnosis.ModelUse(
        name=reply.model,
        reason="rules were not sure",
        prompt_tokens=reply.prompt_tokens,
        output_tokens=reply.output_tokens,
        milliseconds=reply.milliseconds,
    )


def target_event(
    *, name: str, resource_name: str, owner: Owner, summary: str, now: datetime
) -> Mapping[str, Any]:
    """A Kubernetes Event on the failing workload, so that `kubectl describe` shows the cause."""
    message = f"{summary} (see: kubectl -n {owner.namespace} describe fd {resource_name})"
    moment = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": owner.namespace, "labels": MANAGED_BY_LABELS},
        "involvedObject": {
            "apiVersion": owner.api_version,
            "kind": owner.kind,
            "name": owner.name,
            "namespace": owner.namespace,
            "uid": owner.uid,
        },
        "related": {
            "apiVersion": API_VERSION,
            "kind": "FailureDiagnosis",
            "name": resource_name,
            "namespace": owner.namespace,
        },
        "type": "Normal",
        "reason": EVENT_REASON,
        "action": "Diagnosed",
        "message": message[:LONGEST_EVENT_MESSAGE],
        "source": {"component": "kausa"},
        "reportingComponent": "kausa.dev/operator",
        "reportingInstance": "kausa",
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }
