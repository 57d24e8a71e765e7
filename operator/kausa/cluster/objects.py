"""The parts of Kubernetes objects that Kausa reads, decoded straight from the wire.

Only used fields are declared: msgspec skips the rest without building Python objects, which is
where a general client spends its time. Every field has a default, because a status grows field by
field; a field of the wrong type makes the object undecodable, and the stream skips and counts it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

__all__ = [
    "ClaimSource",
    "Container",
    "ContainerState",
    "ContainerStatus",
    "EnvironmentVariable",
    "Event",
    "EventSeries",
    "ListMeta",
    "Marks",
    "Meta",
    "ObjectReference",
    "OwnerReference",
    "Pod",
    "PodCondition",
    "PodSpec",
    "PodStatus",
    "Probe",
    "Reference",
    "Resources",
    "Running",
    "SchedulingGate",
    "Terminated",
    "Volume",
    "Waiting",
]


Time = Annotated[datetime, msgspec.Meta(tz=True)]
"""The API server always names the zone; a time without one cannot be compared to the others."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """A piece of an object; unknown fields are skipped. Trees hold no cycles, hence no `gc`."""


class OwnerReference(_Part, frozen=True):
    """Who made this object."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool | None = None


class Marks(_Part, frozen=True):
    """The one label or annotation that is ours; others are many and long, and never decoded."""

    diagnose: str | None = msgspec.field(default=None, name="kausa.dev/diagnose")


class Meta(_Part, frozen=True):
    """What every object carries."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    deletion_grace_period_seconds: int | None = None
    labels: Marks | None = None
    annotations: Marks | None = None
    owner_references: tuple[OwnerReference, ...] | None = None


class ListMeta(_Part, frozen=True):
    """Where a list stands: its version, and the token for the next page."""

    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class Waiting(_Part, frozen=True):
    """A container that has not started."""

    reason: str = ""
    message: str = ""


class Running(_Part, frozen=True):
    """A container that runs."""

    started_at: Time | None = None


class Terminated(_Part, frozen=True):
    """A container that has ended."""

    exit_code: int = 0
    signal: int | None = None
    reason: str = ""
    message: str = ""
    started_at: Time | None = None
    finished_at: Time | None = None


class ContainerState(_Part, frozen=True):
    """One of the three states."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(_Part, frozen=True):
    """How one container of a Pod is doing."""

    name: str = ""
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    image: str = ""
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodCondition(_Part, frozen=True):
    """One of the Pod's conditions, PodScheduled and Ready among them."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: Time | None = None


class PodStatus(_Part, frozen=True):
    """What the kubelet and the scheduler say of a Pod."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    start_time: Time | None = None
    conditions: tuple[PodCondition, ...] | None = None
    nominated_node_name: str = ""
    container_statuses: tuple[ContainerStatus, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None
    ephemeral_container_statuses: tuple[ContainerStatus, ...] | None = None

    @property
    def all_container_statuses(self) -> tuple[ContainerStatus, ...]:
        """Of init containers first, in the order in which they run."""
        main = self.container_statuses or ()
        return (*self.init_container_statuses, *main) if self.init_container_statuses else main


class Resources(_Part, frozen=True):
    """Requests and limits, as quantities (`256Mi`, `500m`)."""

    limits: dict[str, str | int | float] | None = None
    requests: dict[str, str | int | float] | None = None


class Reference(_Part, frozen=True):
    """An object of the same namespace, by name."""

    name: str = ""


class EnvironmentVariable(_Part, frozen=True):
    """A variable's name; its value is never decoded."""

    name: str = ""


class Probe(_Part, frozen=True):
    """When a probe begins, how often it asks, and how often it may fail."""

    initial_delay_seconds: int = 0
    period_seconds: int = 10
    failure_threshold: int = 3


class SchedulingGate(_Part, frozen=True):
    """Something that must be taken away before the Pod is scheduled at all."""

    name: str = ""


class ClaimSource(_Part, frozen=True):
    """A volume that is a PersistentVolumeClaim."""

    claim_name: str = ""


class Volume(_Part, frozen=True):
    """A volume of a Pod, as far as it is a claim."""

    name: str = ""
    persistent_volume_claim: ClaimSource | None = None


class Container(_Part, frozen=True):
    """What a container was asked to be."""

    name: str = ""
    image: str = ""
    image_pull_policy: str = ""
    command: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    env: tuple[EnvironmentVariable, ...] | None = None
    resources: Resources = Resources()
    restart_policy: str | None = None
    """`Always` on an init container makes a sidecar of it."""
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None


class PodSpec(_Part, frozen=True):
    """What a Pod was asked to be."""

    node_name: str = ""
    restart_policy: str = "Always"
    node_selector: dict[str, str] | None = None
    containers: tuple[Container, ...] | None = None
    init_containers: tuple[Container, ...] | None = None
    image_pull_secrets: tuple[Reference, ...] | None = None
    scheduling_gates: tuple[SchedulingGate, ...] | None = None
    volumes: tuple[Volume, ...] | None = None

    @property
    def all_containers(self) -> tuple[Container, ...]:
        """Containers and init containers; a Pod's last words may come without any."""
        main = self.containers or ()
        return (*main, *self.init_containers) if self.init_containers else main


class Pod(_Part, frozen=True):
    """A Pod, as far as detection and the rules read it."""

    metadata: Meta = Meta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class ObjectReference(_Part, frozen=True):
    """The object that an Event speaks of."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    api_version: str = ""
    field_path: str = ""


class EventSeries(_Part, frozen=True):
    """How often an Event of the newer API repeated."""

    count: int = 0
    last_observed_time: Time | None = None


class Event(_Part, frozen=True):
    """A core/v1 Event."""

    metadata: Meta = Meta()
    involved_object: ObjectReference = ObjectReference()
    type: str = ""
    reason: str = ""
    message: str = ""
    count: int | None = None
    first_timestamp: Time | None = None
    last_timestamp: Time | None = None
    event_time: Time | None = None
    series: EventSeries | None = None

    @property
    def repeats(self) -> int:
        """How often it was seen: the older count, the newer series, or once."""
        count, series = self.count or 1, self.series
        if series is not None and series.count > count:
            return series.count
        return count if count > 1 else 1

    @property
    def last_seen(self) -> Time | None:
        """The last time it was seen, whichever API wrote it."""
        series = self.series.last_observed_time if self.series else None
        return series or self.last_timestamp or self.event_time or self.metadata.creation_timestamp
