"""Hooks and endings: postStart and preStop that fail, and containers that do not end in time."""

from __future__ import annotations

import re

from kausa.diagnosis.finding import Finding, Fix
from kausa.diagnosis.rules.accounts import Account, events
from kausa.diagnosis.rules.application.subjects import is_settled
from kausa.diagnosis.rules.telling import LONGEST_SUMMARY, citing, listed, tell_finding
from kausa.diagnosis.rules.wording import clip
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import number, strings
from kausa.resources.category import Category

__all__ = ["ends_too_slowly", "hook_fails"]

_HOOKS = {"FailedPostStartHook": "postStart", "FailedPreStopHook": "preStop"}
_HOOK_WORDS = re.compile(
    r"\b(?P<hook>Post-?Start|Pre-?Stop)\s?(?:Hook|lifecycle hook)?\b.{0,60}?\b(?:fail|error|exit)",
    re.I,
)
_TERMINATES = re.compile(
    r"\b(?:still terminating|is terminating|did not (?:terminate|stop|exit)|exceeded (?:its |the "
    r")?(?:termination |grace )|grace period (?:expired|exceeded)|failed to (?:stop|kill) "
    r"container|stuck (?:in )?terminating|KillContainerError|killing container .{0,80}?grace)",
    re.I,
)
DEFAULT_GRACE = 30
_FINALIZERS = {
    "batch.kubernetes.io/job-tracking": "the Job controller has not counted it yet",
    "foregroundDeletion": "what it owns is still being deleted",
    "orphan": "what it owns has not been let go of yet",
}


def hook_fails(dossier: Dossier) -> Finding | None:
    """A lifecycle hook of a container fails."""
    symptom = dossier.symptom
    if symptom is None or symptom.category not in (Category.CRASH_LOOP, Category.OTHER):
        return None
    for account in reversed(events(dossier)):
        hook = _hook(account)
        if hook and account.kind == "Pod" and account.warning:
            return _hook_finding(dossier, account, hook)
    return None


def _hook(account: Account) -> str:
    if account.reason in _HOOKS:
        return _HOOKS[account.reason]
    found = _HOOK_WORDS.search(account.message)
    if found is None:
        return ""
    return "postStart" if found["hook"].lower().startswith("post") else "preStop"


def _hook_finding(dossier: Dossier, account: Account, hook: str) -> Finding:
    symptom = dossier.symptom
    container = symptom.container if symptom is not None and symptom.container else ""
    of = f" of container {container}" if container else f" of Pod {dossier.pod.metadata.name}"
    said = clip(account.message, characters=200).rstrip(". ")
    what = (
        "The kubelet kills a container whose postStart hook fails, and starts it again."
        if hook == "postStart"
        else "The container is stopped all the same; what the hook should have done before is not "
        "done."
    )
    shown = f" Kubernetes shows {symptom.reason}." if symptom is not None else ""
    return Finding(
        rule=f"crash.{hook.lower()}-hook",
        category=Category.CRASH_LOOP if hook == "postStart" else Category.OTHER,
        summary=clip(f"the {hook} hook{of} fails: {said}", characters=LONGEST_SUMMARY),
        root_cause=f"The command or request of the {hook} lifecycle hook{of} fails: {said}. "
        f"{what}{shown}",
        explanation=f"A hook runs inside the container. {what}",
        confidence=93,
        citations=account.citations,
        fixes=(
            Fix(
                title=f"Correct the {hook} hook, or let it end without an error",
                rationale=what,
                command=f"kubectl -n {dossier.owner.namespace} describe pod "
                f"{dossier.pod.metadata.name}",
                citations=account.citations,
            ),
        ),
    )


def ends_too_slowly(dossier: Dossier) -> Finding | None:
    """The Pod is to go, and a container does not end within the grace period; or all have ended,
    and a finalizer keeps it.
    """
    symptom = dossier.symptom
    if symptom is not None and symptom.reason != "Terminating":
        return None
    if symptom is None and is_settled(dossier):
        return None
    held = _held_by_finalizers(dossier) if symptom is not None else None
    if held is not None:
        return held
    told = [
        each
        for each in events(dossier)
        if each.kind == "Pod" and _TERMINATES.search(f"{each.reason}: {each.message}")
    ]
    repeated = len(told) > 1 or any(each.count > 1 or each.warning for each in told)
    if symptom is None and not repeated:
        return None
    if symptom is not None and not told and symptom.message:
        return None
    pod = dossier.object("Pod", dossier.pod.metadata.name)
    grace = number(pod, "spec", "terminationGracePeriodSeconds")
    grace = DEFAULT_GRACE if grace is None else grace
    name = dossier.pod.metadata.name
    said = clip(told[-1].message, characters=160).rstrip(". ") if told else "no Event says why"
    return tell_finding(
        dossier,
        rule="crash.ends-too-slowly",
        category=Category.OTHER,
        summary=f"Pod {name} does not terminate within its grace period of {grace} s",
        cause=f"Pod {name} was told to end (SIGTERM) and its container does not stop within the "
        f"termination grace period of {grace} s, after which it is killed (SIGKILL): {said}",
        why="The program does not react to SIGTERM, its preStop hook takes too long, the runtime "
        "hangs, or a finalizer keeps the Pod.",
        fix="Let the program end on SIGTERM, or raise terminationGracePeriodSeconds",
        confidence=86,
        citations=[id_ for each in told for id_ in each.citations] or citing(dossier),
        command=f"kubectl -n {dossier.owner.namespace} describe pod {name}",
    )


def _held_by_finalizers(dossier: Dossier) -> Finding | None:
    """A Pod none of whose containers runs any more: no grace period has to do with it."""
    name = dossier.pod.metadata.name
    waits = strings(dossier.object("Pod", name), "metadata", "finalizers")
    statuses = dossier.pod.status.all_container_statuses
    if not waits or any(each.state.terminated is None for each in statuses):
        return None
    whose = next((_FINALIZERS[each] for each in waits if each in _FINALIZERS), "")
    which = f"finalizer{'s' * (len(waits) > 1)} {listed(waits)}"
    keeps = "keep" if len(waits) > 1 else "keeps"
    return tell_finding(
        dossier,
        rule="deletion.finalizer",
        category=Category.OTHER,
        summary=f"Pod {name} is being deleted and {which} {keeps} it",
        cause=f"Pod {name} was deleted and none of its containers runs any more, but {which} in "
        f"metadata.finalizers {keeps} it (Terminating)"
        + (f": {whose}" if whose else "; the controller that set it has not taken it away"),
        why="Kubernetes removes an object when all its finalizers are gone; each is taken away by "
        "the controller that it belongs to.",
        fix="See that the controller behind the finalizer runs; take it away by hand only if that "
        "controller is gone for good",
        confidence=92,
        citations=citing(dossier, ("Pod", name), containing=waits[0]),
        command=f"kubectl -n {dossier.owner.namespace} get pod {name} -o yaml",
    )
