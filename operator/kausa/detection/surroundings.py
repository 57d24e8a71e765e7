"""What stands around an object and helps to decide what ails it: Events, its node, its claims.

A snapshot made of bounded state that the streams keep; nothing here is read on demand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

__all__ = ["NOWHERE", "ClaimState", "NodeState", "Note", "Surroundings", "Telling"]


class Telling(msgspec.Struct, frozen=True, gc=False):
    """One Event that says what a note says."""

    first_seen: datetime | None
    last_seen: datetime | None
    count: int


class Note(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one Warning Event says of one object, with its repeats folded; not redacted yet."""

    uid: str
    """The uid of the object that it speaks of."""
    api_version: str
    kind: str
    namespace: str
    name: str
    container: str | None
    """From the field path `spec.containers{api}`, where it names one."""
    reason: str
    message: str
    """At most 16,384 characters, and never cut within a word."""
    count: int
    """How often: of a Pod what the Event that was seen most often counts, of any other object all
    Events together."""
    first_seen: datetime | None
    last_seen: datetime | None
    tellings: tuple[Telling, ...] = ()
    """Of another object than a Pod, where several Events say the same: each, the last ones, the
    oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeState:
    """How a node is doing."""

    name: str
    uid: str
    ready: bool
    """False also where its kubelet has not been heard of (Ready=Unknown)."""
    since: datetime | None
    """Since when it has been so."""
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimState:
    """A PersistentVolumeClaim that is not bound."""

    name: str
    uid: str
    phase: str
    reason: str = ""
    """Kubernetes' own word for why, where an Event gives one, such as ProvisioningFailed."""


class Surroundings(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that is known around one object."""

    notes: tuple[Note, ...] = ()
    """Of the object itself, the oldest first."""
    node: NodeState | None = None
    """The node that a Pod runs on, where it is known."""
    unbound_claims: Mapping[str, ClaimState] = msgspec.field(default_factory=dict)
    """The claims of the object's namespace that are not bound, by name."""
    failing_pods: int = 0
    """Of a workload: how many of its Pods show a symptom of their own."""
    owner_succeeded_at: datetime | None = None
    """Of a CronJob's Job: when a run of that CronJob succeeded last (`lastSuccessfulTime`)."""


NOWHERE = Surroundings()
