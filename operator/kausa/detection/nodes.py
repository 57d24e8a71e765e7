"""Pods whose node has gone: their status is what the kubelet said last, and means nothing.

The node's own failure says it all; the Pods only point to it.
"""

from __future__ import annotations

from kausa.detection.case import PodCase, earlier, newest, shows, waits
from kausa.detection.graces import GRACES
from kausa.detection.symptom import Symptom, Upstream
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.resources.category import Category

__all__ = ["node_lost", "node_upstream"]

NOT_READY = "NodeNotReady"


def node_lost(case: PodCase) -> Verdict:
    """The Pod is not ready, and neither is its node."""
    ready = case.condition("Ready")
    if ready is not None and ready.status == "True":
        return HEALTHY
    node = case.around.node
    if node is None:
        return _said_to_be_lost(case)
    if node.ready:
        return HEALTHY
    return shows(
        Symptom(
            category=Category.NODE,
            reason=NOT_READY,
            reason_class=NOT_READY,
            detail="",
            message=": ".join(part for part in (node.reason, node.message) if part),
            since=node.since,
            last_seen=node.since,
            caused_by=node_upstream(case),
        )
    )


def node_upstream(case: PodCase) -> Upstream | None:
    """The Pod's node as a cause, where it is known to be not ready."""
    node = case.around.node
    if node is None or node.ready:
        return None
    return Upstream(
        api_version="v1",
        kind="Node",
        name=node.name,
        uid=node.uid,
        reason=NOT_READY,
        stands_for_all=True,
    )


def _said_to_be_lost(case: PodCase) -> Verdict:
    """Nothing is known of the node (perhaps nodes may not be read), but an Event speaks of it.

    Then the Pod must speak for itself: there is nothing to point to.
    """
    statuses = case.pod.status.container_statuses
    if not statuses:
        return HEALTHY
    for each in statuses:
        if not each.ready:
            return HEALTHY
    ready, note = case.condition("Ready"), newest(case.notes({NOT_READY}))
    if ready is None:
        return HEALTHY
    if note is None:
        # The node's own change may be on its way; who waits is judged again when it comes.
        return waits(case.grace(ready.last_transition_time, GRACES.node_unheard))
    since = ready.last_transition_time or note.last_seen
    if since and note.last_seen and note.last_seen < earlier(since, GRACES.node_unheard):
        return HEALTHY
    wait = case.grace(since, GRACES.node_unheard)
    if wait is not None:
        return waits(wait)
    return shows(
        Symptom(
            category=Category.NODE,
            reason=NOT_READY,
            reason_class=NOT_READY,
            detail="",
            message=note.message,
            since=since,
            last_seen=since,
        )
    )
