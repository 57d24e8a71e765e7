"""Who answers for a Service: its endpoints as EndpointSlices (or Endpoints, in files) list them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kausa.cluster.paging import Listed, is_whole
from kausa.cluster.reader import Manifest
from kausa.evidence.around import Around, Lookup, pod_template
from kausa.evidence.fields import at, labels_of, name_of, namespace_of, number, rows, table, text
from kausa.evidence.selecting import selects_plainly

__all__ = ["ServiceView", "has_port", "is_ready", "ports_in_words", "view_service"]

_SERVICE_LABEL = "kubernetes.io/service-name"
MOST_PODS = 100
MOST_SLICES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceView:
    """A Service with what stands behind it."""

    service: Manifest
    pods: tuple[Manifest, ...] | None
    """The Pods that it selects; None where that is not known, or it selects none by itself."""
    ready: int | None
    """Endpoints that are ready; None where nobody could tell."""
    not_ready: int
    read: tuple[Manifest, ...]
    """EndpointSlices and Endpoints."""
    unsliced: bool = False
    """Whether it has no EndpointSlice though somebody could answer: proxies know of nobody."""

    more_pods: bool = False
    """Whether it selects more Pods than were looked at."""

    asleep: str = ""
    """The workload that would make its Pods and is scaled to zero, such as `Deployment web`."""

    @property
    def is_external(self) -> bool:
        """Whether it is a name for something outside, which has no endpoints here."""
        return text(self.service, "spec", "type") == "ExternalName"

    @property
    def lacks_endpoints(self) -> bool:
        """Whether nobody answers for it, as far as is known."""
        return not self.is_external and self.ready == 0


async def view_service(around: Around, service: Manifest) -> ServiceView:
    """Look behind a Service: slices first, Endpoints in files, else the Pods' own readiness."""
    namespace = namespace_of(service) or around.namespace
    selector = table(service, "spec", "selector")
    name = name_of(service)
    slices, endpoints, pods = await asyncio.gather(
        around.many(
            "EndpointSlice", namespace=namespace, label_selector=f"{_SERVICE_LABEL}={name}"
        ),
        around.look("Endpoints", name, namespace=namespace),
        _pods(around, selector, namespace=namespace),
    )
    ready, not_ready = _count(slices or (), endpoints.manifest)
    told = await _told(around, slices, endpoints, namespace=namespace)
    if ready is None and told and pods is None:
        ready = 0
    if ready is None and pods is not None and (is_whole(pods) or any(map(is_ready, pods))):
        ready = sum(1 for each in pods if is_ready(each))
        not_ready = len(pods) - ready
    somebody = bool(_count((), endpoints.manifest)[0]) or any(is_ready(each) for each in pods or ())
    read = (*(slices or ())[:MOST_SLICES], endpoints.manifest)
    return ServiceView(
        service=service,
        pods=pods,
        more_pods=not is_whole(pods) if pods is not None else False,
        ready=ready,
        not_ready=not_ready,
        read=tuple(each for each in read if each is not None),
        asleep=await _asleep(around, selector, namespace=namespace) if pods == () else "",
        unsliced=slices == () and told and bool(selector) and somebody,
    )


async def _told(
    around: Around, slices: tuple[Manifest, ...] | None, endpoints: Lookup, *, namespace: str
) -> bool:
    """Whether a Service without slices has none. Files that hold those of no Service at all may
    have been recorded without them.
    """
    if slices or endpoints.manifest is not None:
        return True
    if slices is None or not endpoints.missing:
        return slices is not None  # A live cluster tells slices; nobody asks it for Endpoints.
    listed = await asyncio.gather(
        *(around.many(kind, namespace=namespace) for kind in ("EndpointSlice", "Endpoints"))
    )
    return any(listed)


async def _asleep(around: Around, selector: Mapping[str, Any], *, namespace: str) -> str:
    listed = await asyncio.gather(
        *(around.many(kind, namespace=namespace) for kind in ("Deployment", "StatefulSet"))
    )
    return next(
        (
            f"{text(each, 'kind')} {name_of(each)}"
            for found in listed
            for each in found or ()
            if number(each, "spec", "replicas") == 0
            and selects_plainly(selector, labels_of(pod_template(each)))
        ),
        "",
    )


async def _pods(
    around: Around, selector: Mapping[str, Any], *, namespace: str
) -> Listed[Manifest] | None:
    words = label_selector(selector)
    if not words:
        return None
    found = await around.many("Pod", namespace=namespace, label_selector=words)
    if found is None:
        return None
    fit = [each for each in found if selects_plainly(selector, labels_of(each))]
    return Listed(fit[:MOST_PODS], more=len(fit) > MOST_PODS or not is_whole(found))


def label_selector(selector: Mapping[str, Any]) -> str:
    """A map of labels as a query parameter; empty where it is none."""
    pairs = [f"{key}={value}" for key, value in selector.items() if isinstance(value, str)]
    return ",".join(pairs) if len(pairs) == len(selector) else ""


def _count(slices: Iterable[Manifest], endpoints: Manifest | None) -> tuple[int | None, int]:
    ready: int | None = None
    not_ready = 0
    for slice_ in slices:
        ready = ready or 0
        for endpoint in rows(slice_, "endpoints"):
            # Not said means ready.
            if at(endpoint, "conditions", "ready") is False:
                not_ready += 1
            else:
                ready += 1
    if ready is None and endpoints is not None:
        ready = 0
        for subset in rows(endpoints, "subsets"):
            ready += len(rows(subset, "addresses"))
            not_ready += len(rows(subset, "notReadyAddresses"))
    return ready, not_ready


def is_ready(pod: object) -> bool:
    """Whether a Pod's condition Ready is True."""
    return any(
        text(each, "type") == "Ready" and text(each, "status") == "True"
        for each in rows(pod, "status", "conditions")
    )


def has_port(service: object, port: str) -> bool:
    """Whether a Service has a port of that name or number."""
    return any(
        port in (text(each, "name"), text(each, "port")) for each in rows(service, "spec", "ports")
    )


def ports_in_words(service: object) -> str:
    """`http 80, 443`."""
    ports = rows(service, "spec", "ports")
    return ", ".join(f"{text(each, 'name')} {text(each, 'port')}".strip() for each in ports[:6])
