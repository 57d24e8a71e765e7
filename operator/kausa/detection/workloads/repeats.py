"""Warning Events that repeat and last, which is all that makes a failure of what only they say.

A warning that is said once, or in one burst, says that something was tried again and worked. Only
Events that still live count, so a process that has just started says the same as one that has seen
them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from kausa.detection.case import LONG_AGO, later, newest, shows, waits
from kausa.detection.surroundings import Note, Telling
from kausa.detection.symptom import Symptom
from kausa.detection.tellings import told_by
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.detection.workloads.graces import GRACES
from kausa.detection.workloads.looking import grace, sooner
from kausa.resources.category import Category

__all__ = ["FEWEST_REPEATS", "repeated"]

FEWEST_REPEATS = 3
EVENTS_LIVE = timedelta(hours=1)
"""After its last repeat the API server forgets an Event, as long as nobody has set it otherwise."""


def repeated(notes: Iterable[Note], *, category: Category, now: datetime) -> Verdict:
    """What Events of one reason say of one object, where they repeat and last, in the words of the
    last one; no longer than one may still be repeated.
    """
    alive = {
        note: living for note in notes if (living := [e for e in told_by(note) if _lives(e, now)])
    }
    last_note = newest(alive)
    told = [each for living in alive.values() for each in living]
    if last_note is None or sum(each.count for each in told) < FEWEST_REPEATS:
        return HEALTHY
    ends = [each.last_seen for each in told if each.last_seen is not None]
    first = min(each.first_seen or each.last_seen or LONG_AGO for each in told)
    last = max(ends)
    forgotten = later(last, GRACES.warned_memory)
    if forgotten <= now:
        return HEALTHY
    changes = sooner(forgotten, later(min(ends), EVENTS_LIVE))
    wait = grace(first, GRACES.warned, now=now)
    if wait is not None:
        return waits(sooner(wait, changes))
    if last < later(first, GRACES.warned):
        # All of its repeats came in one burst, and none since.
        return HEALTHY
    return shows(
        Symptom(
            category=category,
            reason=last_note.reason,
            reason_class=last_note.reason,
            # Messages hold ids and numbers, and say the same of several Pods or metrics in turn.
            detail="",
            message=last_note.message,
            since=first,
            last_seen=last,
            occurrences=max(1, sum(each.count for each in alive)),
        ),
        until=changes,
    )


def _lives(telling: Telling, now: datetime) -> bool:
    """Whether the API server still has the Event."""
    seen = telling.last_seen
    return seen is not None and later(seen, EVENTS_LIVE) > now
