"""Pods that have a node and do not get to start: by what Events say, or in silence.

While its condition PodReadyToStartContainers is false the Pod has no volumes or no sandbox, and the
newest Event tells which; as soon as it is true those Events are history. Where nobody says anything
only lasting makes a failure of it, for a large image is pulled in silence. Where a warning is
repeated that is not known here, it lasts for less long. An init container may work for long.
"""

from __future__ import annotations

from datetime import datetime

from kausa.cluster.objects import ContainerStatus
from kausa.detection.case import PodCase, credible, earlier, latest, newest, shows, waits
from kausa.detection.graces import GRACES
from kausa.detection.kubelet import kubelet_could_not_ask
from kausa.detection.sandbox import SANDBOX_NOTES, SYNC, is_of_sandbox, sandbox
from kausa.detection.surroundings import Note
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.detection.volumes import VOLUME_NOTES, volume
from kausa.resources.category import Category

__all__ = ["CREATING", "prevented", "silent"]

CREATING = frozenset({"ContainerCreating", "PodInitializing"})
PREVENTING = VOLUME_NOTES | SANDBOX_NOTES
READY_TO_START = "PodReadyToStartContainers"
OFTEN = 3
"""So many of one warning are more than a stumble."""


def prevented(case: PodCase) -> Verdict:
    """Its volumes or its sandbox fail, and an Event says so."""
    notes = _current_notes(case) if case.around.notes else ()
    if not notes:
        return HEALTHY
    of_volumes = [each for each in notes if each.reason in VOLUME_NOTES]
    of_sandbox = [each for each in notes if each.reason in SANDBOX_NOTES]
    last = newest(notes)
    # Volumes come before the sandbox: who has been heard of last is what fails now.
    at_volumes = last is not None and last.reason in VOLUME_NOTES
    told = of_volumes if at_volumes else of_sandbox
    lasts = [_lasts_from(case, each) for each in told]
    if all(each is not None for each in lasts):
        return waits(min((each for each in lasts if each is not None), default=None))
    symptom = volume(case, told) if at_volumes else sandbox(case, told)
    return HEALTHY if symptom is None else shows(symptom)


def _current_notes(case: PodCase) -> list[Note]:
    """What Events say of volumes and sandbox, as far as it is not history."""
    notes = [each for each in case.notes(PREVENTING) if is_of_sandbox(each)]
    notes = [each for each in notes if each.reason != SYNC] or notes
    if not notes:
        return []
    ready = case.condition(READY_TO_START)
    if ready is not None and ready.status == "True":
        return []
    if _is_created_anew(case):
        return notes if ready is not None else [each for each in notes if _fresh(case, each)]
    if ready is None or any(each.state.running for each in case.pod.status.all_container_statuses):
        return []
    # The sandbox of a Pod that has run is gone: what was said since then.
    lost = ready.last_transition_time
    return [each for each in notes if lost and each.last_seen and each.last_seen >= lost]


def _is_created_anew(case: PodCase) -> bool:
    """No container of it has been started yet."""
    return all(
        status.state.waiting is not None and status.state.waiting.reason in CREATING
        for status in case.pod.status.all_container_statuses
    )


def _fresh(case: PodCase, note: Note) -> bool:
    seen = note.last_seen
    return seen is None or seen >= earlier(case.now, GRACES.note_memory)


def _lasts_from(case: PodCase, note: Note) -> datetime | None:
    """When what the note says has lasted long enough; None where it has."""
    grace = GRACES.tried_again
    if note.count <= 1:
        attaches = note.reason == "FailedAttachVolume"
        grace = GRACES.attached_once if attaches else GRACES.tried_once
    if kubelet_could_not_ask(note.message):
        grace = GRACES.unread_configuration
    return case.grace(note.first_seen or note.last_seen, grace)


