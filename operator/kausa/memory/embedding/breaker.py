"""When to ask again: pure decisions about time, apart from whoever asks.

`Backoff` spreads one caller's attempts, with full jitter, so that a worker that comes back is not
met by all its clients in step. `Breaker` is shared by all callers of one worker: after some
failures in a row it is left alone, for half a second first and five at most, and then one of the
callers tries for all. A worker that is well again goes unused for no longer than that.
"""

from __future__ import annotations

import random
from collections.abc import Callable

__all__ = ["Backoff", "Breaker"]


class Backoff:
    """The pauses between the attempts of one call, each a random part of twice the one before."""

    def __init__(
        self,
        *,
        first_seconds: float = 0.1,
        longest_seconds: float = 2.0,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._bound = first_seconds
        self._longest = longest_seconds
        self._uniform = uniform

    def next_seconds(self, *, at_least: float = 0.0) -> float:
        """How long to wait now; `at_least` is what the server asked for, jitter comes on top."""
        pause = at_least + self._uniform(0.0, self._bound)
        self._bound = min(self._longest, self._bound * 2)
        return pause


class Breaker:
    """Closed while all is well; open for a pause after failures; then one trial at a time.

    Every `wait_seconds` that answered 0 is followed by exactly one of `succeeded`, `failed` and
    `abandoned`.
    """

    def __init__(
        self,
        *,
        failures_to_open: int = 5,
        first_pause_seconds: float = 0.5,
        longest_pause_seconds: float = 5.0,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._to_open = failures_to_open
        self._first_pause = first_pause_seconds
        self._longest_pause = longest_pause_seconds
        self._uniform = uniform
        self._failures = 0
        self._pause = first_pause_seconds
        self._opens_at = 0.0
        self._trial = False

    @property
    def is_open(self) -> bool:
        """Whether it failed so often in a row that callers are held back."""
        return self._failures >= self._to_open

    def wait_seconds(self, now: float) -> float:
        """0 where the caller may ask now; otherwise how long until it should look again."""
        if not self.is_open:
            return 0.0
        if now < self._opens_at:
            return self._opens_at - now
        if self._trial:
            return self._first_pause
        self._trial = True
        return 0.0

    def succeeded(self) -> None:
        """The worker answered, be it with a refusal: it lives."""
        self._failures = 0
        self._pause = self._first_pause
        self._trial = False

    def failed(self, now: float) -> None:
        """It could not be reached, or said that it cannot work."""
        self._failures += 1
        was_trial, self._trial = self._trial, False
        if self._failures == self._to_open or was_trial:
            # Some of it is random: several operators shall not try at the same moment.
            self._opens_at = now + self._uniform(self._pause / 2, self._pause)
            self._pause = min(self._longest_pause, self._pause * 2)

    def abandoned(self) -> None:
        """The caller left before it knew; somebody else may try."""
        self._trial = False
