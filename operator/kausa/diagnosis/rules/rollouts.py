"""Rollouts read from the controllers' own fields: revisions, partitions, replicas, what was scaled.

For objects that nothing is wrong with these rules say nothing, whatever the question was.
"""

from __future__ import annotations

import re
from collections import Counter

from kausa.diagnosis.finding import Finding
from kausa.diagnosis.rules.accounts import events
from kausa.diagnosis.rules.facts import Fields, condition, find, namespace, objects, shown
from kausa.diagnosis.rules.telling import citing, listed, tell_finding
from kausa.diagnosis.rules.wording import clip
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import flag, name_of, number, rows, table, text
from kausa.evidence.selecting import in_words
from kausa.resources.category import Category

__all__ = [
    "budget_allows_nothing",
    "daemon_set_fits_no_node",
    "deployment_lacks_replicas",
    "partition_holds_back",
    "rollout_goes_back_and_forth",
    "rollout_is_paused",
    "selectors_overlap",
    "workload_lacks_pods",
]

_SCALED = re.compile(
    r"Scaled (?P<way>up|down) replica ?set (?P<set>[\w.-]{1,253}) (?:from \d{1,9} )?to "
    r"(?P<to>\d{1,9})"
)
_REVISION = "deployment.kubernetes.io/revision"
_DEPLOYMENT = "Deployment"
BACK_AND_FORTH = 2
"""So often one ReplicaSet must be scaled up anew to say that a rollout does not settle."""


def _subject(dossier: Dossier, kind: str) -> Fields:
    """The controller of that kind that fails, or that owns what fails; empty for another."""
    found = shown(dossier)
    if text(found, "kind") == kind:
        return found
    owner = dossier.owner
    if owner.kind != kind:
        return {}
    return find(dossier, kind, owner.name, namespace=namespace(dossier)) or {}


def partition_holds_back(dossier: Dossier) -> Finding | None:
    """A StatefulSet whose partition keeps Pods at the old revision."""
    found = _subject(dossier, "StatefulSet")
    partition = number(found, "spec", "updateStrategy", "rollingUpdate", "partition")
    if not partition:
        return None
    name = name_of(found)
    replicas = number(found, "spec", "replicas")
    replicas = 1 if replicas is None else replicas
    updated = number(found, "status", "updatedReplicas") or 0
    old, new = text(found, "status", "currentRevision"), text(found, "status", "updateRevision")
    if not new or old == new or updated >= replicas:
        return None
    above = partition >= replicas
    held = (
        f"is above the highest ordinal {replicas - 1}, so no Pod is updated"
        if above
        else f"keeps the Pods with ordinals below {partition} at the old revision"
    )
    return tell_finding(
        dossier,
        rule="rollout.partition",
        category=Category.ROLLOUT,
        summary=f"the update of StatefulSet {name} is held back by its partition {partition}: "
        f"{updated} of {replicas} Pods are updated",
        cause=f"The rolling update of StatefulSet {name} to revision {new}"
        + (f" (from {old})" if old else "")
        + f" is blocked by updateStrategy.rollingUpdate.partition {partition}, which {held}; "
        f"{updated} of {replicas} replicas are updated",
        why="A partition is for canaries: only Pods whose ordinal is at least the partition get "
        "the new revision.",
        fix=f"Lower the partition of StatefulSet {name}, to 0 for all Pods",
        command=f"kubectl -n {namespace(dossier)} get statefulset {name} -o yaml",
        confidence=92 if above else 82,
        citations=citing(dossier, ("StatefulSet", name)),
    )


