"""Evidence from Events: about what fails, its owners, and what it depends on.

Read through core/v1, which on a live server holds the Events of events.k8s.io too. Kubernetes keeps
an Event for an hour, and a storm of them says one thing many times: so repeats are folded, what
decides comes before what merely happened, and what is left is told in order of time.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from kausa.cluster.kinds import KINDS
from kausa.cluster.objects import Event, ObjectReference
from kausa.cluster.reader import Manifest
from kausa.evidence.around import Around
from kausa.evidence.dossier import Evidence, Source
from kausa.evidence.fields import name_of, namespace_of, text, uid_of
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.reading import Reading
from kausa.evidence.volumes import unnamed_claims
from kausa.resources.evidence import EvidenceKind

__all__ = ["DECISIVE", "fold_events", "gather_events"]

MOST_EVENTS = 12
"""About one object."""
MOST_EVENTS_AROUND = 16
"""About all of them."""
MOST_CLAIMS = 5
LONGEST_REASON = 128
"""As long as the API server lets it be."""
_EPOCH = datetime.fromtimestamp(0, UTC)

DECISIVE = frozenset(
    {
        "BackOff",
        "DeadlineExceeded",
        "DeploymentRollback",
        "DeploymentRollbackRevisionNotFound",
        "Evicted",
        "ExternalProvisioning",
        "FileSystemResizeRequired",
        "JobAlreadyActive",
        "Killing",
        "MissJobSchedule",
        "NodeHasDiskPressure",
        "NodeHasInsufficientMemory",
        "NodeHasInsufficientPID",
        "NodeNotReady",
        "NodeNotSchedulable",
        "NodeReady",
        "NodeShutdown",
        "NotTriggerScaleUp",
        "Preempted",
        "Preempting",
        "Rebooted",
        "SandboxChanged",
        "ScalingReplicaSet",
        "SuccessfulDelete",
        "SuccessfulRescale",
        "Suspended",
        "TaintManagerEviction",
        "TriggeredScaleUp",
        "WaitForFirstConsumer",
        "WaitForPodScheduled",
    }
)
"""Reasons of Normal Events that tell why something fails, or what was done to it."""
_TELLS = re.compile(
    r"(?:Config|ConfigMap|Secret|Environment|Certificate)\w{0,20}"
    r"(?:Updated|Changed|Modified|Rotated|Reloaded|Replaced)$|^Reloaded$|"
    r"(?<!Not)(?:Ready|Recovered|Reconnected|Restored|Succeeded)$"
)
"""The same of controllers that nobody can list: what was changed, and that it was well between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _About:
    """Whose Events are read, and how near it is to the failure."""

    reference: ObjectReference
    rank: int
    uids: tuple[str, ...]


async def gather_events(inquiry: Inquiry) -> Reading:
    """The Events around a failure: what decides first, bounded."""
    around = Around(inquiry=inquiry)
    abouts = await _abouts(around)
    listed = await asyncio.gather(*(_events(around, each) for each in abouts))
    ranked: list[tuple[int, float, Evidence]] = []
    for about, events in zip(abouts, listed, strict=True):
        for event in _kept(events, rank=about.rank):
            ranked.append(
                (about.rank, -(event.time or _EPOCH).timestamp(), event)
                if _decides(event)
                else (about.rank + 10, -(event.time or _EPOCH).timestamp(), event)
            )
    ranked.sort(key=lambda each: each[:2])
    return Reading(evidence=tuple(each for _, _, each in ranked[:MOST_EVENTS_AROUND]))


def fold_events(events: Iterable[Event], *, about: ObjectReference) -> tuple[Evidence, ...]:
    """One piece of evidence for each distinct reason, container and message, with its count;
    newest last.
    """
    folded: dict[tuple[str, str, str, str], tuple[int, datetime]] = {}
    for event in events:
        path = event.involved_object.field_path
        key = (event.type.lower(), event.reason, path, " ".join(event.message.split()))
        count, last = folded.get(key, (0, _EPOCH))
        folded[key] = (count + event.repeats, max(last, event.last_seen or _EPOCH))
    ordered = sorted(folded.items(), key=lambda item: item[1][1])[-MOST_EVENTS:]
    return tuple(
        Evidence(
            kind=EvidenceKind.EVENT,
            source=Source(
                kind=about.kind, name=about.name, field_path=f"events[{reason}] {path}".strip()
            ),
            time=last if last > _EPOCH else None,
            text=f"{type_ or 'normal'} event {reason}, seen {count} "
            f"time{'s' if count != 1 else ''}: {message}",
        )
        for (type_, reason, path, message), (count, last) in ordered
    )


