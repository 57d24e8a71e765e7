"""Dossiers for rules about Pods, with what stands around them, gathered and redacted for real."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from support.dossiers import DEPLOYMENT, LATER, FakeReader
from support.pods import event

from kausa.cluster.objects import Pod
from kausa.cluster.owners import Owner
from kausa.detection.events import note_of
from kausa.detection.pods import detect_pod
from kausa.detection.surroundings import Surroundings
from kausa.evidence.dossier import Dossier
from kausa.evidence.gather import Gatherer
from kausa.evidence.redaction import Redactor

__all__ = ["gathered", "raw_pod"]


def raw_pod(
    *,
    containers: list[dict[str, Any]],
    statuses: list[dict[str, Any]],
    init_containers: list[dict[str, Any]] | None = None,
    init_statuses: list[dict[str, Any]] | None = None,
    phase: str = "Running",
    volumes: list[dict[str, Any]] | None = None,
    ready: bool | None = False,
) -> dict[str, Any]:
    """A Pod as the API server would send it; `ready` None leaves its conditions out."""
    conditions = [] if ready is None else [{"type": "Ready", "status": str(ready)}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "checkout-5d4f8-abcde",
            "namespace": "shop",
            "uid": "uid-1",
            "creationTimestamp": "2026-01-02T03:04:05Z",
        },
        "spec": {
            "nodeName": "node-1",
            "containers": containers,
            "initContainers": init_containers or [],
            "volumes": volumes or [],
        },
        "status": {
            "phase": phase,
            "startTime": "2026-01-02T03:04:05Z",
            "conditions": conditions,
            "containerStatuses": statuses,
            "initContainerStatuses": init_statuses or [],
        },
    }


def gathered(
    document: dict[str, Any],
    *,
    log: str = "",
    events: tuple[tuple[str, str], ...] = (),
    about: str = "api",
    manifests: tuple[dict[str, Any], ...] = (),
    owner: Owner = DEPLOYMENT,
    question: str | None = None,
) -> Dossier:
    """Everything about the Pod's first symptom; Events are about the container `about`."""
    pod = msgspec.convert(document, type=Pod, strict=False)
    happened = tuple(
        event(reason, message, uid="uid-1", field_path=f"spec.containers{{{about}}}")
        for reason, message in events
    )
    notes = tuple(note for each in happened if (note := note_of(each)) is not None)
    reader = FakeReader(
        events=happened, previous=log, current=log, manifests=(document, *manifests), pods=(pod,)
    )
    gatherer = Gatherer(
        reader=reader, redactor=Redactor(key=b"k" * 32), recorded=True, clock=lambda: LATER
    )
    symptoms = detect_pod(pod, around=Surroundings(notes=notes), now=LATER).symptoms
    return asyncio.run(
        gatherer.gather(
            owner=owner,
            pod=pod,
            symptom=symptoms[0] if symptoms else None,
            question=question,
        )
    )
