"""What workloads name beside their Pods: autoscalers their target, StatefulSets their Service."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from kausa.cluster.reader import Manifest
from kausa.evidence.around import Around, Lookup, pod_template
from kausa.evidence.dossier import Evidence, Reference, Source
from kausa.evidence.fields import name_of, namespace_of, rows, table, text
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.object_status import status_of
from kausa.evidence.reading import Reading
from kausa.evidence.references import reading_of
from kausa.resources.evidence import EvidenceKind

__all__ = ["autoscaler_problems", "gather_workload_references"]

MOST_AUTOSCALERS = 3


async def gather_workload_references(inquiry: Inquiry) -> Reading:
    """The autoscalers of the workload (or the one that fails), and a StatefulSet's Service."""
    around = Around(inquiry=inquiry)
    scaled, governed = await asyncio.gather(_autoscalers(around), _governed(around))
    broken: list[tuple[Reference, str]] = []
    evidence: list[Evidence] = []
    manifests: list[Manifest] = []
    for autoscaler, target in scaled:
        if (inquiry.shown_by.kind, inquiry.shown_by.name) != (
            "HorizontalPodAutoscaler",
            name_of(autoscaler),
        ):
            evidence.extend(status_of(autoscaler, kind=EvidenceKind.OTHER))
        manifests.extend(each for each in (autoscaler, target.manifest) if each is not None)
        broken.extend((each, "") for each in autoscaler_problems(autoscaler, target=target))
    for workload, service in governed:
        if service.manifest is not None:
            manifests.append(service.manifest)
        elif service.missing:
            broken.append((_names_service(workload), ""))
    found = reading_of(broken)
    return Reading(
        evidence=(*found.evidence, *evidence),
        references=found.references,
        manifests=tuple(manifests),
    )


async def _autoscalers(around: Around) -> tuple[tuple[Manifest, Lookup], ...]:
    """Each with its target: the one that fails, or those of the owners."""
    shown = await around.shown_by()
    if shown is not None and text(shown, "kind") == "HorizontalPodAutoscaler":
        found: list[Manifest] = [shown]
    else:
        owners = {(text(each, "kind"), name_of(each)) for each in await around.owners()}
        if shown is not None:
            owners.add((text(shown, "kind"), name_of(shown)))
        listed = await around.many("HorizontalPodAutoscaler") if owners else None
        found = [each for each in listed or () if _target(each) in owners]
    targets = await asyncio.gather(
        *(
            around.look(
                *_target(each), api_version=text(each, "spec", "scaleTargetRef", "apiVersion")
            )
            for each in found[:MOST_AUTOSCALERS]
        )
    )
    return tuple(zip(found, targets, strict=False))


def _target(autoscaler: Manifest) -> tuple[str, str]:
    target = table(autoscaler, "spec", "scaleTargetRef")
    return text(target, "kind"), text(target, "name")


def autoscaler_problems(autoscaler: Manifest, *, target: Lookup) -> Iterator[Reference]:
    """A target that is not there, or whose containers do not say what the metric is a part of."""
    kind, name = _target(autoscaler)
    source = "HorizontalPodAutoscaler", name_of(autoscaler)
    if target.missing:
        yield Reference(
            by=Source(kind=source[0], name=source[1], field_path="spec.scaleTargetRef"),
            kind=kind,
            name=name,
            namespace=namespace_of(autoscaler),
        )
    containers = rows(pod_template(target.manifest), "spec", "containers")
    for resource, of in _shares(autoscaler):
        lacking = [
            text(each, "name")
            for each in containers
            if of in ("", text(each, "name")) and not _asks_for(each, resource)
        ]
        if lacking:
            yield Reference(
                by=Source(kind=source[0], name=source[1], field_path=f"spec.metrics[{resource}]"),
                kind=kind,
                name=name,
                namespace=namespace_of(autoscaler),
                key=f"resources.requests.{resource}",
                problem=f"is not set for container {', '.join(lacking[:5])}",
            )


def _shares(autoscaler: Manifest) -> Iterator[tuple[str, str]]:
    """The resources of which a share of the request is aimed at, and of which container."""
    if text(autoscaler, "spec", "targetCPUUtilizationPercentage"):
        yield "cpu", ""
    elif not rows(autoscaler, "spec", "metrics"):
        yield "cpu", ""  # What the API server fills in.
    for metric in rows(autoscaler, "spec", "metrics"):
        for field in ("resource", "containerResource"):
            body = table(metric, field)
            relative = text(body, "target", "averageUtilization") or text(
                body, "targetAverageUtilization"
            )
            if relative and text(body, "name"):
                yield text(body, "name"), text(body, "container")


def _asks_for(container: object, resource: str) -> bool:
    # Where only a limit is set, the API server makes it the request.
    resources = table(container, "resources")
    return any(text(resources, each, resource) for each in ("requests", "limits"))


async def _governed(around: Around) -> tuple[tuple[Manifest, Lookup], ...]:
    """StatefulSets among what fails and its owners, with the Service that names their Pods."""
    shown = await around.shown_by()
    every = [*await around.owners(), *([shown] if shown is not None else [])]
    sets = [
        each
        for each in every
        if text(each, "kind") == "StatefulSet" and text(each, "spec", "serviceName")
    ]
    services = await asyncio.gather(
        *(around.look("Service", text(each, "spec", "serviceName")) for each in sets)
    )
    return tuple(zip(sets, services, strict=True))


def _names_service(workload: Manifest) -> Reference:
    return Reference(
        by=Source(kind="StatefulSet", name=name_of(workload), field_path="spec.serviceName"),
        kind="Service",
        name=text(workload, "spec", "serviceName"),
        namespace=namespace_of(workload),
    )
