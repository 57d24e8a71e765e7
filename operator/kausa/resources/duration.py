"""Durations as Go and Kubernetes write them, in hours, minutes and seconds: 168h, 1h30m, 45s."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from kausa.resources import limits

__all__ = ["Duration"]

# A subset of Go's: no fractions and no unit below a second, which a time to live has no use for.
PATTERN: Final = r"^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$"

Duration = Annotated[str, Field(min_length=2, max_length=limits.DURATION, pattern=PATTERN)]
