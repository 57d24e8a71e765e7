"""Catching up: the memory brought in line with the resources, which are the truth.

Incremental: what the memory holds already, as it is, costs one read and nothing else; what is newer
in the resource (its last sighting, its outcome, its diagnosis, a verdict) is written over; what was
open and has no resource any more has ended. From scratch (`rebuild`): everything that the resources
tell is embedded and written anew. Records whose resource is gone stay in both: nothing could bring
them back.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from kausa.memory.errors import InvalidRecordError, MemoryUnavailableError
from kausa.memory.filters import Condition, Filter, OneOf
from kausa.memory.records import FailureOutcome, FailureRecord
from kausa.memory.service import FailureMemory
from kausa.memory.store import Schema

__all__ = ["MISMATCHES", "SyncReport", "rebuild_failures", "sync_failures"]

BATCH = 32
BATCH_SECONDS = 120.0
MISMATCHES = frozenset({"ModelMismatch", "DimensionMismatch", "SchemaMismatch"})
"""Reasons for which a memory is whole and still of no use: it was made otherwise."""
Ended = Callable[[FailureRecord], Awaitable[FailureOutcome]]


@dataclass(slots=True, kw_only=True)
class SyncReport:
    """What a walk came to, so far."""

    read: int = 0
    """Failures that the resources tell of."""
    written: int = 0
    unchanged: int = 0
    ended: int = 0
    """Records that were open and have no resource any more."""
    malformed: int = 0

    def __str__(self) -> str:
        return (
            f"{self.read} failures read, {self.written} written, {self.unchanged} as they were, "
            f"{self.ended} ended meanwhile, {self.malformed} malformed"
        )


async def sync_failures(
    memory: FailureMemory,
    records: AsyncIterator[FailureRecord],
    *,
    cluster: str,
    namespace: str | None,
    ended: Ended,
    rebuild: bool = False,
    progress: Callable[[SyncReport], None] = lambda _: None,
) -> SyncReport:
    """Walk over all records that the resources tell of, of one namespace or of all.

    `ended` says what became of a failure whose resource is not there. Raises
    `MemoryUnavailableError` in the middle where the memory goes away: walking again goes on.
    """
    report = SyncReport()
    there: set[str] = set()
    batch: list[FailureRecord] = []
    async for record in records:
        report.read += 1
        there.add(record.record_id)
        batch.append(record)
        if len(batch) >= BATCH:
            await _write(memory, batch, report=report, rebuild=rebuild)
            batch = []
            progress(report)
    if batch:
        await _write(memory, batch, report=report, rebuild=rebuild)
    await _end_others(
        memory, there, report=report, where=_open(cluster, namespace=namespace), ended=ended
    )
    progress(report)
    return report


async def rebuild_failures(
    memory: FailureMemory,
    records: AsyncIterator[FailureRecord],
    *,
    cluster: str,
    namespace: str | None,
    ended: Ended,
    progress: Callable[[SyncReport], None] = lambda _: None,
) -> SyncReport:
    """From scratch; where another model or an older Kausa made the memory, beside it.

    Then the new one takes the place of the old, which is dropped: what only it knew (records whose
    resource is gone) is lost. `kausa memory migrate` keeps that.
    """
    arguments: dict[str, Any] = {"cluster": cluster, "namespace": namespace, "ended": ended}
    arguments |= {"rebuild": True, "progress": progress}
    try:
        await memory.start(deadline_seconds=BATCH_SECONDS)
    except MemoryUnavailableError as error:
        if error.reason not in MISMATCHES:
            raise
    else:
        return await sync_failures(memory, records, **arguments)
    store, embedder = memory.store, memory.embedder
    schema = Schema(model=embedder.model, dimensions=embedder.dimensions)
    beside = memory.beside(await store.make(schema, deadline_seconds=BATCH_SECONDS))
    report = await sync_failures(beside, records, **arguments)
    await beside.flush(deadline_seconds=BATCH_SECONDS)
    await store.activate(schema, deadline_seconds=BATCH_SECONDS)
    for generation in await store.generations(deadline_seconds=BATCH_SECONDS):
        if generation.schema != schema:
            await store.drop(generation.schema, deadline_seconds=BATCH_SECONDS)
    await memory.start(deadline_seconds=BATCH_SECONDS)
    return report


async def _write(
    memory: FailureMemory, batch: list[FailureRecord], *, report: SyncReport, rebuild: bool
) -> None:
    try:
        written = await memory.remember_changed(
            batch, copied=True, anew=rebuild, priority="bulk", deadline_seconds=BATCH_SECONDS
        )
    except InvalidRecordError:
        if len(batch) == 1:
            report.malformed += 1
            return
        for each in batch:
            await _write(memory, [each], report=report, rebuild=rebuild)
        return
    report.written += written
    report.unchanged += len(batch) - written


async def _end_others(
    memory: FailureMemory,
    there: set[str],
    *,
    report: SyncReport,
    where: Filter,
    ended: Ended,
) -> None:
    # Changed only after the walk: a page that changes below a walk may lose its place.
    gone = []
    async with contextlib.aclosing(
        memory.walk("failures", where=where, deadline_seconds=BATCH_SECONDS)
    ) as walk:
        async for record in walk:
            if isinstance(record, FailureRecord) and record.record_id not in there:
                gone.append(record)
    for record in gone:
        outcome = await ended(record)
        if await memory.update(
            record.record_id, {"outcome": outcome}, deadline_seconds=BATCH_SECONDS
        ):
            report.ended += 1


def _open(cluster: str, *, namespace: str | None) -> Filter:
    must: tuple[Condition, ...] = (
        OneOf("cluster", (cluster,)),
        OneOf("kind", ("failure",)),
        OneOf("outcome", ("Open",)),
    )
    return Filter(must=(*must, OneOf("namespace", (namespace,))) if namespace else must)
