"""FakeStore and FakeOwners: our resources in a dict, to inject faults and see what is written.

The real ones are tested against a real API server in tests/integration and tests/e2e.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from kausa.cluster.errors import ClusterError, OverloadedError
from kausa.cluster.objects import Meta, ObjectReference
from kausa.cluster.owners import Owner
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.status import FailureDiagnosisStatus

__all__ = ["FakeOwners", "FakeStore", "overloaded"]


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

    async def get(self, *, namespace: str, name: str) -> FailureDiagnosis | None:
        await asyncio.sleep(0)
        return self.resources.get((namespace, name))

    async def apply(self, resource: FailureDiagnosis) -> FailureDiagnosis:
        await asyncio.sleep(self.delay)
        self._fail()
        self.applied.append(resource)
        self.resources[(resource.metadata.namespace or "", resource.metadata.name)] = resource
        return resource

    async def write_sighting(
        self, *, namespace: str, name: str, status: FailureDiagnosisStatus
    ) -> bool:
        await asyncio.sleep(0)
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
    """Every Pod belongs to one owner, which may be gone."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.there = True

    async def top_owner(self, found: ObjectReference, *, meta: Meta | None = None) -> Owner | None:
        return self.owner

    async def exists(self, owner: Owner) -> bool:
        await asyncio.sleep(0)
        return self.there
