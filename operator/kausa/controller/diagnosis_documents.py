"""What the diagnosis writes: from what the steps found to what the resource says; pure."""

from __future__ import annotations

from kausa.diagnosis.consultation import Consultation
from kausa.diagnosis.errors import ModelInvalidAnswer
from kausa.diagnosis.finding import Diagnosis, Finding, Fix, Patch
from kausa.diagnosis.remediation.patches import patch_text
from kausa.evidence.dossier import Dossier, Evidence
from kausa.recall import similar as recall
from kausa.resources import diagnosis as resource_diagnosis
from kausa.resources import evidence as resource_evidence
from kausa.resources import recollection
from kausa.resources.limits import REDACTIONS

__all__ = ["change_parts", "diagnosis_part", "evidence_parts", "model_part", "similar_part"]


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


def change_parts(dossier: Dossier) -> tuple[resource_evidence.Change, ...]:
    """What changed, the likeliest to matter first."""
    return tuple(
        resource_evidence.Change(path=each.path, before=each.before, after=each.after, time=each.at)
        for each in dossier.changes
    )


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
        patch=patch_text(fix.patch) if fix.patch is not None else None,
        patch_target=_target(fix.patch) if fix.patch is not None else None,
        risk=fix.risk,
        dry_run=fix.dry_run,
        dry_run_message=fix.dry_run_message or None,
        citations=fix.citations,
    )


def _target(patch: Patch) -> resource_diagnosis.PatchTarget:
    return resource_diagnosis.PatchTarget(
        api_version=patch.api_version,
        kind=patch.kind,
        name=patch.name,
        namespace=patch.namespace or None,
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


def model_part(consultation: Consultation) -> resource_diagnosis.ModelUse | None:
    """Which model answered, why it was that one, and what it took; None where none did.

    Of an answer that did not hold the digest is kept, so that no later process pays for it again.
    Where there was no whole answer there is none, so that it is asked again.
    """
    reply, choice = consultation.reply, consultation.choice
    nonsense = isinstance(consultation.error, ModelInvalidAnswer) and bool(consultation.digest)
    if reply is None and choice is not None and nonsense:
        return resource_diagnosis.ModelUse(
            name=choice.model,
            reason=choice.why,
            complexity=choice.complexity.percent,
            digest=consultation.digest,
        )
    if reply is None:
        return None
    return resource_diagnosis.ModelUse(
        name=reply.model,
        reason=choice.why if choice is not None else None,
        complexity=choice.complexity.percent if choice is not None else None,
        prompt_tokens=reply.prompt_tokens,
        output_tokens=reply.output_tokens,
        milliseconds=reply.milliseconds,
        thinking=reply.thinking or None,
        digest=consultation.digest or None,
    )
