"""The cluster's DNS, where somebody complains of names: its Service, its endpoints, its Pods.

`i/o timeout` on port 53 and `server misbehaving` are what programs see of a DNS that is down. It
costs three reads, and only where such words were said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kausa.cluster.objects import Pod
from kausa.cluster.reader import Manifest
from kausa.evidence.around import Around
from kausa.evidence.dossier import Evidence, Reference, Source
from kausa.evidence.endpoints import view_service
from kausa.evidence.fields import labels_of, name_of
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.node_agents import about_pods
from kausa.evidence.reading import Reading
from kausa.evidence.references import NO_ENDPOINT, reading_of
from kausa.resources.evidence import EvidenceKind

__all__ = ["complains_of_dns", "gather_dns"]

NAMESPACE = "kube-system"
LOOKED_AT = 8192
_LABEL = "k8s-app"
_NAMES = ("kube-dns", "coredns", "rke2-coredns")
_TROUBLE = re.compile(
    r":53\b.{0,80}(?:timeout|timed out|refused|unreachable)|lookup [^\n]{1,300}?(?:i/o timeout|"
    r"server misbehaving|connection refused)|EAI_AGAIN|[Tt]emporary failure in name resolution|"
    r"Try again.{0,40}resolv|\bDNS\b.{0,60}(?:timeout|timed out|fail|unreachable|refused)|"
    r"SERVFAIL|could not contact DNS|no servers could be reached"
)
_SAID = (EvidenceKind.LOG, EvidenceKind.EVENT, EvidenceKind.STATUS)


async def gather_dns(inquiry: Inquiry, *, said: Iterable[Evidence]) -> Reading:
    """How the DNS is; nothing where nobody complains of it."""
    by = complains_of_dns(said)
    if by is None:
        return Reading()
    around = Around(inquiry=inquiry)
    pods = [each for each in await around.pods(namespace=NAMESPACE) or () if _is_dns(each)]
    reading = await about_pods(around, pods)
    services = await around.many("Service", namespace=NAMESPACE)
    service = next((each for each in services or () if _serves(each)), None)
    if service is None:
        return reading
    view = await view_service(around, service)
    broken = (
        Reference(
            by=by, kind="Service", name=name_of(service), namespace=NAMESPACE, problem=NO_ENDPOINT
        ),
        f"{view.not_ready} are not ready" if view.not_ready else "",
    )
    found = reading_of([broken] if view.lacks_endpoints else [])
    return Reading(
        evidence=(*found.evidence, *reading.evidence),
        references=found.references,
        manifests=(*reading.manifests, service, *view.read),
    )


def complains_of_dns(said: Iterable[Evidence]) -> Source | None:
    """Who says that names could not be looked up for want of an answer."""
    return next(
        (
            each.source
            for each in said
            if each.kind in _SAID and _TROUBLE.search(each.text[:LOOKED_AT])
        ),
        None,
    )


def _is_dns(pod: Pod) -> bool:
    # As it was decoded a Pod has no labels here; Deployments of DNS carry these names.
    return pod.metadata.name.startswith(_NAMES)


def _serves(service: Manifest) -> bool:
    return labels_of(service).get(_LABEL) == "kube-dns" or name_of(service).startswith(_NAMES)
