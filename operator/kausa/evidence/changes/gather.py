"""Gathering what changed: the rollout, what it reads, its node, its scale; the likeliest first.

It costs one list (the kept revisions) and, where the failure is of such a kind, one of autoscalers,
quotas and limit ranges each; the rest was read for other evidence already. Secrets are not looked
at: there is no right to. What cannot be read is noted by the reader, and simply not there here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kausa.evidence.around import Around, pod_template
from kausa.evidence.changes.aspects import Aspect, aspect_of, bears_on
from kausa.evidence.changes.difference import Difference
from kausa.evidence.changes.edits import (
    claims_of,
    config_map_edits,
    config_map_names,
    object_edits,
)
from kausa.evidence.changes.managed import created
from kausa.evidence.changes.nodes import node_changes
from kausa.evidence.changes.rollout import applied_changes, find_step, step_changes
from kausa.evidence.changes.scaling import scale_change
from kausa.evidence.changes.sides import with_equal_sides
from kausa.evidence.changes.window import Window, window_of
from kausa.evidence.changes.words import when
from kausa.evidence.dossier import Change, Evidence, Source
from kausa.evidence.fields import name_of, namespace_of, table, text, uid_of
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.reading import Reading
from kausa.evidence.redaction import Redactor
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["gather_changes"]

MOST_CHANGES = 20
MOST_CONFIG_MAPS = 10
MOST_CLAIMS = 5
_ABOUT_ROOM = frozenset({Category.QUOTA, Category.ADMISSION, Category.OOM_KILLED, Category.ROLLOUT})
"""Failures that another quota or another default limit would explain."""
_ABOUT_SCALE = frozenset(
    {Category.QUOTA, Category.SCHEDULING, Category.ROLLOUT, Category.AUTOSCALING}
)
_STANDS_FOR_ITSELF = frozenset(
    {"Service", "Ingress", "HorizontalPodAutoscaler", "PersistentVolumeClaim", "ResourceQuota"}
)


async def gather_changes(inquiry: Inquiry) -> Reading:
    """What changed before it began to fail, at most 20 things, each with a piece of evidence."""
    scene = await _scene(Around(inquiry=inquiry))
    parts = await asyncio.gather(
        _rollout(scene),
        _config_maps(scene),
        _node(scene),
        _scale(scene),
        _room(scene),
        _claims(scene),
    )
    found = [each for part in parts for each in part]
    found.extend(_itself(scene))
    # Only asked what it would hide: all that leaves here passes the real one, with its own key.
    asked = Redactor(key=b"asked")
    found = [with_equal_sides(each, redactor=asked) for each in found]
    return _reading(_ordered(found, inquiry=inquiry), window=scene.window)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    around: Around
    pod: Mapping[str, Any] | None
    workload: Mapping[str, Any] | None
    shown: Mapping[str, Any] | None
    window: Window

    @property
    def pod_specs(self) -> tuple[object, ...]:
        """Of the Pod that fails, and of the template that it would be made from."""
        return (table(self.pod, "spec"), table(pod_template(self.workload), "spec"))


async def _scene(around: Around) -> _Scene:
    inquiry = around.inquiry
    shown_by = inquiry.shown_by
    pod, workload, shown, events = await asyncio.gather(
        around.pod(),
        around.workload(),
        around.shown_by(),
        around.events(namespace=shown_by.namespace or inquiry.namespace, uid=shown_by.uid),
    )
    window = window_of(inquiry.pod, inquiry.symptom, events=events, now=inquiry.now)
    return _Scene(around=around, pod=pod, workload=workload, shown=shown, window=window)


async def _rollout(scene: _Scene) -> Iterable[Difference]:
    if scene.workload is None:
        return tuple(applied_changes(scene.pod)) if scene.pod is not None else ()
    step = await find_step(scene.around, scene.workload)
    if step is None:
        return ()
    return tuple(step_changes(step, scene.workload, window=scene.window))


async def _config_maps(scene: _Scene) -> Iterable[Difference]:
    names = [name for spec in scene.pod_specs for name in config_map_names(spec)]
    asked = list(dict.fromkeys(names))[:MOST_CONFIG_MAPS]
    found = await scene.around.all_of("ConfigMap", asked)
    made = created(scene.workload or scene.pod)
    return tuple(
        change
        for each in found
        if each.manifest is not None
        for change in config_map_edits(each.manifest, window=scene.window, workload_made=made)
    )


async def _node(scene: _Scene) -> Iterable[Difference]:
    name = text(scene.pod, "spec", "nodeName")
    node = await scene.around.one("Node", name) if name else None
    return tuple(node_changes(node, window=scene.window)) if node is not None else ()


async def _scale(scene: _Scene) -> Iterable[Difference]:
    workload, symptom = scene.workload, scene.around.inquiry.symptom
    if workload is None or symptom is None or symptom.category not in _ABOUT_SCALE:
        return ()
    events, autoscalers = await asyncio.gather(
        scene.around.events(namespace=namespace_of(workload), uid=uid_of(workload)),
        scene.around.many("HorizontalPodAutoscaler"),
    )
    kind, name = text(workload, "kind"), name_of(workload)
    scaled = scale_change(kind, name, events, window=scene.window)
    edited = (
        change
        for each in autoscalers or ()
        if (
            text(each, "spec", "scaleTargetRef", "kind"),
            text(each, "spec", "scaleTargetRef", "name"),
        )
        == (kind, name)
        for change in object_edits(each, window=scene.window)
    )
    return (*((scaled,) if scaled is not None else ()), *edited)


async def _room(scene: _Scene) -> Iterable[Difference]:
    symptom = scene.around.inquiry.symptom
    if symptom is None or symptom.category not in _ABOUT_ROOM:
        return ()
    quotas, ranges = await asyncio.gather(
        scene.around.many("ResourceQuota"), scene.around.many("LimitRange")
    )
    made = created(scene.workload or scene.pod)
    return tuple(
        change
        for each in (*(quotas or ()), *(ranges or ()))
        for change in object_edits(each, window=scene.window, workload_made=made)
    )


async def _claims(scene: _Scene) -> Iterable[Difference]:
    names = [name for spec in scene.pod_specs for name in claims_of(spec)]
    asked = list(dict.fromkeys(names))[:MOST_CLAIMS]
    found = await scene.around.all_of("PersistentVolumeClaim", asked)
    made = created(scene.workload or scene.pod)
    return tuple(
        change
        for each in found
        if each.manifest is not None
        for change in object_edits(each.manifest, window=scene.window, workload_made=made)
    )


def _itself(scene: _Scene) -> Iterator[Difference]:
    """What fails without Pods of its own and was edited."""
    if scene.shown is not None and text(scene.shown, "kind") in _STANDS_FOR_ITSELF:
        yield from object_edits(scene.shown, window=scene.window)


def _ordered(found: Iterable[Difference], *, inquiry: Inquiry) -> tuple[Difference, ...]:
    """The likeliest to matter first; the step between revisions last, and never left out."""
    symptom = inquiry.symptom
    category = symptom.category if symptom is not None else None
    container = symptom.container if symptom is not None else None
    aspects = list(Aspect)

    def rank(each: Difference) -> tuple[int, int, str]:
        path = _path(each)
        likely = bears_on(path, category, container=container)
        return (100 if likely is None else likely, aspects.index(aspect_of(path)), path)

    unique = {(_path(each), each.told): each for each in found}
    ranked = sorted(unique.values(), key=rank)
    steps = [each for each in ranked if each.path == "revision"]
    others = [each for each in ranked if each.path != "revision"]
    return (*others[: MOST_CHANGES - len(steps)], *steps)


def _path(each: Difference) -> str:
    return f"{each.kind}/{each.name} {each.path}".strip()


def _reading(found: tuple[Difference, ...], *, window: Window) -> Reading:
    return Reading(
        changes=tuple(
            Change(
                path=_path(each),
                before=each.before,
                after=each.after,
                at=each.at,
                citation=each.citation,
            )
            for each in found
        ),
        evidence=tuple(
            Evidence(
                kind=EvidenceKind.CHANGE,
                source=Source(kind=each.kind, name=each.name, field_path=each.path),
                text=f"{each.told}{when(each.at, began=window.began)}",
                time=each.at,
            )
            for each in found
        ),
    )
