"""How failures end, told to the memory: resolved, deleted, judged by a person.

Everything is read from the resource when its turn comes, so a message that comes twice or late does
no harm, and one that is lost with the process is made good by the next catch-up. Only what mended a
failure is read here and nowhere else: later nobody could tell any more.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from kausa.cluster.errors import ClusterError
from kausa.cluster.kinds import KINDS
from kausa.cluster.owners import Owner, OwnerResolver
from kausa.controller.mending import Mender
from kausa.controller.sightings import ResourceKey
from kausa.controller.store import FailureDiagnosisStore, parse_body
from kausa.learning.lessons import record_of
from kausa.learning.outcomes import outcome_when_deleted
from kausa.memory.ingest import Ingest
from kausa.memory.records import FailureOutcome, FailureRecord
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.telemetry.logs import get_logger

__all__ = ["Ending", "Lessons", "TargetFinder"]

MOST_WAITING = 5000
ATTEMPTS = 5
PAUSE_SECONDS = 2.0
_logger = get_logger("kausa.controller.lessons")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A failure that was found to be over."""

    owner: Owner
    began: datetime
    """When it began to fail, this time."""
    works_since: datetime


class TargetFinder:
    """Whether what a record is about is still there."""

    def __init__(self, *, owners: OwnerResolver) -> None:
        self._owners = owners

    async def is_there(self, record: FailureRecord) -> bool | None:
        """None where nobody can tell.

        Raises:
            ClusterError: the API server cannot be asked now.
        """
        path = KINDS.get(record.owner_kind)
        if path is None:
            return None
        found = await self._owners.find(
            api_version=path.api_version,
            kind=record.owner_kind,
            namespace=record.namespace,
            name=record.owner_name,
        )
        return found is not None

    async def ended(self, record: FailureRecord) -> FailureOutcome:
        """What became of a failure whose resource is gone."""
        return outcome_when_deleted(record.outcome, target_is_there=await self.is_there(record))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    ending: Ending | None = None
    last_words: FailureDiagnosis | None = None
    """The resource as it was when it was deleted."""
    attempts: int = 0


class Lessons:
    """Takes note at once, learns while `run` runs."""

    def __init__(
        self,
        *,
        store: FailureDiagnosisStore,
        ingest: Ingest,
        mender: Mender,
        targets: TargetFinder,
        cluster: str,
    ) -> None:
        self._store = store
        self._ingest = ingest
        self._mender = mender
        self._targets = targets
        self._cluster = cluster
        self._waiting: OrderedDict[ResourceKey, _Task] = OrderedDict()
        self._arrived = asyncio.Event()

    def resolved(self, key: ResourceKey, ending: Ending) -> None:
        """The resource says that its failure is over."""
        self._note(key, _Task(ending=ending))

    def changed(self, resource: FailureDiagnosis) -> None:
        """Somebody wrote to the resource; only feedback is news to the memory."""
        if resource.spec.feedback is not None:
            key = resource.metadata.namespace or "", resource.metadata.name
            waiting = self._waiting.get(key)
            self._note(key, waiting or _Task())

    def deleted(self, body: dict[str, Any]) -> None:
        """The resource is gone."""
        resource = parse_body(body)
        if resource is not None:
            key = resource.metadata.namespace or "", resource.metadata.name
            self._note(key, _Task(last_words=resource))

    def _note(self, key: ResourceKey, task: _Task) -> None:
        self._waiting[key] = task
        self._waiting.move_to_end(key)
        while len(self._waiting) > MOST_WAITING:
            # The next catch-up finds its outcome in the resource.
            self._waiting.popitem(last=False)
        self._arrived.set()

    async def run(self) -> None:
        """Learn until cancelled."""
        while True:
            await self._arrived.wait()
            if not self._waiting:
                self._arrived.clear()
                continue
            key, task = self._waiting.popitem(last=False)
            try:
                await self._learn(key, task)
            except ClusterError as error:
                await self._again(key, task, error)
            except Exception:
                _logger.exception("Could not learn how a failure ended", name="/".join(key))

    async def _again(self, key: ResourceKey, task: _Task, error: ClusterError) -> None:
        if task.attempts + 1 >= ATTEMPTS:
            _logger.warning(
                "How a failure ended is not remembered yet, the next catch-up will",
                name="/".join(key),
                why=str(error),
            )
            return
        await asyncio.sleep(PAUSE_SECONDS * 2**task.attempts)
        if key not in self._waiting:
            self._note(key, replace(task, attempts=task.attempts + 1))

    async def _learn(self, key: ResourceKey, task: _Task) -> None:
        if task.last_words is not None:
            await self._bury(task.last_words)
            return
        resource = await self._store.get(namespace=key[0], name=key[1])
        record = record_of(resource, cluster=self._cluster) if resource is not None else None
        if record is None:
            return
        if task.ending is not None and record.outcome == "Resolved":
            mended = await self._mender.mended(
                task.ending.owner,
                began=task.ending.began,
                works_since=task.ending.works_since,
            )
            record = replace(
                record,
                resolution=record.resolution or mended.resolution,
                changed=record.changed or mended.changed,
            )
        self._ingest.offer(record, copied=True)

    async def _bury(self, resource: FailureDiagnosis) -> None:
        record = record_of(resource, cluster=self._cluster)
        if record is None:
            return
        outcome = await self._targets.ended(record)
        self._ingest.offer(replace(record, outcome=outcome), copied=True)
