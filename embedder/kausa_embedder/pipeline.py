"""From tokenised texts to their vectors: the queue, the slot, the threads, and the way back.

Everything but the runs of the model happens on the event loop, so that nothing needs a lock. A
batch is cut as soon as the slot is free, which is the moment in which the one before it begins; it
is taken out of the slot and cut anew while it is less than half full and more texts come, and when
an interactive text comes and it is bulk.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from kausa_embedder.backends.base import Encoded
from kausa_embedder.batching import (
    LANE_OVERHEAD_TOKENS,
    OVERHEAD_TOKENS,
    bucket_widths,
    cut,
    width_of,
)
from kausa_embedder.errors import (
    BrokenError,
    ClosedError,
    EmbedderError,
    ExpiredError,
    InferenceError,
)
from kausa_embedder.loading import Loaded
from kausa_embedder.options import Observer
from kausa_embedder.padding import Batch, pad
from kausa_embedder.pooling import answers
from kausa_embedder.queueing import Item, Priority, Stage, TokenQueue
from kausa_embedder.runner import Ran, Runner

__all__ = ["Pipeline"]

WINDOW_BATCHES = 4
"""A window looks at so many batches' worth of texts for those of like length."""
FIRST_RATE = 5_000.0
"""Tokens per second that are assumed before any were measured."""