def rollout_goes_back_and_forth(dossier: Dossier) -> Finding | None:
    """A Deployment that scales the same ReplicaSets up and down, or is rolled back again."""
    found = _subject(dossier, _DEPLOYMENT)
    name = name_of(found) or dossier.owner.name
    steps = [
        (match, each)
        for each in events(dossier)
        if each.reason == "ScalingReplicaSet"
        and (match := _SCALED.search(each.message)) is not None
    ]
    ups: Counter[str] = Counter()
    for match, each in steps:
        # The same step taken twice is one Event with a count.
        ups[match["set"]] += each.count if match["way"] == "up" else 0
    scaled_up = [each for each, times in ups.items() if times]
    emptied = [match["set"] for match, _ in steps if match["way"] == "down" and match["to"] == "0"]
    again = [each for each, times in ups.items() if times >= BACK_AND_FORTH]
    gone_back = [each for each in emptied if any(other != each for other in scaled_up)]
    if not gone_back or (not again and len(scaled_up) < 3):
        return None
    failing = _stalled(found)
    how = "is rolled back and tried again" if len(scaled_up) > 2 else "oscillates between revisions"
    order = " -> ".join(f"{m['set']} {m['way']} to {m['to']}" for m, _ in steps[-6:])
    return tell_finding(
        dossier,
        rule="rollout.back-and-forth",
        category=Category.ROLLOUT,
        summary=f"the rollout of Deployment {name} {how}: ReplicaSets are scaled up and down in "
        f"turn",
        cause=f"Deployment {name} {how} (a rollback loop) and does not settle on a revision: new "
        f"ReplicaSet {listed(gone_back, most=2)} was scaled up, then back down to 0, and another "
        f"rollout began{failing}. Steps: {clip(order, characters=200)}",
        why="New revisions do not become available, so somebody or something (a delivery tool, an "
        "operator) rolls back and tries again.",
        fix="Stop the tool that rolls back and forth, and mend the new revision first",
        command=f"kubectl -n {namespace(dossier)} rollout history deployment/{name}",
        confidence=93,
        citations=[id_ for _, each in steps for id_ in each.citations],
    )


def _stalled(deployment: Fields) -> str:
    progressing = condition(deployment, "Progressing")
    if text(progressing, "reason") != "ProgressDeadlineExceeded":
        return ""
    return f"; now: {clip(text(progressing, 'message'), characters=120).rstrip('.')}"


def deployment_lacks_replicas(dossier: Dossier) -> Finding | None:
    """Fewer replicas are available than are wanted, and which revision they lack."""
    found = _subject(dossier, _DEPLOYMENT)
    if not found or "status" not in found:
        return None
    wanted = number(found, "spec", "replicas")
    wanted = 1 if wanted is None else wanted
    available = number(found, "status", "availableReplicas") or 0
    if available >= wanted or flag(found, "spec", "paused"):
        return None
    name = name_of(found)
    progressing = condition(found, "Progressing")
    late = text(progressing, "reason") == "ProgressDeadlineExceeded"
    newest = _newest(dossier, name)
    seconds = number(found, "spec", "progressDeadlineSeconds") or 600
    new = f"new ReplicaSet {name_of(newest)}" if newest else "its newest ReplicaSet"
    ready = number(newest, "status", "readyReplicas") or 0
    revision = text(newest, "metadata", "annotations", _REVISION)
    of_new = (
        f"; {new}{f' (revision {revision})' if revision else ''} has {ready} of "
        f"{number(newest, 'spec', 'replicas')} replicas ready"
        if newest
        else ""
    )
    state = f"only {available} of {wanted} replicas are available"
    return tell_finding(
        dossier,
        rule="rollout.stalled" if late else "rollout.unavailable",
        category=Category.ROLLOUT,
        summary=(
            f"the rollout of Deployment {name} is stalled: " if late else f"Deployment {name}: "
        )
        + f"{state}{of_new}",
        cause=(
            f"The rollout of Deployment {name} made no progress within its deadline of {seconds} s "
            f"(ProgressDeadlineExceeded): {state}, the new Pods do not become ready{of_new}"
            if late
            else f"Deployment {name} wants {wanted} replicas and {state}: {wanted - available} are "
            f"not ready{of_new}, and no Pod of it says why"
        ),
        why="A rollout goes on when new Pods become available; old ones are kept meanwhile.",
        fix=f"Look at the newest Pods of Deployment {name}",
        command=f"kubectl -n {namespace(dossier)} describe deployment {name}",
        confidence=(72 if late else 62) if _pod_is_quiet(dossier) else 40,
        citations=citing(dossier, (_DEPLOYMENT, name)),
    )


