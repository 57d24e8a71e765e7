"""Evidence from a Pod's own status: the state of the container that fails, and the conditions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from kausa.cluster.objects import ContainerStatus, Pod, Terminated
from kausa.detection.symptom import Symptom
from kausa.evidence.dossier import Evidence, Source
from kausa.resources.evidence import EvidenceKind

__all__ = ["status_evidence"]


def status_evidence(pod: Pod, symptom: Symptom | None) -> tuple[Evidence, ...]:
    """The failing container's state first, then the conditions that are not True."""
    return (*_whole(pod), *_containers(pod, symptom), *_conditions(pod))


def _whole(pod: Pod) -> Iterator[Evidence]:
    """What ended the Pod as a whole: an eviction, a deadline."""
    if not pod.status.reason:
        return
    said = f": {pod.status.message}" if pod.status.message else ""
    yield Evidence(
        kind=EvidenceKind.STATUS,
        source=Source(kind="Pod", name=pod.metadata.name, field_path="status.reason"),
        text=f"Pod {pod.metadata.name} is {pod.status.phase}, {pod.status.reason}{said}",
    )


def _containers(pod: Pod, symptom: Symptom | None) -> Iterator[Evidence]:
    groups = (
        ("initContainerStatuses", pod.status.init_container_statuses or ()),
        ("containerStatuses", pod.status.container_statuses or ()),
        ("ephemeralContainerStatuses", pod.status.ephemeral_container_statuses or ()),
    )
    for group, statuses in groups:
        for status in statuses:
            if symptom is not None and symptom.container not in (None, status.name):
                continue
            yield Evidence(
                kind=EvidenceKind.STATUS,
                source=Source(
                    kind="Pod", name=pod.metadata.name, field_path=f"status.{group}[{status.name}]"
                ),
                time=_moment(status),
                text=describe(status),
            )


def describe(status: ContainerStatus) -> str:
    """One container's state as a sentence, as `kubectl describe pod` would tell it."""
    parts = [f"container {status.name}:"]
    state = status.state
    if state.waiting is not None:
        message = f" ({state.waiting.message})" if state.waiting.message else ""
        parts.append(f"waiting, {state.waiting.reason or 'no reason'}{message};")
    elif state.running is not None:
        parts.append(f"running, {'ready' if status.ready else 'not ready'};")
    elif state.terminated is not None:
        parts.append(f"terminated, {_ended(state.terminated)};")
    if status.last_state.terminated is not None:
        parts.append(f"last run ended: {_ended(status.last_state.terminated)};")
    parts.append(f"restarts {status.restart_count}; image {status.image}")
    return " ".join(parts)


def _ended(ended: Terminated) -> str:
    message = f", message: {ended.message.strip()}" if ended.message.strip() else ""
    return f"{ended.reason or 'Ended'} with exit code {ended.exit_code}{message}"


def _moment(status: ContainerStatus) -> datetime | None:
    ended = status.state.terminated or status.last_state.terminated
    return ended.finished_at if ended is not None else None


def _conditions(pod: Pod) -> Iterator[Evidence]:
    conditions = pod.status.conditions or ()
    unready = {
        each.message for each in conditions if (each.type, each.status) == ("Ready", "False")
    }
    for condition in conditions:
        if condition.status == "True" or not (condition.reason or condition.message):
            continue
        # It says what Ready says, less what readiness gates say.
        if condition.type == "ContainersReady" and condition.message in unready:
            continue
        yield Evidence(
            kind=EvidenceKind.STATUS,
            source=Source(
                kind="Pod",
                name=pod.metadata.name,
                field_path=f"status.conditions[{condition.type}]",
            ),
            time=condition.last_transition_time,
            text=f"condition {condition.type}={condition.status}, {condition.reason}: "
            f"{condition.message}",
        )
