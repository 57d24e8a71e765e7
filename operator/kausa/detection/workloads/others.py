"""Objects that nobody watches, of which only Warning Events speak.

A ReplicaSet of nobody's that may not create its Pods, a controller of one's own that cannot go on.
Nothing but Events is known, so a warning must repeat and last before it is a failure, and it is one
for as long as it may still be repeated. That it has stopped is all that tells that it is over.

All that is said of the object counts, whichever Event came last: one symptom for each reason. And
only Events that still live count, so a process that has just started says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kausa.cluster.workloads import is_watched
from kausa.detection.case import together
from kausa.detection.surroundings import Note
from kausa.detection.tellings import is_of_pod
from kausa.detection.verdict import Verdict
from kausa.detection.workloads.creation import CREATION_NOTES, creation_refused
from kausa.detection.workloads.repeats import repeated
from kausa.resources.category import Category
from kausa.resources.group import GROUP

__all__ = ["detect_notes"]

_CATEGORIES = {
    "FailedToUpdateEndpointSlices": Category.CONTROL_PLANE,
    "FailedToUpdateEndpoint": Category.CONTROL_PLANE,
    "SyncLoadBalancerFailed": Category.SERVICE,
    "VolumeFailedDelete": Category.STORAGE,
    "VolumeFailedRecycle": Category.STORAGE,
    "RecyclerPod": Category.STORAGE,
}


def detect_notes(notes: Sequence[Note], *, now: datetime) -> Verdict:
    """What Events say of one object that is known by nothing else, in whatever order they came."""
    told: dict[str, list[Note]] = {}
    for each in notes:
        if each.reason and not _is_judged_elsewhere(each):
            told.setdefault(each.reason, []).append(each)
    return together(_said(told[reason], now=now) for reason in sorted(told))


def _said(notes: Sequence[Note], *, now: datetime) -> Verdict:
    """What Events of one reason say."""
    if notes[0].reason in CREATION_NOTES:
        return creation_refused(notes, namespace=notes[0].namespace, now=now)
    category = _CATEGORIES.get(notes[0].reason, Category.OTHER)
    return repeated(notes, category=category, now=now)


def _is_judged_elsewhere(note: Note) -> bool:
    """Whether it speaks of a Pod, of what is watched, or of one of our own resources."""
    if is_of_pod(note):
        return True
    return is_watched(note.api_version, note.kind) or note.api_version.startswith(f"{GROUP}/")