def workload_lacks_pods(dossier: Dossier) -> Finding | None:
    """A StatefulSet, DaemonSet or ReplicaSet of which fewer Pods are ready than are wanted."""
    found = shown(dossier)
    kind = text(found, "kind")
    if kind not in _COUNTS or "status" not in found:
        return None
    wanted_at, ready_at = _COUNTS[kind]
    wanted, ready = number(found, *wanted_at), number(found, *ready_at) or 0
    if wanted is None or ready >= wanted:
        return None
    name = name_of(found)
    return tell_finding(
        dossier,
        rule="rollout.pods-not-ready",
        category=Category.ROLLOUT,
        summary=f"only {ready} of {wanted} Pods of {kind} {name} are ready",
        cause=f"{kind} {name} wants {wanted} Pods and only {ready} of them are ready: "
        f"{wanted - ready} are unavailable, and no Pod of it says why",
        why="What its Pods wait for is told by the Pods themselves, where there are any.",
        fix=f"Look at the Pods of {kind} {name} that are not ready",
        command=f"kubectl -n {namespace(dossier)} describe {kind.lower()} {name}",
        confidence=62 if _pod_is_quiet(dossier) else 40,
        citations=citing(dossier, (kind, name)),
    )


_COUNTS = {
    "DaemonSet": (("status", "desiredNumberScheduled"), ("status", "numberReady")),
    "ReplicaSet": (("spec", "replicas"), ("status", "readyReplicas")),
    "StatefulSet": (("spec", "replicas"), ("status", "readyReplicas")),
}


def budget_allows_nothing(dossier: Dossier) -> Finding | None:
    """A PodDisruptionBudget that lets no Pod be evicted, because too few are healthy."""
    found = shown(dossier)
    if text(found, "kind") != "PodDisruptionBudget":
        return None
    allowed = number(found, "status", "disruptionsAllowed")
    expected = number(found, "status", "expectedPods")
    healthy = number(found, "status", "currentHealthy") or 0
    desired = number(found, "status", "desiredHealthy") or 0
    said = condition(found, "DisruptionAllowed")
    if allowed != 0 and text(said, "status") != "False":
        return None
    name = name_of(found)
    why = text(said, "reason") or text(said, "message")
    state = (
        "it selects no Pods"
        if expected == 0
        else f"{healthy} Pods are healthy and {desired} must stay so"
    )
    return tell_finding(
        dossier,
        rule="disruption.budget-allows-nothing",
        category=Category.ROLLOUT,
        summary=f"PodDisruptionBudget {name} allows no disruption: {state}",
        cause=f"PodDisruptionBudget {name} lets no Pod be evicted (disruptionsAllowed 0), so "
        f"drains of "
        f"nodes are blocked: {state}" + (f" ({why})" if why else ""),
        why="A budget lets a Pod be evicted only while enough others are healthy.",
        fix="Bring more replicas up, or relax the budget",
        command=f"kubectl -n {namespace(dossier)} describe poddisruptionbudget {name}",
        confidence=78,
        citations=citing(dossier, ("PodDisruptionBudget", name)),
    )


def _pod_is_quiet(dossier: Dossier) -> bool:
    """Whether no Pod says more exactly what fails."""
    symptom = dossier.symptom
    return symptom is None or symptom.category in (Category.ROLLOUT, Category.OTHER)


def _newest(dossier: Dossier, deployment: str) -> Fields:
    """The ReplicaSet of the highest revision."""
    sets = [
        each
        for each in objects(dossier, "ReplicaSet", namespace=namespace(dossier))
        if any(
            text(owner, "name") == deployment and text(owner, "kind") == _DEPLOYMENT
            for owner in rows(each, "metadata", "ownerReferences")
        )
    ]
    return max(sets, key=_revision, default={})


