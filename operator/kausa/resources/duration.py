"""Durations as Go and Kubernetes write them, in hours, minutes and seconds: 168h, 1h30m, 45s."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import Field

from kausa.resources import limits

__all__ = ["Duration", "parse_duration"]

# A subset of Go's: no fractions and no unit below a second, which a time to live has no use for.
PATTERN: Final = r"^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$"

Duration = Annotated[str, Field(min_length=2, max_length=limits.DURATION, pattern=PATTERN)]


def parse_duration(text: str) -> timedelta:
    """How long that is.

    Raises:
        ValueError: the text is no duration.
    """
    found = re.fullmatch(PATTERN, text)
    if not text or found is None:
        raise ValueError(f"{text!r} is no duration; write hours, minutes, seconds, such as 1h30m")
    hours, minutes, seconds = (int(part[:-1]) if part else 0 for part in found.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)
