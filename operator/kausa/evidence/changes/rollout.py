"""The step from the last revision that worked to the one that fails, and what differs in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from kausa.evidence.around import Around, controller_of
from kausa.evidence.changes.difference import Difference
from kausa.evidence.changes.managed import last_edit
from kausa.evidence.changes.revisions import (
    Step,
    choose,
    controller_revisions,
    job_revisions,
    replica_set_revisions,
)
from kausa.evidence.changes.templates import diff_templates
from kausa.evidence.changes.window import Window
from kausa.evidence.changes.words import describe
from kausa.evidence.fields import at as field_at
from kausa.evidence.fields import name_of, text
from kausa.evidence.selecting import in_words

__all__ = ["applied_changes", "find_step", "step_changes"]

_TEMPLATE = {"CronJob": "spec.jobTemplate.spec.template"}


async def find_step(around: Around, workload: Mapping[str, Any]) -> Step | None:
    """The revisions of a workload that are kept, compared; None where there is one at most."""
    kind = text(workload, "kind")
    if kind == "Deployment":
        sets = await around.many("ReplicaSet", label_selector=_selector(workload))
        running = await _failing(around, kind="ReplicaSet")
        return choose(replica_set_revisions(workload, sets or ()), running=running)
    if kind in ("StatefulSet", "DaemonSet"):
        kept = await around.many("ControllerRevision", label_selector=_selector(workload))
        pod = await around.pod()
        running = text(pod, "metadata", "labels", "controller-revision-hash") or None
        found = controller_revisions(workload, kept or ())
        names = {each.name for each in found}
        # A DaemonSet's Pods bear the hash alone, which is the end of the revision's name.
        exact = next(
            (
                each
                for each in names
                if running and each in (running, f"{name_of(workload)}-{running}")
            ),
            None,
        )
        return choose(found, running=exact)
    if kind == "CronJob":
        jobs = await around.many("Job")
        running = await _failing(around, kind="Job")
        return choose(job_revisions(workload, jobs or ()), running=running, proven=True)
    return None


def _is_told(step: Step, *, at: datetime | None, window: Window) -> bool:
    """Whether the step may be behind the failure: it was made before, and not a day before; or it
    never worked since, however long ago that was.
    """
    if window.may_have_led_to_it(at):
        return True
    never_worked = not step.running.works and step.before.works
    return never_worked and (at is None or at <= window.began)


def step_changes(
    step: Step, workload: Mapping[str, Any], *, window: Window
) -> Iterator[Difference]:
    """Every field that differs, and the step itself."""
    kind, name = text(workload, "kind"), name_of(workload)
    edit = last_edit(workload, "spec")
    when = step.at or (edit.at if edit is not None else None)
    if not _is_told(step, at=when, window=window):
        return
    by = edit.manager if edit is not None else ""
    prefix = _TEMPLATE.get(kind, "spec.template")
    for each in diff_templates(step.before.template, step.running.template):
        told, citation = describe(each.path, each.before, each.after)
        yield Difference(
            kind=kind,
            name=name,
            path=f"{prefix}.{each.path}",
            before=each.before,
            after=each.after,
            told=told,
            citation=citation,
            at=when,
            by=by,
        )
    if step.running.number > step.before.number > 0:
        old, new = step.before.number, step.running.number
        said = f"revision {new} of {kind} {name} replaced revision {old}"
        worked = ", which still works" if step.before.works else ""
        yield Difference(
            kind=kind,
            name=name,
            path="revision",
            before=str(old),
            after=str(new),
            told=said + worked,
            citation=said,
            at=when,
            by=by,
        )


def applied_changes(pod: Mapping[str, Any]) -> Iterator[Difference]:
    """Images of a Pod without an owner that are not those that were applied.

    Only a weak hint: what was applied says nothing of what worked, and all other fields of a Pod
    cannot be changed anyway.
    """
    applied = text(
        pod, "metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"
    )
    for each in diff_templates(_parsed(applied), pod) if applied else ():
        if each.path.endswith(".image") and each.before and each.after:
            told, citation = describe(each.path, each.before, each.after)
            yield Difference(
                kind="Pod",
                name=name_of(pod),
                path=each.path,
                before=each.before,
                after=each.after,
                told=f"{told} since it was applied",
                citation=citation,
            )


def _parsed(document: str) -> object:
    try:
        return msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError):
        return None


async def _failing(around: Around, *, kind: str) -> str | None:
    """The name of what fails, or of the Pod's own controller, where it is of that kind."""
    if around.inquiry.shown_by.kind == kind:
        return around.inquiry.shown_by.name
    pod = await around.pod()
    if pod is None:
        return None
    reference = controller_of(pod)
    return text(reference, "name") if text(reference, "kind") == kind else None


def _selector(workload: Mapping[str, Any]) -> str:
    """As a list takes it; empty (all, which the owner's uid then sorts out) where there is none."""
    selector = field_at(workload, "spec", "selector")
    words = in_words(selector) if selector else ""
    return "" if words == "everything" else words
