"""A Pod that somebody asked about and that does not fail: say so, with the facts.

Only where all that was read agrees. A Pod that is not ready, has crashed or is warned about is not
said to be healthy, even where no rule knows what is wrong with it.
"""

from __future__ import annotations

from kausa.diagnosis.finding import Finding
from kausa.diagnosis.rules.wording import plural
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["nothing_fails", "standing"]


def nothing_fails(dossier: Dossier) -> Finding | None:
    """Running with all containers ready and never crashed, or finished with success."""
    if dossier.symptom is not None:
        return None
    pod = dossier.pod
    name = pod.metadata.name
    citations = dossier.cite(EvidenceKind.STATUS) or dossier.cite(EvidenceKind.SPEC)
    if pod.status.phase == "Succeeded":
        summary = f"no failure found: Pod {name} has finished with success"
    elif _runs_well(dossier):
        summary = f"no failure found: {standing(dossier)}"
    else:
        return None
    return Finding(
        rule="healthy.nothing-fails",
        category=Category.OTHER,
        summary=summary,
        root_cause="Neither the Pod's status nor its containers nor its Events show a failure.",
        explanation="What Kubernetes knows of this Pod was read and shows no failure. A program "
        "that answers wrongly while it runs cannot be seen from here.",
        confidence=95,
        citations=citations,
    )


def _runs_well(dossier: Dossier) -> bool:
    pod = dossier.pod
    statuses = pod.status.container_statuses or ()
    crashed = any(
        each.last_state.terminated is not None and each.last_state.terminated.exit_code != 0
        for each in pod.status.all_container_statuses
    )
    conditions = {each.type: each.status for each in pod.status.conditions or ()}
    return (
        pod.metadata.deletion_timestamp is None
        and conditions.get("Ready", "True") == "True"
        and bool(statuses)
        and all(each.ready for each in statuses)
        and not crashed
        and not _warnings(dossier)
        and not any(gap.what.startswith("Events") for gap in dossier.gaps)
    )


def _warnings(dossier: Dossier) -> tuple[str, ...]:
    """Warnings since the Pod became ready; those of its start are over."""
    ready_since = next(
        (
            each.last_transition_time
            for each in dossier.pod.status.conditions or ()
            if (each.type, each.status) == ("Ready", "True")
        ),
        None,
    )
    return tuple(
        each.text
        for each in dossier.evidence
        if each.text.startswith("warning event")
        and (ready_since is None or each.time is None or each.time > ready_since)
    )


def standing(dossier: Dossier) -> str:
    """How a Pod stands, in the words of its status, without saying whether that is well."""
    pod = dossier.pod
    statuses = pod.status.all_container_statuses
    ready = sum(1 for each in pod.status.container_statuses or () if each.ready)
    of = plural(len(pod.spec.containers or ()), "container")
    phase = "runs" if pod.status.phase == "Running" else f"is {pod.status.phase or 'new'}"
    parts = [f"Pod {pod.metadata.name} {phase}, {ready} of {of} ready"]
    restarts = sum(each.restart_count for each in statuses)
    parts.append(plural(restarts, "restart"))
    for each in statuses:
        ended = each.state.terminated or each.last_state.terminated
        if ended is not None and ended.exit_code != 0:
            parts.append(f"container {each.name} ended with exit code {ended.exit_code}")
    parts.extend(_warnings(dossier)[-1:])
    return ", ".join(parts)
