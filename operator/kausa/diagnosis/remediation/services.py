"""A Service that sends to a port that no container has."""

from __future__ import annotations

from collections.abc import Iterator

from kausa.diagnosis.finding import Diagnosis, Fix, Patch
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import labels_of, name_of, namespace_of, number, rows, table, text
from kausa.evidence.selecting import selects_plainly
from kausa.resources.diagnosis import Risk
from kausa.resources.evidence import EvidenceKind

__all__ = ["right_port"]


def right_port(dossier: Dossier, diagnosis: Diagnosis) -> Iterator[Fix]:
    """The only port that the Pods behind the Service have, where there is only one."""
    for reference in dossier.references:
        by = reference.by
        if by.kind != "Service" or not by.field_path.endswith("targetPort"):
            continue
        service = dossier.object("Service", by.name)
        ports = [
            each
            for each in rows(service, "spec", "ports")
            if text(each, "targetPort") == reference.key
        ]
        declared = _declared(dossier, service)
        if service is None or len(ports) != 1 or len(declared) != 1:
            continue
        port, (target,) = number(ports[0], "port"), declared
        if port is None:
            continue
        yield Fix(
            title=f"Send port {port} of Service {by.name} to {target}",
            rationale=f"No container behind it has the port {reference.key}; {target} is the only "
            "one that they declare.",
            patch=Patch(
                api_version="v1",
                kind="Service",
                name=name_of(service),
                namespace=namespace_of(service),
                body={"spec": {"ports": [{"port": port, "targetPort": target}]}},
            ),
            risk=Risk.LOW,
            citations=tuple(
                dict.fromkeys(
                    (
                        *diagnosis.citations,
                        *dossier.cite(EvidenceKind.REFERENCE, containing=by.name),
                    )
                )
            ),
        )
        return


def _declared(dossier: Dossier, service: object) -> set[int]:
    selector = table(service, "spec", "selector")
    return {
        port
        for pod in dossier.objects("Pod")
        if selects_plainly(selector, labels_of(pod))
        for container in rows(pod, "spec", "containers")
        for each in rows(container, "ports")
        if (port := number(each, "containerPort")) is not None
    }
