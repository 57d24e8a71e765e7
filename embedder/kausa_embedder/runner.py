"""The threads on which the model runs, and the one batch that lies ready for them.

A batch that is alone runs on all CPUs, because somebody waits for it. Where there are more, each
runs on one CPU beside the others: the CPUs then never wait for each other in the middle of a
batch. Two batches of two texts took a fifth less CPU that way, and where other processes want the
CPUs, too, more than twice as many texts were done. Each way of running has a session of its own
(`loading.py`); where there is but one, a batch is always alone.

The slot before the threads holds the next batch, already padded: none of them waits for the event
loop while there is work. What lies in the slot can be taken out again, for a batch that should go
first.

If running a batch raises, whatever it was, all threads end: a model that failed once has an
unknown state, and memory that was short does not come back by trying. `on_end` is told.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from kausa_embedder.backends.base import Outputs
from kausa_embedder.padding import Batch

__all__ = ["Ran", "Runner"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ran:
    """What a run gave."""

    outputs: Outputs
    seconds: float
    alone: bool


class Runner:
    """Runs batches on `lanes` threads. The callbacks are called on those.

    `run` is told whether its batch is alone: nothing else runs then before it is done. That is so
    where nothing runs when its turn comes, and `alone` says that nothing else waits. A batch that
    is not `wanted` any more by then is not run.
    """

    def __init__(
        self,
        *,
        lanes: int,
        run: Callable[[Batch, bool], Ran],
        alone: Callable[[], bool],
        wanted: Callable[[Batch], bool],
        on_taken: Callable[[Batch], None],
        on_answer: Callable[[Batch, Ran], None],
        on_end: Callable[[BaseException], None],
    ) -> None:
        self._lanes = lanes
        self._run = run
        self._alone = alone
        self._wanted = wanted
        self._on_taken = on_taken
        self._on_answer = on_answer
        self._on_end = on_end
        self._slot: Batch | None = None
        self._busy = 0
        """Lanes; a batch that is alone has them all."""
        self._closed = False
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._loop, name=f"embedder-model-{number}", daemon=True)
            for number in range(lanes)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def offer(self, batch: Batch) -> None:
        """Lay a batch into the slot, which must be empty."""
        with self._changed:
            if self._slot is not None:
                raise RuntimeError("the slot is taken")
            self._slot = batch
            self._changed.notify()

    @property
    def free(self) -> bool:
        """Whether the slot is empty."""
        return self._slot is None

    def withdraw(self) -> Batch | None:
        """Take the batch out of the slot, if none of the threads has begun it."""
        with self._changed:
            batch, self._slot = self._slot, None
            return batch

    def close(self) -> None:
        """End the threads after what runs now. Does not wait."""
        with self._changed:
            self._closed = True
            self._slot = None
            self._changed.notify_all()

    def join(self) -> None:
        """Wait for the threads' end."""
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _loop(self) -> None:
        try:
            while (taken := self._take()) is not None:
                batch, lanes = taken
                try:
                    self._on_taken(batch)
                    answer = self._run(batch, lanes == self._lanes) if self._wanted(batch) else None
                finally:
                    self._leave(lanes)
                if answer is not None:
                    self._on_answer(batch, answer)
        except BaseException as error:
            self.close()
            self._on_end(error)

    def _take(self) -> tuple[Batch, int] | None:
        """The next batch, and how many lanes it has."""
        with self._changed:
            while (self._slot is None or self._busy == self._lanes) and not self._closed:
                self._changed.wait()
            if self._closed or self._slot is None:
                return None
            batch, self._slot = self._slot, None
            lanes = self._lanes if not self._busy and self._alone() else 1
            self._busy += lanes
            return batch, lanes

    def _leave(self, lanes: int) -> None:
        with self._changed:
            self._busy -= lanes
            self._changed.notify()
