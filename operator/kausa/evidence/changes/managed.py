"""Who wrote an object last, when, and which fields: what `metadata.managedFields` remembers.

An entry holds all the fields that a manager owns, and the time of its last write. Who writes to
what another one made comes to own what it changed; where there is one manager only, which of its
fields it changed last cannot be known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from kausa.evidence.changes.leaves import join
from kausa.evidence.fields import moment, rows, table, text

__all__ = ["Edit", "created", "last_edit"]

MOST_FIELDS = 50
DEEPEST = 8
WITH_CREATION = timedelta(seconds=2)
"""What makes an object may write it twice: the second write is no edit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """The last write of one manager."""

    manager: str
    at: datetime
    fields: tuple[str, ...]
    """What it owns below the field that was asked about; at most 50."""
    exact: bool
    """Whether these are the fields that this write changed, and no others."""


def created(manifest: object) -> datetime | None:
    """When the object was made."""
    return moment(manifest, "metadata", "creationTimestamp")


def last_edit(manifest: object, *under: str) -> Edit | None:
    """The latest write below one of these top fields after the object was made; None without one.

    What controllers write into the status is no edit.
    """
    made = created(manifest)
    found = [
        (at, text(entry, "manager"), fields)
        for entry in rows(manifest, "metadata", "managedFields")
        if not text(entry, "subresource")
        and (at := moment(entry, "time")) is not None
        and (fields := _fields_below(entry, under))
    ]
    if not found:
        return None
    at, manager, fields = max(found, key=lambda each: each[0])
    if made is not None and at - made <= WITH_CREATION:
        return None
    return Edit(
        manager=manager or "somebody",
        at=at,
        fields=fields,
        exact=len(fields) == 1 or (len(found) > 1 and len(fields) < MOST_FIELDS),
    )


def _fields_below(entry: Mapping[str, object], under: tuple[str, ...]) -> tuple[str, ...]:
    owned = table(entry, "fieldsV1")
    found: list[str] = []
    for top in under:
        # An object of many thousand fields is read as far as anybody wants to know them.
        for path in _leaves(owned.get(f"f:{top}"), top, depth=0):
            found.append(path)
            if len(found) >= MOST_FIELDS:
                return tuple(found)
    return tuple(found)


def _leaves(value: object, path: str, *, depth: int) -> Iterator[str]:
    if value is None:
        return
    below = [
        (str(key).partition(":")[2], each)
        for key, each in (value.items() if isinstance(value, Mapping) else ())
        if str(key) != "."
    ]
    if not below or depth >= DEEPEST:
        yield path
        return
    for key, each in below:
        yield from _leaves(each, join(path, key), depth=depth + 1)
