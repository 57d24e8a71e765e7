"""Objects that no detector watches, and what of them is told when nobody asked for them.

A Service without Pods, an Ingress without its Service or an autoscaler without metrics is found by
a rule when a person names it. A snapshot is all that a person has, so each is asked about, and told
only where the rules are sure: a Service that waits for its first Pods is no failure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

from kausa.cluster.objects import ObjectReference
from kausa.cluster.snapshot import Snapshot
from kausa.cluster.snapshot.store import ResourceUrl
from kausa.diagnosis.finding import Diagnosis

__all__ = ["is_sure", "suspended", "unwatched"]

Json = dict[str, Any]
MOST_OBJECTS = 200
MOST_NOTES = 10
SURE = 70
"""Per cent, of what nobody complains of."""
_ASKED = (
    ("", "services"),
    ("networking.k8s.io", "ingresses"),
    ("autoscaling", "horizontalpodautoscalers"),
)
_CRON_JOBS = ("batch", "cronjobs")


Place = tuple[str, str]
"""Namespace and name."""


def unwatched(
    snapshot: Snapshot, *, waiting: Collection[Place] = (), namespace: str = ""
) -> Iterator[ObjectReference]:
    """The first 200 of the objects that are asked about, of one namespace where it is named.

    `waiting`: Services whose Pods only take their time to get ready; nobody asks about these, nor
    about an Ingress that leads to one.
    """
    every = (
        ObjectReference(
            api_version=found["apiVersion"],
            kind=found["kind"],
            namespace=str(found["metadata"].get("namespace", "")),
            name=found["metadata"]["name"],
            uid=found["metadata"]["uid"],
        )
        for resource in _ASKED
        for found in snapshot.collection(ResourceUrl(resource=resource, namespace=namespace))
        if not _waits(found, waiting) and not _scales(found)
    )
    return islice(every, MOST_OBJECTS)


def _waits(found: Json, waiting: Collection[Place]) -> bool:
    namespace = str(found["metadata"].get("namespace", ""))
    if found["kind"] == "Service":
        return (namespace, found["metadata"]["name"]) in waiting
    return found["kind"] == "Ingress" and any(
        (namespace, name) in waiting for name in _backends(found.get("spec"))
    )


def _backends(part: Any) -> Iterator[str]:
    """The names of all Services to which an Ingress leads."""
    if isinstance(part, dict):
        service = part.get("service")
        if isinstance(service, dict) and isinstance(service.get("name"), str):
            yield service["name"]
        for each in part.values():
            yield from _backends(each)
    elif isinstance(part, list):
        for each in part:
            yield from _backends(each)


def _scales(found: Json) -> bool:
    """Whether an autoscaler says that it does well now: what it warned of is over."""
    status = found.get("status")
    conditions = status.get("conditions") if isinstance(status, dict) else None
    if found["kind"] != "HorizontalPodAutoscaler" or not isinstance(conditions, list):
        return False
    states = {each.get("type"): each.get("status") for each in conditions if isinstance(each, dict)}
    return states.get("AbleToScale") == states.get("ScalingActive") == "True"


def is_sure(diagnosis: Diagnosis) -> bool:
    """Whether the rules call it a failure, and are as good as certain."""
    return diagnosis.determined and diagnosis.category is not None and diagnosis.confidence >= SURE


def suspended(snapshot: Snapshot, *, namespace: str = "") -> tuple[str, ...]:
    """Which CronJobs somebody has suspended: worth a word, and no failure."""
    found = [
        f"{each['metadata'].get('namespace', '')}/{each['metadata']['name']}"
        for each in snapshot.collection(ResourceUrl(resource=_CRON_JOBS, namespace=namespace))
        if isinstance(each.get("spec"), dict) and each["spec"].get("suspend") is True
    ]
    notes = [f"CronJob {each} is suspended: it starts no Jobs." for each in found[:MOST_NOTES]]
    if len(found) > MOST_NOTES:
        notes.append(f"{len(found) - MOST_NOTES} more CronJobs are suspended.")
    return tuple(notes)
