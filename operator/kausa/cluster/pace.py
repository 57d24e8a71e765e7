"""The pace of a watch: when the next try may begin, and whether the stream works.

No end of a watch may become a hot loop: one that came quickly is followed by a pause with full
jitter, and the pauses grow until a watch has lasted, whatever it delivered before it was cut. To
the log a watch that delivered is no failure: it is resumed, and the trouble before it is over.
A watch that is only silent was no failure either: many a small kind never changes, and the API
server sends no bookmarks for what has not changed since it started.
"""

from __future__ import annotations

import asyncio
import random
import time

from kausa.cluster.errors import ApiUnreachableError, ClusterError, ForbiddenError
from kausa.telemetry.doubling import Doubling
from kausa.telemetry.logs import get_logger
from kausa.telemetry.trouble import Trouble

__all__ = ["Pace"]

STEADY_SECONDS = 5.0
"""A watch that lasted this long did not end at once; a list this long ago is not the last try."""
BACKOFF = Doubling(first_seconds=0.1, longest_seconds=30.0)

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
        self._began = self.heard_at = time.monotonic()
        """`heard_at` is the last sign of life: a page of a list, an accepted watch, a line."""
        self.forbidden = False
        """Whether a missing permission is what is waited out now."""
        self._listing = True
        self._opened_at: float | None = None
        self._listed_at: float | None = None
        self._delivered = False
        self._failing_since: float | None = None
        self._attempts = 0
        """How many tries in a row ended before they had lasted."""

    @property
    def failing_since(self) -> float | None:
        """Since when (time.monotonic) the stream has not worked; None while it works."""
        return None if self._lasts() else self._failing_since

    # -- what happens ----------------------------------------------------------------------------

    def begins(self) -> None:
        """A try begins."""
        self._began = time.monotonic()
        self._opened_at = None
        self._listing, self._delivered = True, False

    def page(self) -> None:
        """A page of a list came."""
        self.heard_at = time.monotonic()
        self.forbidden = False

    def listed(self) -> None:
        """A whole list was delivered."""
        just_now = self._listed_recently()
        self._listed_at = time.monotonic()
        if not just_now:
            self._works()

    def watches(self) -> None:
        """The watch is asked for."""
        self._listing = False

    def opened(self) -> None:
        """The API server accepted the watch."""
        self.heard_at = self._opened_at = time.monotonic()
        self.forbidden = False

    def delivers(self) -> None:
        """The watch brought a line that says something."""
        self.heard_at = time.monotonic()
        if not self._delivered:
            self._delivered = True
            self._works()

    # -- how it ends -----------------------------------------------------------------------------

    async def ended(self) -> None:
        """The watch ended without an error: when its time was over, or because it was cut."""
        if self._lasts():
            self._lasted()
        else:
            await self.failed(ApiUnreachableError("The API server ended the watch at once."))

    async def failed(self, error: ClusterError) -> None:
        """The list or the watch failed."""
        if self._lasts():
            self._lasted()
        elif not self._delivered:
            self._happened(error)
        await self._pause()

    async def expired(self, error: ClusterError) -> None:
        """The version is too old: normal after a gap. Where a list has just been made, the next
        one would fare no better, and lists are what costs an API server most.
        """
        if self._lasts():
            self._lasted()
        elif self._listing or self._listed_recently():
            self._happened(error)
            await self._pause()
            return
        _logger.info("Watch expired, listing again", kind=self._kind)

    # -- inside ----------------------------------------------------------------------------------

    def _lasts(self) -> bool:
        return self._opened_at is not None and _since(self._opened_at) >= STEADY_SECONDS

    def _listed_recently(self) -> bool:
        return self._listed_at is not None and _since(self._listed_at) < STEADY_SECONDS

    def _lasted(self) -> None:
        self._attempts = 0
        self._works()

    def _works(self) -> None:
        self._failing_since = None
        self.forbidden = False
        self._trouble.over(kind=self._kind)

    def _happened(self, error: ClusterError) -> None:
        self.forbidden = isinstance(error, ForbiddenError)
        if self.failing_since is None:
            # An accepted watch worked until now; what was never answered has not since it began.
            opened = self._opened_at is not None
            self._failing_since = time.monotonic() if opened else self._began
        self._trouble.happened(error, kind=self._kind)

    async def _pause(self) -> None:
        self._attempts += 1
        ceiling = BACKOFF.seconds(times=self._attempts)
        await asyncio.sleep(random.uniform(0, ceiling))  # noqa: S311 - spreads load, no secret


def _since(moment: float) -> float:
    return time.monotonic() - moment
