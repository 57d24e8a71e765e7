"""Pods that have ended for good, or were told to end: evicted, refused by a node, failed, stuck.

A Job decides itself what the failure of one of its Pods means, but an eviction is nobody's decision
but the node's. Pods that ended and were replaced stay as records: only the last hour counts. A node
that is shut down in order, and a Pod of higher priority, are nobody's failure where a controller
makes a new Pod: if that one finds no place, it says so itself.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from kausa.detection.case import (
    PodCase,
    credible,
    earlier,
    latest,
    newest,
    shows,
    together,
    waits,
)
from kausa.detection.crashes import ended_for_good
from kausa.detection.fingerprint import normalise
from kausa.detection.graces import GRACES
from kausa.detection.nodes import node_lost, node_upstream
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.resources.category import Category

__all__ = ["deleting", "failed", "gives_way"]

_BY_REASON = {
    "Evicted": Category.EVICTION,
    "Preempting": Category.EVICTION,
    "NodeLost": Category.NODE,
    "NodeShutdown": Category.NODE,
    "Shutdown": Category.NODE,
    "Terminated": Category.NODE,
    "AppArmor": Category.ADMISSION,
    "InvalidNodeInfo": Category.ADMISSION,
    "NodeAffinity": Category.ADMISSION,
    "NodeName": Category.ADMISSION,
    "NodePorts": Category.ADMISSION,
    "PodLevelResourcesNotAdmitted": Category.ADMISSION,
    "PodOSNotSupported": Category.ADMISSION,
    "PodOSSelectorNodeLabelDoesNotMatch": Category.ADMISSION,
    "SysctlForbidden": Category.ADMISSION,
    "TaintToleration": Category.ADMISSION,
    "TopologyAffinityError": Category.ADMISSION,
    "UnexpectedAdmissionError": Category.ADMISSION,
    "UnexpectedPredicateFailureType": Category.ADMISSION,
}
_OUT_OF = "OutOf"
_DISRUPTED = "DisruptionTarget"
_SHUT_DOWN = frozenset({"NodeShutdown", "Shutdown"})
"""The kubelet's words for Pods that it refuses, or ends, because its node is shut down in order."""
_ENDED_WITH_NODE = "Terminated"
_OF_SHUTDOWN = re.compile(r"\bshut(?:ting)?[ -]?down\b|\bshutting\b", re.I)
_PRESSURE = re.compile(
    r"low on resource: (?P<resource>[\w./-]{1,63}?)\.?(?:\s|$)|"
    r"node had condition: \[(?P<condition>[\w, ]{1,200})\]|"
    r"(?P<volume>[Uu]sage of EmptyDir)|(?P<storage>ephemeral local storage)"
)
_STUCK = {
    "FailedKillPod": Category.SANDBOX,
    "FailedUnMount": Category.VOLUME,
    "FailedUnmount": Category.VOLUME,
    "FailedUnmapDevice": Category.VOLUME,
    "FailedDetachVolume": Category.VOLUME,
    "FailedPreStopHook": Category.OTHER,
    "ExceededGracePeriod": Category.OTHER,
}


def failed(case: PodCase) -> Verdict:
    """What ails a Pod of the phase Failed."""
    if gives_way(case):
        return HEALTHY
    status = case.pod.status
    ended = _ended_at(case)
    until = None
    if case.controller is not None:
        until = case.grace(ended, GRACES.history)
        if until is None and ended is not None:
            return HEALTHY
    category = _BY_REASON.get(status.reason)
    if category is None and status.reason.startswith(_OUT_OF):
        category = Category.ADMISSION
    if category is not None:
        return shows(_thrown_out(case, category, ended=ended), until=until)
    if (preempted := _preempted(case)) is not None:
        return shows(preempted)
    if case.is_a_jobs:
        return HEALTHY
    if status.reason == "DeadlineExceeded":
        return shows(_whole(case, Category.JOB, ended=ended), until=until)
    found = together(ended_for_good(case, each) for each in status.all_container_statuses)
    if not found.symptoms:
        found = shows(_whole(case, _unexplained(case), ended=ended))
    return found if until is None else Verdict(symptoms=found.symptoms, look_again_at=until)


