"""Whose evidence is read next, where more failures want theirs than are read at a time.

The evidence of hundreds takes a minute or more. Of some a glance has told the cause already
(`first_glance.py`), or an earlier look has; of others nothing is known yet, and to these all of the
evidence is the first that they tell. So they come first, as if they had waited longer: a failure of
which something is known is overtaken by those that come within that head start, and by no others.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

__all__ = ["HEAD_START_SECONDS", "ReadingTurns"]

HEAD_START_SECONDS: Final = 60.0
"""About what the evidence of a thousand takes: nobody waits much longer for it than by age."""


class ReadingTurns:
    """A few at a time, in order; for one event loop."""

    def __init__(self, *, concurrent: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._free = concurrent
        self._clock = clock
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def turn(self, *, nothing_known: bool) -> AsyncIterator[None]:
        """Hold a turn. `nothing_known`: whether nobody has been told a word about it yet."""
        await self._acquire(nothing_known=nothing_known)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, *, nothing_known: bool) -> None:
        if self._free:
            self._free -= 1
            return
        rank = self._clock() - (HEAD_START_SECONDS if nothing_known else 0.0)
        handed_over = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (rank, next(self._numbers), handed_over))
        try:
            await handed_over
        except asyncio.CancelledError:
            # It may have been handed over in the very moment in which this was cancelled.
            if handed_over.done() and not handed_over.cancelled():
                self._release()
            raise

    def _release(self) -> None:
        while self._waiting:
            _, _, handed_over = heapq.heappop(self._waiting)
            if not handed_over.done():
                handed_over.set_result(None)
                return
        self._free += 1
