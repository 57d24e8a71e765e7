"""What is said where the rules may not speak: the failure as it was detected, and no cause.

For measuring a model alone. Nearly every case is decided by rules, so a model's own worth hardly
shows beside them; here it gets the same evidence and has nobody to agree with.
"""

from __future__ import annotations

from kausa.diagnosis.finding import Diagnosis
from kausa.evidence.dossier import Dossier
from kausa.resources.diagnosis import DecidedBy
from kausa.resources.evidence import EvidenceKind

__all__ = ["undecided"]


def undecided(dossier: Dossier) -> Diagnosis:
    """The diagnosis of a dossier without any rule."""
    symptom = dossier.symptom
    if symptom is None:
        seen = "no failure was detected"
    else:
        of = f" of container {symptom.container}" if symptom.container else ""
        seen = f"{symptom.reason}{of}"
    return Diagnosis(
        category=symptom.category if symptom is not None else None,
        summary=f"cause not determined: {seen}",
        root_cause="What was read does not decide the cause.",
        explanation=f"Seen: {seen}.",
        confidence=0,
        decided_by=DecidedBy.RULES,
        citations=dossier.cite(EvidenceKind.STATUS, EvidenceKind.EVENT),
        # Of what does not fail there is no cause to look for.
        determined=symptom is None,
    )