def _kept(events: tuple[tuple[ObjectReference, Event], ...], *, rank: int) -> tuple[Evidence, ...]:
    """Warnings and what else decides; of what fails itself all, where nothing decides."""
    decisive = [
        (about, event)
        for about, event in events
        if event.type == "Warning" or _is_telling(event.reason)
    ]
    chosen = decisive or (list(events) if rank == 0 else [])
    if not chosen:
        return ()
    return fold_events((event for _, event in chosen), about=chosen[0][0])


def _decides(event: Evidence) -> bool:
    reason = event.source.field_path.removeprefix("events[").partition("]")[0]
    return event.text.startswith("warning") or _is_telling(reason)


def _is_telling(reason: str) -> bool:
    return reason in DECISIVE or _TELLS.search(reason[:LONGEST_REASON]) is not None


async def _events(around: Around, about: _About) -> tuple[tuple[ObjectReference, Event], ...]:
    listed = await asyncio.gather(
        *(around.events(namespace=about.reference.namespace, uid=uid) for uid in about.uids)
    )
    return tuple((about.reference, event) for events in listed for event in events)


async def _abouts(around: Around) -> tuple[_About, ...]:
    """What fails itself, its owners, what it follows from, and what it depends on."""
    inquiry = around.inquiry
    found = [_near(inquiry.shown_by, rank=0)]
    if inquiry.has_pod:
        found.append(_near(_of_pod(inquiry), rank=0))
    upstream = inquiry.symptom.caused_by if inquiry.symptom is not None else None
    if upstream is not None and upstream.uid:
        reference = ObjectReference(
            api_version=upstream.api_version,
            kind=upstream.kind,
            namespace=upstream.namespace or "",
            name=upstream.name,
            uid=upstream.uid,
        )
        found.append(_near(reference, rank=1))
    owners, claims, autoscalers = await asyncio.gather(
        around.owners(), around.claims(), _autoscalers(around)
    )
    found.extend(_of(each, rank=2) for each in owners)
    claims = claims or await unnamed_claims(around)
    for claim in await around.all_of("PersistentVolumeClaim", claims[:MOST_CLAIMS]):
        if claim.manifest is not None:
            found.append(_of(claim.manifest, rank=3))
    found.extend(_of(each, rank=4) for each in autoscalers)
    node = inquiry.pod.spec.node_name
    if node:
        # The kubelet puts the node's name where the controllers put its uid.
        manifest = await around.one("Node", node) or {"kind": "Node", "metadata": {"name": node}}
        found.append(_of(manifest, rank=5, also=node))
    return tuple(
        {each.reference.uid or each.reference.name: each for each in reversed(found)}.values()
    )[::-1]


async def _autoscalers(around: Around) -> tuple[Manifest, ...]:
    """The autoscalers of its owner."""
    owners = {(text(each, "kind"), name_of(each)) for each in await around.owners()}
    if not owners:
        return ()
    found = await around.many("HorizontalPodAutoscaler") or ()
    return tuple(
        each
        for each in found
        if (
            text(each, "spec", "scaleTargetRef", "kind"),
            text(each, "spec", "scaleTargetRef", "name"),
        )
        in owners
    )


def _near(reference: ObjectReference, *, rank: int) -> _About:
    known = KINDS.get(reference.kind)
    if known is not None and not known.namespaced:
        reference = msgspec.structs.replace(reference, namespace="")
    uids = (reference.uid, reference.name) if reference.kind == "Node" else (reference.uid,)
    return _About(reference=reference, rank=rank, uids=tuple(each for each in uids if each))


def _of(manifest: Manifest, *, rank: int, also: str = "") -> _About:
    reference = ObjectReference(
        api_version=text(manifest, "apiVersion"),
        kind=text(manifest, "kind"),
        namespace=namespace_of(manifest),
        name=name_of(manifest),
        uid=uid_of(manifest),
    )
    return _About(
        reference=reference,
        rank=rank,
        uids=tuple(dict.fromkeys(each for each in (reference.uid, also) if each)),
    )


def _of_pod(inquiry: Inquiry) -> ObjectReference:
    meta = inquiry.pod.metadata
    return ObjectReference(
        api_version="v1", kind="Pod", namespace=meta.namespace, name=meta.name, uid=meta.uid
    )
