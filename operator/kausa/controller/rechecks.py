"""Objects that are judged again though nothing changed: a grace period ends, a notice grows old."""

from __future__ import annotations

import heapq
from datetime import datetime
from typing import Generic, TypeVar

__all__ = ["Rechecks"]

T = TypeVar("T")
MOST = 50_000


class Rechecks(Generic[T]):
    """The newest state of each object that time alone may make sick or well; bounded."""

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._waiting: dict[str, tuple[datetime, T]] = {}
        self._heap: list[tuple[datetime, str]] = []
        self.dropped = 0
        """How many found no room: they are judged again with their next change or list."""

    def __len__(self) -> int:
        return len(self._waiting)

    def get(self, uid: str) -> T | None:
        """The object that waits under this uid."""
        found = self._waiting.get(uid)
        return found[1] if found is not None else None

    def all(self) -> tuple[T, ...]:
        """Everything that waits."""
        return tuple(found for _, found in self._waiting.values())

    def set(self, uid: str, found: T, at: datetime | None) -> None:
        """Judge this state again then; None where no time can change it."""
        if at is None:
            self._waiting.pop(uid, None)
            return
        if uid not in self._waiting and len(self._waiting) >= self._most:
            self.dropped += 1
            return
        known = self._waiting.get(uid)
        self._waiting[uid] = (at, found)
        if known is None or known[0] != at:
            heapq.heappush(self._heap, (at, uid))
            self._compact()

    def forget(self, uid: str) -> None:
        """The object is gone."""
        self._waiting.pop(uid, None)

    def due(self, now: datetime, *, most: int = MOST) -> list[T]:
        """What is to be judged now, at most so many; it is forgotten until it is set again."""
        found: list[T] = []
        while self._heap and self._heap[0][0] <= now and len(found) < most:
            at, uid = heapq.heappop(self._heap)
            waiting = self._waiting.get(uid)
            if waiting is not None and waiting[0] == at:
                del self._waiting[uid]
                found.append(waiting[1])
        return found

    def _compact(self) -> None:
        """A time that was replaced stays in the heap; not more of them than there are objects."""
        if len(self._heap) > 2 * len(self._waiting) + 1_000:
            self._heap = [(at, uid) for uid, (at, _) in self._waiting.items()]
            heapq.heapify(self._heap)
