"""Forgetting what is old, by age and outcome: a little at a time, when little else is done.

No store forgets by itself. What was open when it was last seen teaches less than what was resolved,
so it goes sooner. Runbooks stay: their sources say when they end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final

from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.filters import Condition, Filter, OneOf, TimeRange
from kausa.memory.store import VectorStore
from kausa.telemetry.logs import get_logger

__all__ = ["OUTCOMES", "Pruned", "QuietHours", "Retention", "RetentionPolicy", "prune"]

_logger = get_logger("kausa.memory.retention")
_BATCH_POINTS = 200
_PAUSE_SECONDS = 0.2
OUTCOMES: Final = (
    *("Open", "Resolved", "Superseded", "Dismissed"),
    *("STARTED", "SUCCEEDED", "FAILED"),
)
"""Of failures, and of rollouts, which are kept in the same collection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """How many days after its last sighting a record of an outcome is kept; 0 keeps it for ever."""

    days: float = 365.0
    by_outcome: Mapping[str, float] = field(default_factory=lambda: {"Open": 90.0})
    """Where it is another number."""

    def days_of(self, outcome: str) -> float:
        """Of one outcome."""
        return self.by_outcome.get(outcome, self.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """A part of every day, in UTC; equal ends are the whole day."""

    begin: time = time(1)
    end: time = time(5)

    def covers(self, moment: datetime) -> bool:
        """Whether it is quiet then; over midnight too."""
        now = moment.astimezone(UTC).time()
        if self.begin == self.end:
            return True
        if self.begin < self.end:
            return self.begin <= now < self.end
        return now >= self.begin or now < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What a run came to."""

    points: Mapping[str, int]
    """Deleted, or to be deleted in a dry run; by outcome."""
    more: bool
    """Whether the run ended at its limit, and the next goes on."""

    @property
    def total(self) -> int:
        """Of all outcomes."""
        return sum(self.points.values())


async def prune(
    store: VectorStore,
    policy: RetentionPolicy,
    *,
    now: datetime,
    cluster: str | None,
    namespace: str | None = None,
    most_points: int = 20_000,
    dry_run: bool = False,
    pause_seconds: float = _PAUSE_SECONDS,
    call_seconds: float = 30.0,
) -> Pruned:
    """Delete what is older than its outcome allows, in batches with a pause after each.

    `cluster` None means every cluster that shares the store, `namespace` None all of its
    namespaces. Raises `MemoryUnavailableError`; what
    was deleted until then stays deleted.
    """
    left = most_points
    points: dict[str, int] = {}
    for outcome in OUTCOMES:
        days = policy.days_of(outcome)
        if days <= 0 or left <= 0:
            continue
        where = _older(
            outcome, before=now - timedelta(days=days), cluster=cluster, namespace=namespace
        )
        if dry_run:
            found = await store.count("failures", where=where, deadline_seconds=call_seconds)
            found = min(found, left)
        else:
            found = await _delete(
                store, where, most=left, pause_seconds=pause_seconds, call_seconds=call_seconds
            )
        left -= found
        if found:
            points[outcome] = found
    return Pruned(points=points, more=left <= 0)


class Retention:
    """Prunes once in every quiet part of a day, as long as `run` is not cancelled."""

    def __init__(
        self,
        *,
        store: VectorStore,
        policy: RetentionPolicy,
        cluster: str,
        namespace: str | None = None,
        quiet: QuietHours | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        look_seconds: float = 600.0,
    ) -> None:
        """The store is open, or is opened by somebody else; until then it is tried again."""
        self._store = store
        self._policy = policy
        self._cluster = cluster
        self._namespace = namespace
        self._quiet = quiet or QuietHours()
        self._clock = clock
        self._look_seconds = look_seconds

    async def run(self) -> None:
        """Look every now and then whether it is time."""
        done_at: datetime | None = None
        while True:
            now = self._clock()
            if self._quiet.covers(now) and (done_at is None or now - done_at > timedelta(hours=12)):
                done_at = now if await self._once(now) else done_at
            await asyncio.sleep(self._look_seconds)

    async def _once(self, now: datetime) -> bool:
        """Whether there is nothing left to do in this part of the day."""
        try:
            pruned = await prune(
                self._store,
                self._policy,
                now=now,
                cluster=self._cluster,
                namespace=self._namespace,
            )
        except MemoryUnavailableError as error:
            _logger.warning("Could not prune the memory", reason=error.reason, why=str(error))
            return False
        if pruned.points:
            _logger.info("Pruned the memory", more=pruned.more, **pruned.points)
        return not pruned.more


def _older(outcome: str, *, before: datetime, cluster: str | None, namespace: str | None) -> Filter:
    must: list[Condition] = [OneOf("outcome", (outcome,)), TimeRange("last_seen", before=before)]
    for field_, value in (("namespace", namespace), ("cluster", cluster)):
        if value is not None:
            must.insert(0, OneOf(field_, (value,)))
    return Filter(must=tuple(must))


async def _delete(
    store: VectorStore, where: Filter, *, most: int, pause_seconds: float, call_seconds: float
) -> int:
    """By record, all its passages, and only while the filter matches: a record that is seen again
    meanwhile stays. So a run may delete a few points more than `most`: the rest of its last record.
    """
    deleted = 0
    after: str | None = None
    while deleted < most:
        page = await store.scroll(
            "failures",
            where=where,
            limit=min(_BATCH_POINTS, most - deleted),
            after=after,
            deadline_seconds=call_seconds,
        )
        ids = dict.fromkeys(str(each.payload.get("record_id")) for each in page.points)
        if ids:
            those = Filter(must=(*where.must, OneOf("record_id", tuple(ids))))
            found = await store.count("failures", where=those, deadline_seconds=call_seconds)
            await store.delete("failures", where=those, deadline_seconds=call_seconds)
            deleted += found
        after = page.after
        if after is None:
            break
        await asyncio.sleep(pause_seconds)
    return deleted
