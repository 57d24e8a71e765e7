"""What the official client has no method for: a Pod's usage, and objects of every kind there is."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from e2e_chart.release import INSTANCE

__all__ = ["Usage", "get", "leftovers", "usage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a Pod has used up to one moment."""

    at: float
    cpu_seconds: float
    memory_bytes: int

    def cores_since(self, earlier: Usage) -> float:
        """How many processors it has kept busy in between."""
        return (self.cpu_seconds - earlier.cpu_seconds) / (self.at - earlier.at)


def get(api: Any, path: str) -> dict[str, Any]:
    """One answer of the API server."""
    headers = {"Accept": "application/json"}
    api.update_params_for_auth(headers, [], ["BearerToken"], path, "GET", None)
    answer = api.call_api("GET", api.configuration.host + path, header_params=headers)
    content = answer.read()
    assert answer.status == 200, (path, answer.status, content)
    found: dict[str, Any] = json.loads(content)
    return found


def usage(api: Any, pod: Any) -> Usage:
    """What the kubelet says that a Pod has used."""
    summary = get(api, f"/api/v1/nodes/{pod.spec.node_name}/proxy/stats/summary")
    (found,) = [each for each in summary["pods"] if each["podRef"]["name"] == pod.metadata.name]
    return Usage(
        at=time.monotonic(),
        cpu_seconds=found["cpu"]["usageCoreNanoSeconds"] / 1e9,
        memory_bytes=int(found["memory"]["workingSetBytes"]),
    )


def leftovers(api: Any) -> set[tuple[str, str]]:
    """Whatever still has the release's label, of every kind that the API server can list."""
    return set(_labelled(api))


def _labelled(api: Any) -> Iterator[tuple[str, str]]:
    for prefix in ("/api/v1", *_groups(api)):
        for kind in get(api, prefix)["resources"]:
            if "/" in kind["name"] or "list" not in kind["verbs"]:
                continue
            found = get(api, f"{prefix}/{kind['name']}?labelSelector={INSTANCE}")
            for item in found.get("items") or []:
                yield kind["kind"], item["metadata"]["name"]


def _groups(api: Any) -> Iterator[str]:
    for group in get(api, "/apis")["groups"]:
        yield f"/apis/{group['preferredVersion']['groupVersion']}"
