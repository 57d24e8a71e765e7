"""What is read of Deployments, StatefulSets and DaemonSets besides, where rollouts are remembered.

Each is the kind that is watched anyway with a few fields more (images, revisions, generations), so
it is judged as before; without a memory the plain kinds are decoded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

from kausa.cluster.objects import Marks
from kausa.cluster.workload_kinds import (
    ChangingMeta,
    DaemonSet,
    DaemonSetStatus,
    Deployment,
    DeploymentSpec,
    DeploymentStatus,
    ManagedFields,
    StatefulSet,
    StatefulSetSpec,
    StatefulSetStatus,
)
from kausa.cluster.workloads import Workload

__all__ = [
    "ROLLING_KINDS",
    "Rolling",
    "RollingDaemonSet",
    "RollingDeployment",
    "RollingStatefulSet",
]


class _Part(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """A piece of an object; unknown fields are skipped."""


class RollingMarks(Marks, frozen=True):
    """The annotations by which controllers number what they roll out."""

    revision: str | None = msgspec.field(default=None, name="deployment.kubernetes.io/revision")
    template_generation: str | None = msgspec.field(
        default=None, name="deprecated.daemonset.template.generation"
    )


class Manager(ManagedFields, frozen=True):
    """Who changed the object when; which fields it changed is not read."""

    manager: str = ""
    subresource: str = ""


class RollingMeta(ChangingMeta, frozen=True):
    """Metadata that tells when the spec was last changed."""

    annotations: RollingMarks | None = None
    managed_fields: tuple[Manager, ...] | None = None


class TemplateContainer(_Part, frozen=True):
    """A container to be."""

    name: str = ""
    image: str = ""


class TemplateSpec(_Part, frozen=True):
    """The containers of a template."""

    containers: tuple[TemplateContainer, ...] | None = None
    init_containers: tuple[TemplateContainer, ...] | None = None


class TemplateMeta(_Part, frozen=True):
    """What every Pod is called by; of the workload itself only our own label is read."""

    labels: Mapping[str, str] | None = None


class Template(_Part, frozen=True):
    """What Pods are made from."""

    metadata: TemplateMeta = TemplateMeta()
    spec: TemplateSpec = TemplateSpec()


class Partition(_Part, frozen=True):
    """Up to which Pod a StatefulSet is rolled out."""

    partition: int | None = None


class Strategy(_Part, frozen=True):
    """How a StatefulSet or DaemonSet is rolled out."""

    type: str = "RollingUpdate"
    rolling_update: Partition | None = None


class RollingDeploymentSpec(DeploymentSpec, frozen=True):
    """With its template."""

    template: Template = Template()


class RollingDeploymentStatus(DeploymentStatus, frozen=True):
    """With what tells how far it has come."""

    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0


class RollingDeployment(Deployment, frozen=True):
    """A Deployment whose rollouts are remembered."""

    metadata: RollingMeta = RollingMeta()
    spec: RollingDeploymentSpec = RollingDeploymentSpec()
    status: RollingDeploymentStatus = RollingDeploymentStatus()


class RollingStatefulSetSpec(StatefulSetSpec, frozen=True):
    """With its template and strategy."""

    template: Template = Template()
    update_strategy: Strategy = Strategy()


class RollingStatefulSetStatus(StatefulSetStatus, frozen=True):
    """With what tells how far it has come."""

    observed_generation: int = 0
    updated_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""


class RollingStatefulSet(StatefulSet, frozen=True):
    """A StatefulSet whose rollouts are remembered."""

    metadata: RollingMeta = RollingMeta()
    spec: RollingStatefulSetSpec = RollingStatefulSetSpec()
    status: RollingStatefulSetStatus = RollingStatefulSetStatus()


class RollingDaemonSetSpec(_Part, frozen=True):
    """Its template and strategy."""

    template: Template = Template()
    update_strategy: Strategy = Strategy()


class RollingDaemonSetStatus(DaemonSetStatus, frozen=True):
    """With what tells how far it has come."""

    observed_generation: int = 0
    updated_number_scheduled: int = 0
    number_available: int = 0


class RollingDaemonSet(DaemonSet, frozen=True):
    """A DaemonSet whose rollouts are remembered."""

    metadata: RollingMeta = RollingMeta()
    spec: RollingDaemonSetSpec = RollingDaemonSetSpec()
    status: RollingDaemonSetStatus = RollingDaemonSetStatus()


Rolling: TypeAlias = RollingDeployment | RollingStatefulSet | RollingDaemonSet
ROLLING_KINDS: Final[Mapping[type[Workload], type[Workload]]] = {
    Deployment: RollingDeployment,
    StatefulSet: RollingStatefulSet,
    DaemonSet: RollingDaemonSet,
}
"""What to decode in place of the plain kind."""
