"""Why images cannot be pulled: what registries and runtimes say, and what that means.

The wording is that of containerd, CRI-O and Docker and of the registries' HTTP API; a cause is
known by the words that only it has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["CAUSES", "ImageCause"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCause:
    """One cause: the words that give it away, and how it is told."""

    name: str
    pattern: re.Pattern[str]
    summary: str
    root_cause: str
    explanation: str
    advice: str
    confidence: int


# The first that matches decides: from what names the cause to what only hints at it.
CAUSES: tuple[ImageCause, ...] = (
    ImageCause(
        name="invalid-name",
        pattern=re.compile(
            r"couldn't parse image|invalid reference format|InvalidImageName|failed to apply "
            r"default image tag|invalid image name|repository name must be (?:lowercase|canonical)",
            re.I,
        ),
        summary="{image} is not a valid image name{odd}",
        root_cause="The image name {image} of container {container} cannot be parsed: it is not a "
        "valid reference{odd}.",
        explanation="No registry was asked. Names are lower case: registry/repository:tag.",
        advice="Correct the image name",
        confidence=98,
    ),
    ImageCause(
        name="never-pulled",
        pattern=re.compile(r"ErrImageNeverPull|not present with pull policy of Never", re.I),
        summary="image {image} is not present on the node and its pull policy is Never",
        root_cause="Image {image} of container {container} is not present on {node}, and "
        "imagePullPolicy Never forbids to pull it.",
        explanation="With pull policy Never an image must be loaded onto each node beforehand.",
        advice="Load the image onto the node, or set imagePullPolicy to IfNotPresent",
        confidence=97,
    ),
    ImageCause(
        name="pull-rate",
        pattern=re.compile(r"pull QPS exceeded", re.I),
        summary="the kubelet of {node} starts too many pulls at once (pull QPS exceeded)",
        root_cause="The kubelet of {node} limits how fast it begins to pull images "
        "(registryPullQPS), and image {image} of container {container} was above that: "
        "pull QPS exceeded.",
        explanation="Many Pods started on one node at once. The kubelet tries again by itself.",
        advice="Wait, or raise registryPullQPS and registryBurst of the kubelet",
        confidence=96,
    ),
    ImageCause(
        name="policy",
        pattern=re.compile(
            r"SignatureValidationFailed|signature (?:validation|verification) failed|Source image "
            r"rejected|rejected by policy|content trust|notary",
            re.I,
        ),
        summary="image {image} is refused by the signature policy of {node}",
        root_cause="The runtime of {node} refuses image {image} of container {container}: its "
        "signature is missing or not valid (SignatureValidationFailed).",
        explanation="A policy on the node only admits images that are signed by known keys.",
        advice="Sign the image, or correct the policy",
        confidence=95,
    ),
    ImageCause(
        name="platform",
        pattern=re.compile(
            r"no matching manifest|no match for platform|not match the (?:specified|detected|"
            r"host) |does not (?:provide|support) the (?:specified )?platform|image operating "
            r"system .{1,60} cannot be used|exec format error|platform mismatch",
            re.I,
        ),
        summary="image {image} has no build for the node's platform (architecture)<< {platform}>>",
        root_cause="Image {image} of container {container} exists, but its manifest has no build "
        "for the architecture<< {platform}>> of {node}.",
        explanation="The image's index lists other architectures than the node's.",
        advice="Push a build for this platform, or choose nodes that fit",
        confidence=95,
    ),
    ImageCause(
        name="rate-limited",
        pattern=re.compile(r"toomanyrequests|rate limit|\b429\b", re.I),
        summary="registry {registry} limits the rate of pulls (image {image})",
        root_cause="Registry {registry} refuses image {image} of container {container} because "
        "too many pulls were made in a short time.",
        explanation="Registries count anonymous pulls by address; authenticated ones have more.",
        advice="Authenticate the pulls, or use a mirror",
        confidence=95,
    ),
    ImageCause(
        name="proxy",
        pattern=re.compile(r"proxyconnect|proxy authentication required|\b407\b", re.I),
        summary="the node's proxy does not let it reach registry {registry} (image {image})",
        root_cause="{Node} goes through a proxy to registry {registry}, and the proxy fails; "
        "image {image} of container {container} cannot be pulled.",
        explanation="The runtime uses HTTP_PROXY and HTTPS_PROXY of its own service.",
        advice="Correct the proxy of the node's container runtime, or NO_PROXY",
        confidence=94,
    ),
    ImageCause(
        name="host-unknown",
        pattern=re.compile(
            r"no such host|server misbehaving|name resolution|\blookup [\w.-]{1,253}(?: on |:)",
            re.I,
        ),
        summary="registry host {registry} cannot be resolved (image {image})",
        root_cause="The node cannot resolve the registry host {registry} of image {image}, which "
        "container {container} needs: no such host in DNS.",
        explanation="The name of the registry is wrong, or the node's DNS does not know it.",
        advice="Check the registry's name in the image, and the node's DNS",
        confidence=95,
    ),
    ImageCause(
        name="disk-full",
        pattern=re.compile(r"no space left on device|disk quota exceeded", re.I),
        summary="the node's disk is full, so image {image} cannot be unpacked",
        root_cause="{Node} has no space left on its disk to unpack image {image} of container "
        "{container}.",
        explanation="The registry gave the image; the node has no room for its layers.",
        advice="Free disk space on the node, or give it a larger disk",
        confidence=95,
    ),
    ImageCause(
        name="no-access",
        pattern=re.compile(
            r"\b(?:status(?: code)?:? ?|code:? ?)40[13]\b|\b40[13] (?:unauthorized|forbidden)|"
            r"\bunauthorized\b|authentication required|\bdenied\b|\bforbidden\b|no basic auth|"
            r"pull access|credential",
            re.I,
        ),
        summary="registry {registry} refuses access to {repository}{secrets}",
        root_cause="Registry {registry} refuses to hand out {repository}:{tag} for container "
        "{container}{secrets}: authorization failed. The repository is private, or "
        "does not exist.<< {missing_secret}.>>",
        explanation="Many registries answer `denied` for a repository that does not exist too, so "
        "check the name before the credentials.",
        advice="Check the repository's name and the image pull secret of the Pod",
        confidence=88,
    ),
    ImageCause(
        name="registry-fails",
        pattern=re.compile(
            r"\b50[0234] (?:internal server error|bad gateway|service unavailable|gateway "
            r"time-?out)|(?:status(?: code)?:? ?|code:? ?)50[0234]\b|RegistryUnavailable|registry "
            r"is (?:down|unavailable)",
            re.I,
        ),
        summary="registry {registry} fails itself (image {image}): it is unavailable",
        root_cause="Registry {registry} answers the pull of image {image} for container "
        "{container} with an error of its own (5xx): it is unavailable.",
        explanation="The registry, or a proxy before it, is not well.",
        advice="See that the registry works, or use a mirror",
        confidence=93,
    ),
    ImageCause(
        name="certificate",
        pattern=re.compile(r"x509|certificate|HTTP response to HTTPS client", re.I),
        summary="the node does not trust registry {registry} (image {image})",
        root_cause="The node refuses the TLS certificate of registry {registry} while it pulls "
        "{image} for container {container}.",
        explanation="The certificate is expired, self-signed, or the registry speaks plain HTTP.",
        advice="Give the node the registry's certificate authority",
        confidence=93,
    ),
    ImageCause(
        name="format",
        pattern=re.compile(
            r"media type .{0,100}no longer supported|schema ?1|unsupported (?:manifest|media "
            r"type)|mediaType in manifest should be|failed to (?:extract|unpack) layer|invalid "
            r"tar header|unexpected commit digest|failed size validation|checksum mismatch|wrong "
            r"diff id|archive/tar",
            re.I,
        ),
        summary="image {image} cannot be unpacked: its manifest or a layer is damaged or too old",
        root_cause="Image {image} of container {container} was found, and its manifest or a layer "
        "of it is not what the runtime of {node} can unpack.",
        explanation="The image was pushed in an old format, is damaged, or was changed on its way.",
        advice="Build and push the image anew",
        confidence=90,
    ),
    ImageCause(
        name="not-found",
        pattern=re.compile(r"not found|manifest unknown|does not exist|\b404\b|NotFound", re.I),
        summary="{version} does not exist in {registry}/{repository}<< (perhaps {meant} is "
        "meant)>>",
        root_cause="Registry {registry} answered, and has no {version} of {repository}, which "
        "container {container} needs (image {image}): not found.<< Perhaps {meant} is meant.>>",
        explanation="The registry was reached; it does not have this repository or this tag.",
        advice="Correct the tag, or push the missing image",
        confidence=95,
    ),
    ImageCause(
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
)
