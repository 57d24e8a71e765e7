"""Deployments: Pods that may not be created, and rollouts that have stopped.

A rollout that moves is healthy however few of its Pods are available, and so is a paused one. One
that came to its end, or has no deadline for progress, fails where too few Pods are available for
long. Where Pods fail by themselves, theirs is the failure: that the rollout stops is what follows
from it.
"""

from __future__ import annotations

from datetime import datetime

from kausa.cluster.workloads import Condition, Deployment
from kausa.detection.case import later, latest, shows, waits
from kausa.detection.surroundings import Surroundings
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.detection.workloads.creation import refused
from kausa.detection.workloads.graces import GRACES
from kausa.detection.workloads.looking import condition, grace, notes_of, true_condition
from kausa.detection.workloads.refusals import is_passing
from kausa.resources.category import Category

__all__ = ["detect_deployment"]

DEADLINE = "ProgressDeadlineExceeded"
NO_REPLICA_SET = "ReplicaSetCreateError"
UNAVAILABLE = "MinimumReplicasUnavailable"
AT_ITS_END = "NewReplicaSetAvailable"
NO_DEADLINE = 2**31 - 1
"""In seconds: what Kubernetes takes for none, so that nothing is said of the progress."""


def detect_deployment(found: Deployment, *, around: Surroundings, now: datetime) -> Verdict:
    """What ails a Deployment as a whole."""
    if found.metadata.deletion_timestamp is not None:
        return HEALTHY
    conditions = found.status.conditions
    progress = condition(conditions, "Progressing")
    failure = true_condition(conditions, "ReplicaFailure")
    if failure is None and progress is not None and progress.status == "False":
        # Without a deadline for progress nothing is said of a ReplicaSet that is refused.
        failure = progress if progress.reason == NO_REPLICA_SET else None
    if failure is not None and found.spec.replicas != 0 and not is_passing(failure.message):
        return _refused(found, failure, around=around, now=now)
    if found.spec.paused or found.spec.replicas == 0:
        return HEALTHY
    if progress is not None and (progress.status, progress.reason) == ("False", DEADLINE):
        return _stopped(found, progress, around=around, now=now)
    if failure is None and _stands_still(found, progress):
        return _unavailable(found, around=around, now=now)
    return HEALTHY


def _refused(
    found: Deployment, failure: Condition, *, around: Surroundings, now: datetime
) -> Verdict:
    since = failure.last_transition_time
    wait = grace(since, GRACES.refused, now=now)
    if wait is not None:
        return waits(wait)
    reason = failure.reason or "FailedCreate"
    notes = notes_of(around.notes, {reason})
    return shows(
        refused(
            failure.message,
            namespace=found.metadata.namespace,
            reason=reason,
            since=since,
            last_seen=latest(since, failure.last_update_time, *(each.last_seen for each in notes)),
            occurrences=max((each.count for each in notes), default=1),
        )
    )


def _stopped(
    found: Deployment, progress: Condition, *, around: Surroundings, now: datetime
) -> Verdict:
    """Nothing has moved for longer than the Deployment allows, and no Pod says why."""
    again = later(now, GRACES.pods_settle)
    if around.failing_pods:
        return waits(again)
    available = _available(found)
    deadline = found.spec.progress_deadline_seconds
    within = f"progressDeadlineSeconds {deadline}, " if deadline is not None else ""
    return shows(
        Symptom(
            category=Category.ROLLOUT,
            reason=DEADLINE,
            reason_class=DEADLINE,
            # The ReplicaSet's name changes with every attempt at the rollout.
            detail="",
            message=f"{progress.message} ({within}{available})".strip(),
            since=progress.last_transition_time,
            last_seen=latest(progress.last_transition_time, progress.last_update_time),
        ),
        until=again,
    )


def _stands_still(found: Deployment, progress: Condition | None) -> bool:
    """Whether no rollout is under way: the last one came to its end, or none has a deadline."""
    if progress is not None:
        return progress.reason == AT_ITS_END
    deadline = found.spec.progress_deadline_seconds
    return deadline is None or deadline >= NO_DEADLINE


def _unavailable(found: Deployment, *, around: Surroundings, now: datetime) -> Verdict:
    """Too few Pods are available, no rollout is under way, and no Pod says why."""
    said = condition(found.status.conditions, "Available")
    if said is None or said.status != "False" or said.last_transition_time is None:
        return HEALTHY
    since = said.last_transition_time
    changed = latest(since, found.metadata.changed_at)
    settles, bears = (
        grace(changed, GRACES.stuck, now=now),
        grace(since, GRACES.unavailable, now=now),
    )
    if settles is not None and bears is not None:
        return waits(min(settles, bears))
    again = later(now, GRACES.pods_settle)
    if around.failing_pods:
        return waits(again)
    quiet = f"nothing has changed since {changed:%Y-%m-%d %H:%M:%S}"
    how = quiet if settles is None else f"too few since {since:%Y-%m-%d %H:%M:%S}"
    return shows(
        Symptom(
            category=Category.ROLLOUT,
            reason=said.reason or UNAVAILABLE,
            reason_class=UNAVAILABLE,
            detail="",
            message=f"{_available(found)}, {how}",
            since=since,
            last_seen=since,
        ),
        until=again,
    )


def _available(found: Deployment) -> str:
    replicas = 1 if found.spec.replicas is None else found.spec.replicas
    return f"{found.status.available_replicas} of {replicas} replicas are available"
