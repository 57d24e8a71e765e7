"""Claims whose volume should grow and does not: a condition stays for as long as it is tried."""

from __future__ import annotations

from datetime import datetime

from kausa.cluster.workloads import PersistentVolumeClaim
from kausa.detection.case import latest, newest, shows, waits
from kausa.detection.surroundings import Surroundings
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.detection.workloads.graces import GRACES
from kausa.detection.workloads.looking import grace, notes_of, true_condition
from kausa.resources.category import Category

__all__ = ["resize"]

FAILED = "VolumeResizeFailed"
PENDING = "FileSystemResizePending"
_ERRORS = ("ControllerResizeError", "NodeResizeError", "ModifyVolumeError")
_UNDER_WAY = ("Resizing", PENDING)
_NOTES = frozenset({FAILED, "FileSystemResizeFailed", "ExternalExpanding"})


def resize(found: PersistentVolumeClaim, *, around: Surroundings, now: datetime) -> Verdict:
    """What ails the growing of a bound claim's volume."""
    conditions = found.status.conditions
    if not conditions:
        return HEALTHY
    for type_ in _ERRORS:
        failed = true_condition(conditions, type_)
        if failed is not None:
            return shows(_symptom(type_, failed.message, since=failed.last_transition_time))
    under_way = next(
        (each for type_ in _UNDER_WAY if (each := true_condition(conditions, type_))), None
    )
    if under_way is None:
        return HEALTHY
    note = newest(notes_of(around.notes, _NOTES))
    since = under_way.last_transition_time
    if note is not None:
        return shows(
            _symptom(
                note.reason,
                note.message,
                since=since or note.first_seen,
                last_seen=note.last_seen,
                occurrences=note.count,
            )
        )
    if under_way.type != PENDING:
        return HEALTHY
    wait = grace(since, GRACES.resize_pending, now=now)
    if wait is not None or since is None:
        return waits(wait)
    return shows(_symptom(PENDING, under_way.message, since=since))


def _symptom(
    reason: str,
    message: str,
    *,
    since: datetime | None,
    last_seen: datetime | None = None,
    occurrences: int = 1,
) -> Symptom:
    return Symptom(
        category=Category.VOLUME,
        reason=reason,
        reason_class=PENDING if reason == PENDING else FAILED,
        detail="",
        message=message,
        since=since,
        last_seen=latest(since, last_seen),
        occurrences=max(1, occurrences),
    )
