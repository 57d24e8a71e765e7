"""What goes over the wire during the storm, seen by one process with one clock."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from bench.storm.api import Api
from bench.storm.documents import FAILURE

__all__ = ["Seen", "is_failing", "watched"]

DIAGNOSES = "/apis/kausa.dev/v1alpha1/failurediagnoses"
Key = tuple[str, str]
"""The namespace and the name of a Deployment."""


class _Metadata(msgspec.Struct):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    labels: dict[str, str] = {}


class _Waiting(msgspec.Struct):
    reason: str = ""


class _Terminated(msgspec.Struct):
    exit_code: int = msgspec.field(name="exitCode", default=0)


class _State(msgspec.Struct):
    waiting: _Waiting | None = None
    terminated: _Terminated | None = None


class _Container(msgspec.Struct):
    state: _State = msgspec.field(default_factory=_State)


class _PodStatus(msgspec.Struct):
    containers: list[_Container] = msgspec.field(name="containerStatuses", default_factory=list)


class PodSeen(msgspec.Struct):
    """As much of a pod as tells whether it fails."""

    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    status: _PodStatus = msgspec.field(default_factory=_PodStatus)


class _Target(msgspec.Struct):
    name: str = ""


class _Spec(msgspec.Struct):
    target: _Target = msgspec.field(default_factory=_Target)


class _Failure(msgspec.Struct):
    pod_count: int = msgspec.field(name="podCount", default=0)


class _Status(msgspec.Struct):
    failure: _Failure | None = None


class _Diagnosis(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _Status = msgspec.field(default_factory=_Status)


class _PodChange(msgspec.Struct):
    type: str
    object: PodSeen


class _DiagnosisChange(msgspec.Struct):
    type: str
    object: _Diagnosis


def is_failing(pod: PodSeen) -> bool:
    """Whether this status is one that a storm puts there."""
    states = [container.state for container in pod.status.containers]
    return any(
        (state.waiting is not None and state.waiting.reason != "ContainerCreating")
        or (state.terminated is not None and state.terminated.exit_code != 0)
        for state in states
    )


class Seen:
    """The moments (monotonic, seconds) of what came over the wire."""

    def __init__(self, *, prefix: str) -> None:
        self._prefix = prefix
        self._pods = msgspec.json.Decoder(_PodChange)
        self._diagnoses = msgspec.json.Decoder(_DiagnosisChange)
        self.failed: dict[str, float] = {}
        """The first failing status of each pod, by uid."""
        self.failed_first: dict[Key, float] = {}
        """The first failing status of each Deployment."""
        self.created: dict[str, tuple[Key, float]] = {}
        """Every resource that was created in our namespaces, by uid."""
        self.pod_counts: dict[str, int] = {}
        """The pods that each resource says it has, as last written."""
        self.deleted: set[str] = set()
        self.pod_changes = 0
        self.diagnosis_writes: Counter[str] = Counter()

    def pod(self, came: float, line: bytes) -> None:
        """A line of the watch of pods."""
        change = self._pods.decode(line)
        pod = change.object
        self.pod_changes += 1
        if change.type in ("ADDED", "MODIFIED") and is_failing(pod):
            key = (pod.metadata.namespace, pod.metadata.labels["app"])
            self.failed.setdefault(pod.metadata.uid, came)
            self.failed_first.setdefault(key, came)

    def diagnosis(self, came: float, line: bytes) -> None:
        """A line of the watch of our resources."""
        change = self._diagnoses.decode(line)
        found = change.object
        if not found.metadata.namespace.startswith(self._prefix):
            return
        self.diagnosis_writes[change.type] += 1
        key = (found.metadata.namespace, found.spec.target.name)
        self.created.setdefault(found.metadata.uid, (key, came))
        if found.status.failure is not None:
            self.pod_counts[found.metadata.uid] = found.status.failure.pod_count
        if change.type == "DELETED":
            self.deleted.add(found.metadata.uid)

    def latencies(self) -> list[float]:
        """Seconds from a Deployment's first failing status to its first resource, sorted."""
        first: dict[Key, float] = {}
        for key, came in self.created.values():
            first[key] = min(came, first.get(key, came))
        return sorted(
            first[key] - began for key, began in self.failed_first.items() if key in first
        )


@asynccontextmanager
async def watched(api: Api, *, prefix: str) -> AsyncIterator[Seen]:
    """Watches pods that are to fail and our resources; a watch that ends is an error."""
    seen = Seen(prefix=prefix)

    async def pods() -> None:
        async for came, line in api.watch("/api/v1/pods", labelSelector=FAILURE):
            seen.pod(came, line)
        raise ConnectionError("the watch of pods ended")

    async def diagnoses() -> None:
        async for came, line in api.watch(DIAGNOSES):
            seen.diagnosis(came, line)
        raise ConnectionError("the watch of our resources ended")

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(pods()), group.create_task(diagnoses())]
        yield seen
        for task in tasks:
            task.cancel()
