"""The way into the memory: a bounded queue, small batches, the embedder's stream, one write.

Nobody who detects or diagnoses waits here: `offer` never does. A record leaves the queue when the
store has acknowledged it and not before, so what the memory does not take now comes again; where it
is away for long the oldest are dropped and counted, and `lost` tells the catch-up to read them from
the resources. What can never be written, such as a text that no embedder takes, is left out alone.

A record that is offered again while it waits takes the place of its earlier self, and what only
that knew stays with it: the queue is bounded by how many failures there are, not by how often they
repeat. Everything here is of the priority `bulk` at the embedder, so a diagnosis that waits for
what is like it goes first.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial

from kausa.memory.errors import InvalidRecordError, MemoryUnavailableError
from kausa.memory.isolating import is_refusal, write_apart
from kausa.memory.metrics import MemoryMetrics
from kausa.memory.points import Passage
from kausa.memory.records import Happening
from kausa.memory.service import FailureMemory
from kausa.memory.writing import merged
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
        waiting = _Waiting(record=record, copied=copied)
        if record_id in self._waiting:
            waiting = _together(self._waiting[record_id], waiting)
        if record_id not in self._waiting and len(self._waiting) >= self._most:
            self._waiting.popitem(last=False)
            self.lost += 1
            self._metrics.dropped("full")
        self._waiting[record_id] = waiting
        self._arrived.set()

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

    def _take(self) -> None:
        while self._waiting and len(self._in_hand) < self._batch:
            record_id, waiting = self._waiting.popitem(last=False)
            self._in_hand[record_id] = waiting
        if not self._waiting:
            self._arrived.clear()

    def _put_back(self) -> None:
        """In front of all others, together with its own later self."""
        for record_id, waiting in reversed(self._in_hand.items()):
            later = self._waiting.get(record_id)
            self._waiting[record_id] = _together(waiting, later) if later else waiting
            self._waiting.move_to_end(record_id, last=False)
        self._in_hand = {}
        self._arrived.set()

    async def _write(self, waiting: Sequence[_Waiting]) -> None:
        started = time.monotonic()
        if self._memory.error is not None:
            # Others may ask seldom while it is away; this is who asks until it is back.
            await self._memory.start(deadline_seconds=BATCH_SECONDS)
        left_out: list[str] = []

        def leave_out(record: Happening, error: Exception) -> None:
            left_out.append(record.record_id)
            self._leave_out(record, error)

        written = 0
        for copied in (False, True):
            records = [each.record for each in waiting if each.copied is copied]
            if records:
                written += await write_apart(
                    records,
                    write=partial(self._write_records, copied=copied),
                    left_out=leave_out,
                    embedder=self._memory.embedder,
                    deadline_seconds=BATCH_SECONDS,
                )
        acknowledged = len(waiting) - len(left_out)
        self._metrics.batch_written(
            records=acknowledged,
            unchanged=acknowledged - written,
            seconds=time.monotonic() - started,
        )

    def _leave_out(self, record: Happening, error: Exception) -> None:
        self._metrics.dropped("refused" if is_refusal(error) else "malformed")
        known = isinstance(error, InvalidRecordError | MemoryUnavailableError)
        _logger.error(
            "A record cannot be remembered",
            record=record.record_id,
            owner=f"{record.namespace}/{record.owner}",
            why=str(error) or type(error).__name__,
            exc_info=None if known else error,
        )

    async def _write_records(self, records: Sequence[Happening], *, copied: bool) -> int:
        return await self._memory.write_batch(
            records, embed=self._embed, copied=copied, deadline_seconds=BATCH_SECONDS
        )

    async def _embed(self, new: Sequence[Passage]) -> dict[str, list[float]]:
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


def _together(before: _Waiting, after: _Waiting) -> _Waiting:
    """One for both; a copy that follows a full record is full."""
    return _Waiting(
        record=merged(before.record, after.record, copied=after.copied),
        copied=before.copied and after.copied,
    )


async def _texts(passages: Sequence[Passage]) -> AsyncIterator[tuple[str, str]]:
    for each in passages:
        yield each.id, each.text
