"""How a failure ended, as far as its resource tells."""

from __future__ import annotations

from kausa.memory.records import FailureOutcome
from kausa.resources.condition import RESOLVED, ConditionStatus, find_condition
from kausa.resources.failure_diagnosis import FailureDiagnosis

__all__ = ["outcome_of", "outcome_when_deleted"]


def outcome_of(resource: FailureDiagnosis) -> FailureOutcome:
    """Resolved as long as its condition says so; a relapse opens it again."""
    conditions = resource.status.conditions if resource.status is not None else None
    resolved = find_condition(conditions or (), RESOLVED)
    over = resolved is not None and resolved.status is ConditionStatus.TRUE
    return "Resolved" if over else "Open"


def outcome_when_deleted(
    outcome: FailureOutcome, *, target_is_there: bool | None
) -> FailureOutcome:
    """What becomes of a failure whose resource is gone.

    One that was over stays so. One that was open went with its workload, which somebody took away
    or replaced (Superseded), or a person did not want to see it any more (Dismissed). Where nobody
    can tell, it went with its workload: that is what resources do by themselves.
    """
    if outcome != "Open":
        return outcome
    return "Dismissed" if target_is_there else "Superseded"
