"""Quotas and limit ranges of the namespace, against what the Pod asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from kausa.cluster.reader import Manifest
from kausa.evidence.around import Around, pod_template, source_of
from kausa.evidence.asked import asked_by, limited_by
from kausa.evidence.dossier import Evidence
from kausa.evidence.fields import name_of, rows, table, text
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.quantity import in_words, parse_quantity
from kausa.evidence.reading import Reading
from kausa.resources.evidence import EvidenceKind

__all__ = ["gather_quotas", "limit_range_problems", "quota_problems"]

MOST_QUOTAS = 5
MOST_RESOURCES = 20


async def gather_quotas(inquiry: Inquiry) -> Reading:
    """What the namespace allows, those first that leave too little for one more Pod."""
    around = Around(inquiry=inquiry)
    if not around.namespace:
        return Reading()
    quotas, ranges, pod = await asyncio.gather(
        around.many("ResourceQuota"), around.many("LimitRange"), _pod(around)
    )
    evidence: list[tuple[bool, Evidence]] = []
    for quota in (quotas or ())[:MOST_QUOTAS]:
        evidence.append(_told(quota, tuple(quota_problems(quota, pod)), _used(quota)))
    for limits in (ranges or ())[:MOST_QUOTAS]:
        evidence.append(_told(limits, tuple(limit_range_problems(limits, pod)), _allowed(limits)))
    shown = inquiry.shown_by
    evidence = [
        each
        for each in evidence
        if (each[1].source.kind, each[1].source.name) != (shown.kind, shown.name)
    ]
    evidence.sort(key=lambda each: not each[0])
    return Reading(
        evidence=tuple(each for _, each in evidence),
        manifests=(*(quotas or ())[:MOST_QUOTAS], *(ranges or ())[:MOST_QUOTAS]),
    )


async def _pod(around: Around) -> object:
    """The Pod, or as it would be made."""
    pod = await around.pod()
    return pod if pod is not None else pod_template(await around.workload())


def _told(manifest: Manifest, problems: tuple[str, ...], rest: str) -> tuple[bool, Evidence]:
    words = "; ".join((*problems, rest)) if rest else "; ".join(problems)
    return bool(problems), Evidence(
        kind=EvidenceKind.QUOTA,
        source=source_of(manifest, "status" if "status" in manifest else "spec"),
        text=f"{text(manifest, 'kind')} {name_of(manifest)}: {words or 'limits nothing'}",
    )


def quota_problems(quota: Manifest, pod: object) -> Iterator[str]:
    """Where one more Pod of this kind does not fit any more."""
    hard = _hard(quota)
    for name in list(hard)[:MOST_RESOURCES]:
        limit = parse_quantity(hard[name])
        used = parse_quantity(table(quota, "status", "used").get(name, 0))
        if limit is None or used is None:
            continue
        asked = _asked(str(name), pod)
        if asked is None:
            yield f"demands {name} of every container, and the Pod does not set it"
        elif asked > 0 and used + asked > limit:
            yield (
                f"{name} {in_words(name, used)} of {in_words(name, limit)} used, "
                f"{in_words(name, asked)} more asked for"
            )


def _hard(quota: Manifest) -> Mapping[str, Any]:
    return table(quota, "status", "hard") or table(quota, "spec", "hard")


def _asked(name: str, pod: object) -> float | None:
    """What one Pod takes of a quota; None where the quota demands what it does not say."""
    if name in ("pods", "count/pods"):
        return 1.0
    field, _, resource = name.rpartition(".")
    if name in ("cpu", "memory", "ephemeral-storage"):
        field, resource = "requests", name
    if field not in ("requests", "limits") or resource not in ("cpu", "memory"):
        return 0.0
    if not rows(pod, "spec", "containers"):
        return 0.0
    amounts = asked_by(pod) if field == "requests" else limited_by(pod)
    return amounts.get(resource)


def _used(quota: Manifest) -> str:
    hard, used = _hard(quota), table(quota, "status", "used")
    parts = [f"{name} {text(used, name) or '0'} of {text(hard, name)} used" for name in hard]
    return ", ".join(parts[:MOST_RESOURCES])


def limit_range_problems(limits: Manifest, pod: object) -> Iterator[str]:
    """Where a container asks for more or less than the namespace allows for one."""
    for limit in rows(limits, "spec", "limits"):
        if text(limit, "type") != "Container":
            continue
        for container in (*rows(pod, "spec", "containers"), *rows(pod, "spec", "initContainers")):
            yield from _container(container, limit)


def _container(container: object, limit: Mapping[str, Any]) -> Iterator[str]:
    name = text(container, "name")
    for resource, most in table(limit, "max").items():
        given = parse_quantity(table(container, "resources", "limits").get(resource))
        allowed = parse_quantity(most)
        if given is not None and allowed is not None and given > allowed:
            yield (
                f"container {name} sets limits.{resource} {in_words(resource, given)}, "
                f"at most {in_words(resource, allowed)} is allowed"
            )
    for resource, least in table(limit, "min").items():
        given = parse_quantity(table(container, "resources", "requests").get(resource))
        allowed = parse_quantity(least)
        if given is not None and allowed is not None and given < allowed:
            yield (
                f"container {name} sets requests.{resource} {in_words(resource, given)}, "
                f"at least {in_words(resource, allowed)} is demanded"
            )


def _allowed(limits: Manifest) -> str:
    parts = []
    for limit in rows(limits, "spec", "limits")[:4]:
        for field in ("min", "max", "default", "defaultRequest", "maxLimitRequestRatio"):
            values = table(limit, field)
            if values:
                shown = ", ".join(f"{key}={values[key]}" for key in list(values)[:6])
                parts.append(f"{text(limit, 'type')} {field} {shown}")
    return "; ".join(parts)
