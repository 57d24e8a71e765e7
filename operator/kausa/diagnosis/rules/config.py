"""A container that cannot be configured: a ConfigMap, a Secret or a key of one is missing."""

from __future__ import annotations

import re

from kausa.diagnosis.finding import Finding, Fix
from kausa.diagnosis.rules.wording import clip
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["configuration_missing"]

_MISSING_OBJECT = re.compile(
    r'\b(?P<kind>configmap|secret) "(?P<name>[^"]{1,253})" not found', re.I
)
_MISSING_KEY = re.compile(
    r"couldn't find key (?P<key>\S{1,253}) in (?P<kind>ConfigMap|Secret) "
    r"(?:\S+/)?(?P<name>[^\s/]{1,253})",
    re.I,
)
_ROOT_USER = re.compile(r"container has runAsNonRoot and image (?P<why>[^(]{1,120})", re.I)
WAITS = (
    "The kubelet reads a container's configuration before it creates the container, and waits "
    "until what is missing is there; no restart of the Pod is needed then."
)
_KINDS = {"configmap": "ConfigMap", "secret": "Secret"}


def configuration_missing(dossier: Dossier) -> Finding | None:
    """The kubelet cannot make the container's configuration and says what it lacks."""
    symptom = dossier.symptom
    if symptom is None or symptom.category is not Category.CONFIG or symptom.container is None:
        return None
    citations = (
        *dossier.cite(EvidenceKind.STATUS, containing=f"container {symptom.container}:"),
        *dossier.cite(EvidenceKind.EVENT, containing="Error:"),
    )
    namespace = dossier.owner.namespace
    if missing := _MISSING_KEY.search(symptom.message):
        kind, name, key = _KINDS[missing["kind"].lower()], missing["name"], missing["key"]
        return _finding(
            rule="config.key-missing",
            summary=f"key {key} is missing in {kind} {name}, which container {symptom.container} "
            "needs",
            root_cause=f"{kind} {name} in namespace {namespace} has no key {key}, which "
            f"container {symptom.container} takes a variable from.",
            title=f"Add the key {key} to {kind} {name}, or correct the name",
            command=f"kubectl -n {namespace} describe {kind.lower()} {name}",
            citations=citations,
        )
    if missing := _MISSING_OBJECT.search(symptom.message):
        kind, name = _KINDS[missing["kind"].lower()], missing["name"]
        return _finding(
            rule="config.object-missing",
            summary=f"{kind} {name} does not exist, and container {symptom.container} needs it",
            root_cause=f"{kind} {name} was not found in namespace {namespace}; container "
            f"{symptom.container} cannot be created without it.",
            title=f"Create {kind} {name} in namespace {namespace}, or correct the name",
            command=f"kubectl -n {namespace} get {kind.lower()}s",
            citations=citations,
        )
    if root := _ROOT_USER.search(symptom.message):
        return _finding(
            rule="config.runs-as-root",
            summary=f"container {symptom.container} must not run as root, but its image "
            f"{root['why'].strip()}",
            root_cause=f"The security context of container {symptom.container} sets runAsNonRoot, "
            f"and the image {root['why'].strip()}.",
            title="Set runAsUser to a number other than 0, or use an image with such a user",
            command=None,
            citations=citations,
            explanation="The kubelet refuses to start a container as root where its security "
            "context forbids it; the Pod must be replaced by one that is allowed to run.",
        )
    said = clip(symptom.message, characters=160)
    return _finding(
        rule="config.other",
        summary=f"container {symptom.container} cannot be created: {said or symptom.reason}",
        root_cause=f"The kubelet cannot create container {symptom.container}: "
        f"{said or 'it does not say why'}.",
        title="Correct what the kubelet names",
        command=None,
        citations=citations,
        explanation="The kubelet cannot make the container out of what the Pod asks for.",
        confidence=70 if said else 30,
    )


def _finding(
    *,
    rule: str,
    summary: str,
    root_cause: str,
    title: str,
    command: str | None,
    citations: tuple[str, ...],
    confidence: int = 97,
    explanation: str = WAITS,
) -> Finding:
    return Finding(
        rule=rule,
        category=Category.CONFIG,
        summary=summary,
        root_cause=root_cause,
        explanation=explanation,
        confidence=confidence,
        citations=citations,
        fixes=(Fix(title=title, rationale=explanation, command=command, citations=citations),),
    )
