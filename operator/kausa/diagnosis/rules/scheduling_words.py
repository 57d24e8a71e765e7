"""Each reason of the scheduler as a sentence with names and numbers, and what may be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kausa.diagnosis.rules.scheduling_clauses import Clause
from kausa.diagnosis.rules.scheduling_needs import Needs
from kausa.diagnosis.rules.telling import listed
from kausa.diagnosis.rules.wording import plural

__all__ = ["FIXES", "Advice", "in_words"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What to do about one kind of reason."""

    title: str = "Let the Pod's selectors, affinity and tolerations match a node, or change a node"
    command: str = "kubectl get nodes --show-labels"


def in_words(clause: Clause, needs: Needs) -> str:
    """`2 nodes with insufficient cpu (the Pod requests 3500m, the most that a node has ...)`."""
    tell = _WORDS.get(clause.key)
    said = tell(clause, needs) if tell is not None else clause.words
    if clause.count is None:
        return said
    joint = " " if said.startswith("with ") else ": "
    return f"{plural(clause.count, 'node')}{joint}{said}"


def _insufficient(clause: Clause, needs: Needs) -> str:
    resource = clause.named.get("resource", "")
    asked, most = needs.requested(resource), needs.largest(resource)
    facts = []
    if asked:
        facts.append(f"the Pod requests {asked}")
    if most:
        facts.append(f"the most that a node has is {most}")
    return f"with insufficient {resource}" + (f" ({', '.join(facts)})" if facts else "")


def _overhead(clause: Clause, needs: Needs) -> str:
    said = _insufficient(clause, needs)
    return f"{said}, the overhead of its RuntimeClass included, for the capacity of any node"


def _taint(clause: Clause, needs: Needs) -> str:
    key, value = clause.named.get("key", ""), clause.named.get("value", "")
    if key:
        said = f"untolerated taint {key}{f'={value}' if value else ''}"
    else:
        said = "a taint that the Pod does not tolerate"
    known = needs.taints()
    return f"with {said}" + (f" ({known})" if known else "")


def _selector(_: Clause, needs: Needs) -> str:
    said = "the labels do not match the Pod's node selector or node affinity"
    if not needs.demands:
        return said
    near = needs.nearest_labels() if needs.nodes else ""
    return f"{said} ({needs.demands}" + (f"; {near})" if near else ")")


def _spread_label(clause: Clause, needs: Needs) -> str:
    label = clause.named.get("label", "") or listed(needs.spread_keys())
    lacking = needs.without_label(label)
    return (
        f"topology spread cannot be reckoned, the label {label or 'it spreads over'} is missing"
        + (f" on {lacking}" if lacking else "")
    )


def _spread(_: Clause, needs: Needs) -> str:
    said = "the topology spread constraints of the Pod do not allow it there"
    lacking = [key for key in needs.spread_keys() if needs.without_label(key)]
    known = needs.spreads()
    if lacking:
        known += f"; label {lacking[0]} is missing on {needs.without_label(lacking[0])}"
    return f"{said} ({known})" if known else said


def _pod_affinity(_: Clause, needs: Needs) -> str:
    rules = needs.pod_rules("podAffinity")
    said = "no matching Pod runs there, as the Pod's affinity rules require"
    return f"{said} ({rules})" if rules else said


def _anti_affinity(_: Clause, needs: Needs) -> str:
    rules = needs.pod_rules("podAntiAffinity")
    said = "the Pod's anti-affinity rules forbid it beside Pods that run there"
    return f"{said} ({rules})" if rules else said


def _ports(_: Clause, needs: Needs) -> str:
    ports = needs.ports()
    return f"a host port that the Pod needs is not free{f' ({ports})' if ports else ''}"


def _cordoned(_: Clause, needs: Needs) -> str:
    names = listed(needs.cordoned())
    return "cordoned, marked as unschedulable" + (f" ({names})" if names else "")


def _pressure(clause: Clause, _: Needs) -> str:
    which = clause.named.get("pressure", clause.named.get("short", ""))
    return f"with {which.lower()} pressure, so it takes no Pods"


