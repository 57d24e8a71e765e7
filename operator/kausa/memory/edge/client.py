"""The embedded store as the operator sees it: a `VectorStore` whose engine runs next door.

The worker is started by the first `ensure_schema` and again, with the same schema, by the first
call after it died. Every call may be repeated without harm, so one that the worker's death cut
off is sent once more before anybody hears of it. A worker that dies without answering anything,
or cannot open the folder, is not started again before a pause that doubles up to half a minute;
meanwhile calls fail at once with what was wrong (the first, quarter-second pause is waited out).
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kausa.memory.edge import messages
from kausa.memory.edge.process import WorkerGoneError, WorkerProcess, worker_command
from kausa.memory.errors import (
    InvalidRecordError,
    MemoryUnavailableError,
    UnavailableReason,
    deadline,
)
from kausa.memory.records import FailureRecord, from_payload, to_payload
from kausa.memory.store import MOST_RECORDS, Hit, Point, RecordFilter

__all__ = ["EdgeStore"]

START_SECONDS = 60.0
"""The longest that opening may take: five seconds of waiting for the lock, and a long log."""
CLOSE_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 30.0
MAX_LIMIT = 256
MAX_POINTS = 500


class EdgeStore:
    """Qdrant Edge in a worker process that owns one folder."""

    def __init__(
        self,
        *,
        folder: Path,
        most_records: int = MOST_RECORDS,
        hung_after_seconds: float = 30.0,
        command: Callable[[Path], list[str]] = worker_command,
    ) -> None:
        self._folder = folder
        self._most_records = most_records
        self._hung_after_seconds = hung_after_seconds
        self._command = command
        self._open: messages.Open | None = None
        self._worker: WorkerProcess | None = None
        self._starting: asyncio.Task[WorkerProcess] | None = None
        self._failures = 0
        self._retry_at = 0.0
        self._last_error: tuple[str, UnavailableReason] = ("", "StoreUnavailable")
        self._closed = False

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id, while there is one."""
        return self._worker.pid if self._worker is not None and self._worker.alive else None

    async def ensure_schema(self, *, model: str, dimensions: int, deadline_seconds: float) -> None:
        """Start the worker if it does not run, and have it open the folder for this model."""
        wanted = messages.Open(model=model, dimensions=dimensions, most_records=self._most_records)
        if self._open is not None and self._open != wanted and (self._worker or self._starting):
            raise MemoryUnavailableError(
                f"the memory is open for {self._open.model} ({self._open.dimensions} dimensions), "
                f"not for {model} ({dimensions})",
                reason="ModelMismatch",
            )
        async with deadline(deadline_seconds, doing="opening the memory"):
            if self._open != wanted:
                self._open, self._retry_at = wanted, 0.0
            await self._running()

    async def upsert(self, points: Sequence[Point], *, deadline_seconds: float) -> None:
        """Write points; once it returns they survive a kill of either process."""
        if not points:
            return
        if len(points) > MAX_POINTS:
            raise InvalidRecordError(f"{len(points)} points in one call, at most {MAX_POINTS}")
        sent = [
            (point.record.point_id, self._checked(point.vector), to_payload(point.record))
            for point in points
        ]
        await self._call(messages.Upsert(points=sent), deadline_seconds=deadline_seconds)

    async def search(
        self,
        vector: Sequence[float],
        *,
        where: RecordFilter,
        limit: int,
        minimum_score: float,
        deadline_seconds: float,
    ) -> list[Hit]:
        """The most alike first, none below the score, at most 256."""
        call = messages.Search(
            vector=self._checked(vector),
            where=where,
            limit=min(limit, MAX_LIMIT),
            minimum_score=minimum_score,
        )
        found = await self._call(call, deadline_seconds=deadline_seconds)
        return [Hit(record=from_payload(payload), score=score) for score, payload in found]

    async def get(self, point_id: str, *, deadline_seconds: float) -> FailureRecord | None:
        """One record by its id."""
        call = messages.Get(point_id=point_id)
        payload = await self._call(call, deadline_seconds=deadline_seconds)
        return None if payload is None else from_payload(payload)

    async def count(self, *, where: RecordFilter | None, deadline_seconds: float) -> int:
        """How many records match, or all."""
        return int(await self._call(messages.Count(where=where), deadline_seconds=deadline_seconds))

    async def delete(
        self,
        *,
        ids: Sequence[str] = (),
        where: RecordFilter | None = None,
        deadline_seconds: float,
    ) -> None:
        """Forget these ids, and all that the filter matches."""
        call = messages.Delete(ids=list(ids), where=where)
        await self._call(call, deadline_seconds=deadline_seconds)

    async def flush(self, *, deadline_seconds: float) -> None:
        """Bring everything to disk."""
        await self._call(messages.Flush(), deadline_seconds=deadline_seconds)

    async def close(self) -> None:
        """Have the worker flush and exit; it is killed if that takes more than ten seconds."""
        self._closed = True
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.stop(grace_seconds=CLOSE_SECONDS)

    async def _call(self, call: messages.Call, *, deadline_seconds: float) -> Any:
        doing = f"the memory's {type(call).__name__.lower()}"
        async with deadline(deadline_seconds, doing=doing):
            for _ in range(2):
                worker = await self._running()
                try:
                    return await worker.call(call)
                except WorkerGoneError:
                    continue
                finally:
                    if worker.silent_seconds > self._hung_after_seconds:
                        worker.kill()
        raise MemoryUnavailableError(
            "the store's process died twice while it was asked the same thing",
            reason="StoreUnavailable",
        )

    async def _running(self) -> WorkerProcess:
        """The worker, started if need be. Whoever stops waiting does not stop the start."""
        if self._closed:
            raise MemoryUnavailableError("the memory is closed", reason="Closed")
        if self._open is None:
            raise MemoryUnavailableError(
                "the memory was asked before its schema was ensured", reason="StoreUnavailable"
            )
        if self._worker is not None and self._worker.alive:
            return self._worker
        if self._starting is None:
            self._starting = asyncio.create_task(self._start(self._open), name="memory-store-start")
            self._starting.add_done_callback(_look_at)
        return await asyncio.shield(self._starting)

    async def _start(self, schema: messages.Open) -> WorkerProcess:
        try:
            dead, self._worker = self._worker, None
            if dead is not None:
                if dead.answered:
                    self._failures = 0
                else:
                    self._pause("the store's process died", "StoreUnavailable")
                await dead.stop(grace_seconds=1.0)
            pause = self._retry_at - time.monotonic()
            if pause > FIRST_PAUSE_SECONDS:
                message, reason = self._last_error
                raise MemoryUnavailableError(message, reason=reason)
            await asyncio.sleep(max(0.0, pause))
            self._worker = await self._start_and_open(schema)
            return self._worker
        finally:
            self._starting = None

    async def _start_and_open(self, schema: messages.Open) -> WorkerProcess:
        worker = await WorkerProcess.start(self._command(self._folder))
        try:
            async with deadline(START_SECONDS, doing="opening the memory"):
                await worker.call(schema)
        except WorkerGoneError as error:
            await worker.stop(grace_seconds=1.0)
            message = "the store's process ended at once; its standard error says why"
            raise self._pause(message, "StoreUnavailable") from error
        except MemoryUnavailableError as error:
            await worker.stop(grace_seconds=1.0)
            raise self._pause(str(error), error.reason) from error
        except BaseException:
            worker.kill()
            await worker.stop(grace_seconds=1.0)
            raise
        self._retry_at = 0.0
        return worker

    def _pause(self, message: str, reason: UnavailableReason) -> MemoryUnavailableError:
        """Note a failure, put off the next start, and make the error that says so."""
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(self._failures, 10))
        self._failures += 1
        self._retry_at = time.monotonic() + pause
        self._last_error = (message, reason)
        return MemoryUnavailableError(message, reason=reason)

    def _checked(self, vector: Sequence[float]) -> list[float]:
        """The vector as it may be sent: Edge would store a NaN without a word."""
        wanted = self._open.dimensions if self._open else len(vector)
        if len(vector) != wanted:
            raise MemoryUnavailableError(
                f"a vector of {len(vector)} dimensions for a memory of {wanted}",
                reason="DimensionMismatch",
            )
        if not all(map(math.isfinite, vector)):
            raise InvalidRecordError("a vector holds a value that is not finite")
        return list(vector)


def _look_at(task: asyncio.Task[WorkerProcess]) -> None:
    """Take note of a failed start that nobody waited for any more."""
    if not task.cancelled():
        task.exception()
