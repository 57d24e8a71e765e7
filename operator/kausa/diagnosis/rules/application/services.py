"""Whether what a program tries to reach is a Service, exists, and has anything behind it."""

from __future__ import annotations

from dataclasses import dataclass

from kausa.diagnosis.rules.application.targets import Target
from kausa.diagnosis.rules.facts import Fields, find, objects
from kausa.diagnosis.rules.wording import plural
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import at, name_of, namespace_of, rows, strings, text

__all__ = ["Standing", "is_api_server", "standing_of"]

_ENDS = (".svc.cluster.local", ".svc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of the Service behind a host; `missing` and `empty` are certain."""

    name: str = ""
    namespace: str = ""
    missing: bool = False
    empty: bool = False
    port_missing: bool = False
    sentence: str = ""
    """One clause without a full stop, for the cause; empty where nothing is known."""
    citations: tuple[str, ...] = ()

    @property
    def explains(self) -> bool:
        """Whether it tells why nothing answers."""
        return self.missing or self.empty or self.port_missing


def standing_of(target: Target, dossier: Dossier) -> Standing:
    """What the dossier tells of the Service that this host is, if it is one."""
    namespace = dossier.owner.namespace
    if target.is_address:
        service = _by_address(target.host, dossier)
        return _existing(service, target, dossier) if service is not None else Standing()
    named = service_name(target.host, namespace=namespace)
    if named is None:
        return Standing()
    name, where = named
    service = find(dossier, "Service", name, namespace=where)
    if service is not None:
        return _existing(service, target, dossier)
    if _known_missing(name, where, dossier):
        return Standing(
            name=name,
            namespace=where,
            missing=True,
            sentence=f"no Service {name} exists in namespace {where}",
            citations=dossier.about("Service", name),
        )
    return Standing(name=name, namespace=where)


def service_name(host: str, *, namespace: str) -> tuple[str, str] | None:
    """`(name, namespace)` where a host can be a Service: `db`, `db.shop`, `db.shop.svc...`."""
    bare = host
    for end in _ENDS:
        if host.endswith(end):
            bare = host[: -len(end)]
            break
    parts = bare.split(".")
    if host == bare and len(parts) > 2:
        return None
    if len(parts) >= 3:
        parts = parts[-2:]  # a Pod of a headless Service: pod.service.namespace.svc
    if not all(parts):
        return None
    return (parts[0], parts[1]) if len(parts) == 2 else (parts[0], namespace)


def is_api_server(target: Target) -> bool:
    """Whether it is Kubernetes' own API server, by its name in every cluster."""
    return target.host in {"kubernetes", "kubernetes.default"} or target.host.startswith(
        "kubernetes.default.svc"
    )


def _known_missing(name: str, namespace: str, dossier: Dossier) -> bool:
    """Only what was looked up and not found is missing; a name with a dot may be outside."""
    return any(
        each.kind == "Service"
        and each.name == name
        and each.namespace in (namespace, "")
        and not each.key
        and "not exist" in each.problem
        for each in dossier.references
    )


def _by_address(address: str, dossier: Dossier) -> Fields | None:
    for service in objects(dossier, "Service"):
        if address in (text(service, "spec", "clusterIP"), *strings(service, "spec", "clusterIPs")):
            return service
    return None


def _existing(service: Fields, target: Target, dossier: Dossier) -> Standing:
    name, namespace = name_of(service), namespace_of(service)
    citations = dossier.about("Service", name)
    ports = tuple(str(each["port"]) for each in rows(service, "spec", "ports") if "port" in each)
    if target.port and ports and target.port not in ports:
        return Standing(
            name=name,
            namespace=namespace,
            port_missing=True,
            sentence=f"Service {name} has no port {target.port} (its ports: {', '.join(ports)})",
            citations=citations,
        )
    if _lacks_slices(name, dossier):
        return Standing(
            name=name,
            namespace=namespace,
            empty=True,
            sentence=f"Service {name} exists, but no EndpointSlice of it does (missing), so "
            f"requests to it reach nobody",
            citations=citations,
        )
    ready = _ready(name, namespace, dossier)
    if ready == 0 or (ready is None and _told_empty(name, dossier)):
        return Standing(
            name=name,
            namespace=namespace,
            empty=True,
            sentence=f"Service {name} exists and has no ready endpoint",
            citations=citations,
        )
    known = f" and has {plural(ready, 'ready endpoint')}" if ready else ""
    return Standing(
        name=name,
        namespace=namespace,
        sentence=f"Service {name} exists{known}",
        citations=citations,
    )


def _told_empty(name: str, dossier: Dossier) -> bool:
    return any(
        each.kind in ("Service", "Endpoints") and each.name == name and "endpoint" in each.problem
        for each in dossier.references
    )


def _lacks_slices(name: str, dossier: Dossier) -> bool:
    return any(
        each.kind == "EndpointSlice" and each.name == name and "not exist" in each.problem
        for each in dossier.references
    )


def _ready(name: str, namespace: str, dossier: Dossier) -> int | None:
    """How many endpoints are ready, where that was read."""
    counts = []
    slices = [
        each
        for each in objects(dossier, "EndpointSlice", namespace=namespace)
        if text(each, "metadata", "labels", "kubernetes.io/service-name") == name
    ]
    if slices:
        endpoints = [one for each in slices for one in rows(each, "endpoints")]
        counts.append(sum(at(each, "conditions", "ready") is not False for each in endpoints))
    endpoints_object = find(dossier, "Endpoints", name, namespace=namespace)
    if endpoints_object is not None:
        subsets = rows(endpoints_object, "subsets")
        counts.append(sum(len(rows(each, "addresses")) for each in subsets))
    return max(counts) if counts else None
