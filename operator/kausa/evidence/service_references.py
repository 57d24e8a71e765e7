"""Services, Ingresses and network policies: of what fails, or being what fails.

A Service that selects nobody, names a port that nobody has or has no endpoint fails without a word:
nothing in its status says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from kausa.cluster.paging import is_whole
from kausa.cluster.reader import Manifest
from kausa.evidence.around import Around, pod_template, source_of
from kausa.evidence.dossier import Evidence, Reference
from kausa.evidence.endpoints import ServiceView, label_selector, view_service
from kausa.evidence.fields import labels_of, name_of, namespace_of, rows, table, text
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.object_status import status_of
from kausa.evidence.reading import Reading
from kausa.evidence.references import NO_ENDPOINT, NO_POD, reading_of
from kausa.evidence.selecting import in_words, selects, selects_plainly
from kausa.resources.evidence import EvidenceKind

__all__ = ["gather_services", "policy_problems", "service_problems"]

MOST_SERVICES = 3
MOST_POLICIES = 4
MOST_NEAR = 3
ALIKE = 0.7
_MAKE_PODS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob")


async def gather_services(inquiry: Inquiry) -> Reading:
    """Who sends to it, and who keeps others off it."""
    around = Around(inquiry=inquiry)
    shown = inquiry.shown_by
    labels, services, policies, budgets = await asyncio.gather(
        _labels(around),
        around.many("Service"),
        around.many("NetworkPolicy"),
        around.many("PodDisruptionBudget"),
    )
    chosen = [each for each in services or () if _concerns(each, labels)]
    if shown.kind == "Service":
        chosen = [each for each in services or () if name_of(each) == shown.name]
    views = await asyncio.gather(*(view_service(around, each) for each in chosen[:MOST_SERVICES]))
    broken = [pair for view in views for pair in service_problems(view)]
    if shown.kind == "Service":
        broken = [(each, await _hint(around, each, hint, views=views)) for each, hint in broken]
    guards = [each for each in policies or () if _selects(each, labels)]
    kept = [each for each in budgets or () if _selects(each, labels, field="selector")]
    if shown.kind == "NetworkPolicy":
        broken.extend(await policy_problems(around))
    found = reading_of(broken)
    return Reading(
        evidence=(
            *found.evidence,
            *(_service_evidence(view) for view in views),
            *(each for policy in guards[:MOST_POLICIES] for each in _told(policy)),
            *(each for budget in kept[:1] for each in _told(budget)),
        ),
        references=found.references,
        manifests=(
            *(each for view in views for each in (view.service, *view.read)),
            *guards[:MOST_POLICIES],
            *kept[:1],
        ),
    )


async def policy_problems(around: Around) -> tuple[tuple[Reference, str], ...]:
    """That a NetworkPolicy selects none of the Pods of its namespace, nor any that would be made.

    An empty selector is for whoever comes, and a workload that rests or runs now and then has no
    Pods for a while.
    """
    policy = await around.shown_by()
    selector = table(policy, "spec", "podSelector")
    if policy is None or not selector:
        return ()
    pods, *workloads = await asyncio.gather(
        _near(around, selector), *(around.many(kind) for kind in _MAKE_PODS)
    )
    if pods is None or any(selects(selector, labels_of(each)) for each in pods):
        return ()
    if not is_whole(pods) or any(each is not None and not is_whole(each) for each in workloads):
        return ()
    templates = (pod_template(each) for found in workloads for each in found or ())
    if any(selects(selector, labels_of(each)) for each in templates if each is not None):
        return ()
    own = Reference(
        by=source_of(policy, "spec.podSelector"),
        kind="NetworkPolicy",
        name=name_of(policy),
        namespace=namespace_of(policy),
        problem=NO_POD,
    )
    return ((own, in_words(selector)),)


async def _near(around: Around, selector: Mapping[str, Any]) -> tuple[Manifest, ...] | None:
    """The Pods of the namespace; where they are too many, those with the labels that are named."""
    pods = await around.many("Pod")
    words = label_selector(table(selector, "matchLabels"))
    if pods is None or is_whole(pods) or not words:
        return pods
    return await around.many("Pod", label_selector=words)


async def _labels(around: Around) -> Mapping[str, str]:
    """The labels of the Pod, or of the Pods that would be made."""
    pod = await around.pod()
    if pod is not None:
        labels = labels_of(pod)
        if labels:
            return labels
    return labels_of(pod_template(await around.workload()))


def _concerns(service: Manifest, labels: Mapping[str, str]) -> bool:
    return bool(labels) and selects_plainly(table(service, "spec", "selector"), labels)


def _selects(guard: Manifest, labels: Mapping[str, str], *, field: str = "podSelector") -> bool:
    selector = table(guard, "spec").get(field)
    return bool(labels) and isinstance(selector, Mapping) and selects(selector, labels)


def _told(guard: Manifest) -> tuple[Evidence, ...]:
    return status_of(guard, kind=EvidenceKind.OTHER)[:1]


def _service_evidence(view: ServiceView) -> Evidence:
    service = view.service
    (told, *_) = (each.text for each in status_of(service, kind=EvidenceKind.OTHER))
    parts = [told]
    if view.pods is not None:
        least = "at least " if view.more_pods else ""
        parts.append(f"{least}{len(view.pods)} Pods selected")
    if view.ready is not None and not view.is_external:
        parts.append(f"{view.ready} endpoints ready, {view.not_ready} not ready")
    if view.asleep:
        parts.append(f"{view.asleep} is scaled to zero")
    return Evidence(
        kind=EvidenceKind.OTHER, source=source_of(service, "spec"), text="; ".join(parts)
    )


def service_problems(view: ServiceView) -> Iterator[tuple[Reference, str]]:
    """What keeps a Service from sending to anybody, as far as its own spec tells."""
    service = view.service
    if view.is_external:
        return
    selector = table(service, "spec", "selector")
    if view.asleep:
        return  # Somebody put it to rest; who calls it is told elsewhere.
    if view.pods is not None and not view.pods:
        if view.more_pods:
            return
        if view.ready:
            return  # Somebody answers for it whose Pods are not in the files.
        yield _own(service, "spec.selector", problem=NO_POD), in_words(selector)
    elif view.lacks_endpoints:
        hint = f"{view.not_ready} are not ready" if view.not_ready else ""
        yield _own(service, "spec.selector", problem=NO_ENDPOINT), hint
    if view.pods and not view.more_pods:
        yield from _ports(service, view.pods)


def _ports(service: Manifest, pods: Iterable[Manifest]) -> Iterator[tuple[Reference, str]]:
    """Target ports that no container has, by name, or that none declares, by number."""
    declared = [
        port
        for pod in pods
        for field in ("containers", "initContainers")
        for container in rows(pod, "spec", field)
        for port in rows(container, "ports")
    ]
    names = {text(each, "name") for each in declared}
    numbers = {text(each, "containerPort") for each in declared}
    for port in rows(service, "spec", "ports"):
        # Without a target port the port itself is it.
        target = text(port, "targetPort") or text(port, "port")
        path = f"spec.ports[{text(port, 'name') or text(port, 'port')}].targetPort"
        if not target.isdecimal() and target not in names:
            problem = "is a port that no container has"
        elif target.isdecimal() and numbers and target not in numbers:
            problem = "is declared by no container"
        else:
            continue
        has = ", ".join(
            dict.fromkeys(
                f"{text(each, 'name')} {text(each, 'containerPort')}".strip() for each in declared
            )
        )
        hint = f"they have {has}" if has else "they declare none"
        yield _own(service, path, problem=problem, key=target), hint


def _own(service: Manifest, path: str, *, problem: str, key: str = "") -> Reference:
    return Reference(
        by=source_of(service, path),
        kind="Service",
        name=name_of(service),
        namespace=namespace_of(service),
        key=key,
        problem=problem,
    )


async def _hint(
    around: Around, reference: Reference, hint: str, *, views: Iterable[ServiceView]
) -> str:
    """With the Pods that have nearly the labels that are selected: likely a typing mistake."""
    if reference.problem != NO_POD:
        return hint
    near = [
        f"Pod {name_of(each)} has {difference}"
        for view in views
        for each in await around.many("Pod") or ()
        if (difference := _difference(table(view.service, "spec", "selector"), labels_of(each)))
    ]
    return "; ".join((hint, *near[:MOST_NEAR]))


def _difference(selector: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """The labels with other values, where something else fits or a value is nearly the same."""
    others = {key: value for key, value in selector.items() if labels.get(key) != value}
    fits = len(others) < len(selector)
    alike = any(
        get_close_matches(str(value), [labels[key]], cutoff=ALIKE)
        for key, value in others.items()
        if key in labels
    )
    if not others or not (fits or alike):
        return ""
    told = (f"{key}={labels[key]}" if key in labels else f"no label {key}" for key in others)
    return ", ".join(told)
