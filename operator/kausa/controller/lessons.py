"""How failures end, told to the memory: resolved, deleted, judged by a person.

Everything is read from the resource when its turn comes, so a message that comes twice or late does
no harm, and one that is lost with the process is made good by the walk at the next start. One that
is dropped here, for want of room or because the API server does not answer, is counted, and a walk
is asked for. Only what mended a failure comes along, as it was read when it was found to be over:
in more words than the resource has.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from kausa.cluster.errors import ClusterError
from kausa.cluster.kinds import KINDS
from kausa.cluster.owners import OwnerResolver
from kausa.controller.sightings import ResourceKey
from kausa.controller.store import FailureDiagnosisStore, parse_body
from kausa.learning.lessons import record_of
from kausa.learning.outcomes import outcome_when_deleted
from kausa.learning.resolutions import Mended
from kausa.memory.ingest import Ingest
from kausa.memory.records import FailureOutcome, FailureRecord
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.telemetry.logs import get_logger

__all__ = ["Lessons", "TargetFinder"]

MOST_WAITING = 5000
MOST_JUDGED = 20_000
ATTEMPTS = 5
PAUSE_SECONDS = 2.0
_logger = get_logger("kausa.controller.lessons")


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
    mended: Mended | None = None
    last_words: FailureDiagnosis | None = None
    """The resource as it was when it was deleted."""
    attempts: int = 0

    def then(self, later: _Task) -> _Task:
        """Both in one: what was told later goes before, and what it does not tell stays."""
        return _Task(
            mended=later.mended or self.mended,
            last_words=later.last_words or self.last_words,
            attempts=max(later.attempts, self.attempts),
        )


class Lessons:
    """Takes note at once, learns while `run` runs; for one event loop."""

    def __init__(
        self,
        *,
        store: FailureDiagnosisStore,
        ingest: Ingest,
        targets: TargetFinder,
        cluster: str,
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_lost` is called for each ending that only a walk over the resources finds now."""
        self._store = store
        self._ingest = ingest
        self._targets = targets
        self._cluster = cluster
        self._on_lost = on_lost
        self._waiting: OrderedDict[ResourceKey, _Task] = OrderedDict()
        self._resting: dict[ResourceKey, _Task] = {}
        """What failed and comes again when it is due; each has one place in `_due`."""
        self._due: list[tuple[float, ResourceKey]] = []
        self._judged: OrderedDict[ResourceKey, None] = OrderedDict()
        """Resources that had feedback when they were last seen."""
        self._arrived = asyncio.Event()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting) + len(self._resting)

    def resolved(self, key: ResourceKey, mended: Mended) -> None:
        """The resource says that its failure is over."""
        self._note(key, _Task(mended=mended))

    def changed(self, resource: FailureDiagnosis) -> None:
        """Somebody wrote to the resource; only feedback, given or taken back, is news here."""
        key = resource.metadata.namespace or "", resource.metadata.name
        had = key in self._judged
        self._judged.pop(key, None)
        if resource.spec.feedback is not None:
            self._judged[key] = None
            if len(self._judged) > MOST_JUDGED:
                self._judged.popitem(last=False)
        elif not had:
            return
        self._note(key, _Task())

    def deleted(self, body: dict[str, Any]) -> None:
        """The resource is gone."""
        resource = parse_body(body)
        if resource is not None:
            key = resource.metadata.namespace or "", resource.metadata.name
            self._judged.pop(key, None)
            self._note(key, _Task(last_words=resource))

    def _note(self, key: ResourceKey, task: _Task) -> None:
        if key in self._resting:
            # Its turn stays when it was: many words about one must not use up its attempts.
            self._resting[key] = self._resting[key].then(task)
            return
        before = self._waiting.pop(key, None)
        self._waiting[key] = before.then(task) if before is not None else task
        while self._waiting and len(self) > MOST_WAITING:
            dropped, _ = self._waiting.popitem(last=False)
            _logger.debug("Too many endings wait, one is left to a walk", name="/".join(dropped))
            self._on_lost()
        self._arrived.set()

    async def run(self) -> None:
        """Learn until cancelled."""
        now = asyncio.get_running_loop().time
        while True:
            self._wake(now())
            if not self._waiting:
                await self._until_one_is_due()
                continue
            key, task = self._waiting.popitem(last=False)
            try:
                await self._learn(key, task)
            except ClusterError as error:
                self._again(key, task, error, now=now())
            except Exception:
                _logger.exception("Could not learn how a failure ended", name="/".join(key))
                self._on_lost()

    def _wake(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            _, key = heapq.heappop(self._due)
            self._waiting[key] = self._resting.pop(key)

    async def _until_one_is_due(self) -> None:
        self._arrived.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._due[0][0] if self._due else None):
                await self._arrived.wait()

    def _again(self, key: ResourceKey, task: _Task, error: ClusterError, *, now: float) -> None:
        """Others go on meanwhile."""
        if task.attempts + 1 >= ATTEMPTS:
            _logger.warning(
                "How a failure ended is not remembered yet, a walk over the resources will",
                name="/".join(key),
                why=str(error),
            )
            self._on_lost()
            return
        due = now + PAUSE_SECONDS * 2**task.attempts
        task = replace(task, attempts=task.attempts + 1)
        later = self._waiting.pop(key, None)
        self._resting[key] = task.then(later) if later is not None else task
        heapq.heappush(self._due, (due, key))

    async def _learn(self, key: ResourceKey, task: _Task) -> None:
        resource = await self._store.get(namespace=key[0], name=key[1])
        if resource is not None:
            # Also where one of its name was deleted: it is the same failure, and goes on.
            record = record_of(resource, cluster=self._cluster, mended=task.mended)
            if record is not None:
                self._ingest.offer(record, copied=True)
        elif task.last_words is not None:
            await self._bury(task.last_words, mended=task.mended)

    async def _bury(self, resource: FailureDiagnosis, *, mended: Mended | None) -> None:
        record = record_of(resource, cluster=self._cluster, mended=mended)
        if record is None:
            return
        outcome = await self._targets.ended(record)
        self._ingest.offer(replace(record, outcome=outcome), copied=True)
