"""What waits for the model: two lines of texts, bounded in tokens together.

Bounded in tokens and not in texts, because tokens are what the model's time and memory go for. The
bulk line may fill three quarters; the rest is kept for those who wait for an answer, so that a
catch-up of thousands of failures does not turn a diagnosis away. Interactive texts go first, but
not for ever: after some batches in a row a bulk one comes in between.

Room is reserved before a text is tokenised, by a guess, and corrected afterwards: so the bound
holds for what is being tokenised, too, and a refusal costs nothing. Used on the event loop only.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["BULK_SHARE", "MAX_STREAK", "Item", "Priority", "Stage", "TokenQueue"]

Priority = Literal["interactive", "bulk"]
Stage = Literal["embed", "rerank"]
"""Which model the text is for; a batch is for one."""

BULK_SHARE = 0.75
"""Of the capacity, what bulk requests may fill."""
MAX_STREAK = 8
"""Interactive batches in a row while bulk texts wait."""


@dataclass(slots=True, eq=False, kw_only=True)
class Item:
    """One tokenised text that waits."""

    ids: NDArray[np.int64]
    types: NDArray[np.int64] | None
    """Which of two texts a token belongs to; None where there is one."""
    priority: Priority
    stage: Stage
    wants_tokens: bool
    """A vector for every token rather than one for the text."""
    deadline: float
    """In `time.monotonic()`; infinity where there is none."""
    answer: asyncio.Future[Any]
    since: float

    @property
    def tokens(self) -> int:
        """How long it is."""
        return len(self.ids)


class TokenQueue:
    """Texts in order of arrival, interactive ones before the others."""

    def __init__(self, *, capacity: int) -> None:
        self.capacity = capacity
        """In tokens."""
        self.used = 0
        """Tokens that wait or are reserved."""
        self._lines: dict[Priority, deque[Item]] = {"interactive": deque(), "bulk": deque()}
        self._streak = 0

    def __len__(self) -> int:
        return sum(len(line) for line in self._lines.values())

    def reserve(self, tokens: int, priority: Priority) -> bool:
        """Keep room for a request, or say that there is none."""
        share = 1.0 if priority == "interactive" else BULK_SHARE
        if self.used + tokens > self.capacity * share:
            return False
        self.used += tokens
        return True

    def correct(self, *, reserved: int, actual: int) -> None:
        """The texts are tokenised now: replace the guess by what they are. 0 gives it all back."""
        self.used += actual - reserved

    def push(self, item: Item) -> None:
        """Stand in line. Room was reserved before."""
        self._lines[item.priority].append(item)

    def next_window(self, limit: int, *, now: float) -> list[Item]:
        """Take texts of one line and one stage from the front, the oldest first.

        Those for which nobody waits, or whose deadline has passed, are dropped on the way: the
        latter get to know by their own timers. What is not used comes back by `put_back`.
        """
        line = self._next_line(now=now)
        window: list[Item] = []
        others: list[Item] = []
        while line and len(window) < limit and len(others) < limit:
            item = line.popleft()
            if item.answer.done() or item.deadline <= now:
                self.used -= item.tokens
            elif not window or item.stage == window[0].stage:
                window.append(item)
            else:
                others.append(item)
        line.extendleft(reversed(others))
        self.used -= sum(item.tokens for item in window)
        return window

    def put_back(self, items: list[Item]) -> None:
        """To the front again, in their order."""
        for item in reversed(items):
            self._lines[item.priority].appendleft(item)
            self.used += item.tokens

    def waits(self, priority: Priority) -> bool:
        """Whether this line has texts, living or not."""
        return bool(self._lines[priority])

    def clear(self) -> list[Item]:
        """Take everything out."""
        items = [item for line in self._lines.values() for item in line]
        for line in self._lines.values():
            line.clear()
        self.used -= sum(item.tokens for item in items)
        return items

    def _next_line(self, *, now: float) -> deque[Item]:
        for line in self._lines.values():
            while line and (line[0].answer.done() or line[0].deadline <= now):
                self.used -= line.popleft().tokens
        interactive, bulk = self._lines["interactive"], self._lines["bulk"]
        if interactive and not (bulk and self._streak >= MAX_STREAK):
            self._streak += 1
            return interactive
        self._streak = 0
        return bulk
