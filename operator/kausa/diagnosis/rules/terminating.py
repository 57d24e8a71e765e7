"""Objects that are being deleted and do not go: finalizers that nobody takes away, and why."""

from __future__ import annotations

from kausa.diagnosis.finding import Finding
from kausa.diagnosis.rules.facts import Fields, condition, namespace, shown
from kausa.diagnosis.rules.telling import citing, subject, tell_finding
from kausa.diagnosis.rules.wording import clip
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import name_of, strings, text
from kausa.resources.category import Category

__all__ = ["deletion_is_stuck"]

_OF_NAMESPACE = (
    ("NamespaceDeletionDiscoveryFailure", Category.CONTROL_PLANE),
    ("NamespaceDeletionGroupVersionParsingFailure", Category.CONTROL_PLANE),
    ("NamespaceDeletionContentFailure", Category.CONTROL_PLANE),
    ("NamespaceFinalizersRemaining", Category.OTHER),
    ("NamespaceContentRemaining", Category.OTHER),
)
"""What keeps a namespace, the cause before what follows from it."""
_KNOWN = {
    "kubernetes.io/pvc-protection": "a Pod still uses the claim",
    "kubernetes.io/pv-protection": "a claim is still bound to the volume",
    "foregroundDeletion": "what it owns is still being deleted",
    "service.kubernetes.io/load-balancer-cleanup": "the cloud has not removed its load balancer",
}


def deletion_is_stuck(dossier: Dossier) -> Finding | None:
    """What is shown is being deleted, and a finalizer or a condition says why it stays."""
    found = shown(dossier)
    since = text(found, "metadata", "deletionTimestamp")
    if not since or text(found, "kind") == "Pod":
        return None
    category, why = _why(found)
    if not why and dossier.symptom is not None:
        return None
    why = why or "nothing that was read says what it waits for"
    who, name = subject(dossier), name_of(found)
    kind = text(found, "kind").lower()
    place = f"-n {namespace(dossier)} " if text(found, "metadata", "namespace") else ""
    return tell_finding(
        dossier,
        rule="deletion.stuck",
        category=category,
        summary=f"{who} is being deleted and does not go: {clip(why, characters=130)}",
        cause=f"{who} was deleted at {since} and stays (Terminating): {clip(why, characters=330)}",
        why="Kubernetes removes an object when all its finalizers are gone; each is taken away by "
        "the controller that it belongs to.",
        fix="See that the controller behind it runs; take the finalizer away by hand only if it "
        "is gone for good",
        command=f"kubectl {place}get {kind} {name} -o yaml",
        confidence=88,
        citations=citing(dossier, (text(found, "kind"), name)),
    )


def _why(found: Fields) -> tuple[Category, str]:
    for type_, category in _OF_NAMESPACE:
        state = condition(found, type_)
        if text(state, "status") == "True":
            return category, text(state, "message") or text(state, "reason")
    waits = strings(found, "metadata", "finalizers")
    known = next((_KNOWN[each] for each in waits if each in _KNOWN), "")
    told = f"finalizers {', '.join(waits[:3])} remain" if waits else ""
    of = text(found, "kind")
    category = {
        "PersistentVolumeClaim": Category.VOLUME,
        "PersistentVolume": Category.VOLUME,
        "Service": Category.SERVICE,
    }.get(of, Category.OTHER)
    return category, f"{told} ({known})" if known else told
