"""CronJobs: runs that were missed, what keeps them from running, and those that were forgotten.

Whether a run was missed is left to the controller, which says so by an Event. What an Event says is
over when the CronJob has run since, when somebody has changed it since, or when it speaks of
another schedule or zone than it has now. An Event is gone after an hour, so a schedule or a zone
that nobody can read is also told from the CronJob itself, unless it has run with it. That a run
hangs and keeps all later ones from starting is said in a Normal Event only; it is told from the
runs that were skipped. Nobody can tell whether a CronJob was suspended by mistake; one that ran
before and has not for a week has probably been forgotten, and whoever means it opts out by the
annotation.
"""

from __future__ import annotations

import re
from datetime import datetime

from kausa.cluster.workloads import CronJob
from kausa.detection.case import later, latest, newest, shows, waits
from kausa.detection.surroundings import Note, Surroundings
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.detection.workloads.creation import creation_refused
from kausa.detection.workloads.graces import GRACES
from kausa.detection.workloads.looking import grace, notes_of
from kausa.detection.workloads.schedules import is_known_zone, next_runs, parse_schedule
from kausa.resources.category import Category

__all__ = ["detect_cron_job"]

SUSPENDED = "Suspended"
MISSED = "MissSchedule"
BAD_SCHEDULE = "InvalidSchedule"
BAD_ZONE = "UnknownTimeZone"
BLOCKED = "JobAlreadyActive"
FORBID = "Forbid"
_CLASSES = {
    "MissSchedule": MISSED,
    "FailedNeedsStart": MISSED,
    "TooManyMissedTimes": MISSED,
    "InvalidSchedule": BAD_SCHEDULE,
    "UnparseableSchedule": BAD_SCHEDULE,
    "UnparsableSchedule": BAD_SCHEDULE,
    "UnparseableCronJobSchedule": BAD_SCHEDULE,
    "UnknownTimeZone": BAD_ZONE,
}
_QUOTED = re.compile(r'"(?P<what>[^"]{0,400})"')
"""Of what the controller cannot read, it quotes the field as it stands."""


def detect_cron_job(found: CronJob, *, around: Surroundings, now: datetime) -> Verdict:
    """What ails a CronJob; the failures of its Jobs are theirs."""
    if found.metadata.deletion_timestamp is not None:
        return HEALTHY
    if found.spec.suspend:
        return _suspended(found, now=now)
    notes = [each for each in around.notes if _is_current(each, found)]
    refused = creation_refused(notes, namespace=found.metadata.namespace, now=now)
    if refused is not HEALTHY:
        return refused
    note = newest(notes_of(notes, _CLASSES))
    told = _told(found, note, now=now) if note is not None else HEALTHY
    if told is not HEALTHY:
        return told
    unreadable = _unreadable(found)
    return shows(unreadable) if unreadable is not None else _blocked(found, around, now=now)


def _told(found: CronJob, note: Note, *, now: datetime) -> Verdict:
    """What an Event says of it; a run that was missed is history after a day."""
    reason_class = _CLASSES[note.reason]
    until = None
    if reason_class == MISSED and note.last_seen is not None:
        until = later(note.last_seen, GRACES.cron_job_history)
        if until <= now:
            return HEALTHY
    return shows(
        Symptom(
            category=Category.JOB,
            reason=note.reason,
            reason_class=reason_class,
            detail="",
            message=f"{note.message} (schedule {found.spec.schedule})",
            since=note.first_seen or note.last_seen,
            last_seen=note.last_seen,
            occurrences=max(1, note.count),
        ),
        until=until,
    )


def _unreadable(found: CronJob) -> Symptom | None:
    """A schedule or zone that the controller cannot read, and has not run with."""
    asked, ran = found.metadata.asked_at, found.status.last_schedule_time
    if ran is not None and (asked is None or ran >= asked):
        return None
    schedule, zone = found.spec.schedule, found.spec.time_zone
    if schedule and parse_schedule(schedule) is None:
        reason, message = BAD_SCHEDULE, f'unparseable schedule: "{schedule}"'
    elif zone and is_known_zone(zone) is False:
        reason, message = BAD_ZONE, f'invalid timeZone: "{zone}": unknown time zone {zone}'
    else:
        return None
    return Symptom(
        category=Category.JOB,
        reason=reason,
        reason_class=reason,
        detail="",
        message=f"{message} (schedule {schedule})",
        since=asked,
        last_seen=asked,
    )


def _blocked(found: CronJob, around: Surroundings, *, now: datetime) -> Verdict:
    """A run that goes on for so long that two later ones were skipped: it hangs, or nearly."""
    ran, active = found.status.last_schedule_time, found.status.active
    if found.spec.concurrency_policy != FORBID or not active or ran is None:
        return HEALTHY
    schedule = parse_schedule(found.spec.schedule)
    counted_from = latest(ran, found.metadata.asked_at)
    if schedule is None or counted_from is None:
        return HEALTHY
    skipped = next_runs(schedule, ran=ran, since=counted_from, count=2)
    if len(skipped) < 2:
        return HEALTHY
    # Whoever works without a pause is started every minute, and is skipped on purpose.
    wait = latest(
        grace(skipped[1], GRACES.starting, now=now), grace(ran, GRACES.active_run, now=now)
    )
    if wait is not None:
        return waits(wait)
    if around.failing_pods:
        return waits(later(now, GRACES.pods_settle))
    return shows(
        Symptom(
            category=Category.JOB,
            reason=BLOCKED,
            reason_class=BLOCKED,
            detail="",
            message="Not starting job because prior execution is running and concurrency policy is "
            f"Forbid: {active[0].name} was scheduled for {ran:%Y-%m-%d %H:%M:%S}, and no run since "
            f"{skipped[0]:%Y-%m-%d %H:%M:%S} was started (schedule {found.spec.schedule})",
            since=skipped[0],
            last_seen=skipped[1],
        ),
        until=later(now, GRACES.pods_settle),
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
    """Whether nothing was scheduled or changed after the Event, and it speaks of what is now."""
    last = note.last_seen
    over = latest(found.status.last_schedule_time, found.metadata.asked_at)
    if last is not None and over is not None and last < over:
        return False
    wanted = {BAD_SCHEDULE: found.spec.schedule, BAD_ZONE: found.spec.time_zone or ""}
    quoted = _QUOTED.search(note.message)
    field = wanted.get(_CLASSES.get(note.reason, ""))
    return field is None or quoted is None or quoted["what"] == field
