"""Dossiers of a few lines: what Events say, what stands in manifests, what does not resolve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from kausa.cluster.objects import ObjectReference, Pod
from kausa.cluster.owners import Owner
from kausa.detection.symptom import Symptom
from kausa.diagnosis.finding import Finding
from kausa.diagnosis.rules.engine import find_all
from kausa.evidence.dossier import Dossier, Evidence, Reference, Source
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["best", "dossier_of", "lost", "made", "pod_of", "said"]

BEGIN = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


def said(
    reason: str,
    message: str,
    *,
    about: tuple[str, str] = ("Pod", "web-0"),
    type_: str = "warning",
    count: int = 1,
    minute: int = 0,
) -> Evidence:
    """One Event, as the gatherers fold it."""
    times = "time" if count == 1 else "times"
    return Evidence(
        kind=EvidenceKind.EVENT,
        source=Source(kind=about[0], name=about[1], field_path=f"events[{reason}]"),
        time=BEGIN + timedelta(minutes=minute),
        text=f"{type_} event {reason}, seen {count} {times}: {message}",
    )


def made(kind: str, name: str, *, namespace: str = "shop", **fields: Any) -> dict[str, Any]:
    """A manifest; labels and annotations go into its metadata."""
    meta: dict[str, Any] = {"name": name}
    if namespace:
        meta["namespace"] = namespace
    for field in ("labels", "annotations", "ownerReferences"):
        if field in fields:
            meta[field] = fields.pop(field)
    return {"kind": kind, "metadata": meta, **fields}


def pod_of(
    *, phase: str = "Pending", node: str = "", spec: Mapping[str, Any] | None = None, **status: Any
) -> dict[str, Any]:
    """The Pod web-0 as a manifest."""
    found: dict[str, Any] = {"containers": [{"name": "app", "image": "shop/web:1"}], **(spec or {})}
    if node:
        found["nodeName"] = node
    return made("Pod", "web-0", spec=found, status={"phase": phase, **status})


def lost(
    kind: str,
    name: str,
    *,
    by: tuple[str, str] = ("Pod", "web-0"),
    field: str = "spec",
    problem: str = "does not exist",
    key: str = "",
) -> Reference:
    """A name that leads nowhere."""
    return Reference(
        by=Source(kind=by[0], name=by[1], field_path=field),
        kind=kind,
        name=name,
        namespace="shop",
        key=key,
        problem=problem,
    )


def dossier_of(
    *events: Evidence,
    shown_by: tuple[str, str] = ("Pod", "web-0"),
    pod: Mapping[str, Any] | None = None,
    manifests: Iterable[Mapping[str, Any]] = (),
    references: Iterable[Reference] = (),
    symptom: Symptom | None = None,
) -> Dossier:
    """A dossier; manifests and names that lead nowhere are evidence too, to be cited."""
    references = tuple(references)
    read = [*([pod] if pod is not None else []), *manifests]
    evidence = [
        *events,
        *(
            Evidence(
                kind=EvidenceKind.STATUS,
                source=Source(kind=each["kind"], name=each["metadata"]["name"]),
                text=f"{each['kind']} {each['metadata']['name']}",
            )
            for each in read
        ),
        *(
            Evidence(
                kind=EvidenceKind.REFERENCE,
                source=each.by,
                text=f"{each.by.kind} {each.by.name} names {each.kind} {each.name} in "
                f"{each.by.field_path}, which {each.problem}",
            )
            for each in references
        ),
    ]
    if not evidence:
        evidence = [said("Pulled", "image is there", type_="normal")]
    typed = Pod()
    if pod is not None:
        whole = {**pod, "metadata": {**pod["metadata"], "uid": "u-pod"}}
        typed = msgspec.convert(whole, Pod)
    kind, name = shown_by
    return Dossier(
        owner=Owner(api_version="v1", kind=kind, name=name, uid="u-1", namespace="shop"),
        shown_by=ObjectReference(
            api_version="v1", kind=kind, namespace="shop", name=name, uid="u-1"
        ),
        pod=typed,
        symptom=symptom,
        evidence=tuple(
            Evidence(
                kind=each.kind, source=each.source, text=each.text, time=each.time, id=f"E{number}"
            )
            for number, each in enumerate(evidence, start=1)
        ),
        manifests=tuple(dict(each) for each in read),
        references=references,
    )


def best(dossier: Dossier) -> Finding:
    """The finding that decides; it cites what is there, and is short enough to be read."""
    findings = find_all(dossier)
    assert findings, "no rule has anything to say"
    first = findings[0]
    ids = {each.id for each in dossier.evidence}
    assert first.citations
    assert set(first.citations) <= ids
    assert len(first.summary) + len(first.root_cause) <= 700
    assert "\n" not in first.summary
    assert isinstance(first.category, Category)
    return first
