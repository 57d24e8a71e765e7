"""What somebody complains of in an object of which the detectors say nothing.

The operator watches all the time and may wait until a warning has lasted. A snapshot is all there
is, and who names an object wants to know what its warnings mean: so the warning itself becomes the
symptom, unless the object does well and the warning is of what it has overcome.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from kausa.cluster.objects import ContainerStatus, ObjectReference, Pod
from kausa.detection.case import LONG_AGO
from kausa.detection.starting import CREATING
from kausa.detection.surroundings import Note
from kausa.detection.symptom import Symptom
from kausa.diagnosis.rules.event_reasons import category_of_warning, is_only_an_echo
from kausa.resources.category import Category

__all__ = ["complaint", "does_not_get_on", "is_well", "said_by", "still_holds"]

_OVERCOME = frozenset(
    {
        *("FailedScheduling", "FailedMount", "FailedAttachVolume", "FailedMapVolume", "BackOff"),
        *("FailedCreatePodSandBox", "FailedCreatePodContainer", "NetworkNotReady"),
        *("ErrImagePull", "ImagePullBackOff", "InspectFailed", "Unhealthy", "ProbeWarning"),
        *("NodeNotReady", "FailedCreate", "CrashLoopBackOff", "NotTriggerScaleUp", "Preempted"),
        *("TaintManagerEviction", "FailedSync"),
    }
)
"""Of a Pod that is ready: it has come through."""
_HARMLESS = frozenset(
    {
        *("InvalidDiskCapacity", "CheckLimitsForResolvConf", "DNSConfigForming"),
        *("AlreadyMountedVolume", "CgroupV1"),
    }
)
"""Warnings that the kubelet writes while all goes on as it should."""
_OF_AN_UNBOUND_CLAIM = frozenset({"ProvisioningFailed", "FailedBinding", "ExternalProvisioning"})
SCHEDULER_SILENT = timedelta(seconds=30)
"""A scheduler looks at a new Pod within a second, unless thousands come at once."""
_ECHO = re.compile(r"Error: \w+$|Back-off ")
"""Messages that only repeat that something failed before."""
_OF_START = re.compile(r"Error: |Failed to (?:pull|inspect|apply|create|start) ", re.I)
"""The kubelet's own uses of the reason Failed, all of a container that is being started."""


def complaint(notes: Iterable[Note]) -> Symptom | None:
    """The warning that tells most, as a symptom; None where there is none."""
    note = max(notes, key=_weight, default=None)
    if note is None:
        return None
    return Symptom(
        category=category_of_warning(note.reason) or Category.OTHER,
        reason=note.reason,
        reason_class=note.reason,
        detail="",
        message=note.message,
        container=note.container,
        since=note.first_seen,
        last_seen=note.last_seen,
        occurrences=max(1, note.count),
    )


def said_by(note: Note) -> ObjectReference:
    """The object that a note speaks of."""
    return ObjectReference(
        api_version=note.api_version,
        kind=note.kind,
        namespace=note.namespace,
        name=note.name,
        uid=note.uid,
    )


def still_holds(note: Note, pod: Pod | None, *, bound: bool = False) -> bool:
    """Whether a warning may be of now. `bound`: it is about a claim that has its volume."""
    if note.reason in _HARMLESS:
        return False
    if pod is None:
        return not (bound and note.reason in _OF_AN_UNBOUND_CLAIM)
    if _is_starting_up(note, pod):
        return False
    if not is_well(pod):
        return True
    if note.reason == "Failed":
        return _OF_START.match(note.message) is None
    return note.reason not in _OVERCOME


def does_not_get_on(pod: Pod, *, now: datetime) -> bool:
    """Whether a young Pod waits for something that it does not get by itself."""
    status = pod.status
    states = (each.state.waiting for each in status.all_container_statuses)
    if any(each is not None and each.reason and each.reason not in CREATING for each in states):
        return True
    placed = [each.status for each in status.conditions or () if each.type == "PodScheduled"]
    if placed or pod.spec.node_name or status.phase not in ("", "Pending"):
        return "False" in placed
    created = pod.metadata.creation_timestamp
    return created is None or now - created >= SCHEDULER_SILENT


def _is_starting_up(note: Note, pod: Pod) -> bool:
    """A startup probe is made to fail until the program is up, or the kubelet kills it."""
    if note.reason != "Unhealthy" or not note.message.startswith("Startup probe"):
        return False
    statuses = pod.status.all_container_statuses
    mine = [each for each in statuses if note.container in (None, each.name)]
    return bool(mine) and all(each.state.running and not each.restart_count for each in mine)


def is_well(pod: Pod) -> bool:
    """Whether the Pod has ended well, or runs with everything ready."""
    status = pod.status
    if status.phase == "Succeeded":
        return True
    for each in status.conditions or ():
        if each.type == "Ready":
            return each.status == "True"
    statuses = status.container_statuses or ()
    return status.phase == "Running" and bool(statuses) and all(map(_is_ready, statuses))


def _is_ready(status: ContainerStatus) -> bool:
    return status.ready and status.state.waiting is None


def _weight(note: Note) -> tuple[bool, bool, object, int, str]:
    return (
        bool(note.message) and _ECHO.match(note.message) is None,
        not is_only_an_echo(note.reason),
        note.last_seen or LONG_AGO,
        note.count,
        note.reason,
    )
