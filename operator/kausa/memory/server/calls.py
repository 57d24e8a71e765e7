"""One call of the server: within a deadline, asked again while that may help, errors as our own.

Everything that the store asks can be asked twice: points are written by id, deleted by id or by
what they are, and a compare-and-set carries a mark of its own. So a request whose answer was lost
is repeated without a thought, after a random wait that grows (full jitter: who fail together do not
come back together), and not before the server wants to be asked.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.server.refusals import Refusal, refusal_of
from kausa.memory.waiting import OnWaiting, Waiting, nobody
from kausa.telemetry.doubling import Doubling
from kausa.telemetry.logs import get_logger

__all__ = ["Backoff", "Calls", "Deadline"]

_logger = get_logger("kausa.memory.server")
T = TypeVar("T")
LONGEST_ON_SERVER_SECONDS = 30
"""What we let the server work on one search: its strict mode refuses more."""
BOUNDS = Doubling(first_seconds=0.1, longest_seconds=10.0)


class Deadline:
    """A moment of the loop's clock until which something must be done."""

    def __init__(self, seconds: float) -> None:
        self._clock: Callable[[], float] = asyncio.get_running_loop().time
        self.seconds = seconds
        self._at = self._clock() + seconds

    @property
    def remaining(self) -> float:
        """Seconds left; 0 when it is over."""
        return max(0.0, self._at - self._clock())

    @property
    def on_server(self) -> int:
        """Whole seconds that the server may take for one request."""
        return max(1, min(LONGEST_ON_SERVER_SECONDS, math.ceil(self.remaining)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait before the n-th repetition: anything from 0 to a bound that doubles."""

    bounds: Doubling = BOUNDS

    def wait(self, repetition: int, *, after_seconds: float | None, chance: float) -> float:
        """Seconds; `chance` is from 0 to 1. Never less than the server asks for."""
        return (after_seconds or 0.0) + chance * self.bounds.seconds(times=repetition)


class Calls:
    """Makes calls of one server."""

    def __init__(
        self,
        *,
        at: str,
        backoff: Backoff | None = None,
        chance: Callable[[], float] = random.random,
        on_waiting: OnWaiting = nobody,
    ) -> None:
        """`on_waiting` is told before each pause after which a call is made again."""
        self.at = at
        self._backoff = backoff or Backoff()
        self._chance = chance
        self._on_waiting = on_waiting

    async def __call__(
        self,
        request: Callable[[], Awaitable[T]],
        *,
        doing: str,
        deadline: Deadline,
        writes: bool = False,
    ) -> T:
        """What the request answers, in the end.

        Raises `MemoryUnavailableError` and `InvalidRecordError`.
        """
        repetition = 0
        last: Refusal | None = None
        while True:
            try:
                async with asyncio.timeout(deadline.remaining) as timeout:
                    return await request()
            except TimeoutError as error:
                if not timeout.expired():
                    raise
                raise self._out_of_time(last, doing=doing, deadline=deadline) from error
            except Exception as error:
                last = refusal_of(error, doing=doing, at=self.at, writes=writes)
                wait = self._backoff.wait(
                    repetition, after_seconds=last.after_seconds, chance=self._chance()
                )
                if not last.passing or wait >= deadline.remaining:
                    raise last.error from error
            _logger.debug("Asking the server again", doing=doing, wait=wait, error=str(last.error))
            left = deadline.remaining
            self._on_waiting(Waiting(part="store", why=str(last.error), left_seconds=left))
            await asyncio.sleep(wait)
            repetition += 1

    def _out_of_time(
        self, last: Refusal | None, *, doing: str, deadline: Deadline
    ) -> MemoryUnavailableError:
        if last is not None and isinstance(last.error, MemoryUnavailableError):
            # Why it had to be asked again says more than that time ran out.
            return last.error
        return MemoryUnavailableError(
            f"{self.at}, {doing}: no answer within {deadline.seconds:g} s",
            reason="DeadlineExceeded",
        )
