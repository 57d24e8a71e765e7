"""What Warning Events add to a Pod's status: how often it was tried again, and when last.

A status shows one ImagePullBackOff however often the pull was tried; the kubelet and the scheduler
count the attempts in Events. Events alone never start a diagnosis here: they outlive their cause by
an hour, so the Pod's present status decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from kausa.cluster.objects import Event

__all__ = ["Repeat", "detect_repeat"]

_CONTAINER = re.compile(r"^spec\.(?:initC|ephemeralC|c)ontainers\{(?P<name>[^}]{1,253})\}$")
_CLASSES = {"FailedScheduling": "Unschedulable", "InspectFailed": "ImagePull"}
_ATTEMPTS = (
    ("Failed to pull image", "ImagePull"),
    ("Error: configmap", "ConfigError"),
    ("Error: secret", "ConfigError"),
    ("Error: couldn't find key", "ConfigError"),
    ("Error: container has runAsNonRoot", "ConfigError"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """One kind of failure of one Pod, counted by whoever tried."""

    pod_uid: str
    pod_name: str
    namespace: str
    container: str | None
    reason_class: str
    count: int
    last_seen: datetime | None


def detect_repeat(event: Event) -> Repeat | None:
    """How often the thing was tried that this Event complains of; None for other Events."""
    about = event.involved_object
    if event.type != "Warning" or about.kind != "Pod" or not about.uid:
        return None
    reason_class = _CLASSES.get(event.reason)
    if reason_class is None and event.reason == "Failed":
        reason_class = next(
            (name for start, name in _ATTEMPTS if event.message.startswith(start)), None
        )
    if reason_class is None:
        return None
    container = _CONTAINER.match(about.field_path)
    return Repeat(
        pod_uid=about.uid,
        pod_name=about.name,
        namespace=about.namespace,
        container=container["name"] if container else None,
        reason_class=reason_class,
        count=event.repeats,
        last_seen=event.last_seen,
    )
