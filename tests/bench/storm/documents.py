"""What the bench puts into the cluster: pods of a usual size, and Deployments that fail when told.

The labels and the annotations are those of `hack/kwok/stages/storm.yaml`.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "FAILS",
    "FAILURE",
    "FAILURES",
    "FROM",
    "LABEL",
    "UNTIL",
    "deployment",
    "namespace",
    "standing_pod",
    "told_to_fail",
]

LABEL = "kausa-bench"
FAILURE = "storm.kausa.dev/failure"
FAILS = "storm.kausa.dev/fails"
FROM = "storm.kausa.dev/from"
UNTIL = "storm.kausa.dev/until"
FAILURES = ("crash", "oom", "pull", "config")
TOLERATION = {"key": "kwok.x-k8s.io/node", "operator": "Exists", "effect": "NoSchedule"}


def namespace(name: str) -> dict[str, Any]:
    """A namespace that is known as the bench's."""
    return {"metadata": {"name": name, "labels": {LABEL: "storm"}}}


def standing_pod(name: str, *, node: str) -> dict[str, Any]:
    """A healthy pod that no scheduler has to place."""
    return {
        "metadata": {
            "name": name,
            "labels": {"app": name, LABEL: "standing"},
            "annotations": _NOTES,
        },
        "spec": _spec(name, node=node),
    }


def deployment(name: str, *, replicas: int, failure: str, node: str) -> dict[str, Any]:
    """Healthy until its pods are told to fail, all in the same way."""
    labels = {"app": name, FAILS: "true", FAILURE: failure}
    template = {"labels": labels, "annotations": _NOTES}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            # It fails for minutes: the condition of progress is not what is measured.
            "progressDeadlineSeconds": 3600,
            "template": {"metadata": template, "spec": _spec(name, node=node)},
        },
    }


def told_to_fail(*, begins: str, ends: str) -> dict[str, Any]:
    """The patch that lets a pod fail at a moment between two (RFC 3339)."""
    return {"metadata": {"annotations": {FROM: begins, UNTIL: ends}}}


# As large on the wire as a usual pod, whose many fields would cost the API server five times as
# much: it keeps a tree of them for each pod.
_NOTES = {"shop.example/notes": "A sentence that stands for forty settings. " * 100}


def _spec(name: str, *, node: str) -> dict[str, Any]:
    """On a node from the start: a scheduler would be measured with it, and nothing fails there."""
    return {
        "nodeName": node,
        "tolerations": [TOLERATION],
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "containers": [
            {
                "name": "main",
                "image": f"registry.example/shop/{name}:2.4.1",
                "args": ["serve", "--port=8080", "--log-format=json"],
                "env": [{"name": "LEVEL", "value": "info"}],
                "resources": {"limits": {"memory": "256Mi"}, "requests": {"cpu": "50m"}},
            }
        ],
    }
