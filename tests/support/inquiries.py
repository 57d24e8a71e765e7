"""Gatherers one at a time: an inquiry over a FakeReader, through the reader that notes the gaps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from support.dossiers import DEPLOYMENT, LATER, FakeReader

from kausa.cluster.objects import ObjectReference, Pod
from kausa.cluster.owners import Owner
from kausa.cluster.reader import Manifest
from kausa.detection.symptom import Symptom
from kausa.evidence.dossier import Evidence, EvidenceGap, Reference
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.reading import Reading
from kausa.evidence.single_reader import SingleReader
from kausa.resources.evidence import EvidenceKind

__all__ = ["NO_POD", "Brought", "bring", "made", "raw_pod", "reference_to"]

NO_POD = Pod()


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What one gatherer brought, and what the reader noted meanwhile."""

    reading: Reading
    gaps: tuple[EvidenceGap, ...]

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        return self.reading.evidence

    @property
    def references(self) -> tuple[Reference, ...]:
        return self.reading.references

    @property
    def broken(self) -> list[tuple[str, str, str, str]]:
        """Kind, name, key and problem of what does not resolve."""
        return [(each.kind, each.name, each.key, each.problem) for each in self.references]

    def words(self, kind: EvidenceKind | None = None) -> str:
        return "\n".join(each.text for each in self.evidence if kind in (None, each.kind))


def made(kind: str, name: str, *, namespace: str | None = "shop", **parts: Any) -> Manifest:
    """An object of any kind; `labels` and other metadata go where they belong."""
    metadata: dict[str, Any] = {"name": name, "uid": f"{kind}-{name}"}
    if namespace is not None:
        metadata["namespace"] = namespace
    for key in ("labels", "annotations", "ownerReferences", "generation", "deletionTimestamp"):
        if key in parts:
            metadata[key] = parts.pop(key)
    return {
        "apiVersion": parts.pop("api_version", "v1"),
        "kind": kind,
        "metadata": metadata,
        **parts,
    }


def raw_pod(typed: Pod, **spec: Any) -> Manifest:
    """The raw manifest of a typed Pod, with more in its spec."""
    labels = spec.pop("labels", {})
    status = spec.pop("status", {})
    name = typed.metadata.name
    made_by = spec.pop("ownerReferences", [])
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": typed.metadata.namespace,
            "uid": typed.metadata.uid,
            "labels": labels,
            "ownerReferences": made_by,
        },
        "spec": {"nodeName": typed.spec.node_name, **spec},
        "status": status,
    }


def reference_to(manifest: Manifest) -> ObjectReference:
    """An object as what shows the failure."""
    meta = manifest["metadata"]
    return ObjectReference(
        api_version=manifest["apiVersion"],
        kind=manifest["kind"],
        namespace=meta.get("namespace", ""),
        name=meta["name"],
        uid=meta["uid"],
    )


async def bring(
    gather: Callable[[Inquiry], Awaitable[Reading]],
    reader: FakeReader,
    *,
    pod: Pod = NO_POD,
    shown_by: Manifest | None = None,
    owner: Owner = DEPLOYMENT,
    symptom: Symptom | None = None,
    recorded: bool = False,
    whole_cluster: bool = True,
) -> Brought:
    """Let one gatherer look."""
    meta = pod.metadata
    the_pod = ObjectReference(
        api_version="v1", kind="Pod", namespace=meta.namespace, name=meta.name, uid=meta.uid
    )
    single = SingleReader(
        reader=reader, deadline_seconds=1.0, recorded=recorded, whole_cluster=whole_cluster
    )
    async with single as reading_once:
        inquiry = Inquiry(
            reader=reading_once,
            owner=owner,
            shown_by=reference_to(shown_by) if shown_by is not None else the_pod,
            pod=pod,
            symptom=symptom,
            now=LATER,
        )
        reading = await gather(inquiry)
    return Brought(reading=reading, gaps=single.gaps)
