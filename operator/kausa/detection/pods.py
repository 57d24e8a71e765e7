"""What ails a Pod: every failure that its status, its Events or what it stands on can show.

Pure and level-triggered: the same Pod, surroundings and moment give the same verdict, whatever came
before and in whatever order. Its state decides; an Event outlives its cause by an hour, so it only
says why, and never makes a failure of a Pod that does well. A failure of the whole Pod hides those
of its containers, which follow from it; else there is at most one symptom for each container.
"""

from __future__ import annotations

from datetime import datetime

from kausa.cluster.objects import ContainerStatus, Pod
from kausa.detection.case import PodCase, earlier, together
from kausa.detection.configuration import CONFIG_REASONS, configuration, unknown_waiting
from kausa.detection.crashes import LOOP_REASONS, crashed, ended_for_good
from kausa.detection.ending import deleting, failed, gives_way
from kausa.detection.graces import GRACES
from kausa.detection.images import IMAGE_REASONS, image
from kausa.detection.nodes import node_lost
from kausa.detection.resizing import RESIZES, resized
from kausa.detection.running import runs
from kausa.detection.scheduling import unscheduled
from kausa.detection.starting import CREATING, prevented, silent
from kausa.detection.surroundings import NOWHERE, Surroundings
from kausa.detection.verdict import HEALTHY, Verdict

__all__ = ["detect_pod"]


def detect_pod(pod: Pod, *, around: Surroundings = NOWHERE, now: datetime) -> Verdict:
    """What one Pod shows at this moment, and when time alone may change that."""
    if _is_plainly_well(pod, around, now):
        return HEALTHY
    case = PodCase(pod=pod, around=around, now=now)
    phase = pod.status.phase
    if pod.metadata.deletion_timestamp is not None:
        return deleting(case)
    if phase == "Succeeded":
        return HEALTHY
    if phase == "Failed":
        return failed(case)
    if not pod.spec.node_name:
        return unscheduled(case)
    return _placed(case)


def _is_plainly_well(pod: Pod, around: Surroundings, now: datetime) -> bool:
    """Nearly all Pods are ready and nobody complains of them: they must cost nearly nothing."""
    status = pod.status
    if (
        status.phase != "Running"
        or around.notes
        or status.ephemeral_container_statuses
        or pod.metadata.deletion_timestamp is not None
    ):
        return False
    ready = None
    for condition in status.conditions or ():
        type_ = condition.type
        if type_ in RESIZES:
            return False
        if type_ == "Ready" and ready is None:
            ready = condition.status
    if ready != "True":
        return False
    for each in status.container_statuses or ():
        if each.restart_count and _runs_for_short(each, now):
            return False
    for each in status.init_container_statuses or ():
        if each.restart_count and _runs_for_short(each, now):
            return False
    return True


def _runs_for_short(status: ContainerStatus, now: datetime) -> bool:
    """Whether it was started again so lately that how it ended may matter."""
    running = status.state.running
    if running is None or status.last_state.terminated is None:
        return False
    started = running.started_at
    return started is None or started > earlier(now, GRACES.longest_relapse)


def _placed(case: PodCase) -> Verdict:
    """A Pod that has a node and is to run there."""
    if gives_way(case):
        return HEALTHY
    lost = node_lost(case)
    if lost.symptoms:
        return lost
    kept = prevented(case)
    if kept.symptoms:
        return kept
    status = case.pod.status
    told = [] if lost is HEALTHY else [lost]
    if kept is not HEALTHY:
        told.append(kept)
    for each in status.all_container_statuses:
        verdict = _container(case, each)
        if verdict is not HEALTHY:
            told.append(verdict)
    for each in status.ephemeral_container_statuses or ():
        told.append(_ephemeral(case, each))
    if not told:
        return _whole(case)
    found = together(told) if len(told) > 1 else told[0]
    return found if found.symptoms else together((found, _whole(case)))


def _whole(case: PodCase) -> Verdict:
    """What ails the Pod as a whole where none of its containers fails."""
    found = silent(case)
    return found if found.symptoms else together((found, resized(case)))


def _container(case: PodCase, status: ContainerStatus) -> Verdict:
    state = status.state
    if case.pod.spec.init_containers and case.is_sidecar(status) and case.has_run_out():
        return HEALTHY
    if state.running is not None:
        return runs(case, status)
    if state.waiting is None:
        ends = state.terminated is not None and case.restarts(status) == "Never"
        return ended_for_good(case, status) if ends else crashed(case, status)
    if state.waiting.reason in LOOP_REASONS:
        return crashed(case, status)
    return _waits(case, status)


def _ephemeral(case: PodCase, status: ContainerStatus) -> Verdict:
    """Somebody debugs: that it ends is no failure, that it cannot start is one."""
    return _waits(case, status) if status.state.waiting is not None else HEALTHY


def _waits(case: PodCase, status: ContainerStatus) -> Verdict:
    waiting = status.state.waiting
    if waiting is None or not waiting.reason or waiting.reason in CREATING:
        return HEALTHY
    if waiting.reason in IMAGE_REASONS:
        return Verdict(symptoms=(image(case, status, waiting),))
    if waiting.reason in CONFIG_REASONS:
        return configuration(case, status, waiting)
    return unknown_waiting(case, status, waiting)
