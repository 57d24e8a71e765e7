"""An event loop that does not wait: where nothing is ready, its clock jumps to the next timer.

Tests of what happens over seconds then take milliseconds, and come out the same on a busy machine,
because time passes only when all that could be done was done. For tests whose sockets both end in
this process: what one end has sent is there for the other at once, so that an answer on its way is
never overtaken by a timer. While the loop waits for a thread, its clock is the real one.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

__all__ = ["LoopsTime", "VirtualTimeLoop"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
LAST_LOOK_SECONDS = 0.001
"""How long a jump of a second or so waits for an answer on its way, of the real clock."""


class _Skipping(selectors.DefaultSelector):
    """Skips the time that a select would have waited in vain."""

    skip: Callable[[float], None]
    threads = 0
    """How many the loop waits for."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now; where nothing is, `timeout` is over at once."""
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None or self.threads:
            return super().select(timeout)
        if timeout > LAST_LOOK_SECONDS:
            ready = super().select(LAST_LOOK_SECONDS if timeout > 0.01 else 0)
        if not ready:
            self.skip(timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Its `time` is what has really passed, and all that was skipped."""

    def __init__(self) -> None:
        self._skipping = selector = _Skipping()
        self._skipped = 0.0
        selector.skip = self._skip
        super().__init__(selector)

    def _skip(self, seconds: float) -> None:
        self._skipped += max(0.0, seconds)

    def time(self) -> float:
        """Seconds since some moment."""
        return super().time() + self._skipped

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """As ever; until it is done no time is skipped."""
        running = super().run_in_executor(executor, func, *args)
        self._skipping.threads += 1
        running.add_done_callback(self._one_less)
        return running

    def _one_less(self, _: asyncio.Future[Any]) -> None:
        self._skipping.threads -= 1


class LoopsTime:
    """Stands for the module `time` in what is tested: its clock is that of the running loop."""

    @staticmethod
    def monotonic() -> float:
        """Seconds since some moment, those that were skipped among them."""
        return asyncio.get_running_loop().time()