def gives_way(case: PodCase) -> bool:
    """Whether its node is shut down in order, or another Pod needs its place, and its controller
    makes a new one.

    That may show before the Pod's phase does: its containers are ended first.
    """
    status = case.pod.status
    if not status.reason and case.condition(_DISRUPTED) is None:
        return False  # As nearly always.
    if case.controller is None:
        return False
    if status.reason in _SHUT_DOWN:
        return True
    if status.reason == _ENDED_WITH_NODE and _OF_SHUTDOWN.search(status.message):
        return True
    return _preempted(case) is not None


def deleting(case: PodCase) -> Verdict:
    """What ails a Pod that is to go: its node is lost, another takes its place, or it stays."""
    if case.pod.status.phase not in {"Failed", "Succeeded"}:
        lost = node_lost(case)
        if lost.symptoms:
            return lost
        if case.controller is None and (preempted := _preempted(case)) is not None:
            return shows(preempted)
    deadline = case.pod.metadata.deletion_timestamp
    wait = case.grace(deadline, GRACES.terminating)
    if wait is not None or deadline is None:
        return waits(wait)
    asked_at = earlier(deadline, _grace_period(case))
    note = newest(
        each for each in case.notes(_STUCK) if each.last_seen and each.last_seen >= asked_at
    )
    upstream = node_upstream(case)
    category = _STUCK[note.reason] if note is not None else Category.OTHER
    return shows(
        Symptom(
            category=category if upstream is None else Category.NODE,
            reason="Terminating",
            reason_class="Terminating",
            detail="",
            message=note.message if note is not None else "",
            since=deadline,
            last_seen=latest(deadline, note.last_seen if note is not None else None),
            occurrences=max(1, note.count) if note is not None else 1,
            caused_by=upstream,
        )
    )


def _grace_period(case: PodCase) -> timedelta:
    seconds = case.pod.metadata.deletion_grace_period_seconds or 0
    return min(timedelta(seconds=min(max(seconds, 0), 86_400)), GRACES.longest_probe)


def _thrown_out(case: PodCase, category: Category, *, ended: datetime | None) -> Symptom:
    """Evicted, shut down or refused by its node."""
    message = case.pod.status.message
    if category is not Category.EVICTION:
        return _whole(case, category, ended=ended)
    found = _PRESSURE.search(message)
    detail = normalise(message) if found is None else str(found[found.lastgroup or 0])
    return _whole(case, category, ended=ended, detail=detail)


def _whole(
    case: PodCase, category: Category, *, ended: datetime | None, detail: str = ""
) -> Symptom:
    status = case.pod.status
    note = newest(case.notes({status.reason})) if status.reason else None
    return Symptom(
        category=category,
        reason=status.reason or "Failed",
        reason_class=status.reason or "Failed",
        detail=detail,
        message=status.message or (note.message if note is not None else ""),
        since=case.begun,
        last_seen=ended,
    )


def _preempted(case: PodCase) -> Symptom | None:
    """A Pod of higher priority takes its place; a drain and a clean-up are no failures."""
    target = case.condition(_DISRUPTED)
    if target is None or (target.status, target.reason) != ("True", "PreemptionByScheduler"):
        return None
    return Symptom(
        category=Category.EVICTION,
        reason="Preempted",
        reason_class="Preempted",
        detail="",
        message=target.message,
        since=target.last_transition_time,
        last_seen=target.last_transition_time,
    )


def _unexplained(case: PodCase) -> Category:
    """Without any container the kubelet has refused the Pod."""
    return Category.OTHER if case.pod.status.container_statuses else Category.ADMISSION


def _ended_at(case: PodCase) -> datetime | None:
    """When it ended: its last container, or what was said of it last."""
    finished = [
        credible(each.state.terminated.finished_at)
        for each in case.pod.status.all_container_statuses
        if each.state.terminated is not None
    ]
    said = [
        each.last_transition_time
        for each in case.pod.status.conditions or ()
        if each.type in {"Ready", "DisruptionTarget"}
    ]
    return latest(*finished, *said) or case.begun
