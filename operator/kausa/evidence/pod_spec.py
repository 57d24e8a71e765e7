"""Evidence from a Pod's spec: the part of it that bears on the failure, in words.

The failing container is told whole, the others only where the Pod as a whole fails; then where the
Pod may run, and what its volumes are.
"""

from __future__ import annotations

from collections.abc import Iterator

from kausa.cluster.reader import Manifest
from kausa.evidence.around import Around, pod_template, source_of
from kausa.evidence.container_words import container_in_words, quantities
from kausa.evidence.dossier import Evidence
from kausa.evidence.fields import name_of, rows, strings, text
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.placement_words import placement_in_words, volumes_in_words
from kausa.evidence.reading import Reading
from kausa.resources.evidence import EvidenceKind

__all__ = ["gather_spec", "quantities", "spec_evidence"]

MOST_CONTAINERS = 4


async def gather_spec(inquiry: Inquiry) -> Reading:
    """The Pod's spec, or the Pod template of a workload that has no Pod."""
    around = Around(inquiry=inquiry)
    container = inquiry.symptom.container if inquiry.symptom is not None else None
    pod = await around.pod()
    if pod is not None:
        return Reading(
            evidence=(*_deletion(pod), *spec_evidence(pod, container=container)),
            manifests=(pod,),
        )
    workload = await around.workload()
    if workload is None:
        return Reading()
    template = pod_template(workload)
    named = {
        "kind": text(workload, "kind"),
        "metadata": {"name": name_of(workload)},
        "spec": template.get("spec") if isinstance(template, dict) else None,
    }
    return Reading(evidence=spec_evidence(named, container=container, of_template=True))


def spec_evidence(
    pod: Manifest, *, container: str | None = None, of_template: bool = False
) -> tuple[Evidence, ...]:
    """The container as it was asked to be (every one where none is named), then the Pod."""
    where = "spec.template.spec" if of_template else "spec"
    return (
        *_containers(pod, container=container, where=where),
        *_whole(pod, where=where),
    )


def _containers(pod: Manifest, *, container: str | None, where: str) -> Iterator[Evidence]:
    told = 0
    for field, role in (("containers", "container"), ("initContainers", "init container")):
        for each in rows(pod, "spec", field):
            name = text(each, "name")
            if container not in (None, name) or told >= MOST_CONTAINERS:
                continue
            told += 1
            sidecar = field == "initContainers" and text(each, "restartPolicy") == "Always"
            yield Evidence(
                kind=EvidenceKind.SPEC,
                source=source_of(pod, f"{where}.{field}[{name}]"),
                text=container_in_words(each, role="sidecar container" if sidecar else role),
            )


def _whole(pod: Manifest, *, where: str) -> Iterator[Evidence]:
    words = placement_in_words(pod)
    volumes = volumes_in_words(pod)
    if volumes:
        words = f"{words}; volumes: {volumes}" if words else f"volumes: {volumes}"
    if words:
        yield Evidence(
            kind=EvidenceKind.SPEC,
            source=source_of(pod, where),
            text=f"{text(pod, 'kind') or 'Pod'} {name_of(pod)}: {words}",
        )


def _deletion(pod: Manifest) -> Iterator[Evidence]:
    since = text(pod, "metadata", "deletionTimestamp")
    if not since:
        return
    finalizers = strings(pod, "metadata", "finalizers")
    waits = f", and waits for finalizers {', '.join(finalizers[:5])}" if finalizers else ""
    grace = text(pod, "metadata", "deletionGracePeriodSeconds")
    yield Evidence(
        kind=EvidenceKind.STATUS,
        source=source_of(pod, "metadata.deletionTimestamp"),
        text=f"Pod {name_of(pod)} is being deleted since {since}"
        f"{f' (grace period {grace} s)' if grace else ''}{waits}",
    )
