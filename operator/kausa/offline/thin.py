"""Pods made whole for judging: what a cluster would say beside what was written down at one moment.

A Pod that somebody cut down to a few lines has a container that waits and no node, or waits for a
node and has no condition that says so. The detectors know what real Pods look like, so such a Pod
is given the rest that follows from what is there. It is judged in that shape only: evidence is read
from the Pod as it was recorded. A Pod as kubectl writes it has all of it and stays as it is, but
for one thing: the operator sees every crash, a snapshot may have caught a container between two.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from kausa.cluster.objects import ContainerState, ContainerStatus, Pod, PodCondition, Waiting
from kausa.detection.case import earlier, newest
from kausa.detection.surroundings import Note

__all__ = ["completed"]

NO_NODE = "not-recorded"
AGE = timedelta(hours=1)
"""Of a Pod of which no time is told: old enough for nothing to be a slow start."""
UNSCHEDULED = "FailedScheduling"
LOOP = "CrashLoopBackOff"
FEWEST_CRASHES = 2
FEWEST_ENDS = 3
"""Of a program that ends with success each time, which is meant to run on."""
SHORTEST_RUN = timedelta(seconds=10)
LONGEST_LOOP = timedelta(minutes=10)
"""After a run of ten minutes the kubelet itself forgets the crashes before it."""
_OF_NO_NODE = frozenset({UNSCHEDULED, "NotTriggerScaleUp", "FailedCreate", "NoScaleUp"})
"""What Events say of a Pod that has no node, or does not exist yet."""
_PLACED_PHASES = frozenset({"Running", "Succeeded", "Failed"})


def completed(pod: Pod, notes: Sequence[Note], *, now: datetime) -> Pod:
    """The Pod with a time of creation and, where it must have one, a node."""
    pod = _with_statuses_of_conditions(_created(pod, notes, now=now))
    pod = _between_two_crashes(pod, now=now)
    if pod.spec.node_name:
        return pod
    if _is_placed(pod, notes):
        return replace(pod, spec=replace(pod.spec, node_name=NO_NODE))
    return _with_scheduler(pod, notes)


def _created(pod: Pod, notes: Sequence[Note], *, now: datetime) -> Pod:
    """Not after the first thing that is told of it."""
    if pod.metadata.creation_timestamp is not None:
        return pod
    times = [each.last_transition_time for each in pod.status.conditions or ()]
    times += [each.first_seen for each in notes]
    known = [each for each in (pod.status.start_time, *times) if each is not None]
    created = min(known, default=earlier(now, AGE))
    return replace(pod, metadata=replace(pod.metadata, creation_timestamp=created))


def _with_statuses_of_conditions(pod: Pod) -> Pod:
    """A condition that gives a reason and no status is written down because it is not met."""
    conditions = pod.status.conditions or ()
    if all(each.status or not each.reason for each in conditions):
        return pod
    told = tuple(
        replace(each, status="False") if each.reason and not each.status else each
        for each in conditions
    )
    return replace(pod, status=replace(pod.status, conditions=told))


def _between_two_crashes(pod: Pod, *, now: datetime) -> Pod:
    """A container that has crashed several times is not well before it runs longer than before."""
    statuses = pod.status.container_statuses or ()
    if not any(_may_crash_again(each, now=now) for each in statuses):
        return pod
    judged = tuple(
        replace(each, ready=False, state=ContainerState(waiting=Waiting(reason=LOOP)))
        if _may_crash_again(each, now=now)
        else each
        for each in statuses
    )
    return replace(pod, status=replace(pod.status, conditions=None, container_statuses=judged))


def _may_crash_again(status: ContainerStatus, *, now: datetime) -> bool:
    running, ended = status.state.running, status.last_state.terminated
    if running is None or ended is None:
        return False
    if status.restart_count < (FEWEST_CRASHES if ended.exit_code else FEWEST_ENDS):
        return False
    begun, first, last = running.started_at, ended.started_at, ended.finished_at
    if begun is None or first is None or last is None or last - first >= LONGEST_LOOP:
        return False
    return now - begun < max(last - first, SHORTEST_RUN)


def _is_placed(pod: Pod, notes: Sequence[Note]) -> bool:
    """Only the kubelet of a node writes of containers, and warns of anything but scheduling."""
    status = pod.status
    if status.phase in _PLACED_PHASES or status.start_time is not None:
        return True
    if any(each.type == "PodScheduled" for each in status.conditions or ()):
        return False
    states = (each.state for each in status.all_container_statuses)
    if any(each.waiting or each.running or each.terminated for each in states):
        return True
    return any(each.reason not in _OF_NO_NODE for each in notes)


def _with_scheduler(pod: Pod, notes: Sequence[Note]) -> Pod:
    """What the scheduler's Event says, it also says in a condition."""
    conditions = pod.status.conditions or ()
    said = newest(each for each in notes if each.reason == UNSCHEDULED)
    if said is None or any(each.type == "PodScheduled" for each in conditions):
        return pod
    placed = PodCondition(
        type="PodScheduled",
        status="False",
        reason="Unschedulable",
        message=said.message,
        last_transition_time=said.first_seen,
    )
    return replace(pod, status=replace(pod.status, conditions=(*conditions, placed)))
