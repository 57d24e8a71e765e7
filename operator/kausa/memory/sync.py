"""Catching up: the memory brought in line with the resources, which are the truth.

Incremental: what the memory holds already, as it is, costs one read and nothing else; what is newer
in the resource (its last sighting, its outcome, its diagnosis, a verdict) is written over; what was
open and has no resource any more has ended. From scratch (`rebuild`): everything that the resources
tell is embedded and written anew. Records whose resource is gone, and those of other clusters and
namespaces, stay in both: nothing could bring them back. So a memory of another model is migrated
first, and not replaced by what this cluster's resources tell.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.filters import Condition, Filter, OneOf
from kausa.memory.isolating import is_refusal, write_apart
from kausa.memory.migration import migrate
from kausa.memory.records import FailureOutcome, FailureRecord
from kausa.memory.service import FailureMemory
from kausa.memory.store import Payload, Schema
from kausa.telemetry.logs import get_logger

__all__ = ["MISMATCHES", "SyncReport", "rebuild_failures", "sync_failures"]

BATCH = 32
BATCH_SECONDS = 120.0
MISMATCHES = frozenset({"ModelMismatch", "DimensionMismatch", "SchemaMismatch"})
"""Reasons for which a memory is whole and still of no use: it was made otherwise."""
_logger = get_logger("kausa.memory.sync")
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
    refused: int = 0
    """Whose text the embedder does not take."""

    def __str__(self) -> str:
        refused = f", {self.refused} refused" if self.refused else ""
        return (
            f"{self.read} failures read, {self.written} written, {self.unchanged} as they were, "
            f"{self.ended} ended meanwhile, {self.malformed} malformed{refused}"
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
    began = datetime.now(UTC)
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
        memory,
        there,
        report=report,
        where=_open(cluster, namespace=namespace),
        ended=ended,
        began=began,
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
    """From scratch. Where another model made the memory it is migrated, which embeds all of it,
    also what others keep there; then only what differs is written.

    A memory of which not even a point can be read, as of an early Kausa, is filled anew beside it.
    """
    arguments: dict[str, Any] = {"cluster": cluster, "namespace": namespace, "ended": ended}
    arguments |= {"progress": progress}
    try:
        await memory.start(deadline_seconds=BATCH_SECONDS)
    except MemoryUnavailableError as error:
        if error.reason not in MISMATCHES:
            raise
    else:
        return await sync_failures(memory, records, rebuild=True, **arguments)
    if await _is_unreadable(memory):
        return await _replaced(memory, records, arguments=arguments)
    await migrate(memory.store, embedder=memory.embedder, back=True, call_seconds=BATCH_SECONDS)
    await memory.start(deadline_seconds=BATCH_SECONDS)
    return await sync_failures(memory, records, **arguments)


async def _is_unreadable(memory: FailureMemory) -> bool:
    """Whether the generation in use is of another version, and the store cannot even count it."""
    wanted = Schema(model=memory.embedder.model, dimensions=memory.embedder.dimensions)
    return any(
        each.active and each.schema.version != wanted.version and not each.points
        for each in await memory.store.generations(deadline_seconds=BATCH_SECONDS)
    )


async def _replaced(
    memory: FailureMemory, records: AsyncIterator[FailureRecord], *, arguments: dict[str, Any]
) -> SyncReport:
    store, embedder = memory.store, memory.embedder
    schema = Schema(model=embedder.model, dimensions=embedder.dimensions)
    beside = memory.beside(await store.make(schema, deadline_seconds=BATCH_SECONDS))
    report = await sync_failures(beside, records, rebuild=True, **arguments)
    await beside.flush(deadline_seconds=BATCH_SECONDS)
    await store.activate(schema, deadline_seconds=BATCH_SECONDS)
    for generation in await store.generations(deadline_seconds=BATCH_SECONDS):
        if generation.schema.version != schema.version and not generation.points:
            await store.drop(generation.schema, deadline_seconds=BATCH_SECONDS)
    await memory.start(deadline_seconds=BATCH_SECONDS)
    return report


async def _write(
    memory: FailureMemory, batch: list[FailureRecord], *, report: SyncReport, rebuild: bool
) -> None:
    left_out = 0

    async def write(records: Sequence[FailureRecord]) -> int:
        return await memory.remember_changed(
            records, copied=True, anew=rebuild, priority="bulk", deadline_seconds=BATCH_SECONDS
        )

    def leave_out(record: FailureRecord, error: Exception) -> None:
        nonlocal left_out
        left_out += 1
        refused = is_refusal(error)
        report.refused += refused
        report.malformed += not refused
        _logger.warning(
            "A failure cannot be remembered",
            reference=record.reference,
            why=str(error) or type(error).__name__,
        )

    written = await write_apart(
        batch,
        write=write,
        left_out=leave_out,
        embedder=memory.embedder,
        deadline_seconds=BATCH_SECONDS,
    )
    report.written += written
    report.unchanged += len(batch) - written - left_out


async def _end_others(
    memory: FailureMemory,
    there: set[str],
    *,
    report: SyncReport,
    where: Filter,
    ended: Ended,
    began: datetime,
) -> None:
    """End what is open and was not read; what was written since the walk began may be new."""
    # Changed only after the walk: a page that changes below a walk may lose its place.
    gone = []
    async with contextlib.aclosing(
        memory.walk_told("failures", where=where, deadline_seconds=BATCH_SECONDS)
    ) as walk:
        async for each in walk:
            record = each.record
            if not isinstance(record, FailureRecord) or record.record_id in there:
                continue
            if _is_before(each.payload, began):
                gone.append(record)
    for record in gone:
        outcome = await ended(record)
        if await memory.update(
            record.record_id,
            {"outcome": outcome},
            only=lambda payload: _is_before(payload, began),
            deadline_seconds=BATCH_SECONDS,
        ):
            report.ended += 1


def _is_before(payload: Payload, moment: datetime) -> bool:
    """Whether it was written and seen before that."""
    for name in ("written_at", "first_seen", "last_seen"):
        value = payload.get(name)
        if isinstance(value, str) and datetime.fromisoformat(value) >= moment:
            return False
    return True


def _open(cluster: str, *, namespace: str | None) -> Filter:
    must: tuple[Condition, ...] = (
        OneOf("cluster", (cluster,)),
        OneOf("kind", ("failure",)),
        OneOf("outcome", ("Open",)),
    )
    return Filter(must=(*must, OneOf("namespace", (namespace,))) if namespace else must)
