"""Names that lead nowhere: an object that does not exist, a key or a port that it does not have.

The gatherers look up every name; here is what each kind of broken name means. What is checked only
when a Pod is created cannot be why one that exists fails, and what is checked before it starts
cannot be why one that runs does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kausa.diagnosis.finding import Finding
from kausa.diagnosis.rules.accounts import is_well
from kausa.diagnosis.rules.facts import find, has_endpoints
from kausa.diagnosis.rules.layers import at_most_beside, within_container
from kausa.diagnosis.rules.telling import citing, subject, tell_finding
from kausa.evidence.dossier import Dossier, Reference
from kausa.evidence.fields import text
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["name_leads_nowhere"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meaning:
    """What one kind of broken name means."""

    kinds: frozenset[str]
    category: Category
    confidence: int
    why: str
    fix: str
    by: frozenset[str] = frozenset()
    """The kinds that name it; empty for any."""
    problem: str = ""
    """Words of the problem; empty for any."""
    field: str = ""
    """How the field begins; empty for any."""
    at_creation: bool = False
    """Whether it is checked when the Pod is created, so that a Pod that exists has passed it."""
    at_start: bool = False
    """Whether it is needed to start only."""


def _of(*kinds: str) -> frozenset[str]:
    return frozenset(kinds)


_STARTS = "The Pod does not start before everything that it names is there."
_SENDS = (
    "A Service sends to ready Pods that its selector fits, on the port that it names; a caller is "
    "refused or waits in vain where one of these is missing."
)
_ROUTES = "An Ingress controller sends requests to the Services that the Ingress names."

# The first that fits decides.
_MEANINGS: tuple[_Meaning, ...] = (
    _Meaning(
        kinds=_of("Secret"), field="spec.imagePullSecrets", category=Category.IMAGE_PULL,
        confidence=45, at_start=True, why=_STARTS,
        fix="Create the image pull Secret {name}, or correct its name",
    ),
    _Meaning(
        kinds=_of("Secret"), by=_of("Ingress"), category=Category.SERVICE, confidence=90,
        why="Without its certificate an Ingress controller serves a default one, or none.",
        fix="Create the TLS Secret {name} in the namespace of the Ingress",
    ),
    _Meaning(
        kinds=_of("ConfigMap", "Secret"), category=Category.CONFIG, confidence=84, at_start=True,
        why=_STARTS, fix="Create {kind} {name}, or correct its name or key",
    ),
    _Meaning(
        kinds=_of("PersistentVolumeClaim"), problem="does not exist", category=Category.VOLUME,
        confidence=92, at_start=True,
        why="The scheduler does not place a Pod whose volume claim does not exist.",
        fix="Create the PersistentVolumeClaim {name}, or correct its name in the Pod",
    ),
    _Meaning(
        kinds=_of("StorageClass"), problem="is not named", category=Category.VOLUME,
        confidence=76, at_start=True,
        why="A claim of no class waits for a volume that somebody makes by hand.",
        fix="Name a storage class in the claim, or make one the default",
    ),
    _Meaning(
        kinds=_of("StorageClass"), category=Category.STORAGE, confidence=91, at_start=True,
        why="A claim is bound only when a volume of its class exists or can be made.",
        fix="Create the StorageClass {name}, or name one that exists",
    ),
    _Meaning(
        kinds=_of("PersistentVolume"), category=Category.VOLUME, confidence=88, at_start=True,
        why="A claim that names its volume takes no other.",
        fix="Create the PersistentVolume {name}, or take its name out of the claim",
    ),
    _Meaning(
        kinds=_of("VolumeSnapshot", "CSIDriver"), category=Category.STORAGE, confidence=88,
        at_start=True, why="The volume cannot be made or mounted without it.",
        fix="Create {kind} {name}, or correct its name",
    ),
    _Meaning(
        kinds=_of("ServiceAccount", "PriorityClass", "RuntimeClass"), category=Category.ADMISSION,
        confidence=86, at_creation=True,
        why="The API server refuses a Pod that names what does not exist.",
        fix="Create {kind} {name}, or correct its name",
    ),
    _Meaning(
        kinds=_of("NetworkAttachmentDefinition"), category=Category.NETWORK, confidence=90,
        at_start=True, why="Multus attaches a further network by what its definition says.",
        fix="Create the NetworkAttachmentDefinition {name}, or correct the Pod's annotation",
    ),
    _Meaning(
        kinds=_of("Node"), category=Category.NODE, confidence=86, at_start=True,
        why="A Pod that is bound to a node which is gone is deleted by Kubernetes after a while.",
        fix="Delete the Pod, so that its controller makes another",
    ),
    _Meaning(
        kinds=_of("IngressClass"), problem="is not named", category=Category.SERVICE,
        confidence=72, why="No controller takes an Ingress of no class.",
        fix="Name an IngressClass in spec.ingressClassName, or make one the default",
    ),
    _Meaning(
        kinds=_of("IngressClass"), category=Category.SERVICE, confidence=92,
        why="No controller takes an Ingress of a class that does not exist.",
        fix="Create the IngressClass {name}, or name one that exists",
    ),
    _Meaning(
        kinds=_of("Service"), by=_of("Ingress"), category=Category.SERVICE, confidence=92,
        why=_ROUTES, fix="Let the Ingress name a Service and a port that exist and have endpoints",
    ),
    _Meaning(
        kinds=_of("Service"), by=_of("StatefulSet"), category=Category.SERVICE, confidence=64,
        why="The headless Service of a StatefulSet gives its Pods their names in DNS.",
        fix="Create the Service {name}, or correct serviceName",
    ),
    _Meaning(
        kinds=_of("Service"), problem="declared by no container", category=Category.SERVICE,
        confidence=55, why=_SENDS, fix="Let targetPort be a port on which the Pods listen",
    ),
    _Meaning(
        kinds=_of("Service"), problem="selects no Pod", category=Category.SERVICE, confidence=94,
        why=_SENDS, fix="Let the selector of Service {name} fit the labels of its Pods",
    ),
    _Meaning(
        kinds=_of("Service"), problem="port", category=Category.SERVICE, confidence=94,
        why=_SENDS, fix="Use a port that Service {name} has, or add that port to it",
    ),
    _Meaning(
        kinds=_of("Service"), by=_of("Service"), problem="no endpoint", category=Category.SERVICE,
        confidence=91, why=_SENDS, fix="Mend the Pods behind Service {name}",
    ),
    _Meaning(
        kinds=_of("Service"), problem="no endpoint", category=Category.DEPENDENCY, confidence=94,
        why=_SENDS, fix="Mend the Pods behind Service {name}",
    ),
    _Meaning(
        kinds=_of("Service"), category=Category.SERVICE, confidence=89, why=_SENDS,
        fix="Create the Service {name}, or correct the name that is called",
    ),
    _Meaning(
        kinds=_of("NetworkPolicy"), problem="selects no Pod", category=Category.NETWORK,
        confidence=88, why="A NetworkPolicy has no effect on Pods that it does not select.",
        fix="Let podSelector fit the labels of the Pods that are meant",
    ),
    _Meaning(
        kinds=frozenset(), by=_of("HorizontalPodAutoscaler"), field="spec.metrics",
        category=Category.AUTOSCALING, confidence=90,
        why="A share of the request can be reckoned only where every container has one.",
        fix="Set a request for the resource on every container of the target",
    ),
    _Meaning(
        kinds=frozenset(), by=_of("HorizontalPodAutoscaler"), category=Category.AUTOSCALING,
        confidence=94, why="An autoscaler changes the scale of what scaleTargetRef names.",
        fix="Correct scaleTargetRef, or create {kind} {name}",
    ),
)  # fmt: skip
_DNS = frozenset({"kube-dns", "coredns"})
UNLISTED = "is not in the snapshot"
"""Said of files that hold no object of that kind, so that nobody can tell."""
_ABSENT = {
    "does not exist": "does not exist (missing)",
    UNLISTED: "was not found (it is not in the snapshot)",
}
MOST_LAST_LINES = 2
_LEADER = "control-plane.alpha.kubernetes.io/leader"


def name_leads_nowhere(dossier: Dossier) -> Finding | None:
    """The name that matters most of those that do not resolve."""
    found = max(_findings(dossier), key=lambda each: each.confidence, default=None)
    return found


def _findings(dossier: Dossier) -> Iterator[Finding]:
    for reference in dossier.references:
        meaning = next((each for each in _MEANINGS if _fits(each, reference)), None)
        if meaning is None or (meaning.at_start and is_well(dossier)):
            continue
        if _only_mentioned(dossier, reference):
            continue
        if _elects_a_leader(dossier, reference) or _answers(dossier, reference):
            continue
        yield _finding(dossier, reference, meaning)


def _only_mentioned(dossier: Dossier, reference: Reference) -> bool:
    """Whether only the log of a Pod speaks of it that does well: it gets on without, or has again
    what it complained of.
    """
    at_log = reference.by.field_path.startswith("log[")
    return at_log and dossier.symptom is None and is_well(dossier)


def _decides(dossier: Dossier, reference: Reference) -> bool:
    """Whether the log speaks of it where it tells what it ended with, not just on its way."""
    word = re.compile(rf"(?<![\w-]){re.escape(reference.name)}(?![\w-])", re.I)
    return any(
        word.search(told)
        for each in dossier.logs
        for told in (
            each.decisive,
            each.cause,
            each.entries[0].text if each.entries else "",
            "\n".join(each.text.rstrip().splitlines()[-MOST_LAST_LINES:]),
        )
    )


def _elects_a_leader(dossier: Dossier, reference: Reference) -> bool:
    """Whether a Service without endpoints is only a lock, as old leader elections make one."""
    endpoints = find(dossier, "Endpoints", reference.name, namespace=reference.namespace or None)
    return reference.kind == "Service" and bool(text(endpoints, "metadata", "annotations", _LEADER))


def _answers(dossier: Dossier, reference: Reference) -> bool:
    """Whether a Service that selects no Pod that was read has endpoints all the same."""
    if reference.kind != "Service" or "selects no Pod" not in reference.problem:
        return False
    return has_endpoints(dossier, reference.name, namespace=reference.namespace or None)


def _fits(meaning: _Meaning, reference: Reference) -> bool:
    return (
        (not meaning.kinds or reference.kind in meaning.kinds)
        and (not meaning.by or reference.by.kind in meaning.by)
        and meaning.problem in reference.problem
        and reference.by.field_path.startswith(meaning.field)
    )


def _finding(dossier: Dossier, reference: Reference, meaning: _Meaning) -> Finding:
    told, cited = _told(dossier, reference)
    category = meaning.category
    if reference.kind == "Service" and reference.name in _DNS:
        category = Category.NETWORK
    named = {"kind": reference.kind, "name": reference.name or "one"}
    return tell_finding(
        dossier,
        rule=f"reference.{reference.kind.lower()}",
        category=category,
        summary=_short(reference),
        cause=told
        if _is_about_itself(reference)
        else f"{subject(dossier)} needs what is not there as it is named: {told}",
        why=meaning.why,
        fix=meaning.fix.format_map(named),
        confidence=_confidence(dossier, reference, meaning),
        citations=cited,
        command=_command(reference),
    )


def _short(reference: Reference) -> str:
    by = f"{reference.by.kind} {reference.by.name}"
    thing = f"{reference.kind} {reference.name}".strip()
    if reference.key and reference.key not in reference.problem:
        thing = f"{reference.key} of {thing}"
    absent = _ABSENT.get(reference.problem, reference.problem)
    if _is_about_itself(reference):
        nobody = "selects no Pod" in absent and reference.kind == "Service"
        return f"{thing} has no endpoints: its selector {absent}" if nobody else f"{thing} {absent}"
    return f"{thing} {absent}, and {by} needs it"


def _is_about_itself(reference: Reference) -> bool:
    return (reference.by.kind, reference.by.name) == (reference.kind, reference.name)


def _confidence(dossier: Dossier, reference: Reference, meaning: _Meaning) -> int:
    if meaning.at_creation and dossier.has_pod:
        return 40
    if _is_about_itself(reference) and dossier.shown_by.kind != reference.kind:
        # A Service in front of a Pod that fails lacks endpoints because of it.
        return min(meaning.confidence, 70) if dossier.symptom is None else 40
    if reference.problem == UNLISTED:
        return min(meaning.confidence, 66)
    if reference.by.field_path.startswith("log["):
        confidence = min(meaning.confidence, 82)
        return confidence if _decides(dossier, reference) else at_most_beside(confidence, dossier)
    if within_container(dossier) and not reference.by.field_path.startswith(("events[", "status")):
        return at_most_beside(meaning.confidence, dossier)
    return meaning.confidence


def _told(dossier: Dossier, reference: Reference) -> tuple[str, tuple[str, ...]]:
    """The sentence of the evidence, which holds what else is known, and its id."""
    for each in dossier.evidence:
        about = each.source == reference.by and each.kind is EvidenceKind.REFERENCE
        if about and reference.name in each.text and reference.problem in each.text:
            return each.text, (each.id,)
    by = reference.by
    key = f" ({reference.key})" if reference.key else ""
    told = (
        f"{by.kind} {by.name} names {reference.kind} {reference.name}{key} in "
        f"{by.field_path or 'its spec'}, which {reference.problem}"
    )
    return told, citing(dossier, (by.kind, by.name))


def _command(reference: Reference) -> str:
    place = f" -n {reference.namespace}" if reference.namespace else ""
    name = f" {reference.name}" if reference.name else ""
    return f"kubectl{place} get {reference.kind.lower()}{name}"
