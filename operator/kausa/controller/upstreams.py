"""Failures further up that nobody reports by themselves: a quota that keeps workloads out; pure."""

from __future__ import annotations

from msgspec.structs import replace

from kausa.cluster.owners import Owner
from kausa.detection.symptom import Symptom
from kausa.resources.category import Category

__all__ = ["CONSEQUENCES", "quota_symptom"]

CONSEQUENCES = frozenset({Category.ROLLOUT, Category.JOB})
"""What a workload says of itself because its Pods fail, which say why."""


def quota_symptom(symptom: Symptom, *, quota: Owner) -> tuple[Symptom, Symptom]:
    """The quota's own failure, one for all that it keeps out; and the symptom, pointing to it."""
    if symptom.caused_by is None:
        return symptom, symptom
    own = replace(
        symptom,
        reason_class="ExceededQuota",
        detail="",
        container=None,
        caused_by=None,
    )
    return own, replace(symptom, caused_by=replace(symptom.caused_by, uid=quota.uid))
