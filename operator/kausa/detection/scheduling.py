"""Pods that no node takes: what the scheduler says, clause by clause, and what it waits for.

The condition PodScheduled tells more surely than Events that a Pod waits; the Events only count how
often it was tried. A Pod whose volume claim is not bound waits for the claim, not for a node: the
claim is then named as the cause, once for all Pods that wait for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kausa.cluster.objects import PodCondition
from kausa.detection.case import PodCase, attempts, last_heard, newest, shows, waits
from kausa.detection.fingerprint import normalise
from kausa.detection.graces import GRACES
from kausa.detection.symptom import Symptom, Upstream
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.resources.category import Category

__all__ = ["SchedulerVerdict", "parse_verdict", "unscheduled"]

_HEAD = re.compile(r"(?P<fit>\d{1,9})/(?P<all>\d{1,9}) nodes are available: (?P<clauses>.*)", re.S)
_CLAUSE = re.compile(r"^(?P<count>\d{1,9}) (?P<why>.+)$", re.S)
_AFTER_CLAUSES = re.compile(r"\. (?:preemption:|no new claims|Preemption)")
_OF_VOLUMES = re.compile(
    r"persistent ?volume|volume node affinity conflict|max volume count|enough free storage", re.I
)
_NAMED_CLAIM = re.compile(
    r'persistentvolumeclaim "(?P<name>[^"]{1,253})"(?P<then> not found)?', re.I
)
FAILED = "FailedScheduling"
_SURE = frozenset({"Unschedulable", "SchedulerError"})
"""What Kubernetes' own scheduler says once it has tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerVerdict:
    """The scheduler's message, taken apart: how many nodes, and what keeps how many of them."""

    nodes: int
    clauses: tuple[tuple[int, str], ...]


def parse_verdict(message: str) -> SchedulerVerdict | None:
    """The scheduler's message in parts; None for a message of another shape."""
    head = _HEAD.search(message)
    if head is None:
        return None
    clauses = _AFTER_CLAUSES.split(head["clauses"], maxsplit=1)[0].rstrip(". ")
    found: list[tuple[int, str]] = []
    for part in clauses.split(", "):
        clause = _CLAUSE.match(part.strip())
        if clause is not None:
            found.append((int(clause["count"]), clause["why"].strip()))
        elif part.strip() and not found:
            found.append((int(head["all"]), part.strip().removesuffix(". not found")))
    return SchedulerVerdict(nodes=int(head["all"]), clauses=tuple(found))


def unscheduled(case: PodCase) -> Verdict:
    """The symptom of a Pod without a node, once it has waited for longer than is usual."""
    placed = case.condition("PodScheduled")
    if placed is None:
        return _unseen(case)
    if placed.status != "False":
        return HEALTHY
    if placed.reason == "SchedulingGated":
        return _gated(case, placed)
    grace = GRACES.unscheduled
    if case.pod.status.nominated_node_name:
        grace = GRACES.nominated
    elif placed.reason not in _SURE:
        # Another scheduler's own word, perhaps for one that waits its turn.
        grace = GRACES.unseen_by_scheduler
    wait = case.grace(placed.last_transition_time, grace)
    if wait is not None:
        return waits(wait)
    if _waits_for_volumes(placed.message):
        return shows(_without_volume(case, placed))
    return shows(
        _symptom(
            case,
            placed,
            category=Category.SCHEDULING,
            reason_class="Unschedulable",
            # The message counts nodes and changes as they come and go: it is no part of identity.
            detail="",
        )
    )


def _waits_for_volumes(message: str) -> bool:
    verdict = parse_verdict(message)
    if verdict is None or not verdict.clauses:
        return _NAMED_CLAIM.search(message) is not None
    return all(_OF_VOLUMES.search(why) for _, why in verdict.clauses)


def _without_volume(case: PodCase, placed: PodCondition) -> Symptom:
    named = _NAMED_CLAIM.search(placed.message)
    missing = named["name"] if named is not None and named["then"] else ""
    return _symptom(
        case,
        placed,
        category=Category.VOLUME,
        reason_class="VolumeClaim",
        # A StatefulSet's Pods have a claim each: only the name of a missing one tells two apart.
        detail=normalise(missing.replace(case.pod.metadata.name or "<pod>", "<pod>")),
        caused_by=None if missing else _claim(case, named["name"] if named else None),
    )


def _claim(case: PodCase, named: str | None) -> Upstream | None:
    """The claim that is not bound, the first by name where there are several."""
    unbound = case.around.unbound_claims
    asked = {named} if named else set()
    for volume in case.pod.spec.volumes or ():
        source = volume.persistent_volume_claim
        # A generic ephemeral volume has a claim that is named after the Pod and the volume.
        asked.add(source.claim_name if source else f"{case.pod.metadata.name}-{volume.name}")
    for name in sorted(asked):
        state = unbound.get(name)
        if state is not None:
            return Upstream(
                api_version="v1",
                kind="PersistentVolumeClaim",
                name=name,
                uid=state.uid,
                namespace=case.pod.metadata.namespace,
                reason=state.reason or state.phase,
            )
    return None


def _gated(case: PodCase, placed: PodCondition) -> Verdict:
    begun = placed.last_transition_time or case.begun
    wait = case.grace(begun, GRACES.gated)
    if wait is not None:
        return waits(wait)
    gates = sorted(gate.name for gate in case.pod.spec.scheduling_gates or ())
    return shows(
        Symptom(
            category=Category.SCHEDULING,
            reason="SchedulingGated",
            reason_class="SchedulingGated",
            detail=normalise(" ".join(gates)),
            message=placed.message,
            since=begun,
            last_seen=begun,
        )
    )


def _unseen(case: PodCase) -> Verdict:
    """No scheduler has looked at it: none runs, or none by the name that the Pod asks for."""
    if case.pod.status.phase not in {"", "Pending"}:
        return HEALTHY
    begun = case.pod.metadata.creation_timestamp
    wait = case.grace(begun, GRACES.unseen_by_scheduler)
    if wait is not None or begun is None:
        return waits(wait)
    note = newest(case.notes({FAILED}))
    return shows(
        Symptom(
            category=Category.SCHEDULING,
            reason="Pending",
            reason_class="NotScheduled",
            detail="",
            message=note.message if note else "",
            since=begun,
            last_seen=begun,
        )
    )


def _symptom(
    case: PodCase,
    placed: PodCondition,
    *,
    category: Category,
    reason_class: str,
    detail: str,
    caused_by: Upstream | None = None,
) -> Symptom:
    notes = case.notes({FAILED})
    since = placed.last_transition_time or case.begun
    return Symptom(
        category=category,
        reason=FAILED,
        reason_class=reason_class,
        detail=detail,
        message=placed.message,
        since=since,
        last_seen=last_heard(since, notes),
        occurrences=attempts(notes),
        caused_by=caused_by,
    )
