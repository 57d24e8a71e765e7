"""The pace of a watch: when the next try may begin, and what is said about it.

No end of a watch may become a hot loop: one that came quickly is followed by a pause with full
jitter, and the pauses grow for as long as nothing is delivered. A watch that delivered before it
was cut is no failure; it is resumed, and the trouble before it is over with its first line.
"""

from __future__ import annotations

import asyncio
import random
import time

from kausa.cluster.errors import ApiUnreachableError, ClusterError
from kausa.telemetry.logs import get_logger
from kausa.telemetry.trouble import Trouble

__all__ = ["Pace"]

STEADY_SECONDS = 5.0
"""A watch that lasted this long did not end at once."""
FIRST_BACKOFF_SECONDS = 0.1
LONGEST_BACKOFF_SECONDS = 30.0

_logger = get_logger("kausa.cluster.watch")


class Pace:
    """Is told how each try of one watch goes, and waits as long as that calls for."""

    def __init__(self, *, kind: str) -> None:
        self._kind = kind
        self._trouble = Trouble(
            _logger,
            failed="Watch failed, trying again until it is back",
            recovered="Watch is back",
        )
        self._listed = False
        self._watched_since: float | None = None
        self._delivered = False
        self._proven = False
        """Whether the version of the last list has led to a watch that worked."""
        self._expiries = 0
        """How often in a row a list had expired before it was of any use."""

    def begins(self) -> None:
        """A try begins."""
        self._listed, self._watched_since, self._delivered = False, None, False

    def listed(self) -> None:
        """A whole list was delivered."""
        self._listed, self._proven = True, False
        if not self._expiries:
            self._trouble.over(kind=self._kind)

    def watches(self) -> None:
        """The watch is asked for."""
        self._watched_since = time.monotonic()

    def delivers(self) -> None:
        """The watch brought a line that says something."""
        if not self._delivered:
            self._delivered = self._proven = True
            self._trouble.over(kind=self._kind)

    async def ended(self) -> None:
        """The watch ended without an error: when its time was over, or because it was cut."""
        if self._quick():
            await self.failed(ApiUnreachableError("The API server ended the watch at once."))
        else:
            self._steady()
            self._trouble.over(kind=self._kind)

    async def failed(self, error: ClusterError) -> None:
        """The list or the watch failed."""
        if not self._quick():
            self._steady()
        if not self._delivered:
            self._trouble.happened(error, kind=self._kind)
        await self._pause()

    async def expired(self, error: ClusterError) -> None:
        """The version is too old: normal after a gap. Where a list has just been made, the next
        one would fare no better, and lists are what costs an API server most.
        """
        while_listing = self._watched_since is None
        if while_listing or (self._quick() and (self._listed or not self._proven)):
            self._expiries += 1
            self._trouble.happened(error, kind=self._kind)
            await self._pause()
        else:
            self._steady()
            _logger.info("Watch expired, listing again", kind=self._kind)

    def _quick(self) -> bool:
        since = self._watched_since
        return since is None or time.monotonic() - since < STEADY_SECONDS

    def _steady(self) -> None:
        self._proven = True
        self._expiries = 0

    async def _pause(self) -> None:
        failures = max(self._trouble.failures, self._expiries)
        ceiling = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** min(failures, 12))
        await asyncio.sleep(random.uniform(0, ceiling))  # noqa: S311 - spreads load, no secret
