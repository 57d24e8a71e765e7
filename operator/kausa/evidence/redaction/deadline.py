"""When a look at a text has to end: what takes longer is withheld."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Deadline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A moment of a clock, in its seconds."""

    at: float
    clock: Callable[[], float]

    def check(self) -> None:
        """Raise where the moment has passed.

        Raises:
            TimeoutError: it has.
        """
        if self.clock() > self.at:
            raise TimeoutError("Looking for secrets took too long.")
