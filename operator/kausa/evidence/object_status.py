"""Evidence from the status of what is no Pod: in Kubernetes' own words, as detection read them,
and in its fields: conditions that are not as they should be, and numbers that do not meet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from kausa.cluster.objects import ObjectReference
from kausa.cluster.reader import Manifest
from kausa.detection.symptom import Symptom
from kausa.evidence.around import Around, source_of
from kausa.evidence.dossier import Evidence, Source
from kausa.evidence.fields import flag, moment, name_of, number, rows, strings, text
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.object_numbers import numbers_in_words
from kausa.evidence.reading import Reading
from kausa.resources.evidence import EvidenceKind

__all__ = ["gather_objects", "is_well", "object_evidence", "status_of"]

MOST_CONDITIONS = 8
_BAD_WHEN_TRUE = frozenset(
    {
        "Degraded",
        "DiskPressure",
        "Failed",
        "FailureTarget",
        "FileSystemResizePending",
        "MemoryPressure",
        "NamespaceContentRemaining",
        "NamespaceDeletionContentFailure",
        "NamespaceDeletionDiscoveryFailure",
        "NamespaceDeletionGroupVersionParsingFailure",
        "NamespaceFinalizersRemaining",
        "NetworkUnavailable",
        "NonStructuralSchema",
        "PIDPressure",
        "ReplicaFailure",
        "ScalingLimited",
        "Stalled",
        "Suspended",
        "Terminating",
    }
)
"""Conditions that tell of trouble when they are True; all others do when they are not."""
_ALWAYS_TOLD = frozenset({"Progressing", "ScalingActive", "AbleToScale", "Resizing"})


def object_evidence(shown_by: ObjectReference, symptom: Symptom | None) -> tuple[Evidence, ...]:
    """What a workload, claim, node or quota says of itself; nothing for a Pod, which says more."""
    if symptom is None or shown_by.kind in ("Pod", ""):
        return ()
    said = f": {symptom.message}" if symptom.message else ""
    return (
        Evidence(
            kind=EvidenceKind.STATUS,
            source=Source(kind=shown_by.kind, name=shown_by.name, field_path="status"),
            time=symptom.last_seen,
            text=f"{shown_by.kind} {shown_by.name}: {symptom.reason}{said}",
        ),
    )


async def gather_objects(inquiry: Inquiry) -> Reading:
    """The status of what shows the failure, where it is no Pod, and of every owner above."""
    around = Around(inquiry=inquiry)
    shown, owners = await around.shown_by(), await around.owners()
    evidence: list[Evidence] = []
    if shown is not None:
        evidence.extend(status_of(shown, kind=EvidenceKind.STATUS))
    above = [each for each in owners if each is not shown]
    for owner in above:
        evidence.extend(status_of(owner, kind=EvidenceKind.OWNER))
    return Reading(
        evidence=tuple(evidence),
        manifests=tuple(each for each in (shown, *above) if each is not None),
    )


def status_of(manifest: Manifest, *, kind: EvidenceKind) -> tuple[Evidence, ...]:
    """Its numbers, what goes on with it, and the conditions that are not as they should be."""
    return (*_summary(manifest, kind=kind), *_conditions(manifest, kind=kind))


def is_well(condition: Mapping[str, Any]) -> bool:
    """Whether a condition is as it should be."""
    status = text(condition, "status")
    return status == ("False" if text(condition, "type") in _BAD_WHEN_TRUE else "True")


def _summary(manifest: Manifest, *, kind: EvidenceKind) -> Iterator[Evidence]:
    parts = [*numbers_in_words(manifest), *_going_on(manifest)]
    if parts:
        yield Evidence(
            kind=kind,
            source=source_of(manifest, "status"),
            text=f"{text(manifest, 'kind')} {name_of(manifest)}: {'; '.join(parts)}",
        )


def _going_on(manifest: Manifest) -> Iterator[str]:
    """What is done with the object as a whole."""
    since = text(manifest, "metadata", "deletionTimestamp")
    if since:
        finalizers = strings(manifest, "metadata", "finalizers")
        waits = f", waits for finalizers {', '.join(finalizers[:5])}" if finalizers else ""
        yield f"is being deleted since {since}{waits}"
    wanted = number(manifest, "metadata", "generation")
    seen = number(manifest, "status", "observedGeneration")
    if wanted is not None and seen is not None and seen < wanted:
        yield f"its controller has seen generation {seen} of {wanted}"
    if flag(manifest, "spec", "paused"):
        yield "is paused"
    if flag(manifest, "spec", "suspend"):
        yield "is suspended"
    phase = text(manifest, "status", "phase")
    if phase:
        yield f"phase {phase}"


def _conditions(manifest: Manifest, *, kind: EvidenceKind) -> Iterator[Evidence]:
    told = [
        each
        for each in rows(manifest, "status", "conditions")
        if text(each, "type") and (not is_well(each) or _tells(each))
    ]
    for condition in told[:MOST_CONDITIONS]:
        type_ = text(condition, "type")
        yield Evidence(
            kind=kind,
            source=source_of(manifest, f"status.conditions[{type_}]"),
            time=_since(condition),
            text=f"{text(manifest, 'kind')} {name_of(manifest)}: condition "
            f"{type_}={text(condition, 'status')}, {text(condition, 'reason')}: "
            f"{text(condition, 'message')}".rstrip(": ,"),
        )


def _tells(condition: Mapping[str, Any]) -> bool:
    """A condition that is well and says more than that: how far a rollout is, for example."""
    return text(condition, "type") in _ALWAYS_TOLD and bool(text(condition, "message"))


def _since(condition: Mapping[str, Any]) -> datetime | None:
    return moment(condition, "lastTransitionTime") or moment(condition, "lastProbeTime")
