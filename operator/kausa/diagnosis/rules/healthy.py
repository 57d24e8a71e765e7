"""Something that somebody asked about and that does not fail: say so, with the facts.

Only where all that was read agrees. A Pod that is not ready, has crashed or is warned about is not
said to be healthy, even where no rule knows what is wrong with it; nor is an object of which the
conditions are bad, replicas are missing, or a name leads nowhere.
"""

from __future__ import annotations

from kausa.diagnosis.finding import Finding
from kausa.diagnosis.rules.accounts import warnings
from kausa.diagnosis.rules.facts import Fields, shown
from kausa.diagnosis.rules.telling import LONGEST_SUMMARY, citing, subject
from kausa.diagnosis.rules.unresolved import name_leads_nowhere
from kausa.diagnosis.rules.wording import clip, plural
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import flag, number, rows, text
from kausa.evidence.object_numbers import numbers_in_words
from kausa.evidence.object_status import is_well
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["nothing_fails", "standing"]

OBJECT_IS_WELL = 60


def nothing_fails(dossier: Dossier) -> Finding | None:
    """Running with all containers ready and never crashed, or finished with success."""
    if dossier.symptom is not None:
        return None
    if not dossier.has_pod:
        return _object_is_well(dossier)
    pod = dossier.pod
    name = pod.metadata.name
    citations = dossier.cite(EvidenceKind.STATUS) or dossier.cite(EvidenceKind.SPEC)
    if pod.status.phase == "Succeeded":
        summary = f"no failure found: Pod {name} has finished with success"
    elif _runs_well(dossier) and not _complaints(dossier):
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


def _object_is_well(dossier: Dossier) -> Finding | None:
    """An object without Pods: conditions, numbers, names and Events agree that it does well."""
    found = shown(dossier)
    if not found or _complaints(dossier) or warnings(dossier):
        return None
    if name_leads_nowhere(dossier) is not None:
        return None
    who = subject(dossier)
    facts = "; ".join(numbers_in_words(dict(found))[:4])
    return Finding(
        rule="healthy.nothing-fails",
        category=Category.OTHER,
        summary=clip(
            f"no failure found: {who}" + (f", {facts}" if facts else ""), characters=LONGEST_SUMMARY
        ),
        root_cause=f"Neither the conditions of {who} nor its Events show a failure, and what it "
        f"names "
        "exists as far as that could be read.",
        explanation="What Kubernetes knows of this object was read and shows no failure.",
        # Its status tells little of such an object, so any rule that knows more goes before.
        confidence=OBJECT_IS_WELL,
        citations=citing(dossier),
    )


def _complaints(dossier: Dossier) -> bool:
    """Whether the object itself says that something is wrong, or numbers of it do not meet."""
    found = shown(dossier)
    if text(found, "metadata", "deletionTimestamp") or flag(found, "spec", "suspend"):
        return True
    if any(not is_well(each) for each in rows(found, "status", "conditions") if _weighs(each)):
        return True
    for wanted, there in _NUMBERS.get(text(found, "kind"), ()):
        goal, count = number(found, *wanted), number(found, *there)
        if "status" in found and goal is not None and (count or 0) < goal:
            return True
    return False


def _weighs(condition: Fields) -> bool:
    """Whether it tells of trouble: that replicas are at their bound, or a Job goes on, does not."""
    return text(condition, "type") not in {"ScalingLimited", "Complete", "SuccessCriteriaMet"}


_REPLICAS = ("spec", "replicas")
_NUMBERS = {
    "Deployment": ((_REPLICAS, ("status", "availableReplicas")),),
    "StatefulSet": ((_REPLICAS, ("status", "readyReplicas")),),
    "ReplicaSet": ((_REPLICAS, ("status", "readyReplicas")),),
    "DaemonSet": ((("status", "desiredNumberScheduled"), ("status", "numberReady")),),
}


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
        and not _events_are_missing(dossier)
    )


def _events_are_missing(dossier: Dossier) -> bool:
    """Whether what is said of the Pod could not be read; of a node it does not matter here."""
    namespace = f"namespace {dossier.pod.metadata.namespace}"
    return any(
        gap.what.startswith("Events") and namespace in f"{gap.what} " for gap in dossier.gaps
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
    if not dossier.has_pod:
        facts = "; ".join(numbers_in_words(dict(shown(dossier)))[:4])
        return f"{subject(dossier)}: {facts}" if facts else subject(dossier)
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
