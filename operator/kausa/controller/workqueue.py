"""A queue of keys where the newest value of a key replaces an older one that still waits.

As in any level-triggered controller: a Pod that changes ten times while it waits is looked at once,
and one key is never worked on twice at the same time. Bounded; what is dropped is counted.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Generic, TypeVar

__all__ = ["WorkQueue"]

T = TypeVar("T")


class WorkQueue(Generic[T]):
    """For one event loop; `put` never waits, `take` waits for work."""

    def __init__(self, *, size: int) -> None:
        self._size = size
        self._waiting: OrderedDict[str, T] = OrderedDict()
        self._in_work: set[str] = set()
        self._held_back: OrderedDict[str, T] = OrderedDict()
        self._ready = asyncio.Condition()
        self.dropped = 0
        """How many keys were pushed out because the queue was full."""

    def __len__(self) -> int:
        return len(self._waiting) + len(self._held_back)

    async def put(self, key: str, value: T) -> None:
        """Queue a key, or replace the value that waits for it."""
        async with self._ready:
            target = self._held_back if key in self._in_work else self._waiting
            target[key] = value
            if len(self) > self._size:
                (self._waiting or self._held_back).popitem(last=False)
                self.dropped += 1
            self._ready.notify()

    async def take(self) -> tuple[str, T]:
        """The key that has waited longest; call `done` when its work is finished."""
        async with self._ready:
            while not self._waiting:
                await self._ready.wait()
            key, value = self._waiting.popitem(last=False)
            self._in_work.add(key)
            return key, value

    async def done(self, key: str) -> None:
        """Finish a key; if it changed meanwhile, it is queued again."""
        async with self._ready:
            self._in_work.discard(key)
            if key in self._held_back:
                self._waiting[key] = self._held_back.pop(key)
                self._ready.notify()
