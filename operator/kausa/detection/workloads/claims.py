"""Claims without a volume: nobody makes one, making it fails, or it is lost; and failed resizes.

A claim that waits for its first consumer looks like one that is forgotten. What tells them apart is
the annotation that names who was asked to make the volume: it is set only when it is really wanted.
A claim that asks for a class which does not exist, or for a volume that does not fit it, is told by
an Event, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from kausa.cluster.workloads import PersistentVolumeClaim
from kausa.detection.case import newest, shows, waits
from kausa.detection.surroundings import ClaimState, Note, Surroundings
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.detection.workloads.graces import GRACES
from kausa.detection.workloads.looking import grace, notes_of
from kausa.detection.workloads.resizes import resize
from kausa.resources.category import Category

__all__ = ["claim_state", "detect_claim"]

FAILED_BINDING = "FailedBinding"
PROVISIONING_FAILED = "ProvisioningFailed"
WAITING_FOR_PROVISIONER = "ExternalProvisioning"
LOST = "ClaimLost"
_LOST_NOTES = frozenset({LOST, "ClaimMisbound"})
_PENDING_NOTES = frozenset(
    {PROVISIONING_FAILED, "ProvisioningCleanupFailed", "VolumeMismatch", FAILED_BINDING}
)
_ASKED_WRONGLY = re.compile(r'storageclass\S{0,30} "[^"]{0,253}" not found|access ?modes?\b', re.I)
_NO_CLASS = "no persistent volumes available for this claim and no storage class is set"
"""The controller's own words, which it says in a Normal Event only."""


def detect_claim(found: PersistentVolumeClaim, *, around: Surroundings, now: datetime) -> Verdict:
    """What ails a claim."""
    if found.metadata.deletion_timestamp is not None:
        return HEALTHY
    if found.status.phase == "Bound":
        return resize(found, around=around, now=now)
    if found.status.phase == "Lost":
        return _lost(found, around.notes)
    return _pending(found, around=around, now=now)


def claim_state(found: PersistentVolumeClaim, notes: Iterable[Note] = ()) -> ClaimState | None:
    """How a claim is doing that is not bound; None where it is."""
    phase = found.status.phase or "Pending"
    if phase == "Bound":
        return None
    note = newest(notes_of(notes, _LOST_NOTES if phase == "Lost" else _PENDING_NOTES))
    meta = found.metadata
    return ClaimState(
        name=meta.name, uid=meta.uid, phase=phase, reason=note.reason if note is not None else ""
    )


def _lost(found: PersistentVolumeClaim, notes: Iterable[Note]) -> Verdict:
    note = newest(notes_of(notes, _LOST_NOTES))
    volume = found.spec.volume_name
    return shows(
        Symptom(
            category=Category.VOLUME,
            reason=note.reason if note is not None else LOST,
            reason_class=LOST,
            detail="",
            message=note.message
            if note is not None
            else f"Bound claim has lost its PersistentVolume {volume}".strip(),
            since=note.first_seen if note is not None else None,
            last_seen=note.last_seen if note is not None else None,
            occurrences=max(1, note.count) if note is not None else 1,
        )
    )


def _pending(found: PersistentVolumeClaim, *, around: Surroundings, now: datetime) -> Verdict:
    created = found.metadata.creation_timestamp
    note = newest(notes_of(around.notes, _PENDING_NOTES))
    if note is not None:
        wait = grace(created, GRACES.provisioning, now=now)
        return waits(wait) if wait is not None else shows(_failed(note))
    if found.spec.volume_name:
        message = f"the claim waits for the volume {found.spec.volume_name}, and is not bound to it"
        return _unmet(found, FAILED_BINDING, message, now=now)
    if not found.spec.storage_class_name:
        return _unmet(found, FAILED_BINDING, _NO_CLASS, now=now)
    if not found.provisioner:
        # It waits for its first consumer, and then the Pod's own story tells whether that comes.
        return HEALTHY
    wait = grace(created, GRACES.provisioner_silent, now=now)
    if wait is not None or created is None:
        return waits(wait)
    return shows(
        Symptom(
            category=Category.STORAGE,
            reason=WAITING_FOR_PROVISIONER,
            reason_class=PROVISIONING_FAILED,
            detail="",
            message=f"waiting for the provisioner {found.provisioner} to make a volume of class "
            f"{found.spec.storage_class_name}, since {created:%Y-%m-%d %H:%M:%S}",
            since=created,
            last_seen=created,
        )
    )


def _failed(note: Note) -> Symptom:
    """What is asked for is wrong (Volume), or whoever makes volumes fails (Storage)."""
    backend = note.reason == PROVISIONING_FAILED and not _ASKED_WRONGLY.search(note.message)
    return Symptom(
        category=Category.STORAGE if backend else Category.VOLUME,
        reason=note.reason,
        reason_class=note.reason,
        # Messages of a backend hold ids and change with every attempt.
        detail="",
        message=note.message,
        since=note.first_seen or note.last_seen,
        last_seen=note.last_seen,
        occurrences=max(1, note.count),
    )


def _unmet(found: PersistentVolumeClaim, reason: str, message: str, *, now: datetime) -> Verdict:
    created = found.metadata.creation_timestamp
    wait = grace(created, GRACES.unprovisioned, now=now)
    if wait is not None or created is None:
        return waits(wait)
    return shows(
        Symptom(
            category=Category.VOLUME,
            reason=reason,
            reason_class=reason,
            detail="",
            message=message,
            since=created,
            last_seen=created,
        )
    )
