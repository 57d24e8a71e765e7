"""Symptoms that a Pod's own status shows: crash loop, out of memory, image, configuration, place.

Pure and level-triggered: the same status always gives the same symptoms, whatever came before. A
Pod that is being deleted is not failing, and neither is a young one that still pulls or starts.
"""

from __future__ import annotations

import re
from datetime import datetime

from kausa.cluster.objects import ContainerStatus, Pod, Terminated, Waiting
from kausa.detection.fingerprint import normalise
from kausa.detection.symptom import Symptom
from kausa.resources.category import Category

__all__ = ["detect_pod"]

IMAGE_REASONS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
CONFIG_REASONS = frozenset({"CreateContainerConfigError"})
CRASH_LOOP = "CrashLoopBackOff"
IMAGE_BACK_OFF = "ImagePullBackOff"
_BACK_OFF = re.compile(r'^Back-off pulling image "[^"]{1,512}": (?:ErrImagePull: )?(?=.)')
EARLIEST_CREDIBLE_YEAR = 2000
"""`StartError` has startedAt 1970-01-01: such times say nothing."""


def detect_pod(pod: Pod) -> tuple[Symptom, ...]:
    """The symptoms of one Pod, at most one for each container; empty for a healthy Pod."""
    if pod.metadata.deletion_timestamp is not None or pod.status.phase == "Succeeded":
        return ()
    unschedulable = _unschedulable(pod)
    if unschedulable is not None:
        return (unschedulable,)
    found = (_container(status, pod=pod) for status in pod.status.all_container_statuses)
    return tuple(symptom for symptom in found if symptom is not None)


def _container(status: ContainerStatus, *, pod: Pod) -> Symptom | None:
    waiting = status.state.waiting
    if waiting is not None and waiting.reason in IMAGE_REASONS:
        return _image(status, waiting, pod=pod)
    if waiting is not None and waiting.reason in CONFIG_REASONS:
        return _configuration(status, waiting, pod=pod)
    if status.state.running is not None:
        # How it ended before, perhaps weeks ago, is no failure of now.
        return None
    ended = _last_end(status)
    if ended is not None and ended.reason == "OOMKilled":
        return _out_of_memory(status, ended)
    if waiting is not None and waiting.reason == CRASH_LOOP:
        return _crash_loop(status, ended)
    if ended is None:
        return None
    if _crashed_again(status, pod=pod):
        return _crash_loop(status, ended)
    return None


def _crashed_again(status: ContainerStatus, *, pod: Pod) -> bool:
    """It ended with an error after a restart already; one crash alone may be a slow dependency."""
    ended = status.state.terminated
    return (
        ended is not None
        and ended.exit_code != 0
        and status.restart_count > 0
        and pod.spec.restart_policy != "Never"
    )


def _image(status: ContainerStatus, waiting: Waiting, *, pod: Pod) -> Symptom:
    image = _specified_image(pod, status)
    return Symptom(
        category=Category.IMAGE_PULL,
        reason=IMAGE_BACK_OFF if waiting.reason == "ErrImagePull" else waiting.reason,
        reason_class="ImagePull",
        detail=image,
        # Between two attempts the same words come wrapped; one failure keeps one message.
        message=_BACK_OFF.sub("", waiting.message),
        container=status.name,
        since=pod.status.start_time,
        last_seen=pod.status.start_time,
    )


def _configuration(status: ContainerStatus, waiting: Waiting, *, pod: Pod) -> Symptom:
    return Symptom(
        category=Category.CONFIG,
        reason=waiting.reason,
        reason_class="ConfigError",
        detail=normalise(waiting.message.replace(pod.metadata.name, "<pod>")),
        message=waiting.message,
        container=status.name,
        since=pod.status.start_time,
        last_seen=pod.status.start_time,
    )


def _out_of_memory(status: ContainerStatus, ended: Terminated) -> Symptom:
    return Symptom(
        category=Category.OOM_KILLED,
        reason="OOMKilled",
        reason_class="OOMKilled",
        detail="",
        message=ended.message,
        container=status.name,
        exit_code=ended.exit_code,
        signal=_signal(ended),
        since=_credible(ended.started_at),
        last_seen=_credible(ended.finished_at),
        occurrences=_ends(status),
    )


def _crash_loop(status: ContainerStatus, ended: Terminated | None) -> Symptom:
    """`ended` is None where the kubelet has lost how the container ended."""
    return Symptom(
        category=Category.CRASH_LOOP,
        # kubectl shows Error and CrashLoopBackOff in turn; one failure keeps one word.
        reason=CRASH_LOOP,
        reason_class="CrashLoop",
        detail=f"exit {ended.exit_code}" if ended is not None else "exit unknown",
        # The waiting message only repeats the Pod's name and the back-off time.
        message=ended.message if ended is not None else "",
        container=status.name,
        exit_code=ended.exit_code if ended is not None else None,
        signal=_signal(ended) if ended is not None else None,
        since=_credible(ended.started_at) if ended is not None else None,
        last_seen=_credible(ended.finished_at) if ended is not None else None,
        occurrences=_ends(status),
    )


def _unschedulable(pod: Pod) -> Symptom | None:
    if pod.spec.node_name:
        return None
    for condition in pod.status.conditions or ():
        if (condition.type, condition.status) != ("PodScheduled", "False"):
            continue
        if condition.reason != "Unschedulable":
            return None
        return Symptom(
            category=Category.SCHEDULING,
            reason="FailedScheduling",
            reason_class="Unschedulable",
            # The message counts nodes and changes as they come and go: it is no part of identity.
            detail="",
            message=condition.message,
            since=condition.last_transition_time,
            last_seen=condition.last_transition_time,
        )
    return None


def _last_end(status: ContainerStatus) -> Terminated | None:
    return status.state.terminated or status.last_state.terminated


def _ends(status: ContainerStatus) -> int:
    """How often this container has ended: its restarts, and the end that no restart followed."""
    return status.restart_count + (1 if status.state.running is None else 0)


def _signal(ended: Terminated) -> int | None:
    """The signal that ended it: as the runtime says, or by the shell's 128+n."""
    if ended.signal:
        return ended.signal
    return ended.exit_code - 128 if 128 < ended.exit_code < 160 else None


def _credible(time: datetime | None) -> datetime | None:
    return time if time is not None and time.year >= EARLIEST_CREDIBLE_YEAR else None


def _specified_image(pod: Pod, status: ContainerStatus) -> str:
    """The image that was asked for; a status may show another name of the same image."""
    asked = {each.name: each.image for each in pod.spec.all_containers}
    return asked.get(status.name) or status.image
