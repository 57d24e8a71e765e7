"""The parts of claims, nodes, namespaces, Services and EndpointSlices that are read."""

from __future__ import annotations

import msgspec

from kausa.cluster.objects import Marks, Meta
from kausa.cluster.workload_kinds import Condition

__all__ = [
    "Endpoint",
    "EndpointSlice",
    "Namespace",
    "Node",
    "PersistentVolumeClaim",
    "Service",
]


class _Part(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """A piece of an object; unknown fields are skipped. Trees hold no cycles, hence no `gc`."""


class ClaimMarks(Marks, frozen=True):
    """The annotation of a claim that names who is asked to make its volume."""

    provisioner: str | None = msgspec.field(
        default=None, name="volume.kubernetes.io/storage-provisioner"
    )
    beta_provisioner: str | None = msgspec.field(
        default=None, name="volume.beta.kubernetes.io/storage-provisioner"
    )


class ClaimMeta(Meta, frozen=True):
    """The metadata of a claim."""

    annotations: ClaimMarks | None = None


class ClaimSpec(_Part, frozen=True):
    """What volume a claim asks for."""

    storage_class_name: str | None = None
    volume_name: str = ""


class ClaimStatus(_Part, frozen=True):
    """Whether a claim has its volume."""

    phase: str = ""
    conditions: tuple[Condition, ...] | None = None


class PersistentVolumeClaim(_Part, frozen=True):
    """A core/v1 PersistentVolumeClaim."""

    metadata: ClaimMeta = ClaimMeta()
    spec: ClaimSpec = ClaimSpec()
    status: ClaimStatus = ClaimStatus()

    @property
    def provisioner(self) -> str:
        """Who was asked to make the volume; empty where nobody was yet."""
        marks = self.metadata.annotations
        return (marks.provisioner or marks.beta_provisioner or "") if marks is not None else ""


class NodeStatus(_Part, frozen=True):
    """What the kubelet and the node controller say of a node."""

    conditions: tuple[Condition, ...] | None = None


class Node(_Part, frozen=True):
    """A core/v1 Node."""

    metadata: Meta = Meta()
    status: NodeStatus = NodeStatus()


class Namespace(_Part, frozen=True):
    """A core/v1 Namespace: only its marks count."""

    metadata: Meta = Meta()


class ServiceSpec(_Part, frozen=True):
    """Whom a Service stands for."""

    type: str = "ClusterIP"
    cluster_ip: str = msgspec.field(default="", name="clusterIP")
    selector: dict[str, str] | None = None
    publish_not_ready_addresses: bool = False


class Service(_Part, frozen=True):
    """A core/v1 Service."""

    metadata: Meta = Meta()
    spec: ServiceSpec = ServiceSpec()


class EndpointTarget(_Part, frozen=True):
    """The Pod behind an endpoint."""

    uid: str = ""


class EndpointConditions(_Part, frozen=True):
    """Whether an endpoint takes requests; unknown counts as ready, as Kubernetes says."""

    ready: bool | None = None


class Endpoint(_Part, frozen=True):
    """One address behind a Service."""

    conditions: EndpointConditions = EndpointConditions()
    target_ref: EndpointTarget | None = None

    @property
    def ready(self) -> bool:
        """Whether requests are sent there."""
        return self.conditions.ready is not False


class SliceMarks(Marks, frozen=True):
    """The label that names an EndpointSlice's Service."""

    service_name: str | None = msgspec.field(default=None, name="kubernetes.io/service-name")


class SliceMeta(Meta, frozen=True):
    """The metadata of an EndpointSlice."""

    labels: SliceMarks | None = None


class EndpointSlice(_Part, frozen=True):
    """A discovery.k8s.io/v1 EndpointSlice."""

    metadata: SliceMeta = SliceMeta()
    endpoints: tuple[Endpoint, ...] | None = None

    @property
    def service_name(self) -> str:
        """The Service that it belongs to; empty where it belongs to none."""
        labels = self.metadata.labels
        return (labels.service_name or "") if labels is not None else ""

    @property
    def pod_uids(self) -> tuple[str, ...]:
        """The Pods behind its endpoints."""
        targets = (each.target_ref for each in self.endpoints or ())
        return tuple(each.uid for each in targets if each is not None and each.uid)
