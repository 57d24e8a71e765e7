"""Conditions exactly as Kubernetes knows them (metav1.Condition), and how one is set.

A condition names a state (Diagnosed), never a transition; `lastTransitionTime` is when its status
last changed, so it survives every rewrite that keeps the status.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from kausa.resources import limits
from kausa.resources.fields import Int64, Items, Text, Timestamp
from kausa.resources.part import Part

__all__ = [
    "DIAGNOSED",
    "EVIDENCE_GATHERED",
    "INDEXED",
    "MEMORY_RECALLED",
    "MODEL_CONSULTED",
    "RESOLVED",
    "SUSPICIOUS_TEXT",
    "Condition",
    "ConditionStatus",
    "Conditions",
    "find_condition",
    "set_condition",
]

DIAGNOSED: Final = "Diagnosed"
EVIDENCE_GATHERED: Final = "EvidenceGathered"
MEMORY_RECALLED: Final = "MemoryRecalled"
MODEL_CONSULTED: Final = "ModelConsulted"
RESOLVED: Final = "Resolved"
SUSPICIOUS_TEXT: Final = "SuspiciousText"
"""Only where a model was asked, and text was seen that reads like an instruction to it."""
INDEXED: Final = "Indexed"
"""The condition of a Runbook; the others are a FailureDiagnosis'."""

# As metav1.Condition declares them.
TYPE_PATTERN: Final = (
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
)
REASON_PATTERN: Final = r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Part):
    """One state that the resource is or is not in."""

    type: Annotated[str, Field(max_length=limits.CONDITION_TYPE, pattern=TYPE_PATTERN)]
    """What the condition is about, such as Diagnosed."""

    status: ConditionStatus
    """Whether it holds: True, False or Unknown."""

    observed_generation: Int64 | None = None
    """The metadata.generation that the condition was set from."""

    last_transition_time: Timestamp
    """When the status last changed."""

    reason: Annotated[
        str, Field(min_length=1, max_length=limits.CONDITION_REASON, pattern=REASON_PATTERN)
    ]
    """Why, in one word for programs."""

    message: Annotated[str, Text(limits.CONDITION_MESSAGE)]
    """Why, in a sentence for people; may be empty."""


Conditions = Annotated[tuple[Condition, ...], Items(limits.CONDITIONS, kind="map", keys=("type",))]


def find_condition(conditions: Iterable[Condition], type: str) -> Condition | None:
    """The condition of that type, if it was ever set."""
    return next((condition for condition in conditions if condition.type == type), None)


def set_condition(
    conditions: Iterable[Condition],
    *,
    type: str,
    status: ConditionStatus,
    reason: str,
    message: str,
    now: datetime,
    observed_generation: int | None = None,
) -> tuple[Condition, ...]:
    """The conditions with this one set, in its old place or at the end.

    Its last transition is `now` only where its status changed; metav1.Time has whole seconds.
    """
    known = tuple(conditions)
    before = find_condition(known, type)
    kept = before is not None and before.status == status
    after = Condition(
        type=type,
        status=status,
        observed_generation=observed_generation,
        last_transition_time=(
            before.last_transition_time if before and kept else now.replace(microsecond=0)
        ),
        reason=reason,
        message=message,
    )
    if before is None:
        return (*known, after)
    return tuple(after if condition is before else condition for condition in known)
