"""What one FailureDiagnosis teaches the memory: the record that can be made of it alone.

It is what is left when the memory was away, or lost. The operator that saw it fail knows a little
more (the image, the node, labels, the rule's category), which a record keeps where it has it.
"""

from __future__ import annotations

from kausa.learning.feedback import with_feedback
from kausa.learning.outcomes import outcome_of
from kausa.learning.resolutions import Mended, known_mending
from kausa.memory.records import FailureRecord
from kausa.memory.texts import failure_text
from kausa.resources.evidence import EvidenceKind
from kausa.resources.failure_diagnosis import FailureDiagnosis

__all__ = ["record_of"]


def record_of(
    resource: FailureDiagnosis, *, cluster: str, mended: Mended | None = None
) -> FailureRecord | None:
    """The record; None where nothing failed, or nobody has diagnosed it yet.

    `mended`: what mended it, by who has just read that; without it, what the resource says.
    """
    status, meta = resource.status, resource.metadata
    if status is None or status.failure is None or status.diagnosis is None:
        return None
    failure, target = status.failure, resource.spec.target
    mended = mended or known_mending(status.resolution)
    logs = [
        ((each.source.field_path or "") if each.source is not None else "", each.text)
        for each in status.evidence or ()
        if each.kind is EvidenceKind.LOG
    ]
    outcome = outcome_of(resource)
    over = status.resolution if outcome == "Resolved" else None
    record = FailureRecord(
        cluster=cluster,
        namespace=meta.namespace or "default",
        owner_kind=target.kind,
        owner_name=target.name,
        container=failure.container,
        category=failure.category.value,
        reason=failure.reason,
        fingerprint=failure.fingerprint,
        exit_code=failure.exit_code,
        first_seen=failure.first_seen,
        last_seen=failure.last_seen,
        occurrences=failure.occurrences,
        cause=status.diagnosis.summary,
        outcome=outcome,
        resolved_at=over.time if over is not None else None,
        resolution=mended.resolution if over is not None else None,
        changed=mended.changed if over is not None else (),
        reference=f"{meta.namespace}/{meta.name}",
        text=failure_text(failure.message, logs, container=failure.container),
    )
    return with_feedback(record, resource.spec.feedback)
