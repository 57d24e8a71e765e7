"""Containers that cannot be made: what they are configured with is missing or wrong."""

from __future__ import annotations

import re
from datetime import datetime

from kausa.cluster.objects import ContainerStatus, Waiting
from kausa.detection.case import PodCase, attempts, last_end, last_heard, latest, shows, waits
from kausa.detection.fingerprint import normalise
from kausa.detection.graces import GRACES
from kausa.detection.kubelet import kubelet_could_not_ask
from kausa.detection.surroundings import Note
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import Verdict
from kausa.resources.category import Category

__all__ = ["CONFIG_REASONS", "configuration", "unknown_waiting"]

CONFIG_REASONS = frozenset({"CreateContainerConfigError", "CreateContainerError"})
_RUNTIME = re.compile(
    r"context deadline exceeded|failed to reserve container name|name .{1,300} is reserved|"
    r"DeadlineExceeded|connection refused",
    re.I,
)


def configuration(case: PodCase, status: ContainerStatus, waiting: Waiting) -> Verdict:
    """The kubelet cannot make the container of what was asked for."""
    since = _waiting_since(case, status)
    if waiting.reason == "CreateContainerConfigError":
        if kubelet_could_not_ask(waiting.message):
            asked = [note.first_seen for note in _attempts(case, status, waiting)]
            first = min((each for each in asked if each is not None), default=case.now)
            wait = case.grace(first, GRACES.unread_configuration)
            if wait is not None:
                return waits(wait)
        return shows(
            _symptom(case, status, waiting, category=Category.CONFIG, reason_class="ConfigError")
        )
    wait = case.grace(since, GRACES.creation)
    if wait is not None:
        return waits(wait)
    # The runtime itself is in trouble where it is slow or has not forgotten the last container.
    category = Category.SANDBOX if _RUNTIME.search(waiting.message) else Category.CONFIG
    return shows(
        _symptom(case, status, waiting, category=category, reason_class="CreateContainerError")
    )


def unknown_waiting(case: PodCase, status: ContainerStatus, waiting: Waiting) -> Verdict:
    """It waits for something that is not known here, for longer than a moment."""
    wait = case.grace(_waiting_since(case, status), GRACES.unknown_waiting)
    if wait is not None:
        return waits(wait)
    return shows(
        _symptom(case, status, waiting, category=Category.OTHER, reason_class=waiting.reason[:128])
    )


def _symptom(
    case: PodCase,
    status: ContainerStatus,
    waiting: Waiting,
    *,
    category: Category,
    reason_class: str,
) -> Symptom:
    since = _waiting_since(case, status)
    tried = _attempts(case, status, waiting)
    return Symptom(
        category=category,
        reason=waiting.reason,
        reason_class=reason_class,
        detail=_of_any_pod(case, waiting.message),
        message=waiting.message,
        container=status.name,
        since=since,
        last_seen=last_heard(since, tried),
        occurrences=attempts(tried),
    )


def _of_any_pod(case: PodCase, message: str) -> str:
    """The message as every Pod of the owner has it: the runtime names containers by their Pod."""
    meta = case.pod.metadata
    for own, placeholder in ((meta.uid, "<uuid>"), (meta.name, "<pod>")):
        if own:
            message = message.replace(own, placeholder)
    return normalise(message)


def _attempts(case: PodCase, status: ContainerStatus, waiting: Waiting) -> list[Note]:
    """What Events say of the same words."""
    said = f"Error: {waiting.message}"
    tried = case.notes({"Failed"}, container=status.name)
    return [
        note
        for note in tried
        # Some runtimes number their attempts.
        if note.message == said or normalise(note.message) == normalise(said)
    ]


def _waiting_since(case: PodCase, status: ContainerStatus) -> datetime | None:
    """No status tells since when a container waits: not before the Pod, nor before its last end."""
    ended = last_end(status)
    return latest(case.begun, ended.finished_at if ended else None)
