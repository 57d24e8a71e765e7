"""The node under a Pod: not ready, short of something, or well and unwell in turn."""

from __future__ import annotations

from collections.abc import Iterator

from kausa.diagnosis.finding import Finding
from kausa.diagnosis.rules.accounts import Account, events, is_well, warnings
from kausa.diagnosis.rules.facts import Fields, condition, objects
from kausa.diagnosis.rules.layers import at_most_beside
from kausa.diagnosis.rules.telling import citing, listed, subject, tell_finding
from kausa.diagnosis.rules.wording import clip
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import name_of, text
from kausa.resources.category import Category

__all__ = ["node_flaps", "node_is_not_ready", "node_under_pressure"]

_PRESSURES = {
    "MemoryPressure": "memory",
    "DiskPressure": "disk",
    "PIDPressure": "process ids",
}
TURNS = 2
"""So often a node must have become unready to be said to flap."""


def node_under_pressure(dossier: Dossier) -> Finding | None:
    """A node that is short of memory, disk or process ids, and says so in its conditions."""
    if is_well(dossier):
        return None
    short = [(node, found) for node in _nodes(dossier) if (found := _pressures(node))]
    if not short:
        return None
    node, pressures = short[0]
    name, words = name_of(node), " and ".join(pressures)
    lacks = " and ".join(_PRESSURES[each] for each in pressures)
    ready = text(condition(node, "Ready"), "status")
    placed = name == dossier.pod.spec.node_name or dossier.shown_by.kind == "Node"
    said = _vaguely(dossier)
    return tell_finding(
        dossier,
        rule="node.short-of",
        category=Category.NODE,
        summary=f"node {name} is under {words}: it is low on {lacks}",
        cause=f"Node {name} has the condition {words} (low on {lacks}"
        + (", although it is Ready" if ready == "True" else "")
        + f"), so it takes no new Pods and evicts some; {subject(dossier)} "
        + ("runs there" if placed else "waits")
        + (f". Kubernetes says: {said}" if said else ""),
        why="The kubelet sets these conditions from its eviction thresholds, and taints the node "
        "until what is short has been freed for some minutes.",
        fix=f"Free {lacks} on node {name}, or move Pods away from it",
        command=f"kubectl describe node {name}",
        confidence=at_most_beside(87 if placed else 72, dossier),
        citations=citing(dossier, ("Node", name)),
    )


def node_is_not_ready(dossier: Dossier) -> Finding | None:
    """A node whose condition Ready is not True, with what its kubelet says of it."""
    for node in _nodes(dossier):
        ready = condition(node, "Ready")
        status = text(ready, "status")
        name = name_of(node)
        if status in ("", "True") or name not in _concerned(dossier):
            continue
        why = ": ".join(part for part in (text(ready, "reason"), text(ready, "message")) if part)
        return tell_finding(
            dossier,
            rule="node.not-ready",
            category=Category.NODE,
            summary=f"node {name} is not ready (Ready={status}): {why}",
            cause=f"Node {name} is not ready (NotReady), so Kubernetes starts nothing there and "
            f"moves its Pods after some minutes, {subject(dossier)} included"
            + (f": {clip(why, characters=240)}" if why else ""),
            why="A kubelet reports every few seconds whether it can run Pods; Unknown means that "
            "it has not been heard of.",
            fix=f"See why the kubelet of node {name} is not ready",
            command=f"kubectl describe node {name}",
            confidence=at_most_beside(88, dossier),
            citations=citing(dossier, ("Node", name)),
        )
    return None


def node_flaps(dossier: Dossier) -> Finding | None:
    """A node that became unready more than once."""
    told = [each for each in events(dossier) if each.reason == "NodeNotReady"]
    turns = sum(each.count for each in told)
    if turns < TURNS or is_well(dossier):
        return None
    nodes = [name for name in _concerned(dossier) if name]
    name = next((each.name for each in told if each.kind == "Node"), nodes[0] if nodes else "")
    node = f"node {name}" if name else "the node"
    ready = next(
        (condition(each, "Ready") for each in _nodes(dossier) if name_of(each) == name), {}
    )
    state = text(ready, "message") or text(ready, "reason")
    return tell_finding(
        dossier,
        rule="node.flaps",
        category=Category.NODE,
        summary=f"{node} is flapping: it turned NotReady {turns} times",
        cause=f"The readiness of {node} flaps: it alternates between Ready and NotReady, and "
        f"turned "
        f"NotReady {turns} times{_span(told)}" + (f" ({state})" if state else ""),
        why="A kubelet that is overloaded, or a network that drops its heartbeats, makes a node "
        "unready again and again; its Pods lose their endpoints each time.",
        fix=f"Look at load, memory and network of {node}, and at its kubelet's log",
        command=f"kubectl describe node {name}" if name else "kubectl get nodes",
        confidence=at_most_beside(94, dossier),
        citations=[id_ for each in told for id_ in each.citations],
    )


def _span(told: list[Account]) -> str:
    times = [each.time for each in told if each.time is not None]
    if len(times) < TURNS:
        return ""
    minutes = round((max(times) - min(times)).total_seconds() / 60)
    return f" within {minutes} minutes" if minutes else ""


def _nodes(dossier: Dossier) -> Iterator[Fields]:
    """The node of the Pod first; all others only for a Pod that has none."""
    concerned = _concerned(dossier)
    found = list(objects(dossier, "Node"))
    yield from (each for each in found if name_of(each) in concerned)
    if not concerned and dossier.pod.status.phase in ("", "Pending"):
        yield from found


def _concerned(dossier: Dossier) -> tuple[str, ...]:
    upstream = dossier.symptom.caused_by if dossier.symptom is not None else None
    names = [dossier.pod.spec.node_name]
    if dossier.shown_by.kind == "Node":
        names.append(dossier.shown_by.name)
    if upstream is not None and upstream.kind == "Node":
        names.append(upstream.name)
    return tuple(dict.fromkeys(each for each in names if each))


def _pressures(node: Fields) -> list[str]:
    return [type_ for type_ in _PRESSURES if text(condition(node, type_), "status") == "True"]


def _vaguely(dossier: Dossier) -> str:
    told = (f"{each.reason}, {each.message}" for each in warnings(dossier) if each.message)
    return clip(listed(list(told)[:1]), characters=140)
