"""DaemonSets: Pods that may not be created, nodes without their Pod, Pods that do not come up.

Like a StatefulSet it has no conditions; it is stuck where nothing of it has changed for long and no
Pod fails by itself. A Pod on a node that should have none is no failure: it is on its way out.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from kausa.cluster.workloads import DaemonSet
from kausa.detection.case import later, newest, shows, waits
from kausa.detection.surroundings import Note, Surroundings
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.detection.workloads.creation import creation_refused
from kausa.detection.workloads.graces import GRACES
from kausa.detection.workloads.looking import grace, notes_of
from kausa.resources.category import Category

__all__ = ["detect_daemon_set"]

FAILED_POD = "FailedDaemonPod"
NOT_PLACED = "FailedPlacement"
"""What the controller called it while it placed Pods itself."""
UNAVAILABLE = "NumberUnavailable"
"""After the field that counts them: Kubernetes has no other word."""


def detect_daemon_set(found: DaemonSet, *, around: Surroundings, now: datetime) -> Verdict:
    """What ails a DaemonSet as a whole."""
    if found.metadata.deletion_timestamp is not None:
        return HEALTHY
    status = found.status
    lacking = status.desired_number_scheduled - status.current_number_scheduled
    if lacking > 0:
        verdict = creation_refused(around.notes, namespace=found.metadata.namespace, now=now)
        if verdict is not HEALTHY:
            return verdict
    if lacking <= 0 and status.number_unavailable <= 0:
        return HEALTHY
    if around.failing_pods:
        return waits(later(now, GRACES.pods_settle))
    note = newest(notes_of(around.notes, {FAILED_POD}))
    if note is not None and note.count > 1 and note.last_seen is not None:
        end = grace(note.last_seen, GRACES.failed_daemon, now=now)
        if end is not None:
            return shows(_killed(note), until=end)
    if lacking > 0:
        return _stuck(
            found,
            reason=NOT_PLACED,
            message=f"{lacking} of {status.desired_number_scheduled} nodes that should run a Pod "
            "of it have none",
            length=GRACES.placed,
            now=now,
        )
    return _stuck(
        found,
        reason=UNAVAILABLE,
        message=f"{status.number_unavailable} of {status.desired_number_scheduled} daemon Pods are "
        "not available",
        length=GRACES.stuck,
        now=now,
    )


def _killed(note: Note) -> Symptom:
    """The controller kills Pods of it that have failed, again and again."""
    return Symptom(
        category=Category.ROLLOUT,
        reason=FAILED_POD,
        reason_class=FAILED_POD,
        detail="",
        message=note.message,
        since=note.first_seen or note.last_seen,
        last_seen=note.last_seen,
        occurrences=max(1, note.count),
    )


def _stuck(
    found: DaemonSet, *, reason: str, message: str, length: timedelta, now: datetime
) -> Verdict:
    changed = found.metadata.changed_at
    wait = grace(changed, length, now=now)
    if wait is not None or changed is None:
        return waits(wait)
    return shows(
        Symptom(
            category=Category.ROLLOUT,
            reason=reason,
            reason_class=reason,
            detail="",
            message=f"{message}, nothing has changed since {changed:%Y-%m-%d %H:%M:%S}",
            since=changed,
            last_seen=changed,
        ),
        until=later(now, GRACES.pods_settle),
    )
