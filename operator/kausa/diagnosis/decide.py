"""What is said without a model: the rules' answer, what changed, and fixes that can be checked."""

from __future__ import annotations

from kausa.diagnosis.changed import with_changes
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.model.doubting import cautious
from kausa.diagnosis.remediation import with_remedies
from kausa.diagnosis.rules.engine import decide_by_rules
from kausa.evidence.dossier import Dossier

__all__ = ["completed", "decide"]


def decide(dossier: Dossier) -> Diagnosis:
    """The diagnosis of a dossier; pure, and the same in a cluster and offline."""
    return completed(dossier, cautious(dossier, decide_by_rules(dossier)))


def completed(dossier: Dossier, diagnosis: Diagnosis) -> Diagnosis:
    """A diagnosis, whoever made it, with what changed and with patches."""
    return with_remedies(dossier, with_changes(dossier, diagnosis))
