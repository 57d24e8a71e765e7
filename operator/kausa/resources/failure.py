"""What failed, as the API server tells it: written by the streams, within a second of the fact."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kausa.resources import limits
from kausa.resources.category import Category
from kausa.resources.fields import (
    Count,
    Int32,
    Int64,
    Items,
    Kind,
    Line,
    Name,
    Namespace,
    Text,
    Timestamp,
)
from kausa.resources.part import Part

__all__ = ["CausedBy", "FailingPod", "Failure"]


class FailingPod(Part):
    """One Pod that shows the failure."""

    name: Name
    """The name of the Pod."""

    uid: Annotated[str, Field(max_length=limits.UID, pattern=r"^[A-Za-z0-9-]+$")]
    """The uid of the Pod: names come back, uids do not."""

    occurrences: Int64
    """How often this Pod failed in this way."""

    last_seen: Timestamp
    """When this Pod last failed in this way."""


class CausedBy(Part):
    """The failure further up that this one follows from."""

    kind: Kind
    """The kind of the object that fails upstream, such as Node."""

    name: Name
    """The name of the object that fails upstream."""

    namespace: Namespace | None = None
    """Its namespace, where it has one."""

    reason: Annotated[str, Line(limits.REASON)] | None = None
    """What it fails with, in Kubernetes' own word, where that is known."""

    diagnosis: Name | None = None
    """The FailureDiagnosis of the upstream failure, where there is one."""


class Failure(Part):
    """The failure itself, before anybody thinks about its cause."""

    category: Category
    """Which part of Kubernetes failed."""

    reason: Annotated[str, Line(limits.REASON)]
    """Kubernetes' own word, such as CrashLoopBackOff."""

    container: Name | None = None
    """The container that fails, where it is one."""

    exit_code: Int32 | None = None
    """What the container's last process exited with."""

    signal: Int32 | None = None
    """The signal that ended the container's last process."""

    message: Annotated[str, Text(limits.SENTENCES)] | None = None
    """Kubernetes' own message, redacted."""

    fingerprint: Annotated[str, Field(max_length=limits.FINGERPRINT, pattern=r"^[0-9a-f]{6,64}$")]
    """What two sightings of this failure share; repeats are counted, not repeated."""

    first_seen: Timestamp
    """When the failure was first seen."""

    last_seen: Timestamp
    """When the failure was last seen."""

    occurrences: Int64
    """How often the failure was seen, over all Pods."""

    pods: Annotated[tuple[FailingPod, ...], Items(limits.PODS)] = ()
    """The Pods that failed in this way last, the newest first; at most ten."""

    pod_count: Count | None = None
    """How many Pods have shown it, those that are listed included."""

    caused_by: CausedBy | None = None
    """The failure further up that this one follows from."""
