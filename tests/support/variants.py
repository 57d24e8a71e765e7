"""Failures in a few lines of YAML, diagnosed from end to end as `kausa diagnose --from` does."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import datetime
from typing import Any

from kausa.cluster.objects import ObjectReference
from kausa.cluster.snapshot import read_snapshot
from kausa.evidence.redaction import Redactor
from kausa.offline.diagnosing import Answer, OfflineDiagnosis, moment_of
from kausa.offline.targets import Target, find_target

__all__ = ["answer_to"]

Json = dict[str, Any]
NAMESPACE = "shop"
CLUSTER_WIDE = frozenset(
    {
        "Node", "PersistentVolume", "StorageClass", "IngressClass", "CSIDriver", "Namespace",
        "PriorityClass", "RuntimeClass", "VolumeAttachment",
    }
)  # fmt: skip
GROUPS = {
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "Ingress": "networking.k8s.io/v1",
    "IngressClass": "networking.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "PodDisruptionBudget": "policy/v1",
    "StorageClass": "storage.k8s.io/v1",
    "CSIDriver": "storage.k8s.io/v1",
    "VolumeAttachment": "storage.k8s.io/v1",
    "EndpointSlice": "discovery.k8s.io/v1",
    "VolumeSnapshot": "snapshot.storage.k8s.io/v1",
}
_META = ("labels", "annotations", "ownerReferences", "creationTimestamp", "deletionTimestamp")


def answer_to(variant: Json) -> Answer:
    """The surest answer about the variant's target (by default Pod web-0)."""
    kind, _, name = variant.get("target", "Pod/web-0").partition("/")
    objects = [_whole(each) for each in variant.get("objects", ())]
    if "pod" in variant or not any((o["kind"], o["metadata"]["name"]) == (kind, name)
                                   for o in objects):  # fmt: skip
        about = variant.get("pod", {})
        objects.insert(
            0, _pod(name, about) if kind == "Pod" else _whole({"kind": kind, "name": name})
        )
    objects += [
        _event(each, number=number, about=(kind, name))
        for number, each in enumerate(variant.get("events", ()))
    ]
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    snapshot = read_snapshot(io.BytesIO(document.encode()), name="variant")
    given = variant.get("now")
    pipeline = OfflineDiagnosis(
        snapshot,
        redactor=Redactor(key=b"k" * 32),
        now=moment_of(snapshot, given=datetime.fromisoformat(given) if given else None),
    )
    namespace = None if kind in CLUSTER_WIDE else NAMESPACE
    found: ObjectReference = find_target(
        snapshot, Target(kind=kind, name=name, namespace=namespace)
    )
    return asyncio.run(pipeline.of_target(found))[0]


def _whole(short: Json) -> Json:
    """An object: `name`, `namespace` and other metadata go where they belong."""
    rest = dict(short)
    kind = rest.pop("kind")
    if kind == "Pod" and "spec" not in rest:
        name = rest.pop("name")
        return _pod(name, rest)
    meta: Json = {"name": rest.pop("name")}
    if kind not in CLUSTER_WIDE:
        meta["namespace"] = rest.pop("namespace", NAMESPACE)
    for key in _META:
        if key in rest:
            meta[key] = rest.pop(key)
    return {
        "apiVersion": rest.pop("apiVersion", GROUPS.get(kind, "v1")),
        "kind": kind,
        "metadata": meta,
        **rest,
    }


def _pod(name: str, short: Json) -> Json:
    """A Pod with one container `app`, by how it is: `waiting`, `last`, `ready`, `restarts`."""
    ready = short.get("ready", False)
    status: Json = {"phase": short.get("phase", "Pending")}
    container: Json = {"name": "app", "image": short.get("image", "registry.acme.io/web:1.4")}
    container.update(short.get("container", {}))
    spec: Json = {"containers": [container], **short.get("spec", {})}
    if "node" in short:
        spec["nodeName"] = short["node"]
    state: Json = {"running": {"startedAt": "2026-07-01T08:00:00Z"}}
    if "waiting" in short:
        state = {"waiting": {"reason": short["waiting"], "message": short.get("why", "")}}
    elif "ended" in short:
        state = {"terminated": short["ended"]}
    if short.keys() & {"waiting", "last", "ready", "restarts", "ended"}:
        status["containerStatuses"] = [
            {
                "name": "app",
                "ready": ready,
                "restartCount": short.get("restarts", 0),
                "state": state,
                "lastState": {"terminated": short["last"]} if "last" in short else {},
            }
        ]
        status["conditions"] = [{"type": "Ready", "status": str(ready)}]
        if "readySince" in short:
            status["conditions"][0]["lastTransitionTime"] = short["readySince"]
    status.update(short.get("status", {}))
    meta: Json = {"name": name, "namespace": short.get("namespace", NAMESPACE)}
    meta.update({key: short[key] for key in _META if key in short})
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": status}


def _event(told: list[Any], *, number: int, about: tuple[str, str]) -> Json:
    """`[reason, message]`; before them whom it is about, behind them the type, minute, count."""
    kind, name = about
    namespace = NAMESPACE
    if "/" in told[0]:
        *place, kind, name = told[0].split("/")
        namespace, told = (place or [NAMESPACE])[0], told[1:]
    reason, message, *more = told
    type_ = more[0] if more else "Warning"
    minute = more[1] if len(more) > 1 else number
    count = more[2] if len(more) > 2 else 1
    time = f"2026-07-01T08:{minute:02}:00Z"
    if kind in CLUSTER_WIDE:
        namespace = "default"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{number:04}", "namespace": namespace},
        "involvedObject": {
            "kind": kind,
            "name": name,
            "apiVersion": GROUPS.get(kind, "v1"),
            **({} if kind in CLUSTER_WIDE else {"namespace": namespace}),
        },
        "reason": reason,
        "message": message,
        "type": type_,
        "count": count,
        "firstTimestamp": time,
        "lastTimestamp": time,
    }
