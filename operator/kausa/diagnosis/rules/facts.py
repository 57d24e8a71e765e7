"""What rules look up in the manifests of a dossier. Whatever stands in them, nothing here "
"raises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from kausa.evidence.dossier import Dossier, Reference
from kausa.evidence.fields import labels_of, name_of, namespace_of, rows, table, text

__all__ = [
    "Fields",
    "condition",
    "find",
    "has_endpoints",
    "missing",
    "namespace",
    "objects",
    "pod_labels",
    "pod_spec",
    "shown",
]

Fields = Mapping[str, Any]
_NOTHING: Fields = {}


def objects(dossier: Dossier, *kinds: str, namespace: str | None = None) -> Iterator[Fields]:
    """The objects of these kinds that were read, of one namespace where one is named."""
    for each in dossier.manifests:
        # A file may hold anything: what is no map has no kind either.
        if text(each, "kind") not in kinds:
            continue
        if namespace is None or namespace_of(each) in ("", namespace):
            yield each


def find(dossier: Dossier, kind: str, name: str, *, namespace: str | None = None) -> Fields | None:
    """One object that was read; None where it was not, or does not exist."""
    found = objects(dossier, kind, namespace=namespace)
    return next((each for each in found if name_of(each) == name), None)


def namespace(dossier: Dossier) -> str:
    """Where it fails."""
    return dossier.shown_by.namespace or dossier.owner.namespace or dossier.pod.metadata.namespace


def shown(dossier: Dossier) -> Fields:
    """The object that shows the failure, as it was read; an empty one where it was not."""
    by, owner = dossier.shown_by, dossier.owner
    kind, name = (by.kind, by.name) if by.kind else (owner.kind, owner.name)
    return find(dossier, kind, name, namespace=namespace(dossier)) or _NOTHING


def pod_spec(dossier: Dossier) -> Fields:
    """The spec of the Pod, whole where it was read whole; an empty one without a Pod."""
    name = dossier.pod.metadata.name
    whole = find(dossier, "Pod", name, namespace=namespace(dossier)) if name else None
    if whole is not None:
        return table(whole, "spec")
    known: object = msgspec.to_builtins(dossier.pod.spec) if dossier.has_pod else _NOTHING
    return known if isinstance(known, Mapping) else _NOTHING


def pod_labels(dossier: Dossier) -> dict[str, str]:
    """The labels of the Pod, where it was read whole."""
    name = dossier.pod.metadata.name
    whole = find(dossier, "Pod", name, namespace=namespace(dossier)) if name else None
    return labels_of(whole) if whole is not None else {}


def condition(manifest: Fields, type_: str) -> Fields:
    """The condition of that type; an empty map where there is none."""
    conditions = rows(manifest, "status", "conditions")
    return next((each for each in conditions if text(each, "type") == type_), _NOTHING)


def has_endpoints(dossier: Dossier, service: str, *, namespace: str | None = None) -> bool:
    """Whether an address that is ready was read for a Service."""
    endpoints = find(dossier, "Endpoints", service, namespace=namespace)
    if any(rows(each, "addresses") for each in rows(endpoints, "subsets")):
        return True
    return any(
        rows(each, "endpoints")
        for each in objects(dossier, "EndpointSlice", namespace=namespace)
        if labels_of(each).get("kubernetes.io/service-name") == service
    )


def missing(dossier: Dossier, *kinds: str) -> tuple[Reference, ...]:
    """What is named and does not resolve, of these kinds."""
    return tuple(each for each in dossier.references if each.kind in kinds)
