"""CronJobs: runs that were missed, schedules that cannot be read, and those that were forgotten.

Whether a run is overdue is left to the controller, which says so by an Event: a schedule is only
understood the same way by the code that runs it. What an Event says is over when the CronJob has
run since. Nobody can tell whether a CronJob was suspended by mistake; one that ran before and has
not for a week has probably been forgotten, and whoever means it opts out by the annotation.
"""

from __future__ import annotations

from datetime import datetime

from kausa.cluster.workloads import CronJob
from kausa.detection.case import later, newest, shows, waits
from kausa.detection.surroundings import Note, Surroundings
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.detection.workloads.creation import creation_refused
from kausa.detection.workloads.graces import GRACES
from kausa.detection.workloads.looking import notes_of
from kausa.resources.category import Category

__all__ = ["detect_cron_job"]

SUSPENDED = "Suspended"
MISSED = "MissSchedule"
_CLASSES = {
    "MissSchedule": MISSED,
    "FailedNeedsStart": MISSED,
    "TooManyMissedTimes": MISSED,
    "InvalidSchedule": "InvalidSchedule",
    "UnparseableSchedule": "InvalidSchedule",
    "UnparsableSchedule": "InvalidSchedule",
    "UnparseableCronJobSchedule": "InvalidSchedule",
    "UnknownTimeZone": "UnknownTimeZone",
}


def detect_cron_job(found: CronJob, *, around: Surroundings, now: datetime) -> Verdict:
    """What ails a CronJob; the failures of its Jobs are theirs."""
    if found.metadata.deletion_timestamp is not None:
        return HEALTHY
    if found.spec.suspend:
        return _suspended(found, now=now)
    refused = creation_refused(
        [each for each in around.notes if _is_current(each, found)],
        namespace=found.metadata.namespace,
        now=now,
    )
    if refused is not HEALTHY:
        return refused
    note = newest(each for each in notes_of(around.notes, _CLASSES) if _is_current(each, found))
    if note is None:
        return HEALTHY
    return shows(
        Symptom(
            category=Category.JOB,
            reason=note.reason,
            reason_class=_CLASSES[note.reason],
            detail="",
            message=f"{note.message} (schedule {found.spec.schedule})",
            since=note.first_seen or note.last_seen,
            last_seen=note.last_seen,
            occurrences=max(1, note.count),
        )
    )


def _suspended(found: CronJob, *, now: datetime) -> Verdict:
    ran = found.status.last_schedule_time
    if ran is None:
        return HEALTHY
    forgotten = later(ran, GRACES.suspended)
    if forgotten > now:
        return waits(forgotten)
    return shows(
        Symptom(
            category=Category.JOB,
            reason=SUSPENDED,
            reason_class=SUSPENDED,
            detail="",
            message=f"suspend is true, and the last run was scheduled for {ran:%Y-%m-%d %H:%M:%S} "
            f"(schedule {found.spec.schedule})",
            since=ran,
            last_seen=ran,
        )
    )


def _is_current(note: Note, found: CronJob) -> bool:
    """Whether nothing was scheduled after the Event."""
    ran = found.status.last_schedule_time
    return ran is None or note.last_seen is None or note.last_seen >= ran
