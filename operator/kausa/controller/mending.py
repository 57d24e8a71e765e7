"""What was changed while a failure lasted: read once, when it is found to be over.

The same objects that are looked at for what led to a failure: the revisions of the workload, the
ConfigMaps that it reads, quotas and claims, the object itself. What cannot be read is not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from kausa.cluster.objects import ObjectReference
from kausa.cluster.owners import Owner
from kausa.cluster.reader import ClusterReader
from kausa.controller.found import NO_POD
from kausa.evidence.around import Around, pod_template
from kausa.evidence.changes.difference import Difference
from kausa.evidence.changes.edits import config_map_edits, config_map_names, object_edits
from kausa.evidence.changes.managed import created, last_edit
from kausa.evidence.changes.revisions import (
    Revision,
    Step,
    controller_revisions,
    job_revisions,
    replica_set_revisions,
)
from kausa.evidence.changes.templates import diff_templates
from kausa.evidence.changes.window import Window
from kausa.evidence.changes.words import describe
from kausa.evidence.fields import at, name_of, table, text
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.redaction import Redactor
from kausa.evidence.selecting import in_words
from kausa.learning.resolutions import Mended, failing_step, mended_by

__all__ = ["Mender"]

MOST_CONFIG_MAPS = 10
_REVISION = "deployment.kubernetes.io/revision"


class Mender:
    """Compares what fails no more with what failed."""

    def __init__(self, *, reader: ClusterReader, redactor: Redactor) -> None:
        self._reader = reader
        self._redactor = redactor

    async def mended(self, owner: Owner, *, began: datetime, works_since: datetime) -> Mended:
        """What was changed between `began` and `works_since`; empty where nothing is known of."""
        around = Around(inquiry=_inquiry(self._reader, owner, now=works_since))
        workload = await around.workload()
        found = tuple(await _rollout(around, workload, began=began)) if workload else ()
        if not found:
            window = Window(began=works_since, worked_since=began)
            found = tuple(await _edits(around, workload, window=window))
        later = tuple(each for each in found if each.at is None or each.at >= began)
        return mended_by(self._redactor.tree(later).value)


def _inquiry(reader: ClusterReader, owner: Owner, *, now: datetime) -> Inquiry:
    return Inquiry(
        reader=reader,
        owner=owner,
        shown_by=ObjectReference(
            api_version=owner.api_version,
            kind=owner.kind,
            namespace=owner.namespace,
            name=owner.name,
            uid=owner.uid,
        ),
        pod=NO_POD,
        symptom=None,
        now=now,
    )


async def _rollout(
    around: Around, workload: Mapping[str, Any], *, began: datetime
) -> Iterable[Difference]:
    revisions, healthy = await _revisions(around, workload)
    edit = last_edit(workload, "spec")
    edited_at = edit.at if edit is not None else None
    step = failing_step(revisions, began=began, edited_at=edited_at, healthy=healthy)
    return _differences(step, workload) if step is not None else ()


async def _revisions(
    around: Around, workload: Mapping[str, Any]
) -> tuple[tuple[Revision, ...], str | None]:
    """Those that are kept, and the name of the one that runs now where that is known."""
    kind = text(workload, "kind")
    selector = at(workload, "spec", "selector")
    words = in_words(selector) if selector else ""
    words = "" if words == "everything" else words
    if kind == "Deployment":
        found = replica_set_revisions(
            workload, await around.many("ReplicaSet", label_selector=words) or ()
        )
        number = text(workload, "metadata", "annotations", _REVISION)
        return found, next((each.name for each in found if str(each.number) == number), None)
    if kind in ("StatefulSet", "DaemonSet"):
        found = controller_revisions(
            workload, await around.many("ControllerRevision", label_selector=words) or ()
        )
        running = text(workload, "status", "updateRevision")
        return found, running if any(each.name == running for each in found) else None
    if kind == "CronJob":
        jobs = job_revisions(workload, await around.many("Job") or ())
        worked = [each for each in jobs if each.works and each.created is not None]
        newest = max(worked, key=lambda each: (each.created, each.name), default=None)
        return jobs, newest.name if newest is not None else None
    return (), None


def _differences(step: Step, workload: Mapping[str, Any]) -> Iterator[Difference]:
    is_cron = text(workload, "kind") == "CronJob"
    prefix = "spec.jobTemplate.spec.template" if is_cron else "spec.template"
    for each in diff_templates(step.before.template, step.running.template):
        told, citation = describe(each.path, each.before, each.after)
        yield Difference(
            kind=text(workload, "kind"),
            name=name_of(workload),
            path=f"{prefix}.{each.path}",
            before=each.before,
            after=each.after,
            told=told,
            citation=citation,
        )


async def _edits(
    around: Around, workload: Mapping[str, Any] | None, *, window: Window
) -> Iterable[Difference]:
    """What the workload reads or needs, where somebody wrote to it meanwhile."""
    names = config_map_names(table(pod_template(workload), "spec")) if workload else ()
    config_maps = await around.all_of("ConfigMap", names[:MOST_CONFIG_MAPS])
    quotas = await around.many("ResourceQuota") or ()
    ranges = await around.many("LimitRange") or ()
    itself = await around.shown_by() if workload is None else None
    made = created(workload) if workload else None
    found: list[Difference] = []
    for each in config_maps:
        if each.manifest is not None:
            found.extend(config_map_edits(each.manifest, window=window, workload_made=made))
    for manifest in (*quotas, *ranges, *((itself,) if itself is not None else ())):
        found.extend(
            replace(each, path=each.path or "spec")
            for each in object_edits(manifest, window=window)
        )
    return found
