"""What a person is told while a command waits for a part of the memory that is away."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from kausa.memory.waiting import Waiting

__all__ = ["WaitingTeller"]

AGAIN_SECONDS = 15.0


class WaitingTeller:
    """Says at once what is waited for and until when, and again every quarter of a minute."""

    def __init__(
        self,
        *,
        command: str,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        """`command` begins each line; `say` writes one, for standard error."""
        self._command = command
        self._say = say
        self._clock = clock
        self._now = now
        self._said: dict[str, float] = {}
        """When something was said of a part."""

    def __call__(self, waiting: Waiting) -> None:
        """Say it, unless it was said of this part a moment ago."""
        moment = self._clock()
        said = self._said.get(waiting.part)
        if said is not None and moment - said < AGAIN_SECONDS:
            return
        self._said[waiting.part] = moment
        until = self._now() + timedelta(seconds=waiting.left_seconds)
        self._say(
            f"{self._command}: waiting until {until:%H:%M:%S} at most "
            f"({waiting.left_seconds:.0f} s): {waiting.why}"
        )
