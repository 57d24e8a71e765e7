"""Autoscalers that cannot scale: no metrics, no target, or not allowed to.

A young autoscaler has no metrics yet, and one whose target was scaled to nothing rests on purpose.
That it stands at its lowest or highest number is no failure.
"""

from __future__ import annotations

from datetime import datetime

from kausa.cluster.workloads import Condition, HorizontalPodAutoscaler
from kausa.detection.case import latest, newest, shows, waits
from kausa.detection.surroundings import Surroundings
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.detection.workloads.graces import GRACES
from kausa.detection.workloads.looking import condition, grace, notes_of
from kausa.resources.category import Category

__all__ = ["detect_autoscaler"]

_AT_REST = frozenset({"ScalingDisabled", "BackoffBoth", "BackoffDownscale", "BackoffUpscale"})
# What it cannot do first: without its target it has no metrics either.
_NEEDED = ("AbleToScale", "ScalingActive")


def detect_autoscaler(
    found: HorizontalPodAutoscaler, *, around: Surroundings, now: datetime
) -> Verdict:
    """What ails an autoscaler."""
    if found.metadata.deletion_timestamp is not None:
        return HEALTHY
    for type_ in _NEEDED:
        needed = condition(found.status.conditions, type_)
        if needed is not None and needed.status == "False" and needed.reason not in _AT_REST:
            return _cannot(found, needed, around=around, now=now)
    return HEALTHY


def _cannot(
    found: HorizontalPodAutoscaler, needed: Condition, *, around: Surroundings, now: datetime
) -> Verdict:
    begun = latest(needed.last_transition_time, found.metadata.creation_timestamp)
    wait = grace(begun, GRACES.no_metrics, now=now)
    if wait is not None:
        return waits(wait)
    note = newest(notes_of(around.notes, {needed.reason}))
    target = found.spec.scale_target_ref
    named = f" (scale target {target.kind}/{target.name})" if target.name else ""
    reason = needed.reason or needed.type
    return shows(
        Symptom(
            category=Category.AUTOSCALING,
            reason=reason,
            reason_class=reason,
            # Metrics of several Pods are missed in turn: the message is no part of identity.
            detail="",
            message=f"{needed.message}{named}",
            since=needed.last_transition_time or begun,
            last_seen=latest(needed.last_transition_time, note.last_seen if note else None),
            occurrences=max(1, note.count) if note is not None else 1,
        )
    )
