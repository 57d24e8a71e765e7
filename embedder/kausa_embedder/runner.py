"""The thread on which the model runs, and the one batch that lies ready for it.

One thread owns the session, so that two batches never share the CPUs and each other's caches. The
slot before it holds the next batch, already padded: the thread never waits for the event loop
while there is work. What lies in the slot can be taken out again, for a batch that should go first.

If running a batch raises, whatever it was, the thread ends: a model that failed once has an
unknown state, and memory that was short does not come back by trying. `on_end` is told.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from kausa_embedder.backends.base import Outputs
from kausa_embedder.padding import Batch

__all__ = ["Runner"]


class Runner:
    """Runs one batch after another. The callbacks are called on its thread.

    A batch that is not `wanted` any more, when its turn comes, is not run.
    """

    def __init__(
        self,
        *,
        run: Callable[[Batch], tuple[Outputs, float]],
        wanted: Callable[[Batch], bool],
        on_taken: Callable[[Batch], None],
        on_answer: Callable[[Batch, tuple[Outputs, float]], None],
        on_end: Callable[[BaseException], None],
    ) -> None:
        self._run = run
        self._wanted = wanted
        self._on_taken = on_taken
        self._on_answer = on_answer
        self._on_end = on_end
        self._slot: Batch | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._loop, name="embedder-model", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

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
        """Take the batch out of the slot, if the thread has not begun it."""
        with self._changed:
            batch, self._slot = self._slot, None
            return batch

    def close(self) -> None:
        """End the thread after what runs now. Does not wait."""
        with self._changed:
            self._closed = True
            self._slot = None
            self._changed.notify()

    def join(self) -> None:
        """Wait for the thread's end."""
        if self._thread.ident is not None:
            self._thread.join()

    def _loop(self) -> None:
        try:
            while (batch := self._take()) is not None:
                self._on_taken(batch)
                if self._wanted(batch):
                    self._on_answer(batch, self._run(batch))
        except BaseException as error:
            self._on_end(error)

    def _take(self) -> Batch | None:
        with self._changed:
            while self._slot is None and not self._closed:
                self._changed.wait()
            if self._closed:
                return None
            batch, self._slot = self._slot, None
            return batch
