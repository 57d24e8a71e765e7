"""Pods that no node takes: the scheduler says for each group of nodes what keeps the Pod away."""

from __future__ import annotations

import re

from kausa.detection.scheduling import SchedulerVerdict, parse_verdict
from kausa.diagnosis.finding import Finding, Fix
from kausa.diagnosis.rules.wording import clip, plural
from kausa.evidence.dossier import Dossier
from kausa.evidence.pod_spec import quantities
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["no_node_fits"]

_INSUFFICIENT = re.compile(r"^Insufficient (?P<resource>\S+)$")
_CLAIM = re.compile(r'persistentvolumeclaim "([^"]{1,253})" not found', re.I)


def no_node_fits(dossier: Dossier) -> Finding | None:
    """No node takes the Pod; says what is lacking, and what the Pod asks for."""
    symptom = dossier.symptom
    if symptom is None or symptom.category is not Category.SCHEDULING:
        return None
    citations = (
        *dossier.cite(EvidenceKind.STATUS, containing="PodScheduled"),
        *dossier.cite(EvidenceKind.EVENT, containing="FailedScheduling"),
        *dossier.cite(EvidenceKind.SPEC),
    )
    verdict = parse_verdict(symptom.message)
    if verdict is None or not verdict.clauses:
        return Finding(
            rule="scheduling.other",
            category=Category.SCHEDULING,
            summary=f"no node takes the Pod: {clip(symptom.message, characters=160)}",
            root_cause=f"The scheduler finds no node: {clip(symptom.message, characters=400)}",
            explanation="The scheduler's message has a shape that is not known here.",
            confidence=60,
            citations=citations,
        )
    reasons = "; ".join(_sentence(count, why, dossier) for count, why in verdict.clauses)
    return Finding(
        rule="scheduling.no-node-fits",
        category=Category.SCHEDULING,
        summary=clip(f"none of {plural(verdict.nodes, 'node')} fits: {reasons}", characters=220),
        root_cause=f"The Pod waits; none of {plural(verdict.nodes, 'node')} fits: {reasons}.",
        explanation="The scheduler tries again whenever a node or a Pod changes; the Pod waits "
        "until a node offers all that it asks for.",
        confidence=93,
        citations=citations,
        fixes=(_fix(verdict, dossier, citations=citations),),
    )


def _sentence(count: int, why: str, dossier: Dossier) -> str:
    lacking = _INSUFFICIENT.match(why)
    if lacking is None:
        return f"{plural(count, 'node')}: {why.removeprefix('node(s) ')}{_selector(why, dossier)}"
    resource = lacking["resource"]
    asked = _asked(resource, dossier)
    return f"{plural(count, 'node')} with insufficient {resource}" + (
        f" (the Pod requests {asked})" if asked else ""
    )


def _asked(resource: str, dossier: Dossier) -> str:
    asked = [
        str(each.resources.requests[resource])
        for each in dossier.pod.spec.containers or ()
        if each.resources.requests and resource in each.resources.requests
    ]
    return " + ".join(asked)


def _selector(why: str, dossier: Dossier) -> str:
    selector = dossier.pod.spec.node_selector
    if "affinity/selector" in why and selector:
        return f" ({quantities(selector)})"
    return ""


def _fix(verdict: SchedulerVerdict, dossier: Dossier, *, citations: tuple[str, ...]) -> Fix:
    lacking = sorted(
        {match["resource"] for _, why in verdict.clauses if (match := _INSUFFICIENT.match(why))}
    )
    if lacking:
        return Fix(
            title=f"Request less {' and '.join(lacking)}, or add a node that has enough",
            rationale="The request is what the scheduler reserves, used or not.",
            command="kubectl describe nodes",
            citations=citations,
        )
    claim = next((match[1] for _, why in verdict.clauses if (match := _CLAIM.search(why))), None)
    if claim is not None:
        return Fix(
            title=f"Create the PersistentVolumeClaim {claim}, or correct its name in the Pod",
            rationale="The scheduler does not place a Pod whose volume claim does not exist.",
            command=f"kubectl -n {dossier.owner.namespace} get persistentvolumeclaims",
            citations=citations,
        )
    return Fix(
        title="Let the Pod's selectors, affinity and tolerations match a node, or change a node",
        rationale="The scheduler names the demand that no node meets.",
        command="kubectl get nodes --show-labels",
        citations=citations,
    )
