"""Workloads that may not create what they are made of: no Pod fails, because there is none.

A condition or the Event FailedCreate tells the API server's own words. The Event outlives its
cause, so it counts only beside a status that says that something is lacking, and for as long as a
controller may wait before it tries again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from kausa.detection.case import later, newest, shows, waits
from kausa.detection.surroundings import Note
from kausa.detection.symptom import Symptom, Upstream
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.detection.workloads.graces import GRACES
from kausa.detection.workloads.looking import grace, notes_of, sooner
from kausa.detection.workloads.refusals import is_passing, parse_refusal

__all__ = ["CREATION_NOTES", "creation_refused", "refused"]

FAILED_CREATE = "FailedCreate"
CREATION_NOTES = frozenset({FAILED_CREATE})


def refused(
    message: str,
    *,
    namespace: str,
    reason: str = FAILED_CREATE,
    since: datetime | None,
    last_seen: datetime | None,
    occurrences: int = 1,
) -> Symptom:
    """The symptom of a workload that is refused what it creates."""
    refusal = parse_refusal(message)
    upstream = None
    if refusal.quota is not None:
        upstream = Upstream(
            api_version="v1",
            kind="ResourceQuota",
            name=refusal.quota,
            namespace=namespace,
            reason=reason,
        )
    return Symptom(
        category=refusal.category,
        reason=reason,
        reason_class=reason,
        detail=refusal.detail,
        message=message,
        since=since,
        last_seen=last_seen,
        occurrences=max(1, occurrences),
        caused_by=upstream,
    )


def creation_refused(notes: Iterable[Note], *, namespace: str, now: datetime) -> Verdict:
    """What the last Event says of a creation that failed; HEALTHY where that was long ago."""
    note = newest(each for each in notes_of(notes, CREATION_NOTES) if not is_passing(each.message))
    if note is None:
        return HEALTHY
    forgotten = None
    if note.last_seen is not None:
        forgotten = later(note.last_seen, GRACES.refused_memory)
        if forgotten <= now:
            return HEALTHY
    wait = grace(note.first_seen or note.last_seen, GRACES.refused, now=now)
    if wait is not None:
        return waits(sooner(wait, forgotten))
    return shows(
        refused(
            note.message,
            namespace=namespace,
            reason=note.reason,
            since=note.first_seen or note.last_seen,
            last_seen=note.last_seen,
            occurrences=note.count,
        ),
        until=forgotten,
    )