def _revision(replica_set: Fields) -> int:
    words = text(replica_set, "metadata", "annotations", _REVISION)
    return int(words) if words.isascii() and words.isdecimal() and len(words) < 10 else 0


def rollout_is_paused(dossier: Dossier) -> Finding | None:
    """A Deployment that somebody paused while its Pods are not up to date."""
    found = _subject(dossier, _DEPLOYMENT)
    if not flag(found, "spec", "paused"):
        return None
    name = name_of(found)
    wanted = number(found, "spec", "replicas")
    wanted = 1 if wanted is None else wanted
    updated = number(found, "status", "updatedReplicas") or 0
    if updated >= wanted:
        return None
    return tell_finding(
        dossier,
        rule="rollout.paused",
        category=Category.ROLLOUT,
        summary=f"the rollout of Deployment {name} is paused: {updated} of {wanted} replicas "
        f"updated",
        cause=f"Deployment {name} is paused (spec.paused), so its rollout does not go on: "
        f"{updated} of {wanted} replicas have the newest template",
        why="A paused Deployment takes no change to its Pods until it is resumed.",
        fix=f"Resume the rollout of Deployment {name}",
        command=f"kubectl -n {namespace(dossier)} rollout resume deployment/{name}",
        confidence=80,
        citations=citing(dossier, (_DEPLOYMENT, name)),
    )


def daemon_set_fits_no_node(dossier: Dossier) -> Finding | None:
    """A DaemonSet that no node is to run."""
    found = _subject(dossier, "DaemonSet")
    desired = number(found, "status", "desiredNumberScheduled")
    chosen = table(found, "spec", "template", "spec", "nodeSelector")
    if desired != 0 or not chosen:
        return None
    name, words = name_of(found), in_words(chosen)
    return tell_finding(
        dossier,
        rule="rollout.daemon-set-without-nodes",
        category=Category.ROLLOUT,
        summary=f"DaemonSet {name} runs nowhere: no node matches its nodeSelector {words}",
        cause=f"No node has the labels that the nodeSelector {words} of DaemonSet {name} asks "
        f"for, so it wants 0 Pods",
        why="A DaemonSet runs one Pod on each node that its selector, affinity and tolerations "
        "fit.",
        fix="Label the nodes, or correct the nodeSelector",
        command="kubectl get nodes --show-labels",
        confidence=80,
        citations=citing(dossier, ("DaemonSet", name)),
    )


def selectors_overlap(dossier: Dossier) -> Finding | None:
    """Two ReplicaSets of different owners with one selector."""
    found = _subject(dossier, "ReplicaSet")
    selector = table(found, "spec", "selector")
    if not table(selector, "matchLabels") or rows(found, "metadata", "ownerReferences"):
        return None
    name = name_of(found)
    others = [
        name_of(each)
        for each in objects(dossier, "ReplicaSet", namespace=namespace(dossier))
        if name_of(each) != name and table(each, "spec", "selector") == selector
    ]
    if not others:
        return None
    return tell_finding(
        dossier,
        rule="rollout.selectors-overlap",
        category=Category.ROLLOUT,
        summary=f"ReplicaSets {name} and {others[0]} have the same selector {in_words(selector)}",
        cause=f"ReplicaSet {name} and ReplicaSet {others[0]} have the same selector "
        f"({in_words(selector)}), so both claim the same Pods, and a Pod that one owns cannot be "
        "adopted by the other: an ownership conflict",
        why="A Pod has one controller; selectors of two controllers must not overlap.",
        fix="Give each ReplicaSet a selector and labels of its own",
        command=f"kubectl -n {namespace(dossier)} get replicasets --show-labels",
        confidence=84,
        citations=citing(dossier, ("ReplicaSet", name)),
    )
