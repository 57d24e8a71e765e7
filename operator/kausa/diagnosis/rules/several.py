"""Containers of one Pod that fail for reasons of their own: each is named, for each must be "
"mended."""

from __future__ import annotations

from kausa.cluster.objects import ContainerStatus
from kausa.diagnosis.finding import Finding
from kausa.diagnosis.rules.telling import citing, tell_finding
from kausa.diagnosis.rules.wording import clip
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["containers_fail_apart"]

_KIND = {
    "ImagePullBackOff": Category.IMAGE_PULL,
    "ErrImagePull": Category.IMAGE_PULL,
    "InvalidImageName": Category.IMAGE_PULL,
    "ErrImageNeverPull": Category.IMAGE_PULL,
    "CreateContainerConfigError": Category.CONFIG,
    "CreateContainerError": Category.CONFIG,
    "CrashLoopBackOff": Category.CRASH_LOOP,
}


def containers_fail_apart(dossier: Dossier) -> Finding | None:
    """Two containers or more that fail in different ways."""
    failing = [
        (each, kind)
        for each in dossier.pod.status.container_statuses or ()
        if (kind := _kind(each)) is not None
    ]
    kinds = dict.fromkeys(kind for _, kind in failing)
    if len(kinds) < 2 or any(kind is Category.CRASH_LOOP for kind in kinds):
        return None
    symptom = dossier.symptom
    told = "; ".join(_words(each, dossier) for each, _ in failing[:4])
    first = failing[0][1]
    return tell_finding(
        dossier,
        rule="mixed.containers-fail-apart",
        category=symptom.category if symptom is not None and symptom.category in kinds else first,
        summary=f"{len(failing)} containers of Pod {dossier.pod.metadata.name} fail for different "
        f"reasons: {told}",
        cause=f"Containers of Pod {dossier.pod.metadata.name} fail independently of each other, "
        f"and "
        f"each must be mended: {told}",
        why="A Pod is ready when all its containers are; mending one leaves the other.",
        fix="Mend each of the causes",
        command=f"kubectl -n {dossier.owner.namespace} describe pod {dossier.pod.metadata.name}",
        confidence=98,
        citations=dossier.cite(EvidenceKind.STATUS)[:6] or citing(dossier),
    )


def _kind(status: ContainerStatus) -> Category | None:
    return _KIND.get(status.state.waiting.reason) if status.state.waiting is not None else None


def _words(status: ContainerStatus, dossier: Dossier) -> str:
    waiting = status.state.waiting
    if waiting is None:
        return ""
    image = status.image or next(
        (each.image for each in dossier.pod.spec.containers or () if each.name == status.name), ""
    )
    said = clip(waiting.message, characters=130)
    if _kind(status) is Category.IMAGE_PULL and image and image not in said:
        said = f"image {image}: {said}"
    elif _kind(status) is Category.IMAGE_PULL:
        said = f"image cannot be pulled: {said}"
    return f"container {status.name} ({waiting.reason}): {said}"
