"""What the streams found in a symptom: the object that shows it, and what it showed so far.

Between the moment when an object is read and the moment when a worker looks at it, it may change
several times. Each state is judged when it is read, and the symptoms are merged: so what is
recorded does not depend on how busy the operator was.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from kausa.cluster.objects import Meta, ObjectReference, Pod
from kausa.cluster.owners import Owner
from kausa.cluster.workloads import (
    CronJob,
    DaemonSet,
    Deployment,
    HorizontalPodAutoscaler,
    Job,
    Node,
    PersistentVolumeClaim,
    Service,
    StatefulSet,
    Workload,
)
from kausa.detection.surroundings import Note
from kausa.detection.symptom import Symptom

__all__ = ["NO_POD", "Found", "Watched", "merge", "reference"]

NO_POD = Pod()
"""Stands where a failure has no Pod at all."""

Watched: TypeAlias = Pod | Workload | Service | Note
"""Whatever can show a symptom; a Note where its object is not watched."""


class Found(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One object that is worth a worker's look."""

    object: Watched
    symptoms: tuple[Symptom, ...] = ()
    """All that it showed since a worker looked last."""
    now: tuple[Symptom, ...] = ()
    """What it shows in the state that was read last."""
    read_at: float = 0.0
    """When the first of these states was read (time.monotonic)."""

    @property
    def shown_by(self) -> ObjectReference:
        """The object, by name."""
        return reference(self.object)

    @staticmethod
    def named(owner: Owner) -> ObjectReference:
        """An owner by name, as the object that shows its own failure."""
        return ObjectReference(
            api_version=owner.api_version,
            kind=owner.kind,
            namespace=owner.namespace,
            name=owner.name,
            uid=owner.uid,
        )

    @property
    def meta(self) -> Meta | None:
        """Its metadata, where it is at hand."""
        return None if isinstance(self.object, Note) else self.object.metadata

    @property
    def pod(self) -> Pod:
        """The Pod that shows it, or the empty one."""
        return self.object if isinstance(self.object, Pod) else NO_POD

    @property
    def marked(self) -> str | None:
        """What the annotation `kausa.dev/diagnose` says on it."""
        meta = self.meta
        return meta.annotations.diagnose if meta is not None and meta.annotations else None


def merge(older: Found, newer: Found) -> Found:
    """Both in one: the newer state, with all that either showed."""
    if isinstance(newer.object, Note) and not newer.symptoms and older.symptoms:
        return older  # An Event that asks for a look at what is being looked at already.
    symptoms = newer.symptoms
    earlier = tuple([each for each in older.symptoms if not _is_among(each, symptoms)])
    return Found(
        object=newer.object,
        symptoms=earlier + symptoms if earlier else symptoms,
        now=newer.now,
        read_at=older.read_at,
    )


def _is_among(symptom: Symptom, symptoms: tuple[Symptom, ...]) -> bool:
    """Whether the same failure is shown there; of an object there are rarely two."""
    reason_class, container, detail = symptom.reason_class, symptom.container, symptom.detail
    for each in symptoms:
        if (
            each.reason_class == reason_class
            and each.container == container
            and each.detail == detail
        ):
            return True
    return False


def reference(found: Watched) -> ObjectReference:
    """Any object that can show a symptom, by name."""
    if isinstance(found, Note):
        return ObjectReference(
            api_version=found.api_version,
            kind=found.kind,
            namespace=found.namespace,
            name=found.name,
            uid=found.uid,
        )
    api_version, kind = _kind_of(type(found))
    meta = found.metadata
    return ObjectReference(
        api_version=api_version,
        kind=kind,
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
    )


def _kind_of(found: type) -> tuple[str, str]:
    """By class, also of one that decodes more of the same kind (`learning.rollout_kinds`)."""
    for each in found.__mro__:
        if each in _KINDS:
            return _KINDS[each]
    raise TypeError(f"{found.__name__} is no kind that is watched")


_KINDS: dict[type, tuple[str, str]] = {
    Pod: ("v1", "Pod"),
    Node: ("v1", "Node"),
    Service: ("v1", "Service"),
    PersistentVolumeClaim: ("v1", "PersistentVolumeClaim"),
    Deployment: ("apps/v1", "Deployment"),
    StatefulSet: ("apps/v1", "StatefulSet"),
    DaemonSet: ("apps/v1", "DaemonSet"),
    Job: ("batch/v1", "Job"),
    CronJob: ("batch/v1", "CronJob"),
    HorizontalPodAutoscaler: ("autoscaling/v2", "HorizontalPodAutoscaler"),
}