def _extender(clause: Clause, _: Needs) -> str:
    name, why = clause.named.get("extender", "").strip(":"), clause.named.get("why", "").strip(" .")
    return f"the scheduler extender {name or 'that is configured'} fails" + (
        f": {why}" if why else ""
    )


def _claim(clause: Clause, _: Needs) -> str:
    return f"PersistentVolumeClaim {clause.named.get('claim', '')} {clause.named.get('then', '')}"


_WORDS: Mapping[str, Callable[[Clause, Needs], str]] = {
    "insufficient": _insufficient,
    "overhead": _overhead,
    "too-many-pods": lambda _, needs: (
        "with too many Pods, as many as the node may run"
        + (f" (at most {needs.largest('pods')})" if needs.largest("pods") else "")
    ),
    "taint": _taint,
    "selector": _selector,
    "node-name": lambda *_: "not the node that the Pod's nodeName asks for",
    "spread-label": _spread_label,
    "spread": _spread,
    "pod-affinity": _pod_affinity,
    "anti-affinity": _anti_affinity,
    "anti-affinity-of-others": lambda *_: "anti-affinity rules of Pods that run there keep it away",
    "ports": _ports,
    "cordoned": _cordoned,
    "pressure": _pressure,
    "not-ready": lambda *_: "not ready",
    "extender": _extender,
    "claim": _claim,
    "unbound": lambda *_: (
        "its PersistentVolumeClaim is not bound (unbound immediate PersistentVolumeClaims)"
    ),
    "volume-affinity": lambda *_: (
        "volume node affinity conflict: its volume can only be reached "
        "from other nodes, most often those of another zone"
    ),
    "volume-zone": lambda *_: "its volume is in another zone (no available volume zone)",
    "volume-none": lambda *_: "no PersistentVolume is free there that fits its claim",
    "volume-count": lambda *_: (
        "the nodes have as many volumes as they may attach (max volume count)"
    ),
    "volume-space": lambda *_: "not enough free storage for its claim",
    "volume-gone": lambda *_: "its claim is bound to a PersistentVolume that does not exist",
    "volume-in-use": lambda *_: "its claim is in use by another Pod (ReadWriteOncePod)",
}

_LESS = Advice(
    title="Request less {resources}, or add a node that has enough",
    command="kubectl describe nodes",
)
_CLAIMS = "kubectl get persistentvolumeclaims,persistentvolumes -A"
FIXES: Mapping[str, Advice] = {
    "insufficient": _LESS,
    "overhead": _LESS,
    "too-many-pods": Advice(
        title="Add a node, or raise how many Pods a node may run", command="kubectl describe nodes"
    ),
    "taint": Advice(
        title="Give the Pod a toleration for the taint, or take the taint off a node",
        command="kubectl describe nodes",
    ),
    "selector": Advice(
        title="Give a node the label that the Pod asks for, or correct nodeSelector and affinity"
    ),
    "spread-label": Advice(title="Give every node the label that the Pod is spread over"),
    "spread": Advice(
        title="Add nodes in the topology that lacks them, or raise maxSkew of the constraint"
    ),
    "pod-affinity": Advice(
        title="Start the Pods that the affinity asks for, or make the affinity a preference"
    ),
    "anti-affinity": Advice(title="Add a node, or make the anti-affinity a preference"),
    "ports": Advice(
        title="Use another host port, or add a node", command="kubectl get pods -A -o wide"
    ),
    "cordoned": Advice(title="Uncordon a node, or add one", command="kubectl get nodes"),
    "pressure": Advice(title="Relieve the node", command="kubectl describe nodes"),
    "extender": Advice(
        title="Bring the scheduler extender back, or take it out of the scheduler's configuration",
        command="kubectl -n kube-system get pods",
    ),
    "claim": Advice(
        title="Create the PersistentVolumeClaim, or correct its name in the Pod", command=_CLAIMS
    ),
    "unbound": Advice(title="See why the claim is not bound", command=_CLAIMS),
    "volume-affinity": Advice(
        title="Add a node where the volume is, or move the data", command=_CLAIMS
    ),
    "volume-count": Advice(
        title="Add a node, or use fewer volumes", command="kubectl get csinodes"
    ),
}
