"""Other Pods: those of the same owner (do all fail, or one?), and what else fails in the same way.

All Pods of an owner fail alike: its template is at fault. Only the new ones: the rollout. Only
those on one node: the node. Others fail too that share an image or a claim: that thing.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kausa.cluster.objects import ContainerStatus, Pod
from kausa.cluster.paging import Listed, is_whole
from kausa.cluster.reader import Manifest
from kausa.evidence.around import Around
from kausa.evidence.dossier import Evidence, Source
from kausa.evidence.endpoints import label_selector
from kausa.evidence.fields import labels_of, rows, table, text, uid_of
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.reading import Reading
from kausa.resources.evidence import EvidenceKind

__all__ = ["gather_siblings", "state_of"]

MOST_FAILING = 6
MOST_WELL = 2
MOST_NAMED = 5
_REVISIONS = ("pod-template-hash", "controller-revision-hash")
WELL = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sibling:
    """A Pod of the same owner, and how it is."""

    pod: Manifest
    state: str
    revision: str

    @property
    def is_well(self) -> bool:
        return self.state in (WELL, "completed")


async def gather_siblings(inquiry: Inquiry) -> Reading:
    """What the Pods beside it show."""
    around = Around(inquiry=inquiry)
    own, others = await asyncio.gather(_of_the_owner(around), around.pods())
    siblings = own
    mine = {uid_of(each.pod) for each in siblings} | {inquiry.pod.metadata.uid}
    evidence = [*_owner_evidence(inquiry, siblings), *_shared(inquiry, others or (), mine=mine)]
    failing = [each.pod for each in siblings if not each.is_well]
    well = [each.pod for each in siblings if each.is_well]
    return Reading(
        evidence=tuple(evidence),
        manifests=tuple(_in_short(each) for each in (*failing[:MOST_FAILING], *well[:MOST_WELL])),
    )


def _in_short(pod: Manifest) -> Manifest:
    """Its status, and of its spec what siblings may differ in; the rest is its template's."""
    return {
        **pod,
        "spec": {
            "nodeName": text(pod, "spec", "nodeName"),
            "containers": [
                {key: each[key] for key in ("name", "image", "resources") if key in each}
                for each in rows(pod, "spec", "containers")
            ],
        },
    }


async def _of_the_owner(around: Around) -> Listed[_Sibling]:
    """The Pods that the same workload made, itself left out."""
    workload = await around.workload()
    selector = table(workload, "spec", "selector")
    if text(workload, "kind") == "ReplicationController":
        plain = selector
    else:
        plain = table(selector, "matchLabels")
    words = label_selector(plain)
    if not words:
        return Listed()
    found = await around.many("Pod", label_selector=words) or ()
    others = (
        _Sibling(pod=each, state=state_of(each), revision=_revision(each))
        for each in found
        if uid_of(each) != around.inquiry.pod.metadata.uid
    )
    return Listed(others, more=not is_whole(found))


def _revision(pod: Manifest) -> str:
    labels = labels_of(pod)
    return next((labels[each] for each in _REVISIONS if each in labels), "")


def state_of(pod: object) -> str:
    """In a word or two, as `kubectl get pods` would tell it."""
    if text(pod, "metadata", "deletionTimestamp"):
        return "terminating"
    phase = text(pod, "status", "phase")
    if phase == "Succeeded":
        return "completed"
    if text(pod, "status", "reason"):
        return text(pod, "status", "reason")
    statuses = (
        *rows(pod, "status", "initContainerStatuses"),
        *rows(pod, "status", "containerStatuses"),
    )
    for status in statuses:
        waits = text(status, "state", "waiting", "reason")
        if waits and waits not in ("ContainerCreating", "PodInitializing"):
            return waits
        ended = table(status, "state", "terminated")
        if ended and text(ended, "exitCode") != "0":
            return text(ended, "reason") or "Error"
    conditions = rows(pod, "status", "conditions")
    if any(text(each, "type") == "Ready" and text(each, "status") == "True" for each in conditions):
        return WELL
    for each in conditions:
        if text(each, "type") == "PodScheduled" and text(each, "status") == "False":
            return text(each, "reason") or "not scheduled"
    return "running, not ready" if phase == "Running" else (phase.lower() or "not known")


