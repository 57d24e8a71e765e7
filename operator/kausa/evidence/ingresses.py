"""Ingresses: the Services, ports, certificates and the class that they name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kausa.cluster.reader import Manifest
from kausa.evidence.around import Around, Lookup, source_of
from kausa.evidence.dossier import Reference
from kausa.evidence.endpoints import has_port, ports_in_words, view_service
from kausa.evidence.fields import name_of, namespace_of, rows, table, text
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.reading import Reading
from kausa.evidence.references import NO_ENDPOINT, NO_PORT, reading_of

__all__ = ["Backend", "backends", "gather_ingress"]

MOST_BACKENDS = 20
MOST_CERTIFICATES = 10
_OLD_CLASS = "kubernetes.io/ingress.class"
_DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Where an Ingress sends to: a Service, and a port of it by name or number."""

    service: str
    port: str
    field_path: str


async def gather_ingress(inquiry: Inquiry) -> Reading:
    """What an Ingress that fails (or is asked about) names."""
    around = Around(inquiry=inquiry)
    ingress = await around.shown_by()
    if ingress is None or text(ingress, "kind") != "Ingress":
        return Reading()
    wanted = backends(ingress)[:MOST_BACKENDS]
    services = await around.all_of("Service", [each.service for each in wanted])
    broken: list[tuple[Reference, str]] = []
    manifests: list[Manifest] = []
    for backend, service in zip(wanted, services, strict=True):
        broken.extend(await _backend(around, ingress, backend, service))
        if service.manifest is not None:
            manifests.append(service.manifest)
    broken.extend(await _class(around, ingress))
    broken.extend(await _certificates(around, ingress))
    found = reading_of(broken)
    return Reading(
        evidence=found.evidence,
        references=found.references,
        manifests=tuple({id(each): each for each in manifests}.values()),
    )


def backends(ingress: object) -> tuple[Backend, ...]:
    """Every Service that it sends to, each port of it once."""
    found = list(_backends(ingress))
    return tuple({(each.service, each.port): each for each in reversed(found)}.values())[::-1]


def _backends(ingress: object) -> Iterator[Backend]:
    for field in ("defaultBackend", "backend"):
        yield from _one(table(ingress, "spec", field), path=f"spec.{field}")
    for rule in rows(ingress, "spec", "rules"):
        for path in rows(rule, "http", "paths"):
            where = f"spec.rules[{text(rule, 'host') or '*'}{text(path, 'path')}]"
            yield from _one(table(path, "backend"), path=where)


def _one(backend: object, *, path: str) -> Iterator[Backend]:
    name = text(backend, "service", "name") or text(backend, "serviceName")
    port = (
        text(backend, "service", "port", "name")
        or text(backend, "service", "port", "number")
        or text(backend, "servicePort")
    )
    if name:
        yield Backend(service=name, port=port, field_path=path)


async def _backend(
    around: Around, ingress: Manifest, backend: Backend, service: Lookup
) -> tuple[tuple[Reference, str], ...]:
    def broken(problem: str, *, key: str = "") -> Reference:
        return Reference(
            by=source_of(ingress, backend.field_path),
            kind="Service",
            name=backend.service,
            namespace=namespace_of(ingress),
            key=key,
            problem=problem,
        )

    if service.manifest is None:
        return ((broken("does not exist"), ""),) if service.missing else ()
    if backend.port and not has_port(service.manifest, backend.port):
        hint = f"it has {ports_in_words(service.manifest) or 'none'}"
        return ((broken(NO_PORT, key=f"port {backend.port}"), hint),)
    view = await view_service(around, service.manifest)
    return ((broken(NO_ENDPOINT), ""),) if view.lacks_endpoints else ()


async def _class(around: Around, ingress: Manifest) -> tuple[tuple[Reference, str], ...]:
    field = "spec.ingressClassName"
    name = text(ingress, "spec", "ingressClassName")
    if name:
        found = await around.look("IngressClass", name)
        lacks = Reference(by=source_of(ingress, field), kind="IngressClass", name=name)
        return ((lacks, ""),) if found.missing else ()
    if text(table(ingress, "metadata", "annotations"), _OLD_CLASS):
        return ()
    classes = await around.many("IngressClass")
    if classes is None or any(
        text(table(each, "metadata", "annotations"), _DEFAULT_CLASS) == "true" for each in classes
    ):
        return ()
    reference = Reference(
        by=source_of(ingress, field),
        kind="IngressClass",
        name="",
        problem="is not named, and the cluster has no default",
    )
    has = ", ".join(name_of(each) for each in classes[:5])
    return ((reference, f"it has {has}" if has else ""),)


async def _certificates(around: Around, ingress: Manifest) -> tuple[tuple[Reference, str], ...]:
    """The Secrets of its certificates; in files only, nobody reads Secrets elsewhere."""
    names = [text(each, "secretName") for each in rows(ingress, "spec", "tls")]
    found = await around.all_of("Secret", names[:MOST_CERTIFICATES])
    return tuple(
        (
            Reference(
                by=source_of(ingress, "spec.tls"),
                kind="Secret",
                name=name,
                namespace=namespace_of(ingress),
            ),
            "",
        )
        for name, each in zip(names, found, strict=False)
        if each.missing
    )
