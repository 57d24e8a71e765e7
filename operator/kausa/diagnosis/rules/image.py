"""Images that cannot be pulled: the registry's answer tells which of a few causes it is."""

from __future__ import annotations

from kausa.cluster.objects import Pod
from kausa.diagnosis.finding import Finding, Fix
from kausa.diagnosis.rules.image_causes import CAUSES
from kausa.diagnosis.rules.image_name import ImageName
from kausa.diagnosis.rules.wording import clip, owner_reference
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["image_cannot_be_pulled"]


def image_cannot_be_pulled(dossier: Dossier) -> Finding | None:
    """The kubelet cannot get a container's image; the registry's answer says why."""
    symptom = dossier.symptom
    if symptom is None or symptom.category is not Category.IMAGE_PULL:
        return None
    container = dossier.container(symptom.container)
    image = container.image if container is not None else symptom.detail
    events = dossier.events_of(symptom.container, containing="image")
    said = " ".join((symptom.reason, symptom.message, *_texts(dossier, events))).replace(
        image, "<image>"
    )
    cause = next((each for each in CAUSES if each.pattern.search(said)), None)
    citations = (
        *dossier.cite(EvidenceKind.STATUS, containing=f"container {symptom.container}:"),
        *events,
    )
    name = ImageName.parse(image)
    words = {
        "image": image,
        "container": symptom.container or "",
        "registry": name.registry,
        "repository": name.repository,
        "tag": name.tag or name.digest,
        "version": name.version,
        "node": dossier.pod.spec.node_name,
        "secrets": _secrets(dossier.pod),
    }
    if cause is None:
        return _unexplained(symptom_message=symptom.message, words=words, citations=citations)
    return Finding(
        rule=f"image.{cause.name}",
        category=Category.IMAGE_PULL,
        summary=clip(cause.summary.format(**words), characters=220),
        root_cause=cause.root_cause.format(**words),
        explanation=cause.explanation,
        confidence=cause.confidence,
        citations=citations,
        fixes=(
            Fix(
                title=cause.advice,
                rationale=cause.explanation,
                command=None
                if cause.name == "never-pulled"
                else _set_image(dossier, symptom.container or ""),
                citations=citations,
            ),
        ),
    )


def _unexplained(
    *, symptom_message: str, words: dict[str, str], citations: tuple[str, ...]
) -> Finding:
    said = clip(symptom_message, characters=140)
    return Finding(
        rule="image.other",
        category=Category.IMAGE_PULL,
        summary=f"image {words['image']} cannot be pulled" + (f": {said}" if said else ""),
        root_cause=f"The image {words['image']} of container {words['container']} cannot be pulled."
        + (f" The runtime says: {said}" if said else " The runtime does not say why."),
        explanation="The runtime's answer names none of the usual causes.",
        confidence=50,
        citations=citations,
    )


def _texts(dossier: Dossier, ids: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each.text for each in dossier.evidence if each.id in ids)


def _secrets(pod: Pod) -> str:
    names = ", ".join(each.name for each in pod.spec.image_pull_secrets or ())
    return f" with image pull secret {names}" if names else " (the Pod names no image pull secret)"


def _set_image(dossier: Dossier, container: str) -> str | None:
    owner = dossier.owner
    if owner.kind not in {"Deployment", "StatefulSet", "DaemonSet"}:
        return None
    return (
        f"kubectl -n {owner.namespace} set image {owner_reference(owner)} {container}=<NEW IMAGE>"
    )