class Pipeline:
    """Runs texts through a loaded model. Used on the event loop that made it."""

    def __init__(
        self,
        *,
        loaded: Loaded,
        queue: TokenQueue,
        batch_tokens: int,
        batch_texts: int,
        observer: Observer,
        on_broken: Callable[[EmbedderError], None],
    ) -> None:
        self._loaded = loaded
        self._queue = queue
        self._batch_tokens = batch_tokens
        self._batch_texts = batch_texts
        self._observer = observer
        self._on_broken = on_broken
        self._loop = asyncio.get_running_loop()
        longest = max(loaded.spec.max_tokens, getattr(loaded.scorer_spec, "max_tokens", 0))
        self._widths = bucket_widths(longest)
        self._rate = FIRST_RATE
        self._broken = False
        self._dispatching = False
        self._slotted: Batch | None = None
        self._yields = False
        """Whether what lies in the slot gives way to an interactive text."""
        self._out: list[Batch] = []
        """Offered to the threads, and not answered yet."""
        self._pooling = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedder-pool")
        self._lanes = loaded.lanes.count if loaded.lanes else 1
        self._runner = Runner(
            lanes=self._lanes,
            run=self._run,
            alone=self._alone,
            wanted=_wanted,
            on_taken=self._begun,
            on_answer=self._answered,
            on_end=lambda error: self._call(self.end, error),
        )
        self._runner.start()

    @property
    def retry_after_seconds(self) -> float:
        """When what waits now should be answered."""
        return min(60.0, max(0.1, self._queue.used / self._rate))

    async def submit(
        self,
        texts: Sequence[Encoded],
        *,
        stage: Stage,
        wants_tokens: bool,
        priority: Priority,
        deadline: float,
    ) -> list[object]:
        """The answer of each text, in order. Room in the queue was reserved before.

        Whoever is cancelled, or whose deadline passes, takes its texts out of the queue.
        """
        now = time.monotonic()
        items = [
            Item(
                ids=text.ids,
                types=text.types,
                priority=priority,
                stage=stage,
                wants_tokens=wants_tokens,
                deadline=deadline,
                answer=self._loop.create_future(),
                since=now,
            )
            for text in texts
        ]
        for item in items:
            self._queue.push(item)
        self._wake()
        try:
            # The loop's clock is time.monotonic(), so deadlines need no translation.
            async with asyncio.timeout_at(None if deadline == float("inf") else deadline):
                if len(items) == 1:
                    return [await items[0].answer]
                return list(await asyncio.gather(*(item.answer for item in items)))
        except InferenceError as error:
            place = next(at for at, item in enumerate(items) if _failed_with(item, error))
            raise InferenceError(str(error), place=place) from error
        except TimeoutError:
            raise ExpiredError("the deadline passed while the texts waited for the model") from None
        finally:
            for item in items:
                item.answer.cancel()

    def fail(self, error: EmbedderError) -> None:
        """Answer everything that waits with this error, now."""
        pending = [item for batch in self._out for item in batch.items]
        pending += self._queue.clear()
        self._out.clear()
        self._slotted = None
        for item in pending:
            if not item.answer.done():
                item.answer.set_exception(error)

    async def close(self) -> None:
        """End the threads; a run that has begun is waited for, its answers are dropped."""
        self._runner.close()
        self.fail(ClosedError("the embedder is closed"))
        await asyncio.to_thread(self._runner.join)
        self._pooling.shutdown(wait=False, cancel_futures=True)

    # On the event loop.

    def _wake(self) -> None:
        """Dispatch at the end of this round of the loop: what comes together goes together."""
        if not self._dispatching:
            self._dispatching = True
            self._loop.call_soon(self._dispatch)

    def _taken(self, batch: Batch) -> None:
        if self._slotted is batch:
            self._slotted = None
        if batch in self._out and not _wanted(batch):
            self._out.remove(batch)  # no thread runs it
        self._wake()

    def _dispatch(self) -> None:
        self._dispatching = False
        try:
            self._fill_slot()
        except Exception as error:
            self.end(error)

    def _fill_slot(self) -> None:
        if self._broken or not (self._runner.free or self._make_room()):
            return
        now = time.monotonic()
        limit = WINDOW_BATCHES * self._batch_texts
        window = self._queue.next_window(limit, now=now)
        if not window:
            return
        try:
            chosen = cut(
                [item.tokens for item in window],
                budget=self._batch_tokens,
                max_texts=self._batch_texts,
                widths=self._widths,
                overhead=LANE_OVERHEAD_TOKENS if self._loaded.lanes else OVERHEAD_TOKENS,
            )
            batch = self._padded([window[at] for at in chosen])
        except Exception:
            self._queue.put_back(window)  # so that they get to know what happened
            raise
        taken = set(chosen)
        self._queue.put_back([item for at, item in enumerate(window) if at not in taken])
        # A bulk batch whose turn it is although interactive texts wait keeps its place.
        self._yields = window[0].priority == "bulk" and not self._queue.waits("interactive")
        self._slotted = batch
        self._out.append(batch)
        self._runner.offer(batch)

    def _make_room(self) -> bool:
        """Take the batch out of the slot if a better one can be cut now."""
        slotted = self._slotted
        if slotted is None or not self._queue:
            return False
        gives_way = self._yields and self._queue.waits("interactive")
        if not gives_way and slotted.padded_tokens * 2 > self._batch_tokens:
            return False
        batch = self._runner.withdraw()
        if batch is None:
            return False  # it has begun in this moment
        self._out.remove(batch)
        self._slotted = None
        self._queue.put_back(list(batch.items))
        return True

    def _padded(self, items: list[Item]) -> Batch:
        model = self._loaded.scorer if items[0].stage == "rerank" else self._loaded.backend
        width = max(item.tokens for item in items)
        # A text that is alone needs no company's width: on a CPU no shape costs more than another.
        if len(items) > 1 or self._loaded.backend.provider != "cpu":
            width = width_of(width, self._widths)
        return pad(items, width=width, pad_id=model.pad_id if model else 0)

    def _deliver(self, batch: Batch, values: Sequence[object], ran: Ran) -> None:
        try:
            self._hand_out(batch, values, ran)
        except Exception as error:
            self.end(error)

    def _hand_out(self, batch: Batch, values: Sequence[object], ran: Ran) -> None:
        if batch not in self._out:
            return  # everything was failed in the meantime
        self._out.remove(batch)
        if self._slotted is batch:
            self._slotted = None
        at_a_time = 1 if ran.alone else self._lanes
        self._rate += 0.2 * (batch.tokens * at_a_time / max(ran.seconds, 1e-6) - self._rate)
        began = time.monotonic() - ran.seconds
        for item, value in zip(batch.items, values, strict=True):
            self._observer.queued(seconds=max(0.0, began - item.since))
            if item.answer.done():
                continue
            if isinstance(value, EmbedderError):
                item.answer.set_exception(value)
            else:
                item.answer.set_result(value)
        self._observer.ran(seconds=ran.seconds, batch=batch)

    def end(self, error: BaseException) -> None:
        """A stage died: nothing is run any more, and everything that waits gets to know."""
        if self._broken:
            return
        self._broken = True
        broken = BrokenError(f"a stage of the embedder died ({error!r}); start it anew")
        broken.__cause__ = error
        self._on_broken(broken)
        self.fail(broken)

    # On the model's threads and on the one for pooling.

    def _alone(self) -> bool:
        """Whether a batch may have all CPUs: there is nothing else that could run beside it."""
        return not self._queue

    def _begun(self, batch: Batch) -> None:
        """The slot is free. While nobody waits, the event loop need not know: it would only take
        a CPU from the model, and whoever comes next looks into the slot first."""
        if self._queue or not _wanted(batch):
            self._call(self._taken, batch)

    def _run(self, batch: Batch, alone: bool) -> Ran:
        began = time.perf_counter()
        models = self._loaded if alone or not self._loaded.lanes else self._loaded.lanes
        model = models.scorer if batch.stage == "rerank" else models.backend
        if model is None:
            raise BrokenError("a batch for a reranker that was never loaded")
        outputs = model.run(batch.inputs)
        return Ran(outputs=outputs, seconds=time.perf_counter() - began, alone=alone)

    def _answered(self, batch: Batch, ran: Ran) -> None:
        if ran.outputs.tokens is None:
            self._pool(batch, ran)  # nothing to compute, so no hop
        else:
            self._pooling.submit(self._pool, batch, ran)

    def _pool(self, batch: Batch, ran: Ran) -> None:
        try:
            values = answers(batch, ran.outputs, pooling=self._loaded.spec.pooling)
        except BaseException as error:
            self._call(self.end, error)
            return
        self._call(self._deliver, batch, values, ran)

    def _call(self, what: object, *arguments: object) -> None:
        """Go to the event loop, unless it is closed already."""
        try:
            self._loop.call_soon_threadsafe(what, *arguments)  # type: ignore[arg-type]
        except RuntimeError:
            self._runner.close()


def _wanted(batch: Batch) -> bool:
    return not all(item.answer.done() for item in batch.items)


def _failed_with(item: Item, error: Exception) -> bool:
    answer = item.answer
    return answer.done() and not answer.cancelled() and answer.exception() is error
