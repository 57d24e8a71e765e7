"""Everything that is watched beside Pods and Events: its types, and where it lives.

Each is watched whole and not as metadata, because its status is what tells that it fails. The kinds
of which a large cluster has tens of thousands (ReplicaSets, EndpointSlices) are not among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from kausa.cluster.paths import ResourcePath
from kausa.cluster.workload_kinds import (
    Condition,
    CronJob,
    DaemonSet,
    Deployment,
    HorizontalPodAutoscaler,
    Job,
    StatefulSet,
)
from kausa.cluster.workload_surroundings import (
    Endpoint,
    EndpointSlice,
    Namespace,
    Node,
    PersistentVolumeClaim,
    Service,
)

__all__ = [
    "CRON_JOBS",
    "DAEMON_SETS",
    "DEPLOYMENTS",
    "ENDPOINT_SLICES",
    "HORIZONTAL_POD_AUTOSCALERS",
    "JOBS",
    "NAMESPACES",
    "NODES",
    "PERSISTENT_VOLUME_CLAIMS",
    "SERVICES",
    "STATEFUL_SETS",
    "WORKLOADS",
    "Condition",
    "CronJob",
    "DaemonSet",
    "Deployment",
    "Endpoint",
    "EndpointSlice",
    "HorizontalPodAutoscaler",
    "Job",
    "Namespace",
    "Node",
    "PersistentVolumeClaim",
    "Service",
    "StatefulSet",
    "Workload",
    "is_watched",
]

Workload: TypeAlias = (
    Deployment
    | StatefulSet
    | DaemonSet
    | Job
    | CronJob
    | HorizontalPodAutoscaler
    | PersistentVolumeClaim
    | Node
)
"""Whatever is watched for its own failures and is no Pod."""

DEPLOYMENTS = ResourcePath(api_version="apps/v1", plural="deployments", kind="Deployment")
STATEFUL_SETS = ResourcePath(api_version="apps/v1", plural="statefulsets", kind="StatefulSet")
DAEMON_SETS = ResourcePath(api_version="apps/v1", plural="daemonsets", kind="DaemonSet")
JOBS = ResourcePath(api_version="batch/v1", plural="jobs", kind="Job")
CRON_JOBS = ResourcePath(api_version="batch/v1", plural="cronjobs", kind="CronJob")
HORIZONTAL_POD_AUTOSCALERS = ResourcePath(
    api_version="autoscaling/v2",
    plural="horizontalpodautoscalers",
    kind="HorizontalPodAutoscaler",
)
PERSISTENT_VOLUME_CLAIMS = ResourcePath(
    api_version="v1", plural="persistentvolumeclaims", kind="PersistentVolumeClaim"
)
NODES = ResourcePath(api_version="v1", plural="nodes", kind="Node", namespaced=False)
NAMESPACES = ResourcePath(api_version="v1", plural="namespaces", kind="Namespace", namespaced=False)
SERVICES = ResourcePath(api_version="v1", plural="services", kind="Service")
ENDPOINT_SLICES = ResourcePath(
    api_version="discovery.k8s.io/v1", plural="endpointslices", kind="EndpointSlice"
)

WORKLOADS: Mapping[str, tuple[ResourcePath, type[Workload]]] = {
    "Deployment": (DEPLOYMENTS, Deployment),
    "StatefulSet": (STATEFUL_SETS, StatefulSet),
    "DaemonSet": (DAEMON_SETS, DaemonSet),
    "Job": (JOBS, Job),
    "CronJob": (CRON_JOBS, CronJob),
    "HorizontalPodAutoscaler": (HORIZONTAL_POD_AUTOSCALERS, HorizontalPodAutoscaler),
    "PersistentVolumeClaim": (PERSISTENT_VOLUME_CLAIMS, PersistentVolumeClaim),
    "Node": (NODES, Node),
}
"""The kinds that are watched for their own failures, by the name that Events call them."""


def is_watched(api_version: str, kind: str) -> bool:
    """Whether objects of this kind are among WORKLOADS, in whatever version they are spoken of.

    A kind belongs to a group: a Job of `batch.volcano.sh` is another thing than a Job of `batch`.
    Without a group (some who write Events leave it out) the name of the kind decides.
    """
    watched = WORKLOADS.get(kind)
    if watched is None:
        return False
    return not api_version or _group(api_version) == _group(watched[0].api_version)


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]
