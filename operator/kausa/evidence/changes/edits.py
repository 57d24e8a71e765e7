"""Objects that the workload depends on and that somebody edited, or made, before it failed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from kausa.evidence.changes.difference import Difference
from kausa.evidence.changes.managed import Edit, created, last_edit
from kausa.evidence.changes.window import Window
from kausa.evidence.fields import name_of, rows, table, text

__all__ = ["claims_of", "config_map_edits", "config_map_names", "object_edits"]

MOST_KEYS = 3
LONGEST_VALUE = 200
MADE_LATER = timedelta(seconds=60)
"""What is applied together is made within seconds; only what came later is worth telling."""


def config_map_names(pod_spec: object) -> tuple[str, ...]:
    """The ConfigMaps that a Pod reads: in variables, in volumes, in parts of projected ones."""
    found: list[str] = []
    for field in ("initContainers", "containers"):
        for container in rows(pod_spec, field):
            found.extend(text(each, "configMapRef", "name") for each in rows(container, "envFrom"))
            found.extend(
                text(each, "valueFrom", "configMapKeyRef", "name")
                for each in rows(container, "env")
            )
    for volume in rows(pod_spec, "volumes"):
        found.append(text(volume, "configMap", "name"))
        found.extend(
            text(each, "configMap", "name") for each in rows(volume, "projected", "sources")
        )
    # Every namespace has this one: authorities that the cluster's own controllers write.
    return tuple(each for each in dict.fromkeys(found) if each and each != "kube-root-ca.crt")


def config_map_edits(
    config_map: Mapping[str, Any], *, window: Window, workload_made: datetime | None
) -> Iterator[Difference]:
    """What was edited: by key where that is known, with the value that it has now."""
    name = name_of(config_map)
    edit = last_edit(config_map, "data", "binaryData")
    if edit is None or not window.came_after_it_worked(edit.at):
        yield from _made(config_map, window=window, workload_made=workload_made)
        return
    keys = [key for each in edit.fields if (key := _key(each)) is not None]
    if not edit.exact or not keys or len(keys) > MOST_KEYS:
        several = f" (its keys: {', '.join(sorted(keys)[:20])})" if keys else ""
        yield _edited("ConfigMap", name, edit, said=several)
        return
    for key in keys:
        value = text(config_map, "data", key)
        short = bool(value) and len(value) <= LONGEST_VALUE and "\n" not in value
        now = f" (now {key}={shlex.quote(value)})" if short else ""
        beginning = f"key {key} of ConfigMap {name} was edited"
        yield Difference(
            kind="ConfigMap",
            name=name,
            path=f"data[{key}]",
            after=value if short else None,
            told=f"{beginning} by {edit.manager}{now}",
            citation=beginning,
            at=edit.at,
            by=edit.manager,
        )


def object_edits(
    manifest: Mapping[str, Any],
    *,
    window: Window,
    workload_made: datetime | None = None,
    under: tuple[str, ...] = ("spec",),
) -> Iterator[Difference]:
    """An edit of any other object: a claim, a quota, an autoscaler, a Service."""
    edit = last_edit(manifest, *under)
    if edit is None or not window.may_have_led_to_it(edit.at):
        yield from _made(manifest, window=window, workload_made=workload_made)
        return
    fields = f" ({', '.join(edit.fields)})" if edit.exact and len(edit.fields) <= 5 else ""
    yield _edited(text(manifest, "kind"), name_of(manifest), edit, said=fields)


def _made(
    manifest: Mapping[str, Any], *, window: Window, workload_made: datetime | None
) -> Iterator[Difference]:
    """Made after the workload: it was not there at first, or was deleted and made anew."""
    made = created(manifest)
    if made is None or workload_made is None or made - workload_made < MADE_LATER:
        return
    if not window.came_after_it_worked(made):
        return
    kind, name = text(manifest, "kind"), name_of(manifest)
    told = f"{kind} {name} was made, after the workload that uses it"
    yield Difference(kind=kind, name=name, told=told, citation=f"{kind} {name} was made", at=made)


def _edited(kind: str, name: str, edit: Edit, *, said: str) -> Difference:
    beginning = f"{kind} {name} was edited"
    return Difference(
        kind=kind,
        name=name,
        told=f"{beginning} by {edit.manager}{said}",
        citation=beginning,
        at=edit.at,
        by=edit.manager,
    )


def _key(field: str) -> str | None:
    """The key of `data.url` or of `data[app.properties]`."""
    for top in ("data", "binaryData"):
        if field.startswith(f"{top}."):
            return field.removeprefix(f"{top}.")
        if field.startswith(f"{top}[") and field.endswith("]"):
            return field.removeprefix(f"{top}[")[:-1]
    return None


def claims_of(pod_spec: object) -> tuple[str, ...]:
    """The claims that a Pod mounts by name."""
    return tuple(
        name
        for volume in rows(pod_spec, "volumes")
        if (name := text(table(volume, "persistentVolumeClaim"), "claimName"))
    )
