"""Servers that say how long they want to be left alone: `Retry-After`, in seconds or as a date."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

__all__ = ["LONGEST_WAIT_SECONDS", "AskedToWait", "heed_retry_after", "retry_after_seconds"]

LONGEST_WAIT_SECONDS: Final = 600.0
"""A quota of a day is asked for a few times an hour, which costs nothing: it may be raised."""
_BUSY: Final = frozenset(
    {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE, 529}  # "overloaded"
)
_SECONDS: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")


class AskedToWait(Exception):
    """The server refused a request for now, and said for how long."""

    def __init__(self, *, status: int, seconds: float) -> None:
        super().__init__(f"HTTP status {status}, asked to wait for {seconds:.0f} seconds")
        self.status = status
        self.seconds = seconds


async def heed_retry_after(response: httpx.Response) -> None:
    """A response hook of httpx, as a library in between keeps the header to itself.

    Raises:
        AskedToWait: the server is busy and says for how long.
    """
    if response.status_code in _BUSY:
        seconds = retry_after_seconds(response.headers.get("retry-after", ""))
        if seconds is not None:
            raise AskedToWait(status=response.status_code, seconds=seconds)


def retry_after_seconds(
    value: str, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> float | None:
    """Return how long the header asks to wait, bounded; None where it says nothing."""
    value = value.strip()[:64]
    if _SECONDS.fullmatch(value):
        wait = float(value)
    else:
        try:
            date = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        wait = (date.replace(tzinfo=date.tzinfo or UTC) - now()).total_seconds()
    return min(max(wait, 0.0), LONGEST_WAIT_SECONDS)
