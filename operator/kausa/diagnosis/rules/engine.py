"""All rules on one dossier; the surest finding wins, the others are alternatives."""

from __future__ import annotations

from collections.abc import Callable

from kausa.diagnosis.finding import Diagnosis, Finding
from kausa.diagnosis.rules.config import configuration_missing
from kausa.diagnosis.rules.crash import (
    crash_loop,
    killed_by_liveness_probe,
    runtime_cannot_start,
)
from kausa.diagnosis.rules.healthy import nothing_fails, standing
from kausa.diagnosis.rules.image import image_cannot_be_pulled
from kausa.diagnosis.rules.memory import out_of_memory
from kausa.diagnosis.rules.scheduling import no_node_fits
from kausa.diagnosis.rules.stated import kubernetes_states_it
from kausa.diagnosis.rules.wording import clip
from kausa.evidence.dossier import Dossier
from kausa.resources.diagnosis import DecidedBy
from kausa.resources.evidence import EvidenceKind

__all__ = ["LEAST_CONFIDENCE", "RULES", "Rule", "decide_by_rules", "find_all"]

Rule = Callable[[Dossier], Finding | None]

RULES: tuple[Rule, ...] = (
    out_of_memory,
    image_cannot_be_pulled,
    configuration_missing,
    no_node_fits,
    runtime_cannot_start,
    killed_by_liveness_probe,
    crash_loop,
    kubernetes_states_it,
    nothing_fails,
)
LEAST_CONFIDENCE = 50
"""Below this a finding is an alternative at best: a confident guess is a defect."""


def find_all(dossier: Dossier) -> tuple[Finding, ...]:
    """Every finding that rests on evidence, the surest first."""
    findings = [finding for rule in RULES if (finding := rule(dossier)) is not None]
    cited = [each for each in findings if each.citations]
    return tuple(sorted(cited, key=lambda each: -each.confidence))


def decide_by_rules(dossier: Dossier) -> Diagnosis:
    """The rules' answer; undetermined, with what was seen, where no rule is sure enough."""
    findings = find_all(dossier)
    if not findings or findings[0].confidence < LEAST_CONFIDENCE:
        return _undetermined(dossier, alternatives=findings)
    best, *others = findings
    return Diagnosis(
        category=best.category if dossier.symptom is not None else None,
        summary=best.summary,
        root_cause=best.root_cause,
        explanation=best.explanation,
        confidence=best.confidence,
        decided_by=DecidedBy.RULES,
        citations=best.citations,
        fixes=best.fixes,
        alternatives=tuple(others),
    )


def _undetermined(dossier: Dossier, *, alternatives: tuple[Finding, ...]) -> Diagnosis:
    symptom = dossier.symptom
    seen = alternatives[0].summary if alternatives else _seen(dossier)
    missing = "; ".join(f"{gap.what} ({gap.why})" for gap in dossier.gaps)
    return Diagnosis(
        category=symptom.category if symptom is not None else None,
        summary=f"cause not determined: {seen}",
        root_cause="What was read does not decide the cause.",
        explanation=f"Seen: {seen}. "
        + (
            f"Could not be read: {missing}."
            if missing
            else "Nothing that was asked for is missing."
        ),
        confidence=0,
        decided_by=DecidedBy.RULES,
        citations=dossier.cite(EvidenceKind.STATUS, EvidenceKind.EVENT),
        determined=False,
        alternatives=alternatives,
    )


def _seen(dossier: Dossier) -> str:
    symptom = dossier.symptom
    if symptom is None:
        return clip(standing(dossier), characters=200)
    of = f" of container {symptom.container}" if symptom.container else ""
    return f"{symptom.reason}{of}"
