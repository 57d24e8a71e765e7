"""The nodes that kwok plays: made with a taint, so that only pods that ask for them land there, and
taken away with all that stands on them.
"""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote

from localcluster import api, kwok
from localcluster.errors import ClusterError
from localcluster.layout import Layout
from localcluster.pki import SERVER
from localcluster.waiting import wait_for

NODES = 30
PODS_EACH = 1000
TAINT = "kwok.x-k8s.io/node"
READY_TIMEOUT_S = 60.0
# The API server deletes a collection one by one before it answers.
DELETE_TIMEOUT_S = 120.0
_COLLECTION = f"{SERVER}/api/v1/nodes?labelSelector={quote(kwok.SELECTOR)}"
_NAMES_ONLY = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


def name_of(number: int) -> str:
    return f"kwok-{number}"


def node(number: int) -> dict[str, Any]:
    """A node of any size; what it can take is only counted."""
    size = {"cpu": "4k", "memory": "4Ti", "pods": str(PODS_EACH)}
    name = name_of(number)
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"type": "kwok", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"},
        },
        "spec": {"taints": [{"key": TAINT, "value": "fake", "effect": "NoSchedule"}]},
        "status": {"allocatable": size, "capacity": size},
    }


class FakeNodes:
    """The fake nodes of one cluster, through its API."""

    def __init__(self, layout: Layout) -> None:
        self._tls = api.context(layout.pki)
        self._log = layout.log(kwok.NAME)

    def make(self, count: int) -> None:
        """Makes those that are missing, and returns when all take pods."""
        for number in range(count):
            body = json.dumps(node(number)).encode()
            status, answer = api.send("POST", f"{SERVER}/api/v1/nodes", self._tls, body)
            if status not in (201, 409):
                raise ClusterError(f"A fake node was refused ({status}): {answer[:300]!r}")
        wait_for(
            f"{count} fake nodes",
            lambda: ready(self._get(_COLLECTION)) >= count,
            timeout_s=READY_TIMEOUT_S,
            log=self._log,
        )

    def remove(self) -> int:
        """Takes the nodes away with their pods; how many pods those were.

        The pods go first, because the controller that collects the pods of lost nodes would do it
        too, with three requests for each. Then those once more that a Deployment has put in their
        place meanwhile.
        """
        names = [item["metadata"]["name"] for item in self._get(_COLLECTION)["items"] or []]
        removed = sum(self._remove_pods(name) for name in names)
        self._delete(_COLLECTION)
        return removed + sum(self._remove_pods(name) for name in names)

    def _remove_pods(self, name: str) -> int:
        on_it = f"fieldSelector={quote(f'spec.nodeName={name}')}"
        deadline = time.monotonic() + DELETE_TIMEOUT_S
        removed = 0
        while pods := self._get(f"{SERVER}/api/v1/pods?{on_it}")["items"]:
            if time.monotonic() > deadline:
                raise ClusterError(f"{len(pods)} pods of {name} do not go.")
            for namespace in sorted({pod["metadata"]["namespace"] for pod in pods}):
                self._delete(f"{SERVER}/api/v1/namespaces/{namespace}/pods?{on_it}")
            removed += len(pods)
        return removed

    def _get(self, url: str) -> dict[str, Any]:
        # A node's conditions are looked at, of pods nothing but the names.
        accept = "application/json" if url == _COLLECTION else _NAMES_ONLY
        status, answer = api.send("GET", url, self._tls, accept=accept, timeout_s=60)
        if status != 200:
            raise ClusterError(f"The API server did not list ({status}): {answer[:300]!r}")
        found: dict[str, Any] = json.loads(answer)
        return found

    def _delete(self, url: str) -> None:
        now = json.dumps({"gracePeriodSeconds": 0, "propagationPolicy": "Background"}).encode()
        status, answer = api.send("DELETE", url, self._tls, now, timeout_s=DELETE_TIMEOUT_S)
        # 504: a collection was too large for the server's minute; the next round takes the rest.
        if status not in (200, 504):
            raise ClusterError(f"The API server did not delete ({status}): {answer[:300]!r}")


def ready(nodes: dict[str, Any]) -> int:
    """How many of a list of nodes take the pods that tolerate our taint."""
    return sum(1 for item in nodes["items"] or [] if _is_ready(item))


def _is_ready(item: dict[str, Any]) -> bool:
    conditions = item.get("status", {}).get("conditions", [])
    taints = item["spec"].get("taints", [])
    said = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return said and [taint["key"] for taint in taints] == [TAINT]
