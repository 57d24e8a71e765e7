"""FakeStore, FakeOwners, FakeClient: a cluster in dicts, to inject faults and see what is written.

The real ones are tested against a real API server in tests/integration and tests/e2e.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import TypeVar

import msgspec

from kausa.cluster.client import Page
from kausa.cluster.errors import ClusterError, NotFoundError, OverloadedError
from kausa.cluster.objects import ListMeta, Meta, ObjectReference
from kausa.cluster.owners import Owner
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.status import FailureDiagnosisStatus

__all__ = ["FakeClient", "FakeOwners", "FakeStore", "overloaded"]

T = TypeVar("T")


def overloaded() -> ClusterError:
    """What an API server says that cannot answer now."""
    return OverloadedError("etcdserver: request timed out", status=503)


class FakeStore:
    """Holds resources; the next write fails where `fail_next` is set; applying takes `delay`."""

    def __init__(self, *, delay: float = 0.0) -> None:
        self.resources: dict[tuple[str, str], FailureDiagnosis] = {}
        self.sightings: list[FailureDiagnosisStatus] = []
        self.diagnoses: list[FailureDiagnosisStatus] = []
        self.announced: list[str] = []
        self.applied: list[FailureDiagnosis] = []
        self.fail_next: ClusterError | None = None
        self.delay = delay
        self.writing = 0
        self.most_at_once = 0
        """Writes of sightings that went on at the same time."""

    async def get(self, *, namespace: str, name: str) -> FailureDiagnosis | None:
        await asyncio.sleep(0)
        return self.resources.get((namespace, name))

    async def apply(self, resource: FailureDiagnosis) -> FailureDiagnosis:
        await asyncio.sleep(self.delay)
        self._fail()
        self.applied.append(resource)
        self.resources[(resource.metadata.namespace or "", resource.metadata.name)] = resource
        return resource

    async def unresolved(self, *, namespace: str | None = None) -> AsyncIterator[FailureDiagnosis]:
        self._fail()
        for resource in list(self.resources.values()):
            if namespace in (None, resource.metadata.namespace):
                yield resource

    async def write_sighting(
        self, *, namespace: str, name: str, status: FailureDiagnosisStatus
    ) -> bool:
        self.writing += 1
        self.most_at_once = max(self.most_at_once, self.writing)
        await asyncio.sleep(0)
        self.writing -= 1
        self._fail()
        found = self.resources.get((namespace, name))
        if found is None:
            return False
        self.sightings.append(status)
        self.resources[(namespace, name)] = found.model_copy(update={"status": status})
        return True

    async def write_diagnosis(
        self, *, namespace: str, name: str, status: FailureDiagnosisStatus
    ) -> bool:
        self._fail()
        self.diagnoses.append(status)
        return (namespace, name) in self.resources

    async def announce(
        self, *, name: str, owner: Owner, summary: str, version: str, now: datetime
    ) -> None:
        self.announced.append(summary)

    def _fail(self) -> None:
        if self.fail_next is not None:
            error, self.fail_next = self.fail_next, None
            raise error


class FakeOwners:
    """Every object belongs to one owner, which may be gone, but for those that are told apart."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.there = True
        self.of: dict[str, Owner | Exception | None] = {}
        """The owners of single objects, by uid; an exception is raised."""
        self.named: dict[tuple[str, str], Owner] = {}
        """What can be found by its kind and name."""
        self.known: dict[str, Meta] = {}
        """What was told of workloads that are watched, by uid."""

    async def top_owner(self, found: ObjectReference, *, meta: Meta | None = None) -> Owner | None:
        owner = self.of.get(found.uid, self.owner)
        if isinstance(owner, Exception):
            raise owner
        return owner

    async def find(self, *, api_version: str, kind: str, namespace: str, name: str) -> Owner | None:
        await asyncio.sleep(0)
        return self.named.get((kind, name))

    async def exists(self, owner: Owner) -> bool:
        await asyncio.sleep(0)
        return self.there

    def watched(self, meta: Meta) -> None:
        self.known[meta.uid] = meta

    def gone(self, uid: str) -> None:
        self.known.pop(uid, None)

    def forget(self, uid: str) -> None:
        """Nothing is remembered of its owners anyway."""


class FakeClient:
    """Answers with what lies under a path; what is an exception is raised."""

    def __init__(self) -> None:
        self.objects: dict[str, object] = {}
        self.lists: dict[str, tuple[object, ...] | Exception] = {}
        self.requests: list[str] = []

    async def get(self, path: str, *, kind: type[T]) -> T:
        await asyncio.sleep(0)
        self.requests.append(path)
        found = self.objects.get(path)
        if found is None:
            raise NotFoundError(f"{path} is not there", status=404)
        if isinstance(found, Exception):
            raise found
        return msgspec.json.decode(msgspec.json.encode(found), type=kind)

    async def list_page(self, path: str, *, parameters: Mapping[str, str]) -> Page:
        await asyncio.sleep(0)
        self.requests.append(path)
        found = self.lists.get(path, ())
        if isinstance(found, Exception):
            raise found
        first = int(parameters.get("continue", "0"))
        end = first + int(parameters["limit"])
        more = str(end) if end < len(found) else ""
        items = tuple(msgspec.Raw(msgspec.json.encode(each)) for each in found[first:end])
        return Page(metadata=ListMeta(continue_=more), items=items)