def silent(case: PodCase) -> Verdict:
    """It has not started for long, and nobody says why."""
    statuses = case.pod.status.all_container_statuses
    if not statuses:
        return _untouched(case)
    held = _held(case)
    if held is None:
        first = _initialises(case)
        return _gated(case) if first is None else _endless(case, first)
    status, since = held
    said = _repeated(case, since)
    wait = case.grace(since, GRACES.silent_start if said is None else GRACES.complained_of)
    if wait is not None or since is None:
        return waits(wait)
    ready = case.condition(READY_TO_START)
    pulls = ready is not None and ready.status == "True"
    note = said or newest(
        [each for each in case.around.notes if each.last_seen and each.last_seen >= since]
    )
    shown = status.state.waiting.reason if status.state.waiting else ""
    return shows(
        Symptom(
            # With volumes and sandbox there, pulling the image is all that takes so long.
            category=Category.IMAGE_PULL if pulls else Category.OTHER,
            reason=shown if said is None else said.reason,
            reason_class="SlowStart",
            detail="",
            message=note.message if note is not None else "",
            container=status.name if pulls else None,
            since=since,
            last_seen=since,
        )
    )


def _repeated(case: PodCase, since: datetime | None) -> Note | None:
    """A warning about the Pod itself, said again and again since it is being prepared there."""
    ready = case.condition(READY_TO_START)
    if ready is None or ready.status != "False" or since is None:
        return None
    return newest(
        each
        for each in case.around.notes
        if each.container is None
        and each.reason not in PREVENTING
        and each.count >= OFTEN
        and each.first_seen is not None
        and each.first_seen >= since
        and _fresh(case, each)
    )


def _initialises(case: PodCase) -> ContainerStatus | None:
    """The init container that runs while all after it wait."""
    for status in case.pod.status.init_container_statuses or ():
        if status.state.running is not None and not case.is_sidecar(status):
            return status
    return None


def _endless(case: PodCase, first: ContainerStatus) -> Verdict:
    """It may work for long, but hardly for ever."""
    since = credible(first.state.running.started_at) if first.state.running else None
    wait = case.grace(since, GRACES.initialising)
    if wait is not None or since is None:
        return waits(wait)
    return shows(
        Symptom(
            category=Category.OTHER,
            reason="PodInitializing",
            reason_class="SlowInit",
            detail="",
            message="",
            container=first.name,
            since=since,
            last_seen=since,
        )
    )


def _held(case: PodCase) -> tuple[ContainerStatus, datetime | None] | None:
    """The first container that waits to be made while nothing before it is to be awaited."""
    scheduled, ready = case.condition("PodScheduled"), case.condition(READY_TO_START)
    since = latest(
        case.begun,
        scheduled.last_transition_time if scheduled else None,
        ready.last_transition_time if ready else None,
    )
    for status in case.pod.status.init_container_statuses or ():
        state = status.state
        if state.waiting is not None:
            return (status, since) if state.waiting.reason in CREATING else None
        if state.running is not None:
            if not case.is_sidecar(status) or not status.started:
                return None
            since = latest(since, state.running.started_at)
        elif state.terminated is not None:
            since = latest(since, state.terminated.finished_at)
    for status in case.pod.status.container_statuses or ():
        since = latest(since, status.state.running.started_at if status.state.running else None)
    for status in case.pod.status.container_statuses or ():
        if status.state.waiting is not None and status.state.waiting.reason in CREATING:
            return status, since
    return None


def _untouched(case: PodCase) -> Verdict:
    """The node's kubelet has not begun with it."""
    if case.pod.status.phase not in {"", "Pending"}:
        return HEALTHY
    scheduled = case.condition("PodScheduled")
    since = latest(case.begun, scheduled.last_transition_time if scheduled else None)
    wait = case.grace(since, GRACES.unseen_by_kubelet)
    if wait is not None or since is None:
        return waits(wait)
    return shows(
        Symptom(
            category=Category.NODE,
            reason="Pending",
            reason_class="NotStarted",
            detail="",
            message="",
            since=since,
            last_seen=since,
        )
    )


def _gated(case: PodCase) -> Verdict:
    """All containers are ready, and something outside does not say so of the Pod."""
    ready = case.condition("Ready")
    if ready is None or (ready.status, ready.reason) != ("False", "ReadinessGatesNotReady"):
        return HEALTHY
    wait = case.grace(ready.last_transition_time, GRACES.gates)
    if wait is not None:
        return waits(wait)
    return shows(
        Symptom(
            category=Category.OTHER,
            reason=ready.reason,
            reason_class=ready.reason,
            detail="",
            message=ready.message,
            since=ready.last_transition_time,
            last_seen=ready.last_transition_time,
        )
    )
