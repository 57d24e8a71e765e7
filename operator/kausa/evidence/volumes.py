"""Volumes: the claims that a Pod mounts (or that fail themselves), and all that stands behind them.

Claim, volume, class, driver, attachment: each has a word of its own for the same trouble, and only
the last of the chain knows it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace

from kausa.cluster.paging import is_whole
from kausa.cluster.reader import Manifest
from kausa.evidence.around import Around, Lookup, source_of
from kausa.evidence.dossier import Evidence, Reference
from kausa.evidence.fields import at, name_of, namespace_of, rows, table, text
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.object_status import status_of
from kausa.evidence.reading import Reading
from kausa.evidence.references import NOT_RECORDED, reading_of
from kausa.evidence.selecting import in_words, node_fits_term
from kausa.evidence.unfit_volumes import unfit_evidence
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["claim_problems", "gather_volumes", "unnamed_claims"]

MOST_CLAIMS = 6
MOST_UNNAMED = 3
MOST_ATTACHMENTS = 4
MOST_FREE = 5
_ABOUT_VOLUMES = frozenset({Category.VOLUME, Category.STORAGE})
_SPEAKS_OF_VOLUMES = re.compile(r"persistent ?volume|mount|volume", re.I)
_IS_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_NO_PROVISIONER = "kubernetes.io/no-provisioner"


async def gather_volumes(inquiry: Inquiry) -> Reading:
    """Every claim with its volume, class, driver and attachment."""
    around = Around(inquiry=inquiry)
    if inquiry.shown_by.kind == "PersistentVolume":
        return await _of_volume(around, await around.shown_by(), claim=None)
    names = (await around.claims())[:MOST_CLAIMS]
    claims = await around.all_of("PersistentVolumeClaim", names or await unnamed_claims(around))
    node = await around.one("Node", inquiry.pod.spec.node_name)
    parts = await asyncio.gather(
        *(_of_claim(around, each.manifest, node=node) for each in claims if each.manifest)
    )
    return _together([*parts, await _of_templates(around)])


async def unnamed_claims(around: Around) -> tuple[str, ...]:
    """Claims that wait or grow, where a Pod complains of volumes and does not name them."""
    symptom = around.inquiry.symptom
    if symptom is None or not around.inquiry.has_pod:
        return ()
    if symptom.category not in _ABOUT_VOLUMES and not _SPEAKS_OF_VOLUMES.search(symptom.message):
        return ()
    claims = await around.many("PersistentVolumeClaim") or ()
    waiting = [each for each in claims if _is_unsettled(each)]
    return tuple(name_of(each) for each in waiting[:MOST_UNNAMED])


def _is_unsettled(claim: Manifest) -> bool:
    if text(claim, "status", "phase") != "Bound":
        return True
    return any(
        text(each, "type").startswith(("FileSystemResize", "Resizing", "ControllerResizeError",
                                       "NodeResizeError"))
        and text(each, "status") == "True"
        for each in rows(claim, "status", "conditions")
    )  # fmt: skip


async def _of_templates(around: Around) -> Reading:
    """The classes that a StatefulSet's claims would name, before there are any."""
    shown = await around.shown_by()
    workload = await around.workload() or shown
    broken: list[tuple[Reference, str]] = []
    for template in rows(workload, "spec", "volumeClaimTemplates"):
        name = text(template, "spec", "storageClassName")
        found = await around.look("StorageClass", name)
        if found.missing or found.unrecorded:
            path = f"spec.volumeClaimTemplates[{name_of(template)}].spec.storageClassName"
            reference = Reference(by=source_of(workload, path), kind="StorageClass", name=name)
            if found.unrecorded:
                reference = replace(reference, problem=NOT_RECORDED)
            broken.append((reference, ""))
    return reading_of(broken)


def _together(parts: list[Reading] | tuple[Reading, ...]) -> Reading:
    return Reading(
        evidence=tuple(each for part in parts for each in part.evidence),
        references=tuple(each for part in parts for each in part.references),
        manifests=tuple(each for part in parts for each in part.manifests),
    )


