"""Volumes that cannot be attached or mounted, and ConfigMaps and Secrets that are missing there.

Only Events show them: the status says ContainerCreating as it does of every young Pod.
"""

from __future__ import annotations

import re
from datetime import datetime

from kausa.detection.case import LONG_AGO, PodCase, earlier, newest
from kausa.detection.fingerprint import normalise
from kausa.detection.graces import GRACES
from kausa.detection.surroundings import Note
from kausa.detection.symptom import Symptom
from kausa.resources.category import Category

__all__ = ["VOLUME_NOTES", "volume"]

VOLUME_NOTES = frozenset(
    {
        "FailedMount",
        "FailedAttachVolume",
        "FailedMapVolume",
        "FailedMountOnFilesystemMismatch",
        "FileSystemResizeFailed",
    }
)
_MISSING = re.compile(
    r'\b(?P<what>(?:configmap|secret) "[^"]{1,253}" not found|'
    r"references non-existent (?:config|secret) key: ?.{1,253})",
    re.I | re.S,
)
_UNMOUNTED = "Unable to attach or mount volumes"
"""The kubelet's summary after two minutes; it names no cause."""


def volume(case: PodCase, notes: list[Note]) -> Symptom:
    """What keeps the Pod's volumes from it; `notes` speak of volumes, and are at least one."""
    note = _most_telling(notes)
    missing = _MISSING.search(note.message)
    return Symptom(
        category=Category.CONFIG if missing else Category.VOLUME,
        reason=note.reason,
        reason_class="ConfigError" if missing else "Volume",
        # Every Pod of an owner has a volume of its own: its name is no part of identity.
        detail=normalise(missing["what"]) if missing else "",
        message=note.message,
        since=min((each.first_seen for each in notes if each.first_seen), default=case.begun),
        last_seen=max((each.last_seen for each in notes if each.last_seen), default=case.begun),
        occurrences=max(1, note.count),
    )


def _most_telling(notes: list[Note]) -> Note:
    """One that names the cause before one that names a volume, attaching before mounting.

    Of several it is the first, as long as it is still heard of: two volumes that are tried in turn
    stay one failure.
    """
    last = newest(notes)
    heard = last.last_seen if last is not None else None
    current = [
        each
        for each in notes
        if heard is None
        or each.last_seen is None
        or each.last_seen >= earlier(heard, GRACES.mounted_in_turn)
    ]
    return min(current, key=_rank)


def _rank(note: Note) -> tuple[bool, bool, bool, datetime, str]:
    return (
        _MISSING.search(note.message) is None,
        note.message.startswith(_UNMOUNTED),
        note.reason != "FailedAttachVolume",
        note.first_seen or LONG_AGO,
        note.message,
    )
