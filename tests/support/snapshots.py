"""Small snapshots for tests: folders with the objects of a few lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kausa.cluster.snapshot import Snapshot, SnapshotClient, load_snapshot

__all__ = [
    "BEGAN",
    "LATER",
    "client_of",
    "crashing_pod",
    "deployment",
    "folder_of",
    "listed",
    "loaded",
    "replica_set",
    "thin_pod",
    "warning",
]

Json = dict[str, Any]
BEGAN = "2026-01-31T12:00:00Z"
LATER = "2026-01-31T12:10:00Z"


def listed(*objects: Json) -> Json:
    """A List, as kubectl prints it."""
    return {"apiVersion": "v1", "kind": "List", "items": list(objects)}


def folder_of(folder: Path, *objects: Json, logs: dict[str, str] | None = None) -> Path:
    """A case folder; `logs` by their path below `logs/`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "objects.json").write_text(json.dumps(listed(*objects)))
    for name, text in (logs or {}).items():
        path = folder / "logs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def loaded(tmp_path: Path, *objects: Json, logs: dict[str, str] | None = None) -> Snapshot:
    """The snapshot of a case folder."""
    return load_snapshot(folder_of(tmp_path / "case", *objects, logs=logs))


def client_of(tmp_path: Path, *objects: Json, logs: dict[str, str] | None = None) -> SnapshotClient:
    """A client of such a snapshot."""
    return SnapshotClient(loaded(tmp_path, *objects, logs=logs))


def thin_pod(name: str, namespace: str = "shop", **fields: Any) -> Json:
    """A Pod of a few words, as people write it down."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {},
        **fields,
    }


def crashing_pod(name: str, *, owner: Json | None = None, namespace: str = "shop") -> Json:
    """A Pod whose only container `api` crashes again and again, as kubectl writes it."""
    meta: Json = {
        "name": name,
        "namespace": namespace,
        "uid": f"uid-of-{name}",
        "creationTimestamp": BEGAN,
        "labels": {"app": "api"},
    }
    if owner is not None:
        meta["ownerReferences"] = [
            {
                "apiVersion": owner["apiVersion"],
                "kind": owner["kind"],
                "name": owner["metadata"]["name"],
                "uid": owner["metadata"].get("uid", ""),
                "controller": True,
            }
        ]
    ended = {"exitCode": 3, "reason": "Error", "startedAt": LATER, "finishedAt": LATER}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {
            "nodeName": "node-1",
            "containers": [{"name": "api", "image": "registry.example/api:1"}],
        },
        "status": {
            "phase": "Running",
            "startTime": BEGAN,
            "conditions": [
                {"type": "Ready", "status": "False", "lastTransitionTime": LATER},
                {"type": "PodScheduled", "status": "True", "lastTransitionTime": BEGAN},
            ],
            "containerStatuses": [
                {
                    "name": "api",
                    "image": "registry.example/api:1",
                    "ready": False,
                    "restartCount": 5,
                    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {"terminated": ended},
                }
            ],
        },
    }


def deployment(name: str, namespace: str = "shop") -> Json:
    """A Deployment that says nothing of itself."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "uid": f"uid-of-{name}"},
        "spec": {"replicas": 1},
    }


def replica_set(name: str, *, of: Json) -> Json:
    """A ReplicaSet of a Deployment."""
    meta = of["metadata"]
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": meta["namespace"],
            "uid": f"uid-of-{name}",
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": of["kind"],
                    "name": meta["name"],
                    "uid": meta["uid"],
                    "controller": True,
                }
            ],
        },
    }


def warning(
    reason: str, message: str, *, about: Json, count: int = 1, last: str = LATER, **fields: Any
) -> Json:
    """A Warning Event about an object."""
    meta = about["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{meta['name']}.{abs(hash((reason, message))):x}",
            "namespace": meta.get("namespace", "default"),
        },
        "involvedObject": {
            "kind": about["kind"],
            "name": meta["name"],
            "namespace": meta.get("namespace", ""),
        },
        "type": "Warning",
        "reason": reason,
        "message": message,
        "count": count,
        "firstTimestamp": BEGAN,
        "lastTimestamp": last,
        **fields,
    }
