"""What a person wrote under `spec.feedback`, as the memory counts it.

The resource is the truth: a record keeps which verdict is counted, so the same feedback counts once
however often it is read, another verdict takes the place of the first, and none takes it back.
"""

from __future__ import annotations

from dataclasses import replace

from kausa.memory.records import FailureRecord
from kausa.resources.spec import Feedback

__all__ = ["with_feedback"]


def with_feedback(record: FailureRecord, feedback: Feedback | None) -> FailureRecord:
    """The record with the verdict; a person's words on what helped go before what we found."""
    if feedback is None:
        return replace(record, verdict=None)
    told = (feedback.resolution or "").strip()
    return replace(record, verdict=feedback.verdict.value, resolution=told or record.resolution)
