"""Pods in the states that tests need, built like the API server's JSON and decoded like it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from kausa.cluster.objects import Event, Pod
from kausa.detection.surroundings import Note

__all__ = [
    "at",
    "condition",
    "container",
    "event",
    "note",
    "pod",
    "running",
    "stamp",
    "terminated",
    "waiting",
]

NOW = "2026-01-02T03:04:05Z"
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """So long after the moment at which everything here begins."""
    return START + timedelta(seconds=seconds)


def stamp(seconds: float) -> str:
    """The same, as the API server writes it."""
    return at(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def running(seconds: float = 0) -> dict[str, Any]:
    """The state of a container that was started then."""
    return {"running": {"startedAt": stamp(seconds)}}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    """The state of a container that waits."""
    return {"waiting": {"reason": reason, "message": message}}


def terminated(
    exit_code: int,
    reason: str = "Error",
    message: str = "",
    *,
    seconds: float = 0,
    lasted: float = 5,
) -> dict[str, Any]:
    """The state of a container that ended then, after it had run for so long."""
    return {
        "terminated": {
            "exitCode": exit_code,
            "reason": reason,
            "message": message,
            "startedAt": stamp(seconds - lasted),
            "finishedAt": stamp(seconds),
        }
    }


def container(
    state: dict[str, Any],
    *,
    name: str = "api",
    last: dict[str, Any] | None = None,
    restarts: int = 0,
    ready: bool = False,
    image: str = "registry.example/shop/api:1.2",
    started: bool | None = None,
) -> dict[str, Any]:
    """One container status."""
    return {
        "name": name,
        "started": started,
        "image": image,
        "ready": ready,
        "restartCount": restarts,
        "state": state,
        "lastState": last or {},
    }


def condition(
    type_: str, status: str, reason: str = "", message: str = "", *, seconds: float = 0
) -> dict[str, Any]:
    """One Pod condition, so since then."""
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": stamp(seconds),
    }


def pod(
    *statuses: dict[str, Any],
    name: str = "checkout-5d4f8-abcde",
    uid: str = "uid-1",
    phase: str = "Running",
    image: str = "registry.example/shop/api:1.2",
    node: str = "node-1",
    init: tuple[dict[str, Any], ...] = (),
    conditions: tuple[dict[str, Any], ...] = (),
    owner: dict[str, Any] | None = None,
    annotations: dict[str, str] | None = None,
    deleting: bool = False,
    spec: dict[str, Any] | None = None,
    limits: dict[str, str] | None = None,
    requests: dict[str, str] | None = None,
    status: dict[str, Any] | None = None,
) -> Pod:
    """A Pod, decoded from what the API server would send."""
    document = {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": uid,
            "creationTimestamp": NOW,
            "deletionTimestamp": NOW if deleting else None,
            "annotations": annotations,
            "ownerReferences": [owner] if owner else None,
        },
        "spec": {
            "nodeName": node,
            "containers": [
                {
                    "name": each["name"],
                    "image": image,
                    "resources": {"limits": limits, "requests": requests},
                }
                for each in statuses or ({"name": "api"},)
            ],
            **(spec or {}),
        },
        "status": {
            "phase": phase,
            "startTime": NOW,
            "conditions": list(conditions),
            "containerStatuses": list(statuses),
            "initContainerStatuses": list(init),
            **(status or {}),
        },
    }
    return msgspec.json.decode(msgspec.json.encode(document), type=Pod)


def event(
    reason: str,
    message: str,
    *,
    kind: str = "Pod",
    uid: str = "uid-1",
    count: int | None = 1,
    type_: str = "Warning",
    field_path: str = "spec.containers{api}",
    series: dict[str, Any] | None = None,
) -> Event:
    """A core/v1 Event."""
    document = {
        "metadata": {"name": "e", "namespace": "shop", "uid": "event-uid"},
        "involvedObject": {
            "kind": kind,
            "namespace": "shop",
            "name": "checkout-5d4f8-abcde",
            "uid": uid,
            "fieldPath": field_path,
        },
        "type": type_,
        "reason": reason,
        "message": message,
        "count": count,
        "lastTimestamp": NOW,
        "series": series,
    }
    return msgspec.json.decode(msgspec.json.encode(document), type=Event)


def note(
    reason: str,
    message: str,
    *,
    container: str | None = None,
    count: int = 1,
    first: float = 0,
    last: float | None = None,
) -> Note:
    """What an Event says of the Pod, first and last seen then."""
    return Note(
        uid="uid-1",
        api_version="v1",
        kind="Pod",
        namespace="shop",
        name="checkout-5d4f8-abcde",
        container=container,
        reason=reason,
        message=message,
        count=count,
        first_seen=at(first),
        last_seen=at(first if last is None else last),
    )
