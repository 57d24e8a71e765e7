"""Since when a container fails, from all that files tell of it.

The status of a container keeps its last two runs, so in a loop it only tells when the last of them
began. What came before stands beside it: when its Pod stopped being ready, and when the kubelet
first waited before it started it again. The earliest of them is the nearest to the truth, unless
the container has run well since.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from kausa.cluster.objects import ContainerStatus, Pod
from kausa.detection.case import credible, last_end
from kausa.detection.surroundings import Note
from kausa.detection.symptom import Symptom
from kausa.resources.category import Category

__all__ = ["begun"]

WELL = timedelta(minutes=10)
"""After a run of this length the kubelet itself forgets the crashes before it."""
_ENDS = frozenset({Category.CRASH_LOOP, Category.OOM_KILLED, Category.PROBE})
"""What a container is started again after."""
_BACK_OFF = "BackOff"
_OF_RESTARTS = "restarting"
"""The kubelet gives the same reason where it waits to pull an image."""


def begun(symptom: Symptom, pod: Pod, notes: Iterable[Note]) -> datetime | None:
    """When the Pod began to fail in this way; as the symptom says where nothing tells more."""
    status = _status(symptom, pod)
    if status is None or symptom.category not in _ENDS or not _is_started_again(status):
        return symptom.since
    if _ran_well(status):
        return symptom.since
    made = pod.status.start_time or pod.metadata.creation_timestamp
    unready = _unready_since(pod, status)
    signs = [
        each.first_seen
        for each in notes
        if each.reason == _BACK_OFF
        and _OF_RESTARTS in each.message
        and each.container in (None, status.name)
    ]
    never_ready = unready is not None and made is not None and unready <= made
    if not never_ready or not any(signs):
        # No Pod is ready when it is made, which is no failure: it counts for want of more.
        signs.append(unready)
    known = [
        moment
        for each in (symptom.since, *signs)
        if (moment := credible(each)) is not None and (made is None or moment >= made)
    ]
    return min(known, default=symptom.since)


def _status(symptom: Symptom, pod: Pod) -> ContainerStatus | None:
    statuses = pod.status.all_container_statuses
    return next((each for each in statuses if each.name == symptom.container), None)


def _is_started_again(status: ContainerStatus) -> bool:
    return status.restart_count > 0 and last_end(status) is not None


def _ran_well(status: ContainerStatus) -> bool:
    """Whether its last run that ended was so long that no failure before it matters."""
    ended = last_end(status)
    if ended is None:
        return False
    start, end = credible(ended.started_at), credible(ended.finished_at)
    return start is not None and end is not None and end - start >= WELL


def _unready_since(pod: Pod, status: ContainerStatus) -> datetime | None:
    """Since when the Pod is not ready, where only this container keeps it from that."""
    if any(not each.ready for each in pod.status.container_statuses or () if each is not status):
        return None
    for type_ in ("ContainersReady", "Ready"):
        for each in pod.status.conditions or ():
            if each.type == type_:
                return each.last_transition_time if each.status == "False" else None
    return None
