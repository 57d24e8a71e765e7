"""StatefulSets: Pods or claims that may not be created, and sets that do not become ready.

A StatefulSet has no conditions and no deadline. It is stuck where Pods that it should have are not
ready, nothing of it has changed for ten minutes, and no Pod fails by itself. Kubernetes has no word
for that; it is called as a Deployment calls it. An update that a partition holds back is healthy:
that is how updates are staged.
"""

from __future__ import annotations

from datetime import datetime

from kausa.cluster.workloads import StatefulSet
from kausa.detection.case import later, shows, waits
from kausa.detection.surroundings import Surroundings
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.detection.workloads.creation import creation_refused
from kausa.detection.workloads.graces import GRACES
from kausa.detection.workloads.looking import grace
from kausa.resources.category import Category

__all__ = ["detect_stateful_set"]

NOT_READY = "MinimumReplicasUnavailable"


def detect_stateful_set(found: StatefulSet, *, around: Surroundings, now: datetime) -> Verdict:
    """What ails a StatefulSet as a whole."""
    replicas = 1 if found.spec.replicas is None else found.spec.replicas
    if found.metadata.deletion_timestamp is not None or replicas == 0:
        return HEALTHY
    if found.status.replicas < replicas:
        verdict = creation_refused(around.notes, namespace=found.metadata.namespace, now=now)
        if verdict is not HEALTHY:
            return verdict
    if found.status.ready_replicas >= replicas:
        return HEALTHY
    changed = found.metadata.changed_at
    wait = grace(changed, GRACES.stuck, now=now)
    if wait is not None or changed is None:
        return waits(wait)
    again = later(now, GRACES.pods_settle)
    if around.failing_pods:
        return waits(again)
    return shows(
        Symptom(
            category=Category.ROLLOUT,
            reason=NOT_READY,
            reason_class=NOT_READY,
            detail="",
            message=f"{found.status.ready_replicas} of {replicas} replicas are ready, "
            f"{found.status.replicas} created, nothing has changed since "
            f"{changed:%Y-%m-%d %H:%M:%S}",
            since=changed,
            last_seen=changed,
        ),
        until=again,
    )
