"""Evidence from the status of what is no Pod: in Kubernetes' own words, as detection read them."""

from __future__ import annotations

from kausa.cluster.objects import ObjectReference
from kausa.detection.symptom import Symptom
from kausa.evidence.dossier import Evidence, Source
from kausa.resources.evidence import EvidenceKind

__all__ = ["object_evidence"]


def object_evidence(shown_by: ObjectReference, symptom: Symptom | None) -> tuple[Evidence, ...]:
    """What a workload, claim, node or quota says of itself; nothing for a Pod, which says more."""
    if symptom is None or shown_by.kind in ("Pod", ""):
        return ()
    said = f": {symptom.message}" if symptom.message else ""
    return (
        Evidence(
            kind=EvidenceKind.STATUS,
            source=Source(kind=shown_by.kind, name=shown_by.name, field_path="status"),
            time=symptom.last_seen,
            text=f"{shown_by.kind} {shown_by.name}: {symptom.reason}{said}",
        ),
    )
