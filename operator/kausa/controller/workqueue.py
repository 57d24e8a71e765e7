"""A queue of keys where the newest value of a key takes in an older one that still waits.

As in any level-triggered controller: a Pod that changes ten times while it waits is looked at once,
one key is never worked on twice at the same time, and a key that failed comes again later, without
holding a worker meanwhile and only if nothing newer of it came. Bounded; drops are counted.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, TypeVar

from kausa.telemetry.doubling import Doubling

__all__ = ["WorkQueue"]

T = TypeVar("T")
FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 60.0


class WorkQueue(Generic[T]):
    """For one event loop: `put` never waits, `take` waits for work."""

    def __init__(
        self,
        *,
        size: int,
        merge: Callable[[T, T], T],
        first_retry_seconds: float = FIRST_RETRY_SECONDS,
    ) -> None:
        """`merge(older, newer)` makes one value of two that wait for one key."""
        self._size = size
        self._merge = merge
        self._retries = Doubling(
            first_seconds=first_retry_seconds, longest_seconds=LONGEST_RETRY_SECONDS
        )
        self._waiting: OrderedDict[str, T] = OrderedDict()
        self._in_work: set[str] = set()
        self._held_back: OrderedDict[str, T] = OrderedDict()
        self._gone: set[str] = set()
        self._failures: dict[str, int] = {}
        self._timers: dict[str, tuple[asyncio.TimerHandle, T]] = {}
        self._takers: deque[asyncio.Future[None]] = deque()
        """Who waits for work: one is woken for each key, and the others sleep on."""
        self.on_forget: Callable[[str], None] = lambda key: None
        """Told of every key that is not worth any work any more."""
        self.dropped = 0
        """How many keys were pushed out because the queue was full."""

    def __len__(self) -> int:
        return len(self._waiting) + len(self._held_back)

    def put(self, key: str, value: T) -> None:
        """Queue a key, or add to the value that waits for it."""
        retried = self._cancel_retry(key) if self._timers else None
        if key in self._in_work:
            self._gone.discard(key)
            target = self._held_back
        else:
            target = self._waiting
        older = target.get(key)
        if older is not None:
            value = self._merge(older, value)
        if retried is not None:
            value = self._merge(retried, value)
        target[key] = value
        if older is None:
            self._has_grown()

    def _has_grown(self) -> None:
        if len(self) > self._size:
            (self._waiting or self._held_back).popitem(last=False)
            self.dropped += 1
        self._wake_one()

    def _wake_one(self) -> None:
        takers = self._takers
        while takers:
            taker = takers.popleft()
            if not taker.done():
                taker.set_result(None)
                return

    def forget(self, key: str) -> None:
        """The thing is gone: what waits for it is not worth any work."""
        self._cancel_retry(key)
        self._failures.pop(key, None)
        self._waiting.pop(key, None)
        self._held_back.pop(key, None)
        if key in self._in_work:
            self._gone.add(key)
        self.on_forget(key)

    async def take(self) -> tuple[str, T]:
        """The key that has waited longest; call `done` or `failed` when its work is finished."""
        while not self._waiting:
            taker = asyncio.get_running_loop().create_future()
            self._takers.append(taker)
            try:
                await taker
            except asyncio.CancelledError:
                if self._waiting and taker.done() and not taker.cancelled():
                    self._wake_one()  # It was woken for a key that another one is to take now.
                raise
        key, value = self._waiting.popitem(last=False)
        self._in_work.add(key)
        return key, value

    def done(self, key: str) -> None:
        """Finish a key; if it changed meanwhile, it is queued again."""
        self._failures.pop(key, None)
        self._finish(key)

    def failed(self, key: str, value: T) -> None:
        """Finish a key that could not be worked on: it comes again, later each time."""
        gone, newer = key in self._gone, self._held_back.pop(key, None)
        self._finish(key)
        if newer is not None:
            value = self._merge(value, newer)
        if gone or len(self._timers) >= self._size:
            self.dropped += not gone
            self.on_forget(key)
            return
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        ceiling = self._retries.seconds(times=failures)
        delay = random.uniform(ceiling / 2, ceiling)  # noqa: S311 - spreads load, no secret
        loop = asyncio.get_running_loop()
        self._timers[key] = loop.call_later(delay, self._retry, key), value

    def _retry(self, key: str) -> None:
        _, value = self._timers.pop(key)
        self.put(key, value)

    def _finish(self, key: str) -> None:
        self._in_work.discard(key)
        self._gone.discard(key)
        if key in self._held_back:
            self._waiting[key] = self._held_back.pop(key)
            self._wake_one()

    def _cancel_retry(self, key: str) -> T | None:
        """Take the value back that would have come again."""
        timer, value = self._timers.pop(key, (None, None))
        if timer is not None:
            timer.cancel()
        return value
