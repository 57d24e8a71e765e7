"""Several Events that say the same of one object, counted together.

Who writes Events may make a new one for each time, so the repeats of one story are many Events that
each say once. An Event keeps the time at which it was seen first, however often it is repeated:
that tells two of them apart. Of Pods they are not added up: the kubelet and the scheduler repeat an
Event, and a Pod's own status counts.
"""

from __future__ import annotations

from datetime import UTC, datetime

from kausa.detection.surroundings import Note, Telling

__all__ = ["MOST_TELLINGS", "is_of_pod", "told_by", "told_together"]

MOST_TELLINGS = 16
"""Kept one by one, the last ones; of those before only how often they said it."""
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
_CORE = ("v1", "")


def is_of_pod(note: Note) -> bool:
    """Whether it speaks of a Pod of Kubernetes' own; others may have a kind of that name."""
    return note.kind == "Pod" and note.api_version in _CORE


def told_by(note: Note) -> tuple[Telling, ...]:
    """The Events behind a note, at least one, the oldest first."""
    return note.tellings or (Telling(note.first_seen, note.last_seen, note.count),)


def told_together(one: Note, other: Note) -> tuple[int, tuple[Telling, ...]]:
    """How often both notes say it, and which Events do, where there are several.

    The same in whatever order notes come, and however often, as long as there are no more than
    MOST_TELLINGS Events; of more, one that is older than all that are kept was counted before.
    """
    known, added = told_by(one), told_by(other)
    forgotten = one.count - sum(each.count for each in known)
    also_forgotten = other.count - sum(each.count for each in added)
    if forgotten:
        added = tuple(each for each in added if _age(each) >= _age(known[0]))
    if also_forgotten:
        known = tuple(each for each in known if _age(each) >= _age(other.tellings[0]))
    merged: dict[datetime | None, Telling] = {}
    for each in (*known, *added):
        same = merged.get(each.first_seen)
        merged[each.first_seen] = each if same is None else _longer(same, each)
    told = sorted(merged.values(), key=_age)
    count = sum(each.count for each in told) + max(forgotten, also_forgotten)
    return count, tuple(told[-MOST_TELLINGS:]) if len(told) > 1 else ()


def _longer(one: Telling, other: Telling) -> Telling:
    """Both are the same Event: as it was when it had been repeated more often."""
    last = max(one.last_seen or _LONG_AGO, other.last_seen or _LONG_AGO)
    return Telling(one.first_seen, None if last is _LONG_AGO else last, max(one.count, other.count))


def _age(telling: Telling) -> tuple[datetime, datetime]:
    return telling.last_seen or _LONG_AGO, telling.first_seen or _LONG_AGO
