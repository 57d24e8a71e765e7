"""Failures that are being opened just now, and those who let them go first.

In a storm the API server and this process have both to do with dozens of new failures. That each
has its resource at once is what people look at; why it fails may come a moment later. A diagnosis
reads some eighty objects, as many as twenty openings do, so it begins when nothing is being opened;
but it never waits long, because a cluster in which something always begins to fail is a usual one.
Where a whole crowd is being opened it waits longer: then each diagnosis that begins makes scores of
others wait for the resource that says at least that something fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["Openings"]

LONGEST_WAIT_SECONDS = 4.0
CROWD = 32
"""So many at once are an outage, whatever else there is to do."""
LONGEST_WAIT_FOR_A_CROWD_SECONDS = 20.0
QUIET_SECONDS = 0.25
"""Owners that fail together begin within a few tenths of a second of each other."""


class Openings:
    """For one event loop; nothing of it outlives the process."""

    def __init__(
        self,
        *,
        longest_wait_seconds: float = LONGEST_WAIT_SECONDS,
        longest_wait_for_a_crowd_seconds: float = LONGEST_WAIT_FOR_A_CROWD_SECONDS,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self._longest_wait_seconds = longest_wait_seconds
        self._longest_wait_for_a_crowd_seconds = longest_wait_for_a_crowd_seconds
        self._quiet_seconds = quiet_seconds
        self._now = self._begun = 0
        self._none = asyncio.Event()
        self._none.set()

    @contextmanager
    def one(self) -> Iterator[None]:
        """A failure is being opened for as long as this lasts."""
        self._now += 1
        self._begun += 1
        self._none.clear()
        try:
            yield
        finally:
            self._now -= 1
            if not self._now:
                self._none.set()

    async def over(self) -> None:
        """Wait until nothing is being opened, unless that takes too long; where several are, until
        nothing has begun for a moment either.
        """
        if not self._now:
            return
        together = self._now > 1
        with suppress(TimeoutError):
            async with asyncio.timeout(self._longest()):
                while True:
                    await self._none.wait()
                    begun = self._begun
                    if together:
                        await asyncio.sleep(self._quiet_seconds)
                    if not self._now and begun == self._begun:
                        return

    def _longest(self) -> float:
        """How long to wait now, in seconds."""
        if self._now < CROWD:
            return self._longest_wait_seconds
        return self._longest_wait_for_a_crowd_seconds
