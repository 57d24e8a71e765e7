"""Objects that nobody watches, of which only a Warning Event speaks.

A ReplicaSet of nobody's that may not create its Pods, a controller of one's own that cannot go on.
Nothing but the Event is known, so it must repeat and last before it is a failure, and it is one for
as long as it may still be repeated. That it has stopped is all that tells that it is over.
"""

from __future__ import annotations

from datetime import datetime

from kausa.cluster.workloads import is_watched
from kausa.detection.case import later, shows, waits
from kausa.detection.surroundings import Note
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.detection.workloads.creation import CREATION_NOTES, creation_refused
from kausa.detection.workloads.graces import GRACES
from kausa.detection.workloads.looking import grace, sooner
from kausa.resources.category import Category
from kausa.resources.group import GROUP

__all__ = ["detect_note"]

FEWEST_REPEATS = 3
_CATEGORIES = {
    "FailedToUpdateEndpointSlices": Category.CONTROL_PLANE,
    "FailedToUpdateEndpoint": Category.CONTROL_PLANE,
    "SyncLoadBalancerFailed": Category.SERVICE,
    "VolumeFailedDelete": Category.STORAGE,
    "VolumeFailedRecycle": Category.STORAGE,
    "RecyclerPod": Category.STORAGE,
}


def detect_note(note: Note, *, now: datetime) -> Verdict:
    """What an Event says of an object that is known by nothing else."""
    if _is_judged_elsewhere(note):
        return HEALTHY
    if note.reason in CREATION_NOTES:
        return creation_refused((note,), namespace=note.namespace, now=now)
    last, first = note.last_seen, note.first_seen or note.last_seen
    if not note.reason or last is None or first is None or note.count < FEWEST_REPEATS:
        return HEALTHY
    forgotten = later(last, GRACES.warned_memory)
    if forgotten <= now:
        return HEALTHY
    wait = grace(first, GRACES.warned, now=now)
    if wait is not None:
        return waits(sooner(wait, forgotten))
    if last < later(first, GRACES.warned):
        # All of its repeats came in one burst, and none since.
        return HEALTHY
    return shows(
        Symptom(
            category=_CATEGORIES.get(note.reason, Category.OTHER),
            reason=note.reason,
            reason_class=note.reason,
            detail="",
            message=note.message,
            since=first,
            last_seen=last,
            occurrences=max(1, note.count),
        ),
        until=forgotten,
    )


def _is_judged_elsewhere(note: Note) -> bool:
    """Whether it speaks of a Pod, of what is watched, or of one of our own resources."""
    if note.kind == "Pod" and note.api_version in {"", "v1"}:
        return True
    return is_watched(note.api_version, note.kind) or note.api_version.startswith(f"{GROUP}/")
