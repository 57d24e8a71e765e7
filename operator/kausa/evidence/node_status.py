"""The node that a Pod runs on, or that fails itself: its conditions, taints, room and versions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from kausa.cluster.objects import Pod
from kausa.cluster.reader import Manifest
from kausa.evidence.around import Around, source_of
from kausa.evidence.asked import allocatable, asked_on
from kausa.evidence.dossier import Evidence
from kausa.evidence.fields import flag, labels_of, moment, name_of, rows, text
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.object_status import is_well
from kausa.evidence.quantity import in_words
from kausa.evidence.reading import Reading
from kausa.evidence.selecting import taint_in_words
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["ABOUT_ROOM", "gather_node", "node_evidence", "room_in_words"]

MOST_PODS = 2_000
"""As many as a reader gives; where there are that many, their sum would be wrong."""
ABOUT_ROOM = frozenset({Category.EVICTION, Category.NODE, Category.SCHEDULING, Category.OOM_KILLED})
"""Failures that what else runs on a node may explain."""
_TOLD = ("cpu", "memory", "ephemeral-storage", "pods")


async def gather_node(inquiry: Inquiry) -> Reading:
    """The node of the Pod, or the one that shows the failure; all its Pods where room matters."""
    around = Around(inquiry=inquiry)
    shown = inquiry.shown_by
    name = shown.name if shown.kind == "Node" else inquiry.pod.spec.node_name
    node = await around.one("Node", name) if name else None
    if node is None:
        return Reading()
    symptom = inquiry.symptom
    pods: tuple[Pod, ...] | None = None
    if shown.kind == "Node" or (symptom is not None and symptom.category in ABOUT_ROOM):
        pods = await around.pods(namespace="", node=name)
    return Reading(evidence=tuple(node_evidence(node, pods=pods)), manifests=(node,))


def node_evidence(node: Manifest, *, pods: tuple[Pod, ...] | None) -> Iterator[Evidence]:
    """What is wrong with it first, then what it has."""
    name = name_of(node)
    for condition in rows(node, "status", "conditions"):
        type_ = text(condition, "type")
        if type_ and not is_well(condition):
            yield Evidence(
                kind=EvidenceKind.NODE,
                source=source_of(node, f"status.conditions[{type_}]"),
                time=_since(condition),
                text=f"Node {name}: condition {type_}={text(condition, 'status')}, "
                f"{text(condition, 'reason')}: {text(condition, 'message')}".rstrip(": ,"),
            )
    yield Evidence(
        kind=EvidenceKind.NODE,
        source=source_of(node, "spec"),
        text=f"Node {name}: {'; '.join((*_state(node), *_room(node, pods), *_versions(node)))}",
    )


def _since(condition: object) -> datetime | None:
    return moment(condition, "lastTransitionTime")


def _state(node: Manifest) -> Iterator[str]:
    ready = next(
        (
            text(each, "status")
            for each in rows(node, "status", "conditions")
            if text(each, "type") == "Ready"
        ),
        "",
    )
    yield {"True": "ready", "False": "not ready"}.get(ready, f"Ready is {ready or 'not known'}")
    if flag(node, "spec", "unschedulable"):
        yield "cordoned"
    if text(node, "metadata", "deletionTimestamp"):
        yield "is being deleted"
    taints = [taint_in_words(each) for each in rows(node, "spec", "taints")]
    if taints:
        yield f"taints {', '.join(taints[:6])}"


def _room(node: Manifest, pods: tuple[Pod, ...] | None) -> Iterator[str]:
    has = allocatable(node)
    if not has:
        return
    if pods is None or len(pods) >= MOST_PODS:
        shown = ", ".join(f"{each}={in_words(each, has[each])}" for each in _TOLD if each in has)
        if shown:
            yield f"allocatable {shown}"
        return
    mine = [each for each in pods if each.spec.node_name == name_of(node)]
    yield room_in_words(has, mine)


def room_in_words(has: dict[str, float], pods: list[Pod]) -> str:
    """`cpu 1900m of 2 asked for by 12 Pods, memory ...`."""
    asked, count = asked_on(pods)
    parts = [
        f"{each} {in_words(each, asked.get(each, 0.0))} of {in_words(each, has[each])} asked for"
        for each in _TOLD
        if each in has and each != "pods"
    ]
    if "pods" in has:
        parts.append(f"{count} Pods of {has['pods']:g}")
    return ", ".join(parts) or f"{count} Pods"


def _versions(node: Manifest) -> Iterator[str]:
    info = ("status", "nodeInfo")
    for field, word in (
        ("kubeletVersion", "kubelet"),
        ("containerRuntimeVersion", "runtime"),
        ("osImage", "OS"),
        ("kernelVersion", "kernel"),
        ("architecture", "architecture"),
    ):
        found = text(node, *info, field)
        if found:
            yield f"{word} {found}"
    labels = labels_of(node)
    for key in ("topology.kubernetes.io/zone", "node.kubernetes.io/instance-type"):
        if key in labels:
            yield f"{key.rpartition('/')[2]} {labels[key]}"
