"""Answers that were given a moment ago, kept for who asks the same again.

By content: the key is the whole request, with filters and ranking, and the models that answer. So
nobody is given what another's filters let through. What was written meanwhile is seen when the
entry is too old, which is why the time to live is short. An answer that was on its way when all was
forgotten is of before, and is not kept.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["QueryCache"]

T = TypeVar("T")


class QueryCache(Generic[T]):
    """At most `most` answers, none older than `seconds`; 0 of either keeps nothing."""

    def __init__(self, *, most: int, seconds: float, clock: Callable[[], float]) -> None:
        """`clock` tells seconds that only grow."""
        if most < 0 or not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError(f"a cache of {most} answers for {seconds} s: neither may be below 0")
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._kept: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()
        self.generation = 0
        """How often all was forgotten: to be read before an answer is looked for."""
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def most(self) -> int:
        """How many answers are kept at most."""
        return self._most

    def get(self, key: Hashable) -> T | None:
        """What was put under this key, unless it is too old."""
        kept = self._kept.get(key)
        if kept is None or self._clock() - kept[0] >= self._seconds:
            self._kept.pop(key, None)
            self.misses += 1
            return None
        self._kept.move_to_end(key)
        self.hits += 1
        return kept[1]

    def put(self, key: Hashable, answer: T, *, generation: int) -> None:
        """Keep what was begun in this generation; who was not asked for longest makes room."""
        if not self._most or not self._seconds or generation != self.generation:
            return
        self._kept[key] = (self._clock(), answer)
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget all, such as after the memory was restored or rebuilt."""
        self._kept.clear()
        self.generation += 1
