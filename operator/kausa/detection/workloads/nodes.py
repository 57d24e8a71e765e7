"""Nodes: not ready, or under pressure.

Kubernetes waits for some heartbeats before it says that a node is not ready, so little grace is
needed here; a new node gets more. Of a node that is not ready nothing else is known. A node that is
cordoned is healthy: somebody wants it so. Only conditions whose meaning is known count; the node
problem detector's are among them, those of other tools may be good where they are True.
"""

from __future__ import annotations

from datetime import datetime

from kausa.cluster.workloads import Condition, Node
from kausa.detection.case import shows, together, waits
from kausa.detection.surroundings import NodeState, Surroundings
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.detection.workloads.graces import GRACES
from kausa.detection.workloads.looking import condition, grace
from kausa.resources.category import Category

__all__ = ["detect_node", "node_state"]

NOT_READY = "NodeNotReady"
_BAD_WHERE_TRUE = (
    "MemoryPressure",
    "DiskPressure",
    "PIDPressure",
    "NetworkUnavailable",
    "KernelDeadlock",
    "ReadonlyFilesystem",
    "CorruptDockerOverlay2",
    "FrequentKubeletRestart",
    "FrequentContainerdRestart",
    "FrequentDockerRestart",
)
_SLOW_TO_COME = frozenset({"NetworkUnavailable"})
"""What a new node lacks until its network plugin is there."""


def detect_node(found: Node, *, around: Surroundings, now: datetime) -> Verdict:
    """What ails a node."""
    if found.metadata.deletion_timestamp is not None:
        return HEALTHY
    ready = condition(found.status.conditions, "Ready")
    if ready is not None and ready.status != "True":
        return _not_ready(found, ready, now=now)
    bad = {
        each.type: each
        for each in found.status.conditions or ()
        if each.status == "True" and each.type in _BAD_WHERE_TRUE
    }
    if not bad:
        return HEALTHY
    return together(
        _pressed(found, bad[type_], now=now) for type_ in _BAD_WHERE_TRUE if type_ in bad
    )


def node_state(found: Node) -> NodeState:
    """How a node is doing, for the Pods on it."""
    meta = found.metadata
    ready = condition(found.status.conditions, "Ready")
    if ready is None or meta.deletion_timestamp is not None:
        # It has only just registered, and nothing runs there; or it goes, and is no failure itself.
        return NodeState(name=meta.name, uid=meta.uid, ready=True, since=None)
    return NodeState(
        name=meta.name,
        uid=meta.uid,
        ready=ready.status == "True",
        since=ready.last_transition_time,
        reason=ready.reason,
        message=ready.message,
    )


def _not_ready(found: Node, ready: Condition, *, now: datetime) -> Verdict:
    since = ready.last_transition_time
    wait = grace(since, GRACES.node_not_ready, now=now)
    if ready.status == "False":
        wait = wait or _young(found, now=now)
    if wait is not None:
        return waits(wait)
    return shows(_symptom(ready, reason=NOT_READY))


def _pressed(found: Node, bad: Condition, *, now: datetime) -> Verdict:
    if bad.type in _SLOW_TO_COME and (wait := _young(found, now=now)) is not None:
        return waits(wait)
    return shows(_symptom(bad, reason=bad.type))


def _young(found: Node, *, now: datetime) -> datetime | None:
    return grace(found.metadata.creation_timestamp, GRACES.young_node, now=now)


def _symptom(said: Condition, *, reason: str) -> Symptom:
    return Symptom(
        category=Category.NODE,
        reason=reason,
        reason_class=reason,
        detail="",
        message=": ".join(part for part in (said.reason, said.message) if part),
        since=said.last_transition_time,
        last_seen=said.last_transition_time,
    )
