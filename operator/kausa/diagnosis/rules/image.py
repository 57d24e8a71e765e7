"""Images that cannot be pulled: the registry's answer tells which of a few causes it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kausa.cluster.objects import Pod
from kausa.diagnosis.finding import Finding, Fix
from kausa.diagnosis.rules.wording import clip, owner_reference
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["ImageName", "image_cannot_be_pulled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageName:
    """An image reference, taken apart: `registry.example/team/app:1.2`."""

    registry: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, reference: str) -> ImageName:
        """Split a reference as the runtimes do; never raises."""
        rest, _, digest = reference.partition("@")
        first, slash, after = rest.partition("/")
        has_registry = bool(slash) and ("." in first or ":" in first or first == "localhost")
        registry, path = (first, after) if has_registry else ("docker.io", rest)
        name, colon, tag = path.rpartition(":")
        if not colon or "/" in tag:
            name, tag = path, "" if digest else "latest"
        return cls(registry=registry, repository=name, tag=tag, digest=digest)

    @property
    def version(self) -> str:
        """`tag 1.2` or `digest sha256:...`."""
        return f"tag {self.tag}" if self.tag else f"digest {self.digest[:19]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cause:
    name: str
    pattern: re.Pattern[str]
    summary: str
    root_cause: str
    explanation: str
    advice: str
    confidence: int


# The first that matches decides: from what names the cause to what only hints at it.
_CAUSES: tuple[_Cause, ...] = (
    _Cause(
        name="invalid-name",
        pattern=re.compile(r"couldn't parse image|invalid reference format|InvalidImageName", re.I),
        summary="{image} is not a valid image name",
        root_cause="The image name {image} of container {container} cannot be parsed.",
        explanation="No registry was asked. Names are lower case: registry/repository:tag.",
        advice="Correct the image name",
        confidence=98,
    ),
    _Cause(
        name="never-pulled",
        pattern=re.compile(r"ErrImageNeverPull|not present with pull policy of Never", re.I),
        summary="image {image} is not on the node and its pull policy is Never",
        root_cause="Image {image} of container {container} is not on node {node}, and "
        "imagePullPolicy Never forbids to pull it.",
        explanation="With pull policy Never an image must be loaded onto each node beforehand.",
        advice="Load the image onto the node, or set imagePullPolicy to IfNotPresent",
        confidence=97,
    ),
    _Cause(
        name="host-unknown",
        pattern=re.compile(r"no such host|server misbehaving|name resolution|lookup \S+", re.I),
        summary="registry host {registry} cannot be resolved (image {image})",
        root_cause="The node cannot resolve the registry host {registry} of image {image}, which "
        "container {container} needs: no such host in DNS.",
        explanation="The name of the registry is wrong, or the node's DNS does not know it.",
        advice="Check the registry's name in the image, and the node's DNS",
        confidence=95,
    ),
    _Cause(
        name="no-access",
        pattern=re.compile(
            r"401|403|unauthorized|authentication required|denied|forbidden|no basic auth", re.I
        ),
        summary="registry {registry} refuses access to {repository}{secrets}",
        root_cause="Registry {registry} refuses to hand out {repository}:{tag} for container "
        "{container}{secrets}. The repository is private, or does not exist.",
        explanation="Many registries answer `denied` for a repository that does not exist too, "
        "so check the name before the credentials.",
        advice="Check the repository's name and the image pull secret of the Pod",
        confidence=88,
    ),
    _Cause(
        name="rate-limited",
        pattern=re.compile(r"toomanyrequests|rate limit|\b429\b", re.I),
        summary="registry {registry} limits the rate of pulls (image {image})",
        root_cause="Registry {registry} refuses image {image} of container {container} because too "
        "many pulls were made in a short time.",
        explanation="Registries count anonymous pulls by address; authenticated ones have more.",
        advice="Authenticate the pulls, or use a mirror",
        confidence=95,
    ),
    _Cause(
        name="not-found",
        pattern=re.compile(r"not found|manifest unknown|does not exist|\b404\b|NotFound", re.I),
        summary="{version} does not exist in {registry}/{repository}",
        root_cause="Registry {registry} answered, and has no {version} of {repository}, which "
        "container {container} needs (image {image}).",
        explanation="The registry was reached; it does not have this repository or this tag.",
        advice="Correct the tag, or push the missing image",
        confidence=95,
    ),
    _Cause(
        name="certificate",
        pattern=re.compile(r"x509|certificate|HTTP response to HTTPS client", re.I),
        summary="the node does not trust registry {registry} (image {image})",
        root_cause="The node refuses the TLS certificate of registry {registry} while it pulls "
        "{image} for container {container}.",
        explanation="The certificate is expired, self-signed, or the registry speaks plain HTTP.",
        advice="Give the node the registry's certificate authority",
        confidence=93,
    ),
    _Cause(
        name="unreachable",
        pattern=re.compile(
            r"connection refused|i/o timeout|timed? ?out|no route|unreachable|connection reset|EOF",
            re.I,
        ),
        summary="registry {registry} cannot be reached (image {image})",
        root_cause="The node cannot reach registry {registry} to pull {image} for container "
        "{container}.",
        explanation="The name resolves, but nothing answers: the registry is down, or a firewall "
        "or proxy stands between.",
        advice="Check from the node that the registry answers",
        confidence=92,
    ),
    _Cause(
        name="platform",
        pattern=re.compile(r"no matching manifest|platform", re.I),
        summary="{image} has no build for the node's platform",
        root_cause="Image {image} of container {container} exists, but not for the platform of the "
        "node.",
        explanation="The image's index lists other architectures than the node's.",
        advice="Push a build for this platform, or choose nodes that fit",
        confidence=92,
    ),
)


def image_cannot_be_pulled(dossier: Dossier) -> Finding | None:
    """The kubelet cannot get a container's image; the registry's answer says why."""
    symptom = dossier.symptom
    if symptom is None or symptom.category is not Category.IMAGE_PULL:
        return None
    container = dossier.container(symptom.container)
    image = container.image if container is not None else symptom.detail
    events = dossier.cite(EvidenceKind.EVENT, containing="image")
    said = " ".join((symptom.reason, symptom.message, *_texts(dossier, events))).replace(
        image, "<image>"
    )
    cause = next((each for each in _CAUSES if each.pattern.search(said)), None)
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
                command=_set_image(dossier, symptom.container or ""),
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
