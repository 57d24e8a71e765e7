"""Images that cannot be pulled: the registry's answer tells which of a few causes it is.

A container may wait for the image of another: while the image of an init container cannot be
pulled, nothing of the Pod runs, whatever its other containers show. So pulls that fail are also
looked for in the Events of a Pod whose failure is called otherwise.
"""

from __future__ import annotations

import dataclasses
import re

from kausa.cluster.objects import Container, Pod
from kausa.diagnosis.finding import Finding, Fix
from kausa.diagnosis.rules.accounts import Account, events
from kausa.diagnosis.rules.application.subjects import is_settled
from kausa.diagnosis.rules.image_causes import CAUSES
from kausa.diagnosis.rules.image_name import ImageName, likely_image, odd_in
from kausa.diagnosis.rules.statement import tell
from kausa.diagnosis.rules.telling import LONGEST_SUMMARY, citing
from kausa.diagnosis.rules.wording import clip, owner_reference
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["image_cannot_be_pulled", "pull_behind_it"]

_PULL_REASONS = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "FailedPull", "ErrImageNeverPull", "InvalidImageName",
     "InspectFailed", "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed",
     "FailedToPullImage", "ImagePullFailed", "ErrRegistryUnavailable"}
)  # fmt: skip
_PULL_WORDS = re.compile(
    r"failed to (?:pull|resolve|inspect|apply default image|get|copy)\b.{0,40}?image|pulling "
    r"image|back-?off pulling|pull access denied|manifest unknown|no matching manifest|pull QPS",
    re.I,
)
_SECRET_WORDS = re.compile(
    r"Unable to retrieve some image pull secrets \((?P<names>[^)]{1,300})\)", re.I
)
_IMAGE_TOLD = re.compile(r"\bimage \\?\"(?P<image>[^\"\\\s]{1,500})\\?\"")
_EVENT_HEAD = re.compile(r"^\w{1,10} event [\w.-]{1,128}, seen \d{1,9} times?[^:]{0,80}: ")
_PLATFORM = re.compile(r"\b(?P<platform>(?:linux|windows)/[a-z0-9/]{2,20})\b")
_MAY_HIDE = frozenset(
    {Category.CRASH_LOOP, Category.NODE, Category.OTHER, Category.ROLLOUT, Category.SERVICE}
)
BEHIND = 76
"""Of a pull that fails behind another failure: surer than an end of which nothing is known."""


def image_cannot_be_pulled(dossier: Dossier) -> Finding | None:
    """The kubelet cannot get a container's image; the registry's answer says why."""
    symptom = dossier.symptom
    if symptom is None or symptom.category is not Category.IMAGE_PULL:
        return None
    container = dossier.container(symptom.container)
    image = container.image if container is not None and container.image else symptom.detail
    cited = dossier.events_of(symptom.container, containing="image")
    texts = (symptom.reason, symptom.message, *_texts(dossier, cited))
    citations = (
        *dossier.cite(EvidenceKind.STATUS, containing=f"container {symptom.container}:"),
        *cited,
    ) or citing(dossier)
    return _finding(
        dossier,
        container=symptom.container or "",
        image=image or _told_image(texts),
        texts=texts,
        said=symptom.message,
        reason=symptom.reason,
        citations=citations,
    )


def pull_behind_it(dossier: Dossier) -> Finding | None:
    """An image that cannot be pulled, where the failure is called otherwise."""
    symptom = dossier.symptom
    if symptom is None or symptom.category not in _MAY_HIDE or symptom.exit_code is not None:
        return None
    if is_settled(dossier):
        return None
    told = [each for each in events(dossier) if each.kind == "Pod" and _is_pull(each)]
    if not told:
        return None
    texts = tuple(each.text for each in told)
    image = _told_image(texts)
    container = _container_of(dossier, image)
    name = container.name if container is not None else ""
    finding = _finding(
        dossier,
        container=name,
        image=image or (container.image if container is not None else ""),
        texts=texts,
        said=told[-1].message,
        reason=told[-1].reason,
        citations=tuple(id_ for each in told[-3:] for id_ in each.citations),
    )
    return dataclasses.replace(finding, confidence=max(finding.confidence, BEHIND))


def _is_pull(account: Account) -> bool:
    if not account.warning:
        return False
    return account.reason in _PULL_REASONS or (
        account.reason == "Failed" and _PULL_WORDS.search(account.message) is not None
    )


def _container_of(dossier: Dossier, image: str) -> Container | None:
    named = dossier.pod.spec.all_containers
    same = [each for each in named if image and each.image == image]
    if same:
        return same[0]
    return named[0] if len(named) == 1 else None


