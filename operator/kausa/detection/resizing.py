"""Pods that were to be resized where they run, and cannot be; they go on with what they have."""

from __future__ import annotations

from kausa.detection.case import PodCase, shows, waits
from kausa.detection.graces import GRACES
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.resources.category import Category

__all__ = ["RESIZES", "resized"]

PENDING, UNDER_WAY = "PodResizePending", "PodResizeInProgress"
RESIZES = frozenset({PENDING, UNDER_WAY})
_FAILED = frozenset({(PENDING, "Infeasible"), (UNDER_WAY, "Error")})
"""A deferred resize waits for room on its node: it may yet come."""


def resized(case: PodCase) -> Verdict:
    """Its node can never give what it asks for now, or tried and failed."""
    for each in case.pod.status.conditions or ():
        if (each.type, each.reason) not in _FAILED or each.status != "True":
            continue
        wait = case.grace(each.last_transition_time, GRACES.resize)
        if wait is not None:
            return waits(wait)
        return shows(
            Symptom(
                category=Category.SCHEDULING if each.type == PENDING else Category.OTHER,
                reason=each.type,
                reason_class=each.type,
                detail=each.reason,
                message=each.message,
                since=each.last_transition_time,
                last_seen=each.last_transition_time,
            )
        )
    return HEALTHY
