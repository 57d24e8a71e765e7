"""Evidence from a Pod's spec: the part of it that bears on the failing container."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kausa.cluster.objects import Container, Pod
from kausa.detection.symptom import Symptom
from kausa.evidence.dossier import Evidence, Source
from kausa.resources.evidence import EvidenceKind

__all__ = ["spec_evidence"]

MOST_NAMES = 20


def spec_evidence(pod: Pod, symptom: Symptom | None) -> tuple[Evidence, ...]:
    """The failing container as it was asked to be; every one where the Pod as a whole fails."""
    wanted = symptom.container if symptom is not None else None
    return tuple(
        Evidence(
            kind=EvidenceKind.SPEC,
            source=Source(
                kind="Pod", name=pod.metadata.name, field_path=f"spec.containers[{each.name}]"
            ),
            text="; ".join(_facts(each, pod=pod)),
        )
        for each in pod.spec.all_containers
        if wanted in (None, each.name)
    )


def _facts(container: Container, *, pod: Pod) -> Iterator[str]:
    yield f"container {container.name}: image {container.image}"
    if container.image_pull_policy:
        yield f"imagePullPolicy {container.image_pull_policy}"
    if container.command:
        yield f"command {' '.join(container.command)}"
    if container.args:
        yield f"args {' '.join(container.args)}"
    yield f"requests {quantities(container.resources.requests)}"
    yield f"limits {quantities(container.resources.limits)}"
    names = [each.name for each in container.env or ()]
    if names:
        yield f"environment {', '.join(names[:MOST_NAMES])}"
    if pod.spec.node_selector:
        yield f"nodeSelector {quantities(pod.spec.node_selector)}"


def quantities(named: Mapping[str, object] | None) -> str:
    """`cpu=500m, memory=256Mi`, or `none`."""
    return ", ".join(f"{name}={value}" for name, value in sorted((named or {}).items())) or "none"