async def _of_claim(around: Around, claim: Manifest, *, node: Manifest | None) -> Reading:
    volume_name = text(claim, "spec", "volumeName")
    volume, class_ = await asyncio.gather(
        around.look("PersistentVolume", volume_name), _class(around, claim)
    )
    broken = list(claim_problems(claim))
    if volume_name and volume.missing:
        broken.append((_names(claim, "PersistentVolume", volume_name, "spec.volumeName"), ""))
    broken.extend(class_.broken)
    broken.extend(await _data_source(around, claim))
    behind = await _of_volume(around, volume.manifest, claim=claim, node=node)
    waits = not volume_name and text(claim, "status", "phase") != "Bound"
    free = await around.many("PersistentVolume") or () if waits else ()
    found = reading_of(broken)
    shown = around.inquiry.shown_by
    is_shown = (shown.kind, shown.name) == ("PersistentVolumeClaim", name_of(claim))
    return Reading(
        evidence=(
            *found.evidence,
            *(() if is_shown else status_of(claim, kind=EvidenceKind.VOLUME)),
            *_class_evidence(class_.manifest),
            *unfit_evidence(claim, free),
            *behind.evidence,
        ),
        references=(*found.references, *behind.references),
        manifests=tuple(
            each
            for each in (claim, class_.manifest, *behind.manifests, *free[:MOST_FREE])
            if each is not None
        ),
    )


def claim_problems(claim: Manifest) -> Iterator[tuple[Reference, str]]:
    """A claim that nobody can mount as it is now."""
    phase = text(claim, "status", "phase")
    if text(claim, "metadata", "deletionTimestamp"):
        yield _own(claim, "metadata.deletionTimestamp", problem="is being deleted"), ""
    elif phase in ("Pending", "Lost"):
        yield _own(claim, "status.phase", problem=f"is {phase}"), ""


def _own(claim: Manifest, path: str, *, problem: str) -> Reference:
    return Reference(
        by=source_of(claim, path),
        kind="PersistentVolumeClaim",
        name=name_of(claim),
        namespace=namespace_of(claim),
        problem=problem,
    )


def _names(claim: Manifest, kind: str, name: str, path: str) -> Reference:
    return Reference(by=source_of(claim, path), kind=kind, name=name)


class _Class:
    """A claim's StorageClass, and what is wrong with how it is named."""

    __slots__ = ("broken", "manifest")

    def __init__(
        self, manifest: Manifest | None, broken: tuple[tuple[Reference, str], ...] = ()
    ) -> None:
        self.manifest = manifest
        self.broken = broken


async def _class(around: Around, claim: Manifest) -> _Class:
    field = "spec.storageClassName"
    wanted = at(claim, "spec", "storageClassName")
    is_bound = bool(text(claim, "spec", "volumeName"))
    if isinstance(wanted, str):
        if not wanted:
            return _Class(None)  # A volume made by hand is wanted.
        found = await around.look("StorageClass", wanted)
        # A bound claim needs its class no more, and volumes made by hand may share a mere name.
        if is_bound or not (found.missing or found.unrecorded):
            return _Class(found.manifest)
        reference = _names(claim, "StorageClass", wanted, field)
        if found.unrecorded:
            reference = replace(reference, problem=NOT_RECORDED)
        return _Class(found.manifest, ((reference, ""),))
    if is_bound:
        return _Class(None)
    classes = await around.many("StorageClass")
    if classes is None:
        return _Class(None)
    default = next((each for each in classes if _is_default(each)), None)
    if default is not None or not is_whole(classes):
        return _Class(default)
    problem = "is not named, and the cluster has no default"
    reference = Reference(by=source_of(claim, field), kind="StorageClass", name="", problem=problem)
    has = ", ".join(name_of(each) for each in classes[:5])
    return _Class(None, ((reference, f"it has {has}" if has else "it has none at all"),))


def _is_default(class_: Manifest) -> bool:
    annotations = table(class_, "metadata", "annotations")
    beta = "storageclass.beta.kubernetes.io/is-default-class"
    return "true" in (text(annotations, _IS_DEFAULT), text(annotations, beta))


async def _data_source(around: Around, claim: Manifest) -> tuple[tuple[Reference, str], ...]:
    """The snapshot or claim that it is made from."""
    source = table(claim, "spec", "dataSource") or table(claim, "spec", "dataSourceRef")
    kind, name = text(source, "kind"), text(source, "name")
    if kind not in ("VolumeSnapshot", "PersistentVolumeClaim") or not name:
        return ()
    found = await around.look(kind, name)
    reference = _names(claim, kind, name, "spec.dataSource")
    if found.missing:
        return ((reference, ""),)
    snapshot = found.manifest
    if snapshot is None or kind != "VolumeSnapshot":
        return ()
    if at(snapshot, "status", "readyToUse") is True:
        return ()
    said = text(snapshot, "status", "error", "message")
    not_ready = Reference(by=reference.by, kind=kind, name=name, problem="is not ready to use")
    return ((not_ready, said),)


