"""Workloads in the middle of rollouts, as the API server writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from kausa.learning.rollout_kinds import RollingDaemonSet, RollingDeployment, RollingStatefulSet

__all__ = ["BEGAN", "after", "daemon_set", "deployment", "stateful_set"]

T = TypeVar("T")
BEGAN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def deployment(
    *,
    image: str = "shop/api:1",
    revision: str = "1",
    reason: str | None = "ReplicaSetUpdated",
    at: float = 0,
    generation: int = 1,
    observed: int | None = None,
    began: float = 0,
    **status: Any,
) -> RollingDeployment:
    """`reason` of Progressing, since `at`; the spec changed at `began`."""
    conditions = [
        {
            "type": "Progressing",
            "status": "False" if reason == "ProgressDeadlineExceeded" else "True",
            "reason": reason,
            "lastUpdateTime": _time(at),
            "lastTransitionTime": _time(0),
        }
    ]
    document = _workload("api", image=image, generation=generation, began=began, moved=at)
    document["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": revision}
    document["spec"]["replicas"] = 3
    document["status"] = {
        "observedGeneration": generation if observed is None else observed,
        "conditions": conditions if reason is not None else [{"type": "Available"}],
        **status,
    }
    return _decoded(document, RollingDeployment)


def stateful_set(
    *,
    generation: int = 2,
    current: str = "db-1",
    update: str = "db-2",
    updated: int = 0,
    ready: int = 3,
    began: float = 0,
    moved: float = 0,
    partition: int = 0,
    strategy: str = "RollingUpdate",
) -> RollingStatefulSet:
    document = _workload("db", image="shop/db:2", generation=generation, began=began, moved=moved)
    document["spec"] |= {
        "replicas": 3,
        "updateStrategy": {"type": strategy, "rollingUpdate": {"partition": partition}},
    }
    document["status"] = {
        "observedGeneration": generation,
        "replicas": 3,
        "readyReplicas": ready,
        "updatedReplicas": updated,
        "currentRevision": current,
        "updateRevision": update,
    }
    return _decoded(document, RollingStatefulSet)


def daemon_set(
    *, template: str = "2", updated: int = 0, available: int = 4, moved: float = 0, **more: Any
) -> RollingDaemonSet:
    document = _workload("agent", image="shop/agent:2", generation=2, began=0, moved=moved)
    document["metadata"]["annotations"] = {"deprecated.daemonset.template.generation": template}
    document["spec"] |= more
    document["status"] = {
        "observedGeneration": 2,
        "desiredNumberScheduled": 4,
        "currentNumberScheduled": 4,
        "updatedNumberScheduled": updated,
        "numberAvailable": available,
    }
    return _decoded(document, RollingDaemonSet)


def _workload(
    name: str, *, image: str, generation: int, began: float, moved: float
) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": f"uid-{name}",
            "generation": generation,
            "creationTimestamp": _time(0),
            "managedFields": [
                {"manager": "kubectl", "operation": "Apply", "time": _time(began)},
                {"manager": "kube-controller-manager", "time": _time(moved + 1)},
                {"manager": "kube-controller-manager", "subresource": "scale", "time": _time(9e6)},
                {
                    "manager": "kube-controller-manager",
                    "subresource": "status",
                    "time": _time(moved),
                },
            ],
        },
        "spec": {
            "template": {
                "metadata": {
                    "labels": {"note": "secret", "app": name, "pod-template-hash": "5d8"},
                },
                "spec": {
                    "initContainers": [{"name": "init", "image": "shop/init:1"}],
                    "containers": [{"name": "app", "image": image}],
                },
            }
        },
    }


def _time(seconds: float) -> str:
    return after(seconds).isoformat().replace("+00:00", "Z")


def _decoded(document: dict[str, Any], kind: type[T]) -> T:
    return msgspec.json.decode(msgspec.json.encode(document), type=kind)