def _owner_evidence(inquiry: Inquiry, siblings: tuple[_Sibling, ...]) -> Iterator[Evidence]:
    if not siblings:
        return
    owner = inquiry.owner
    states = Counter(each.state for each in siblings)
    told = ", ".join(f"{count} {state}" for state, count in states.most_common(6))
    least = "" if is_whole(siblings) else "at least "
    parts = [f"{least}{len(siblings)} other Pods of {owner.kind} {owner.name}: {told}"]
    parts.extend(_by(siblings, "revision", lambda each: each.revision))
    parts.extend(_by(siblings, "node", lambda each: text(each.pod, "spec", "nodeName")))
    yield Evidence(
        kind=EvidenceKind.OWNER,
        source=Source(kind=owner.kind, name=owner.name, field_path="Pods"),
        text="; ".join(parts),
    )


def _by(siblings: tuple[_Sibling, ...], word: str, key: Callable[[_Sibling], str]) -> Iterator[str]:
    """Where those that fail and those that do not are told apart by it."""
    groups: dict[str, list[_Sibling]] = defaultdict(list)
    for each in siblings:
        groups[key(each)].append(each)
    groups.pop("", None)
    if len(groups) < 2:
        return
    shares = [
        f"{sum(1 for each in found if not each.is_well)} of {len(found)} fail with {word} {name}"
        for name, found in sorted(groups.items())
    ]
    yield ", ".join(shares[:MOST_NAMED])


def _shared(inquiry: Inquiry, pods: tuple[Pod, ...], *, mine: set[str]) -> Iterator[Evidence]:
    """Pods of others in the namespace that fail too, by what they have in common with it."""
    pod = inquiry.pod
    if not inquiry.has_pod:
        return
    least = "" if is_whole(pods) else "at least "
    failing = [each for each in pods if each.metadata.uid not in mine and _fails(each)]
    for word, wanted, having in (
        ("on the same node", {pod.spec.node_name} - {""}, _nodes),
        ("with the same image", _images(pod), _images),
        ("with the same claim", _claims(pod), _claims),
    ):
        same = [each for each in failing if wanted & having(each)]
        if not same:
            continue
        what = ", ".join(sorted({name for each in same for name in wanted & having(each)})[:3])
        told = ", ".join(f"{each.metadata.name} ({_state(each)})" for each in same[:MOST_NAMED])
        yield Evidence(
            kind=EvidenceKind.OTHER,
            source=Source(kind="Pod", name=same[0].metadata.name, field_path="status"),
            text=f"{least}{len(same)} Pods of other owners fail too {word} ({what}): {told}",
        )


def _fails(pod: Pod) -> bool:
    if pod.status.phase in ("Failed", "Pending"):
        return True
    return any(_waits(each) for each in pod.status.all_container_statuses)


def _waits(status: ContainerStatus) -> bool:
    waiting = status.state.waiting
    return waiting is not None and waiting.reason not in (
        "",
        "ContainerCreating",
        "PodInitializing",
    )


def _state(pod: Pod) -> str:
    for status in pod.status.all_container_statuses:
        if _waits(status) and status.state.waiting is not None:
            return status.state.waiting.reason
    return pod.status.reason or pod.status.phase


def _nodes(pod: Pod) -> set[str]:
    return {pod.spec.node_name} - {""}


def _images(pod: Pod) -> set[str]:
    return {each.image for each in pod.spec.all_containers if each.image}


def _claims(pod: Pod) -> set[str]:
    return {
        each.persistent_volume_claim.claim_name
        for each in pod.spec.volumes or ()
        if each.persistent_volume_claim is not None
    }
