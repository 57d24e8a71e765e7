"""The parts of Deployments, StatefulSets, DaemonSets, Jobs, CronJobs and autoscalers that are read.

As in `objects`: only used fields, each with a default. When an object changed last only its
`managedFields` tell, of which the times are read, and of CronJobs whether it was the status.
"""

from __future__ import annotations

import msgspec

from kausa.cluster.objects import Meta, Time

__all__ = [
    "Condition",
    "CronJob",
    "DaemonSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "Job",
    "StatefulSet",
]


class _Part(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """A piece of an object; unknown fields are skipped. Trees hold no cycles, hence no `gc`."""


class Condition(_Part, frozen=True):
    """One condition, as every kind but the Pod writes it."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: Time | None = None
    last_update_time: Time | None = None


class ManagedFields(_Part, frozen=True):
    """When somebody changed the object last; what was changed is not read."""

    time: Time | None = None


class ChangingMeta(Meta, frozen=True):
    """The metadata of an object whose status does not tell when it changed last."""

    managed_fields: tuple[ManagedFields, ...] | None = None

    @property
    def changed_at(self) -> Time | None:
        """When anything of the object changed last, its status included."""
        times = [each.time for each in self.managed_fields or () if each.time is not None]
        if self.creation_timestamp is not None:
            times.append(self.creation_timestamp)
        return max(times, default=None)


class Change(ManagedFields, frozen=True):
    """When somebody changed the object last, and whether only its status."""

    subresource: str = ""


class AskingMeta(ChangingMeta, frozen=True):
    """The metadata of an object of which it matters when somebody asked for something else."""

    managed_fields: tuple[Change, ...] | None = None

    @property
    def asked_at(self) -> Time | None:
        """When anything but the status changed last."""
        changes = (each for each in self.managed_fields or () if each.subresource != "status")
        times = [each.time for each in changes if each.time is not None]
        if self.creation_timestamp is not None:
            times.append(self.creation_timestamp)
        return max(times, default=None)


class DeploymentSpec(_Part, frozen=True):
    """What a Deployment was asked to be."""

    replicas: int | None = None
    paused: bool | None = None
    progress_deadline_seconds: int | None = None


class DeploymentStatus(_Part, frozen=True):
    """How a Deployment is doing."""

    available_replicas: int = 0
    conditions: tuple[Condition, ...] | None = None


class Deployment(_Part, frozen=True):
    """An apps/v1 Deployment."""

    metadata: ChangingMeta = ChangingMeta()
    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()


class StatefulSetSpec(_Part, frozen=True):
    """What a StatefulSet was asked to be."""

    replicas: int | None = None


class StatefulSetStatus(_Part, frozen=True):
    """How a StatefulSet is doing."""

    replicas: int = 0
    ready_replicas: int = 0


class StatefulSet(_Part, frozen=True):
    """An apps/v1 StatefulSet."""

    metadata: ChangingMeta = ChangingMeta()
    spec: StatefulSetSpec = StatefulSetSpec()
    status: StatefulSetStatus = StatefulSetStatus()


class DaemonSetStatus(_Part, frozen=True):
    """How a DaemonSet is doing, counted in nodes."""

    desired_number_scheduled: int = 0
    current_number_scheduled: int = 0
    number_unavailable: int = 0


class DaemonSet(_Part, frozen=True):
    """An apps/v1 DaemonSet."""

    metadata: ChangingMeta = ChangingMeta()
    status: DaemonSetStatus = DaemonSetStatus()


class JobSpec(_Part, frozen=True):
    """What a Job was asked to do."""

    backoff_limit: int | None = None
    active_deadline_seconds: int | None = None
    suspend: bool | None = None


class JobStatus(_Part, frozen=True):
    """How far a Job has come."""

    active: int = 0
    succeeded: int = 0
    failed: int = 0
    start_time: Time | None = None
    conditions: tuple[Condition, ...] | None = None


class Job(_Part, frozen=True):
    """A batch/v1 Job."""

    metadata: Meta = Meta()
    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()


class CronJobSpec(_Part, frozen=True):
    """When a CronJob was asked to run."""

    schedule: str = ""
    time_zone: str | None = None
    concurrency_policy: str = "Allow"
    suspend: bool | None = None


class ActiveJob(_Part, frozen=True):
    """A Job of a CronJob that has not ended."""

    name: str = ""


class CronJobStatus(_Part, frozen=True):
    """What a CronJob runs now, and when it ran last."""

    active: tuple[ActiveJob, ...] | None = None
    last_schedule_time: Time | None = None
    last_successful_time: Time | None = None
    """When a run ended well, whenever it was started."""


class CronJob(_Part, frozen=True):
    """A batch/v1 CronJob."""

    metadata: AskingMeta = AskingMeta()
    spec: CronJobSpec = CronJobSpec()
    status: CronJobStatus = CronJobStatus()


class ScaleTarget(_Part, frozen=True):
    """What an autoscaler scales."""

    kind: str = ""
    name: str = ""


class AutoscalerSpec(_Part, frozen=True):
    """What an autoscaler was asked to do."""

    scale_target_ref: ScaleTarget = ScaleTarget()


class AutoscalerStatus(_Part, frozen=True):
    """Whether an autoscaler can do it."""

    conditions: tuple[Condition, ...] | None = None


class HorizontalPodAutoscaler(_Part, frozen=True):
    """An autoscaling/v2 HorizontalPodAutoscaler."""

    metadata: Meta = Meta()
    spec: AutoscalerSpec = AutoscalerSpec()
    status: AutoscalerStatus = AutoscalerStatus()
