"""The Kubernetes Event on the failing workload: `kubectl describe` shows the cause; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kausa.cluster.owners import Owner
from kausa.controller.sighting_documents import MANAGED_BY_LABELS
from kausa.resources.group import API_VERSION, FAILURE_DIAGNOSIS_KIND

__all__ = ["CLUSTER_SCOPED", "target_event"]

EVENT_REASON = "FailureDiagnosed"
LONGEST_EVENT_MESSAGE = 1000
CLUSTER_SCOPED = frozenset({"Node"})


def target_event(
    *, name: str, resource_name: str, owner: Owner, summary: str, now: datetime
) -> Mapping[str, Any]:
    """A Kubernetes Event on the failing workload, so that `kubectl describe` shows the cause."""
    message = f"{summary} (see: kubectl -n {owner.namespace} describe fd {resource_name})"
    # Kubernetes takes Events about what belongs to no namespace in this one only.
    namespace = "default" if owner.kind in CLUSTER_SCOPED else owner.namespace
    about = "" if owner.kind in CLUSTER_SCOPED else owner.namespace
    moment = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": namespace, "labels": MANAGED_BY_LABELS},
        "involvedObject": {
            "apiVersion": owner.api_version,
            "kind": owner.kind,
            "name": owner.name,
            "namespace": about,
            "uid": owner.uid,
        },
        "related": {
            "apiVersion": API_VERSION,
            "kind": FAILURE_DIAGNOSIS_KIND,
            "name": resource_name,
            "namespace": owner.namespace,
        },
        "type": "Normal",
        "reason": EVENT_REASON,
        "action": "Diagnosed",
        "message": message[:LONGEST_EVENT_MESSAGE],
        "source": {"component": "kausa"},
        "reportingComponent": "kausa.dev/operator",
        "reportingInstance": "kausa",
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }
