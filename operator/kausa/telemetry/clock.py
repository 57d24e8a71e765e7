"""The clock of the wall, always in UTC; durations are measured with time.monotonic instead."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["utc_now"]


def utc_now() -> datetime:
    """This moment, with its time zone."""
    return datetime.now(UTC)
