"""Passages that are read when nobody waits, so that the embedder knows them the next time.

One reading at a time, and none while anybody searches: on two CPUs even a reading of low priority
would keep a question waiting for the batch that has begun. A search that comes in between ends the
reading; what was read of it is known, and the rest is read afterwards. Under a load without pauses
nothing is read here, and passages become known by and by, by those that the answers do read.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from kausa.memory.errors import MemoryUnavailableError

__all__ = ["BEHIND_SECONDS", "Behind", "forget"]

BEHIND_SECONDS = 5.0
"""How long a reading that nobody waits for may take."""
AT_ONCE = 16
"""Passages of one reading."""
MOST_WAITING = 128
"""Readings; those that come first are the last to be forgotten."""
NO_QUESTION = "What fails, and why?"
"""Asked where nobody asked: only what it is held against is wanted."""

Read = Callable[[str, Sequence[str]], Awaitable[None]]


class Behind:
    """Readings that wait for a moment in which nobody searches."""

    def __init__(self, *, read: Read, after_seconds: float) -> None:
        self._read = read
        self._after = after_seconds
        self._waiting: deque[tuple[str, Sequence[str]]] = deque()
        self._searches = 0
        self._running: asyncio.Task[None] | None = None
        self._closed = False

    def next(self, query: str, passages: Sequence[str]) -> None:
        """Read these before all that waits: somebody asked for them."""
        self._waiting.appendleft((query, passages))
        while len(self._waiting) > MOST_WAITING:
            self._waiting.pop()
        self._begin()

    def last(self, passages: Sequence[str]) -> None:
        """Read these after all that waits, or not at all where that is too much already."""
        for start in range(0, len(passages), AT_ONCE):
            if len(self._waiting) < MOST_WAITING:
                self._waiting.append((NO_QUESTION, passages[start : start + AT_ONCE]))
        self._begin()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Read nothing meanwhile; what is being read is taken back."""
        self._searches += 1
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
        try:
            yield
        finally:
            self._searches -= 1
            self._begin()

    async def idle(self) -> None:
        """Wait until nothing is left to be read, or somebody searches."""
        if self._running is not None:
            await asyncio.wait((self._running,))

    async def close(self) -> None:
        """End what goes on, and forget what waits."""
        self._closed = True
        self._waiting.clear()
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.wait((running,))

    def _begin(self) -> None:
        runs = self._running is not None and not self._running.done()
        if self._waiting and not (self._searches or runs or self._closed):
            self._running = asyncio.create_task(self._read_all(), name="read-behind-the-answers")
            self._running.add_done_callback(forget)

    async def _read_all(self) -> None:
        await asyncio.sleep(self._after)
        while self._waiting:
            reading = self._waiting.popleft()
            try:
                await self._read(*reading)
            except asyncio.CancelledError:
                self._waiting.appendleft(reading)
                raise
            except MemoryUnavailableError:
                # They are read when they are found again.
                self._waiting.clear()


def forget(task: asyncio.Task[Any]) -> None:
    """Take the outcome, so that nobody warns that it was never looked at."""
    if not task.cancelled():
        task.exception()
