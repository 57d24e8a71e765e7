"""What a Pod needs of a node, and what the nodes that were read have: numbers, labels and "
"taints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kausa.diagnosis.rules.facts import Fields, objects, pod_spec
from kausa.diagnosis.rules.telling import listed
from kausa.diagnosis.rules.wording import plural
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import flag, labels_of, name_of, rows, table, text
from kausa.evidence.quantity import in_words, parse_quantity
from kausa.evidence.selecting import in_words as selector_in_words
from kausa.evidence.selecting import node_fits_term, taint_in_words, untolerated

__all__ = ["Needs", "needs_of"]

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_LONG_QUANTITY = 8
"""Characters from which nobody compares it at a glance: `24581684Ki` beside `900Gi`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """A Pod's demands beside the nodes that were read."""

    spec: Fields
    nodes: tuple[Fields, ...]

    def requested(self, resource: str) -> str:
        """`500m + 250m overhead`: what the scheduler counts; empty where nothing is asked for."""
        containers = [self._of(each, resource) for each in rows(self.spec, "containers")]
        first = [
            self._of(each, resource)
            for each in rows(self.spec, "initContainers")
            if text(each, "restartPolicy") != "Always"
        ]
        asked = [each for each in containers if each]
        largest = max(first, key=_amount, default="")
        told = " + ".join(asked)
        if _amount(largest) > sum(_amount(each) for each in asked):
            told = largest
        overhead = text(self.spec, "overhead", resource)
        return f"{told} + {overhead} overhead".removeprefix(" + ") if overhead else told

    def largest(self, resource: str) -> str:
        """`4 on node-a`: the most that a node can give; empty where that is not known."""
        best, found = -1.0, ""
        for node in self.nodes:
            given = text(node, "status", "allocatable", resource)
            amount = parse_quantity(given) if given else None
            if amount is not None and amount > best:
                best = amount
                found = f"{_readable(resource, given, amount)} on node {name_of(node)}"
        return found

    def too_small(self, resource: str) -> bool:
        """Whether no node could ever give it, even an empty one."""
        amounts = [
            amount
            for node in self.nodes
            if (amount := parse_quantity(text(node, "status", "allocatable", resource))) is not None
        ]
        wanted = sum(_amount(each) for each in self.requested(resource).split(" + "))
        return bool(amounts) and len(amounts) == len(self.nodes) and wanted > max(amounts)

    @property
    def demands(self) -> str:
        """`nodeSelector disk=nvme; node affinity gpu in (a100)`; empty where any node will do."""
        parts = []
        chosen = table(self.spec, "nodeSelector")
        if chosen:
            parts.append(f"nodeSelector {selector_in_words(chosen)}")
        terms = rows(self.spec, "affinity", "nodeAffinity", _REQUIRED, "nodeSelectorTerms")
        if terms:
            said = " or ".join(selector_in_words(each) for each in terms[:3])
            parts.append(f"node affinity {said}")
        return "; ".join(parts)

    def fits_labels(self, node: Fields) -> bool:
        """Whether a node has the labels that nodeSelector and required affinity ask for."""
        labels = labels_of(node)
        chosen = table(self.spec, "nodeSelector")
        if any(labels.get(key) != value for key, value in chosen.items()):
            return False
        terms = rows(self.spec, "affinity", "nodeAffinity", _REQUIRED, "nodeSelectorTerms")
        return not terms or any(node_fits_term(each, node) for each in terms)

    def nearest_labels(self) -> str:
        """`nodes have disk=ssd (2 nodes), no label gpu`: what stands where it looked in vain."""
        told = []
        for key in dict.fromkeys(self._keys()):
            counts = Counter(labels_of(each).get(key) for each in self.nodes)
            values = [
                f"{key}={value} ({plural(count, 'node')})"
                for value, count in sorted(counts.items(), key=lambda each: -each[1])
                if value is not None
            ]
            told.append(listed(values) if values else f"no node has a label {key}")
        return "; ".join(told[:3])

    def _keys(self) -> Iterator[str]:
        yield from (str(each) for each in table(self.spec, "nodeSelector"))
        for term in rows(self.spec, "affinity", "nodeAffinity", _REQUIRED, "nodeSelectorTerms"):
            yield from (text(each, "key") for each in rows(term, "matchExpressions"))

    def pod_rules(self, field: str) -> str:
        """The required terms of podAffinity or podAntiAffinity, in words."""
        return "; ".join(
            f"{selector_in_words(each.get('labelSelector'))} within {text(each, 'topologyKey')}"
            for each in rows(self.spec, "affinity", field, _REQUIRED)[:3]
        )

    def spreads(self) -> str:
        """Its topology spread constraints that must hold, in words."""
        return "; ".join(
            f"maxSkew {text(each, 'maxSkew') or '1'} over {text(each, 'topologyKey')}"
            for each in rows(self.spec, "topologySpreadConstraints")[:3]
            if text(each, "whenUnsatisfiable") != "ScheduleAnyway"
        )

    def without_label(self, key: str) -> str:
        """The nodes that lack a label; empty where none does."""
        return listed(name_of(each) for each in self.nodes if key and key not in labels_of(each))

    def spread_keys(self) -> tuple[str, ...]:
        """The labels over which it is to be spread."""
        found = rows(self.spec, "topologySpreadConstraints")
        return tuple(text(each, "topologyKey") for each in found)

    def taints(self) -> str:
        """`gpu=true:NoSchedule on node-a, node-b`: the taints that keep it away."""
        by_taint: dict[str, list[str]] = {}
        for node in self.nodes:
            for taint in untolerated({"spec": self.spec}, node):
                by_taint.setdefault(taint_in_words(taint), []).append(name_of(node))
        return "; ".join(
            f"{taint} on {listed(names)}" for taint, names in list(by_taint.items())[:3]
        )

    def cordoned(self) -> tuple[str, ...]:
        """The nodes that somebody marked as unschedulable."""
        return tuple(name_of(each) for each in self.nodes if flag(each, "spec", "unschedulable"))

    def ports(self) -> str:
        """The ports of the host that it asks for."""
        on_host = flag(self.spec, "hostNetwork")
        found = [
            text(port, "hostPort") or (text(port, "containerPort") if on_host else "")
            for container in rows(self.spec, "containers")
            for port in rows(container, "ports")
        ]
        return listed(each for each in found if each)

    @staticmethod
    def _of(container: Fields, resource: str) -> str:
        return text(container, "resources", "requests", resource) or text(
            container, "resources", "limits", resource
        )


def needs_of(dossier: Dossier) -> Needs:
    """What the Pod needs, and the nodes that were read."""
    spec: Mapping[str, object] = pod_spec(dossier)
    return Needs(spec=spec, nodes=tuple(objects(dossier, "Node")))


def names_of_resources(spec: Fields) -> tuple[str, ...]:
    """Every resource that the Pod's containers request."""
    found = [
        str(name)
        for container in rows(spec, "containers")
        for name in table(container, "resources", "requests")
    ]
    return tuple(dict.fromkeys(found))


def _readable(resource: str, given: str, amount: float) -> str:
    """`23.4Gi` for `24581684Ki`: in the unit that people ask in; short ones as they are."""
    return in_words(resource, amount) if len(given) >= _LONG_QUANTITY else given


def _amount(quantity: str) -> float:
    amount = parse_quantity(quantity.removesuffix(" overhead")) if quantity else None
    return amount if amount is not None else 0.0
