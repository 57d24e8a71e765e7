"""A Pod that somebody asked about and that does not fail: say so, with the facts."""

from __future__ import annotations

from kausa.diagnosis.finding import Finding
from kausa.diagnosis.rules.wording import plural
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["nothing_fails"]


def nothing_fails(dossier: Dossier) -> Finding | None:
    """No symptom: running and ready, finished, or still on its way."""
    if dossier.symptom is not None:
        return None
    pod = dossier.pod
    statuses = pod.status.container_statuses or ()
    ready = sum(1 for each in statuses if each.ready)
    restarts = sum(each.restart_count for each in statuses)
    name = pod.metadata.name
    citations = dossier.cite(EvidenceKind.STATUS) or dossier.cite(EvidenceKind.SPEC)
    if pod.status.phase == "Succeeded":
        summary, confidence = f"no failure found: Pod {name} has finished with success", 95
    elif statuses and ready == len(statuses):
        summary = (
            f"no failure found: Pod {name} runs, {ready} of {plural(len(statuses), 'container')} "
            f"ready, {plural(restarts, 'restart')}"
        )
        confidence = 95 if restarts == 0 else 80
    else:
        summary = (
            f"no failure found so far: Pod {name} is {pod.status.phase or 'new'}, {ready} of "
            f"{plural(len(pod.spec.containers or ()), 'container')} ready"
        )
        confidence = 60
    return Finding(
        rule="healthy.nothing-fails",
        category=Category.OTHER,
        summary=summary,
        root_cause="Neither the Pod's status nor its containers show a failure.",
        explanation="What Kubernetes knows of this Pod was read and shows no failure. A program "
        "that answers wrongly while it runs cannot be seen from here.",
        confidence=confidence,
        citations=citations,
    )