def _class_evidence(class_: Manifest | None) -> Iterator[Evidence]:
    if class_ is None:
        return
    mode = text(class_, "volumeBindingMode") or "Immediate"
    parts = [f"provisioner {text(class_, 'provisioner')}", f"binding mode {mode}"]
    if text(class_, "provisioner") == _NO_PROVISIONER:
        parts.append("volumes are made by hand")
    expands = "may" if at(class_, "allowVolumeExpansion") is True else "may not"
    parts.append(f"volumes {expands} be expanded")
    for term in rows(class_, "allowedTopologies")[:2]:
        for expression in rows(term, "matchLabelExpressions")[:2]:
            parts.append(f"only in {text(expression, 'key')}")
    yield Evidence(
        kind=EvidenceKind.VOLUME,
        source=source_of(class_, "provisioner"),
        text=f"StorageClass {name_of(class_)}: {'; '.join(parts)}",
    )


async def _of_volume(
    around: Around,
    volume: Manifest | None,
    *,
    claim: Manifest | None,
    node: Manifest | None = None,
) -> Reading:
    if volume is None:
        return Reading()
    driver = text(volume, "spec", "csi", "driver")
    if not driver:
        attachments: tuple[Manifest, ...] | None = None
        installed = Lookup(manifest=None, readable=False)
    else:
        attachments, installed = await asyncio.gather(
            around.many("VolumeAttachment"), around.look("CSIDriver", driver)
        )
    mine = [
        each
        for each in attachments or ()
        if text(each, "spec", "source", "persistentVolumeName") == name_of(volume)
    ][:MOST_ATTACHMENTS]
    evidence = [
        *status_of(volume, kind=EvidenceKind.VOLUME),
        *_fit(volume, claim=claim, node=node),
        *(each for attachment in mine for each in _attached(attachment)),
    ]
    if driver and installed.missing:
        lacks = Reference(by=source_of(volume, "spec.csi.driver"), kind="CSIDriver", name=driver)
        broken = reading_of([(lacks, "no driver of that name is installed")])
    else:
        broken = Reading()
    is_shown = around.inquiry.shown_by.kind == "PersistentVolume"
    return Reading(
        evidence=(*broken.evidence, *(evidence[1:] if is_shown else evidence)),
        references=broken.references,
        manifests=tuple(each for each in (volume, installed.manifest, *mine) if each is not None),
    )


def _fit(volume: Manifest, *, claim: Manifest | None, node: Manifest | None) -> Iterator[Evidence]:
    """A volume that is of somebody else, or that the Pod's node cannot reach."""
    said = []
    owner = table(volume, "spec", "claimRef")
    if claim is not None and owner:
        mine = (namespace_of(claim), name_of(claim))
        theirs = (text(owner, "namespace"), text(owner, "name"))
        if theirs != mine:
            said.append(f"is claimed by {'/'.join(theirs)}")
        elif text(volume, "status", "phase") == "Released":
            said.append("is claimed by an earlier claim of that name")
    terms = rows(volume, "spec", "nodeAffinity", "required", "nodeSelectorTerms")
    if terms:
        where = " or ".join(in_words(each) for each in terms[:3])
        out_of_reach = node is not None and not any(node_fits_term(each, node) for each in terms)
        off = f", and node {name_of(node)} is not there" if out_of_reach else ""
        said.append(f"can only be reached from nodes with {where}{off}")
    if said:
        yield Evidence(
            kind=EvidenceKind.VOLUME,
            source=source_of(volume, "spec.nodeAffinity"),
            text=f"PersistentVolume {name_of(volume)} {'; '.join(said)}",
        )


def _attached(attachment: Manifest) -> Iterator[Evidence]:
    volume = text(attachment, "spec", "source", "persistentVolumeName")
    node = text(attachment, "spec", "nodeName")
    for field, word in (
        ("attachError", "cannot be attached"),
        ("detachError", "cannot be detached"),
    ):
        error = text(attachment, "status", field, "message")
        if error:
            yield Evidence(
                kind=EvidenceKind.VOLUME,
                source=source_of(attachment, f"status.{field}"),
                text=f"PersistentVolume {volume} {word} to node {node}: {error}",
            )
    if at(attachment, "status", "attached") is True:
        yield Evidence(
            kind=EvidenceKind.VOLUME,
            source=source_of(attachment, "status.attached"),
            text=f"PersistentVolume {volume} is attached to node {node}",
        )
