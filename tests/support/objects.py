"""Workloads, claims, nodes and Services as tests need them, decoded like the API server's JSON."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from kausa.cluster.workloads import (
    CronJob,
    DaemonSet,
    Deployment,
    EndpointSlice,
    HorizontalPodAutoscaler,
    Job,
    Node,
    PersistentVolumeClaim,
    Service,
    StatefulSet,
)
from kausa.detection.surroundings import Note

__all__ = [
    "LONG_BEFORE",
    "NOW",
    "autoscaler",
    "before",
    "claim",
    "cron_job",
    "daemon_set",
    "decoded",
    "deployment",
    "endpoint_slice",
    "job",
    "node",
    "note",
    "said",
    "service",
    "stateful_set",
]

NOW = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
"""The moment at which tests look."""
LONG_BEFORE = timedelta(hours=2)

T = TypeVar("T")


def before(ago: timedelta) -> str:
    """The time so long before NOW, as the API server writes it."""
    return (NOW - ago).strftime("%Y-%m-%dT%H:%M:%SZ")


def decoded(kind: type[T], document: dict[str, Any]) -> T:
    """The object of this kind, by way of JSON."""
    return msgspec.json.decode(msgspec.json.encode(document), type=kind)


def said(
    type_: str,
    status: str,
    reason: str = "",
    message: str = "",
    *,
    ago: timedelta = LONG_BEFORE,
) -> dict[str, Any]:
    """One condition that has been so since then."""
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": before(ago),
    }


def _meta(name: str, *, created: timedelta, deleting: bool, **more: object) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": "shop",
        "uid": f"uid-of-{name}",
        "creationTimestamp": before(created),
        "deletionTimestamp": before(timedelta()) if deleting else None,
        **more,
    }


def deployment(
    *conditions: dict[str, Any],
    replicas: int | None = 3,
    available: int = 0,
    paused: bool = False,
    deadline: int | None = 600,
    changed: timedelta = LONG_BEFORE,
    deleting: bool = False,
) -> Deployment:
    """A Deployment with these conditions, of which nothing has changed for so long."""
    document = {
        "metadata": _meta(
            "checkout",
            created=timedelta(days=1),
            deleting=deleting,
            managedFields=[{"time": before(changed)}],
        ),
        "spec": {"paused": paused, "progressDeadlineSeconds": deadline},
        "status": {"availableReplicas": available, "conditions": list(conditions)},
    }
    if replicas is not None:
        document["spec"]["replicas"] = replicas
    return decoded(Deployment, document)


def stateful_set(
    *,
    replicas: int = 3,
    created: int = 3,
    ready: int = 3,
    changed: timedelta = LONG_BEFORE,
    deleting: bool = False,
) -> StatefulSet:
    """A StatefulSet of which nothing has changed for so long."""
    document = {
        "metadata": _meta(
            "db",
            created=timedelta(days=1),
            deleting=deleting,
            managedFields=[
                {"manager": "kubectl", "time": before(timedelta(hours=20))},
                {"manager": "controller", "time": before(changed), "fieldsV1": {"f:status": {}}},
            ],
        ),
        "spec": {"replicas": replicas},
        "status": {"replicas": created, "readyReplicas": ready},
    }
    return decoded(StatefulSet, document)


def daemon_set(
    *,
    desired: int = 3,
    current: int = 3,
    unavailable: int = 0,
    misscheduled: int = 0,
    changed: timedelta = LONG_BEFORE,
    deleting: bool = False,
) -> DaemonSet:
    """A DaemonSet of which nothing has changed for so long."""
    document = {
        "metadata": _meta(
            "agent",
            created=timedelta(days=1),
            deleting=deleting,
            managedFields=[{"time": before(changed)}],
        ),
        "status": {
            "desiredNumberScheduled": desired,
            "currentNumberScheduled": current,
            "numberUnavailable": unavailable,
            "numberMisscheduled": misscheduled,
        },
    }
    return decoded(DaemonSet, document)


def job(
    *conditions: dict[str, Any],
    active: int = 0,
    succeeded: int = 0,
    failed: int = 0,
    suspend: bool = False,
    limit: int | None = 6,
    deadline: int | None = None,
    of_cron_job: bool = False,
    deleting: bool = False,
) -> Job:
    """A Job with these conditions."""
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly", "uid": "u"}
    document = {
        "metadata": _meta(
            "import",
            created=LONG_BEFORE,
            deleting=deleting,
            ownerReferences=[owner | {"controller": True}] if of_cron_job else None,
        ),
        "spec": {"suspend": suspend, "backoffLimit": limit, "activeDeadlineSeconds": deadline},
        "status": {
            "active": active,
            "succeeded": succeeded,
            "failed": failed,
            "startTime": before(LONG_BEFORE),
            "conditions": list(conditions),
        },
    }
    return decoded(Job, document)


def cron_job(
    *,
    schedule: str = "0 3 * * *",
    zone: str | None = None,
    policy: str = "Allow",
    active: tuple[str, ...] = (),
    suspend: bool = False,
    ran: timedelta | None = None,
    asked: timedelta | None = None,
    deleting: bool = False,
) -> CronJob:
    """A CronJob that ran so long ago, and that somebody changed so long ago."""
    document = {
        "metadata": _meta(
            "nightly",
            created=timedelta(days=90),
            deleting=deleting,
            managedFields=[
                {"manager": "kubectl", "time": before(asked or timedelta(days=90))},
                {"manager": "x", "subresource": "status", "time": before(timedelta())},
            ],
        ),
        "spec": {
            "schedule": schedule,
            "timeZone": zone,
            "concurrencyPolicy": policy,
            "suspend": suspend,
        },
        "status": {
            "lastScheduleTime": before(ran) if ran is not None else None,
            "active": [{"kind": "Job", "name": each, "uid": each} for each in active] or None,
        },
    }
    return decoded(CronJob, document)


def autoscaler(
    *conditions: dict[str, Any], created: timedelta = LONG_BEFORE, deleting: bool = False
) -> HorizontalPodAutoscaler:
    """A HorizontalPodAutoscaler with these conditions."""
    document = {
        "metadata": _meta("checkout", created=created, deleting=deleting),
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "checkout"}},
        "status": {"conditions": list(conditions)},
    }
    return decoded(HorizontalPodAutoscaler, document)


def claim(
    *conditions: dict[str, Any],
    phase: str = "Pending",
    storage_class: str | None = "fast",
    volume: str = "",
    provisioner: str | None = None,
    created: timedelta = LONG_BEFORE,
    deleting: bool = False,
) -> PersistentVolumeClaim:
    """A claim of the name data-db-0."""
    document = {
        "metadata": _meta(
            "data-db-0",
            created=created,
            deleting=deleting,
            annotations={"volume.kubernetes.io/storage-provisioner": provisioner}
            if provisioner
            else None,
        ),
        "spec": {"storageClassName": storage_class, "volumeName": volume},
        "status": {"phase": phase, "conditions": list(conditions)},
    }
    return decoded(PersistentVolumeClaim, document)


def node(
    *conditions: dict[str, Any],
    created: timedelta = timedelta(days=30),
    cordoned: bool = False,
    deleting: bool = False,
) -> Node:
    """A node with these conditions."""
    document = {
        "metadata": _meta("node-1", created=created, deleting=deleting) | {"namespace": ""},
        "spec": {"unschedulable": cordoned},
        "status": {"conditions": list(conditions)},
    }
    return decoded(Node, document)


def service(
    *,
    selector: dict[str, str] | None = None,
    type_: str = "ClusterIP",
    cluster_ip: str = "10.96.0.7",
    unready_too: bool = False,
    created: timedelta = LONG_BEFORE,
    deleting: bool = False,
) -> Service:
    """A Service of the name checkout."""
    document = {
        "metadata": _meta("checkout", created=created, deleting=deleting),
        "spec": {
            "type": type_,
            "clusterIP": cluster_ip,
            "selector": {"app": "checkout"} if selector is None else selector,
            "publishNotReadyAddresses": unready_too,
        },
    }
    return decoded(Service, document)


def endpoint_slice(*endpoints: tuple[str, bool | None]) -> EndpointSlice:
    """A slice of the Service checkout: uids of Pods, and whether they are ready."""
    document = {
        "metadata": _meta(
            "checkout-x",
            created=LONG_BEFORE,
            deleting=False,
            labels={"kubernetes.io/service-name": "checkout"},
        ),
        "endpoints": [
            {"conditions": {"ready": ready}, "targetRef": {"kind": "Pod", "uid": uid}}
            for uid, ready in endpoints
        ],
    }
    return decoded(EndpointSlice, document)


def note(
    reason: str,
    message: str = "",
    *,
    kind: str = "Deployment",
    name: str = "checkout",
    api_version: str = "apps/v1",
    count: int = 1,
    first: timedelta | None = timedelta(minutes=5),
    last: timedelta | None = timedelta(minutes=1),
) -> Note:
    """What a Warning Event says, first and last so long before NOW."""
    return Note(
        uid=f"uid-of-{name}",
        api_version=api_version,
        kind=kind,
        namespace="shop",
        name=name,
        container=None,
        reason=reason,
        message=message,
        count=count,
        first_seen=NOW - first if first is not None else None,
        last_seen=NOW - last if last is not None else None,
    )
