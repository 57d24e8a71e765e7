"""A Pod that no node takes: for each node, why not, in numbers, as the scheduler decides it.

The scheduler's own message only counts ("2 Insufficient cpu"). Which node would nearly do, and by
how much it falls short, is what tells whether to ask for less or to add a node.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kausa.cluster.objects import Pod
from kausa.cluster.paging import is_whole
from kausa.cluster.reader import Manifest
from kausa.evidence.around import Around, source_of
from kausa.evidence.asked import allocatable, asked_by, asked_on
from kausa.evidence.dossier import Evidence, Source
from kausa.evidence.fields import flag, labels_of, name_of, rows, table, text
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.object_status import is_well
from kausa.evidence.quantity import in_words
from kausa.evidence.reading import Reading
from kausa.evidence.selecting import in_words as selector_in_words
from kausa.evidence.selecting import node_fits_term, taint_in_words, untolerated
from kausa.resources.evidence import EvidenceKind

__all__ = ["Candidate", "candidates", "gather_candidates"]

MOST_TOLD = 6
MOST_SUMMED_NODES = 30
"""Of more nodes the Pods are too many to read all of them for one that is not placed."""
MOST_MANIFESTS = 8
_KEEP_AWAY = frozenset(
    {"DiskPressure", "MemoryPressure", "NetworkUnavailable", "PIDPressure", "Ready"}
)
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A node, and what keeps the Pod off it; nothing where it would do."""

    node: Manifest
    objections: tuple[str, ...]
    short: float
    """By what share of the request it falls short, all resources together."""


async def gather_candidates(inquiry: Inquiry) -> Reading:
    """The nodes of the cluster, those that would nearly do first; for a Pod without a node only."""
    pod = inquiry.pod
    if not inquiry.has_pod or pod.spec.node_name or pod.status.phase not in ("Pending", ""):
        return Reading()
    around = Around(inquiry=inquiry)
    raw, nodes = await asyncio.gather(around.pod(), around.many("Node"))
    if raw is None or not nodes:
        return Reading()
    pods = await around.pods(namespace="") if len(nodes) <= MOST_SUMMED_NODES else None
    # Of more Pods than a reader gives, the sum would be wrong.
    running = pods if is_whole(pods) else None
    found = candidates(raw, nodes, pods=running)
    return Reading(
        evidence=tuple(_evidence(raw, found, more=not is_whole(nodes))),
        manifests=tuple(each.node for each in found[:MOST_MANIFESTS]),
    )


def candidates(
    pod: Manifest, nodes: tuple[Manifest, ...], *, pods: tuple[Pod, ...] | None
) -> tuple[Candidate, ...]:
    """Every node with its objections, the fewest and smallest first."""
    by_node: dict[str, list[Pod]] = defaultdict(list)
    for each in pods or ():
        by_node[each.spec.node_name].append(each)
    asked = asked_by(pod)
    found = []
    for node in nodes:
        lacking = tuple(_lacking(node, by_node[name_of(node)], asked)) if pods is not None else ()
        objections = (*_refusals(pod, node), *(words for words, _ in lacking))
        short = sum(share for _, share in lacking)
        found.append(Candidate(node=node, objections=objections, short=short))
    return tuple(sorted(found, key=lambda each: (len(each.objections), each.short)))


def _refusals(pod: Manifest, node: Manifest) -> Iterator[str]:
    """Why the node is none for this Pod, however much room it has."""
    if flag(node, "spec", "unschedulable"):
        yield "is cordoned"
    for condition in rows(node, "status", "conditions"):
        # The node controller makes a taint of each, which no Pod tolerates by itself.
        if text(condition, "type") in _KEEP_AWAY and not is_well(condition):
            yield f"{text(condition, 'type')}={text(condition, 'status')}"
    taints = [taint_in_words(each) for each in untolerated(pod, node)]
    cordon = "node.kubernetes.io/unschedulable:NoSchedule"
    taints = [each for each in taints if each != cordon]
    if taints:
        yield f"taint {', '.join(taints[:4])} is not tolerated"
    labels = labels_of(node)
    for key, value in table(pod, "spec", "nodeSelector").items():
        if labels.get(key) != value:
            has = f"{key}={labels[key]}" if key in labels else f"no label {key}"
            yield f"nodeSelector wants {key}={value}, it has {has}"
    terms = rows(pod, "spec", "affinity", "nodeAffinity", _REQUIRED, "nodeSelectorTerms")
    if terms and not any(node_fits_term(term, node) for term in terms):
        wanted = " or ".join(selector_in_words(term) for term in terms[:3])
        yield f"node affinity requires {wanted}"


def _lacking(
    node: Manifest, pods: list[Pod], asked: Mapping[str, float]
) -> Iterator[tuple[str, float]]:
    """What there is too little of, and by what share of the request."""
    has = allocatable(node)
    if not has:
        return
    taken, count = asked_on(pods)
    if "pods" in has and count >= has["pods"]:
        yield f"{count} Pods of at most {has['pods']:g}", 1.0
    for resource, amount in asked.items():
        if amount <= 0:
            continue
        total = has.get(resource, 0.0)
        free = max(0.0, total - taken.get(resource, 0.0))
        if free < amount:
            yield (
                f"{resource} {in_words(resource, free)} free of {in_words(resource, total)}, "
                f"{in_words(resource, amount)} asked",
                (amount - free) / amount,
            )


def _evidence(pod: Manifest, found: tuple[Candidate, ...], *, more: bool) -> Iterator[Evidence]:
    asked = asked_by(pod)
    shown = ", ".join(f"{each}={in_words(each, amount)}" for each, amount in sorted(asked.items()))
    told = "; ".join(
        f"{name_of(each.node)}: {', '.join(each.objections) or 'no objection found'}"
        for each in found[:MOST_TOLD]
    )
    least = "at least " if more else ""
    rest = f"; and {least}{len(found) - MOST_TOLD} more nodes" if len(found) > MOST_TOLD else ""
    yield Evidence(
        kind=EvidenceKind.NODE,
        source=Source(kind="Pod", name=name_of(pod), field_path="spec"),
        text=f"Pod {name_of(pod)} asks for {shown or 'nothing'}. Nodes: {told}{rest}",
    )
    for each in found[:2]:
        if each.objections:
            yield Evidence(
                kind=EvidenceKind.NODE,
                source=source_of(each.node, "status.allocatable"),
                text=f"Node {name_of(each.node)} would be the next best: "
                f"{', '.join(each.objections)}",
            )
