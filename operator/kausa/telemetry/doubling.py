"""How long to wait after the n-th failure in a row: twice as long each time, up to a bound.

It keeps no state. Who waits counts the failures, and adds chance where many wait for the same
thing. A loop that keeps its last pause in a variable is as simple without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["Doubling"]

_MOST_TIMES: Final = 30
"""Nobody counts for ever: 2.0 ** 1024 is no number any more, but an OverflowError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubling:
    """Seconds that double."""

    first_seconds: float
    longest_seconds: float

    def seconds(self, *, times: int) -> float:
        """Seconds after they were doubled so many times; 0 are the first."""
        return min(self.longest_seconds, self.first_seconds * 2.0 ** min(times, _MOST_TIMES))
