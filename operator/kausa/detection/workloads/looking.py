"""What the detectors of all kinds need: conditions, graces and what Events say."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from kausa.cluster.workloads import Condition
from kausa.detection.case import later
from kausa.detection.surroundings import Note

__all__ = ["condition", "grace", "notes_of", "sooner", "true_condition"]


def condition(conditions: Iterable[Condition] | None, type_: str) -> Condition | None:
    """The condition of this type, where there is one."""
    return next((each for each in conditions or () if each.type == type_), None)


def true_condition(conditions: Iterable[Condition] | None, type_: str) -> Condition | None:
    """The condition of this type, where it is True."""
    found = condition(conditions, type_)
    return found if found is not None and found.status == "True" else None


def grace(since: datetime | None, length: timedelta, *, now: datetime) -> datetime | None:
    """When the grace ends that began then; None where it is over, or nobody knows its begin."""
    if since is None:
        return None
    end = later(since, length)
    return end if end > now else None


def notes_of(notes: Iterable[Note], reasons: Collection[str]) -> list[Note]:
    """What Events say with one of these reasons."""
    return [each for each in notes if each.reason in reasons]


def sooner(*moments: datetime | None) -> datetime | None:
    """The first of those that are known."""
    return min((each for each in moments if each is not None), default=None)
