"""What detection decides of one object at one moment."""

from __future__ import annotations

from datetime import datetime

import msgspec

from kausa.detection.symptom import Symptom

__all__ = ["HEALTHY", "Verdict"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The symptoms that an object shows now, and when time alone may change that.

    Level-triggered: the same object, surroundings and moment give the same verdict, whatever came
    before and in whatever order.
    """

    symptoms: tuple[Symptom, ...] = ()
    look_again_at: datetime | None = None
    """When a grace period ends or a notice grows old; None where only a change can change it."""


HEALTHY = Verdict()
