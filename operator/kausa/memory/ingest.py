"""The way into the memory: a bounded queue, small batches, the embedder's stream, one write.

Nobody who detects or diagnoses waits here: `offer` never does. A record leaves the queue when the
store has acknowledged it and not before, so what the memory does not take now comes again; where it
is away for long the oldest are dropped and counted, and `lost` tells the catch-up to read them from
the resources. Who brings much at once (`put`) waits for room instead.

A record that is offered again while it waits takes the place of its earlier self: the queue is
bounded by how many failures there are, not by how often they repeat. Everything here is of the
priority `bulk` at the embedder, so a diagnosis that waits for what is like it goes first.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from kausa.memory.errors import InvalidRecordError, MemoryUnavailableError, deadline
from kausa.memory.metrics import MemoryMetrics
from kausa.memory.points import Passage
from kausa.memory.records import Happening
from kausa.memory.service import FailureMemory
from kausa.memory.writing import Writing
from kausa.telemetry.logs import get_logger
from kausa.telemetry.trouble import Trouble

__all__ = ["Ingest"]

MOST_QUEUED = 2000
BATCH = 32
LINGER_SECONDS = 0.05
"""So long a batch waits for company: a storm is written in tens, a single failure soon enough."""
BATCH_SECONDS = 60.0
LAST_SECONDS = 3.0
"""At the end; what is not written by then is read from the resources at the next start."""
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
_logger = get_logger("kausa.memory.ingest")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    record: Happening
    copied: bool


class Ingest:
    """Takes records at any time, writes them while `run` runs. For one event loop."""

    def __init__(
        self,
        *,
        memory: FailureMemory,
        metrics: MemoryMetrics,
        most: int = MOST_QUEUED,
        batch: int = BATCH,
        linger_seconds: float = LINGER_SECONDS,
    ) -> None:
        self._memory = memory
        self._metrics = metrics
        self._most = most
        self._batch = batch
        self._linger_seconds = linger_seconds
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        self._in_hand: dict[str, _Waiting] = {}
        self._arrived = asyncio.Event()
        self._room = asyncio.Condition()
        self.lost = 0
        """Records dropped for want of room since the process began."""
        self._trouble = Trouble(
            _logger,
            failed="The memory does not take records now, trying until it does",
            recovered="The memory takes records again",
        )
        metrics.observe_queue(lambda: len(self))

    def __len__(self) -> int:
        """How many wait, those in hand included."""
        return len(self._waiting) + len(self._in_hand)

    # -- who brings records ----------------------------------------------------------------------

    def offer(self, record: Happening, *, copied: bool = False) -> None:
        """Leave a record here; where there is no room the oldest goes, and is counted."""
        record_id = record.record_id
        waiting = _Waiting(record=record, copied=copied and self._is_copied(record_id))
        if record_id not in self._waiting and len(self._waiting) >= self._most:
            self._waiting.popitem(last=False)
            self.lost += 1
            self._metrics.dropped("full")
        self._waiting[record_id] = waiting
        self._arrived.set()

    async def put(self, record: Happening, *, copied: bool = False) -> None:
        """Leave a record here, once there is room."""
        async with self._room:
            await self._room.wait_for(
                lambda: len(self._waiting) < self._most or record.record_id in self._waiting
            )
            self.offer(record, copied=copied)

    async def empty(self) -> None:
        """Return when nothing waits and nothing is in hand."""
        async with self._room:
            await self._room.wait_for(lambda: not len(self))

    def _is_copied(self, record_id: str) -> bool:
        """A full record that still waits is not to be treated as a copy by what follows it."""
        before = self._waiting.get(record_id)
        return before is None or before.copied

    # -- who writes them -------------------------------------------------------------------------

    async def run(self) -> None:
        """Write until cancelled; then what waits still is written, if that takes no time."""
        try:
            await self._write_for_ever()
        except asyncio.CancelledError:
            await self._write_the_rest()
            raise

    async def _write_the_rest(self) -> None:
        if self._memory.error is not None:
            return
        with contextlib.suppress(TimeoutError, MemoryUnavailableError):
            async with asyncio.timeout(LAST_SECONDS):
                while self._waiting:
                    self._take()
                    await self._write(list(self._in_hand.values()))
                    self._in_hand = {}
        self._put_back()

    async def _write_for_ever(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            await self._arrived.wait()
            await asyncio.sleep(self._linger_seconds if len(self._waiting) < self._batch else 0)
            self._take()
            try:
                await self._write(list(self._in_hand.values()))
            except MemoryUnavailableError as error:
                self._put_back()
                self._metrics.fails(error.reason)
                self._metrics.batch_failed()
                self._trouble.happened(error, reason=error.reason)
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)
                continue
            except BaseException:
                self._put_back()
                raise
            pause = FIRST_PAUSE_SECONDS
            self._in_hand = {}
            self._metrics.works()
            self._trouble.over()
            async with self._room:
                self._room.notify_all()

    def _take(self) -> None:
        while self._waiting and len(self._in_hand) < self._batch:
            record_id, waiting = self._waiting.popitem(last=False)
            self._in_hand[record_id] = waiting
        if not self._waiting:
            self._arrived.clear()

    def _put_back(self) -> None:
        """In front of all others, but behind its own later self."""
        for record_id, waiting in reversed(self._in_hand.items()):
            if record_id not in self._waiting:
                self._waiting[record_id] = waiting
                self._waiting.move_to_end(record_id, last=False)
        self._in_hand = {}
        self._arrived.set()

    async def _write(self, waiting: Sequence[_Waiting]) -> None:
        started = time.monotonic()
        unchanged = 0
        if self._memory.error is not None:
            # Others may ask seldom while it is away; this is who asks until it is back.
            await self._memory.start(deadline_seconds=BATCH_SECONDS)
        for copied in (False, True):
            records = [each.record for each in waiting if each.copied is copied]
            if records:
                unchanged += await self._write_or_leave_out(records, copied=copied)
        self._metrics.batch_written(
            records=len(waiting), unchanged=unchanged, seconds=time.monotonic() - started
        )

    async def _write_or_leave_out(self, records: Sequence[Happening], *, copied: bool) -> int:
        """Write them at once; where one is malformed, one by one, so that only that one is lost.

        The number of those that needed no writing.
        """
        try:
            return await self._write_records(records, copied=copied)
        except MemoryUnavailableError:
            raise
        except Exception as error:
            # Also a defect of ours: one record that breaks something must not hold up all others.
            if len(records) == 1:
                self._metrics.dropped("malformed")
                known = isinstance(error, InvalidRecordError)
                _logger.error(
                    "A record cannot be remembered",
                    why=str(error) or type(error).__name__,
                    exc_info=None if known else error,
                )
                return 1
        return sum([await self._write_or_leave_out([each], copied=copied) for each in records])

    async def _write_records(self, records: Sequence[Happening], *, copied: bool) -> int:
        async with (
            deadline(BATCH_SECONDS, doing="remembering a batch"),
            self._memory.writing(
                records, copied=copied, deadline_seconds=BATCH_SECONDS
            ) as writings,
        ):
            vectors = await self._embed(writings)
            await self._memory.write(writings, vectors=vectors, deadline_seconds=BATCH_SECONDS)
        return sum(each.is_nothing for each in writings)

    async def _embed(self, writings: Sequence[Writing]) -> dict[str, list[float]]:
        new = [each for writing in writings for each in writing.to_embed]
        if not new:
            return {}
        vectors: dict[str, list[float]] = {}
        stream = self._memory.embedder.embed_stream(_texts(new), deadline_seconds=BATCH_SECONDS)
        async with contextlib.aclosing(stream) as answers:  # type: ignore[type-var]
            async for id_, vector in answers:
                vectors[id_] = vector
        missing = len({each.id for each in new} - vectors.keys())
        if missing:
            raise MemoryUnavailableError(
                f"the embedder left out {missing} of {len(new)} texts", reason="EmbedderFailed"
            )
        return vectors


async def _texts(passages: Sequence[Passage]) -> AsyncIterator[tuple[str, str]]:
    for each in passages:
        yield each.id, each.text
