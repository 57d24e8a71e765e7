"""The kinds of objects that evidence is read from, as URLs spell them.

Kinds that are not here (custom resources) are asked of the API server's discovery where they
matter, by `owners`; their plural cannot be known from their name.
"""

from __future__ import annotations

from collections.abc import Mapping

from kausa.cluster.paths import EVENTS, PODS, ResourcePath
from kausa.cluster.workloads import (
    CRON_JOBS,
    DAEMON_SETS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    HORIZONTAL_POD_AUTOSCALERS,
    JOBS,
    NAMESPACES,
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    SERVICES,
    STATEFUL_SETS,
)

__all__ = ["KINDS", "path_of"]


def _path(api_version: str, kind: str, plural: str, *, namespaced: bool = True) -> ResourcePath:
    return ResourcePath(api_version=api_version, plural=plural, kind=kind, namespaced=namespaced)


_RBAC = "rbac.authorization.k8s.io/v1"

KINDS: Mapping[str, ResourcePath] = {
    path.kind: path
    for path in (
        PODS,
        EVENTS,
        DEPLOYMENTS,
        STATEFUL_SETS,
        DAEMON_SETS,
        JOBS,
        CRON_JOBS,
        HORIZONTAL_POD_AUTOSCALERS,
        PERSISTENT_VOLUME_CLAIMS,
        NODES,
        NAMESPACES,
        SERVICES,
        ENDPOINT_SLICES,
        _path("v1", "ConfigMap", "configmaps"),
        _path("v1", "Endpoints", "endpoints"),
        _path("v1", "LimitRange", "limitranges"),
        _path("v1", "PersistentVolume", "persistentvolumes", namespaced=False),
        _path("v1", "ReplicationController", "replicationcontrollers"),
        _path("v1", "ResourceQuota", "resourcequotas"),
        _path("v1", "Secret", "secrets"),
        _path("v1", "ServiceAccount", "serviceaccounts"),
        _path("apps/v1", "ControllerRevision", "controllerrevisions"),
        _path("apps/v1", "ReplicaSet", "replicasets"),
        _path("networking.k8s.io/v1", "Ingress", "ingresses"),
        _path("networking.k8s.io/v1", "IngressClass", "ingressclasses", namespaced=False),
        _path("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
        _path("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
        _path("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", namespaced=False),
        _path("node.k8s.io/v1", "RuntimeClass", "runtimeclasses", namespaced=False),
        _path("storage.k8s.io/v1", "CSIDriver", "csidrivers", namespaced=False),
        _path("storage.k8s.io/v1", "StorageClass", "storageclasses", namespaced=False),
        _path("storage.k8s.io/v1", "VolumeAttachment", "volumeattachments", namespaced=False),
        _path("coordination.k8s.io/v1", "Lease", "leases"),
        _path(_RBAC, "Role", "roles"),
        _path(_RBAC, "RoleBinding", "rolebindings"),
        _path(_RBAC, "ClusterRole", "clusterroles", namespaced=False),
        _path(_RBAC, "ClusterRoleBinding", "clusterrolebindings", namespaced=False),
        _path(
            "admissionregistration.k8s.io/v1",
            "ValidatingWebhookConfiguration",
            "validatingwebhookconfigurations",
            namespaced=False,
        ),
        _path(
            "admissionregistration.k8s.io/v1",
            "MutatingWebhookConfiguration",
            "mutatingwebhookconfigurations",
            namespaced=False,
        ),
        _path(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            "customresourcedefinitions",
            namespaced=False,
        ),
    )
}
"""By kind. Secrets are here for files that hold them: the operator itself never reads one."""


def path_of(*, api_version: str, kind: str) -> ResourcePath | None:
    """Where objects of a kind live; None for a kind of another group, or one not known here.

    The version is the one named, so that an object is found under the version it is spoken of.
    """
    known = KINDS.get(kind)
    if known is None or _group(known.api_version) != _group(api_version):
        return None
    return ResourcePath(
        api_version=api_version, plural=known.plural, kind=kind, namespaced=known.namespaced
    )


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]