def _finding(
    dossier: Dossier,
    *,
    container: str,
    image: str,
    texts: tuple[str, ...],
    said: str,
    reason: str,
    citations: tuple[str, ...],
) -> Finding:
    answer = " ".join(texts)[:16_384]
    if image:
        answer = answer.replace(image, "<image>")
    words = _words(dossier, container=container, image=image, answer=answer)
    cause = next((each for each in CAUSES if each.pattern.search(answer)), None)
    said = _telling(texts, cause.pattern if cause is not None else None) or said
    quote = (
        f' ({reason}) The runtime says: "{clip(_bare(said, image), characters=170)}"'
        if said
        else ""
    )
    if cause is None:
        return _unexplained(said=said, reason=reason, words=words, citations=citations)
    return Finding(
        rule=f"image.{cause.name}",
        category=Category.IMAGE_PULL,
        summary=clip(tell(cause.summary, words), characters=LONGEST_SUMMARY),
        root_cause=clip(tell(cause.root_cause, words), characters=360)
        + _behind(dossier, container)
        + quote,
        explanation=cause.explanation,
        confidence=cause.confidence,
        citations=citations,
        fixes=(
            Fix(
                title=cause.advice,
                rationale=cause.explanation,
                command=None if cause.name == "never-pulled" else _set_image(dossier, container),
                citations=citations,
            ),
        ),
    )


def _words(dossier: Dossier, *, container: str, image: str, answer: str) -> dict[str, str]:
    name = ImageName.parse(image)
    node = dossier.pod.spec.node_name
    odd = odd_in(image)
    platform = _PLATFORM.search(answer)
    return {
        "image": image or "of the container",
        "container": container or "of the Pod",
        "registry": name.registry,
        "repository": name.repository,
        "tag": name.tag or name.digest,
        "version": name.version,
        "node": f"node {node}" if node else "the node",
        "Node": f"Node {node}" if node else "The node",
        "secrets": _secrets(dossier.pod),
        "missing_secret": _missing_secret(dossier),
        "odd": f": {odd}" if odd else "",
        "meant": likely_image(name),
        "platform": platform["platform"] if platform is not None else "",
    }


def _unexplained(
    *, said: str, reason: str, words: dict[str, str], citations: tuple[str, ...]
) -> Finding:
    short = clip(said, characters=140)
    missing = words["missing_secret"]
    return Finding(
        rule="image.other",
        category=Category.IMAGE_PULL,
        summary=clip(
            f"image {words['image']} cannot be pulled" + (f": {short}" if short else ""),
            characters=LONGEST_SUMMARY,
        ),
        root_cause=f"The image {words['image']} of container {words['container']} cannot be "
        f"pulled ({reason})."
        + (f" {missing}." if missing else "")
        + (f" The runtime says: {short}" if short else " The runtime does not say why."),
        explanation="The runtime's answer names none of the usual causes.",
        confidence=78 if missing else 50,
        citations=citations,
    )


def _telling(texts: tuple[str, ...], pattern: re.Pattern[str] | None) -> str:
    """The text that gives the cause away, without the words about the Event that it stands in."""
    if pattern is None:
        return ""
    text = next((each for each in reversed(texts) if pattern.search(each)), "")
    return _EVENT_HEAD.sub("", text)


def _behind(dossier: Dossier, container: str) -> str:
    """What waits because of it."""
    if any(each.name == container for each in dossier.pod.spec.init_containers or ()):
        return f" {container} is an init container, so nothing else of the Pod starts before it."
    return ""


def _bare(said: str, image: str) -> str:
    """The message from where it says why; the image stands before that already."""
    for mark in ("rpc error:", "failed to resolve", "Error response from daemon:"):
        _, found, rest = said.partition(mark)
        if found:
            return f"{found}{rest}"
    return said


def _told_image(texts: tuple[str, ...]) -> str:
    for each in reversed(texts):
        found = _IMAGE_TOLD.search(each)
        if found is not None:
            return found["image"]
    return ""


def _texts(dossier: Dossier, ids: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each.text for each in dossier.evidence if each.id in ids)


def _secrets(pod: Pod) -> str:
    names = ", ".join(each.name for each in pod.spec.image_pull_secrets or ())
    return f" with image pull secret {names}" if names else " (the Pod names no image pull secret)"


def _missing_secret(dossier: Dossier) -> str:
    """The image pull secret that the Pod names and that is not there, as a clause."""
    for each in dossier.references:
        if each.kind == "Secret" and "imagePullSecrets" in each.by.field_path:
            return f"The image pull secret {each.name} {each.problem}"
    for account in events(dossier):
        found = _SECRET_WORDS.search(account.message)
        if found is not None:
            return f"The image pull secret {found['names']} could not be retrieved (missing)"
    return ""


def _set_image(dossier: Dossier, container: str) -> str | None:
    owner = dossier.owner
    if owner.kind not in {"Deployment", "StatefulSet", "DaemonSet"} or not container:
        return None
    return (
        f"kubectl -n {owner.namespace} set image {owner_reference(owner)} {container}=<NEW IMAGE>"
    )
