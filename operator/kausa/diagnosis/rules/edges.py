"""Ingresses, network policies and Services that somebody asks about, read from their own fields."""

from __future__ import annotations

from kausa.diagnosis.finding import Finding
from kausa.diagnosis.rules.facts import find, namespace, objects, shown
from kausa.diagnosis.rules.telling import citing, tell_finding
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import labels_of, listed, name_of, rows, strings, table, text
from kausa.evidence.selecting import in_words, selects, selects_plainly
from kausa.resources.category import Category

__all__ = ["ingress_has_no_class", "policy_selects_nobody", "service_has_nobody"]

_OLD_CLASS = "kubernetes.io/ingress.class"
_LEADER = "control-plane.alpha.kubernetes.io/leader"


def ingress_has_no_class(dossier: Dossier) -> Finding | None:
    """An Ingress of no class and with nothing to route."""
    found = shown(dossier)
    if text(found, "kind") != "Ingress" or text(found, "spec", "ingressClassName"):
        return None
    if text(found, "metadata", "annotations", _OLD_CLASS):
        return None
    if rows(found, "spec", "rules") or table(found, "spec", "defaultBackend"):
        return None
    name = name_of(found)
    return tell_finding(
        dossier,
        rule="service.ingress-without-class",
        category=Category.SERVICE,
        summary=f"Ingress {name} has no ingressClassName and no rules",
        cause=f"Ingress {name} names no ingress class (spec.ingressClassName is not set) and has "
        "neither rules nor a defaultBackend, so no controller takes it and nothing is routed",
        why="An Ingress controller serves the Ingresses of its class.",
        fix="Set ingressClassName, and the rules that are to be routed",
        command="kubectl get ingressclasses",
        confidence=82,
        citations=citing(dossier, ("Ingress", name)),
    )


def policy_selects_nobody(dossier: Dossier) -> Finding | None:
    """A NetworkPolicy whose podSelector fits none of the Pods of its namespace that were read.

    Where none were read nobody can tell; the gatherers say it then (`unresolved.py`).
    """
    found = shown(dossier)
    if text(found, "kind") != "NetworkPolicy":
        return None
    selector = table(found, "spec", "podSelector")
    if not selector:
        return _shut(dossier)
    pods = list(objects(dossier, "Pod", namespace=namespace(dossier)))
    if not pods or any(selects(selector, labels_of(each)) for each in pods):
        return None
    name, words = name_of(found), in_words(selector)
    return tell_finding(
        dossier,
        rule="network.policy-without-pods",
        category=Category.NETWORK,
        summary=f"NetworkPolicy {name} selects no Pods: nothing matches {words}",
        cause=f"The podSelector {words} of NetworkPolicy {name} matches no Pods of namespace "
        f"{namespace(dossier)}, so the policy has no effect",
        why="A NetworkPolicy bears on the Pods that its podSelector selects, and on nobody else.",
        fix="Let podSelector fit the labels of the Pods that are meant",
        command=f"kubectl -n {namespace(dossier)} get pods --show-labels",
        confidence=80,
        citations=citing(dossier, ("NetworkPolicy", name)),
    )


def _shut(dossier: Dossier) -> Finding | None:
    """A policy for every Pod of the namespace that allows nothing in or nothing out."""
    found = shown(dossier)
    types = strings(found, "spec", "policyTypes") or ("Ingress",)
    closed = [each for each in types if not rows(found, "spec", each.lower())]
    if not closed or not listed(found, "spec", "policyTypes"):
        return None
    name = name_of(found)
    ways = " and ".join(each.lower() for each in closed)
    return tell_finding(
        dossier,
        rule="network.policy-denies-all",
        category=Category.NETWORK,
        summary=f"NetworkPolicy {name} denies all {ways} traffic of namespace {namespace(dossier)}",
        cause=f"NetworkPolicy {name} selects every Pod of namespace {namespace(dossier)} and "
        f"allows no "
        f"{ways} traffic; only what another policy allows passes",
        why="A policy with an empty podSelector and no rules is a default deny, which is often "
        "meant.",
        fix="Add policies that allow the traffic that is needed (DNS included, for egress)",
        command=f"kubectl -n {namespace(dossier)} get networkpolicies",
        confidence=48,
        citations=citing(dossier, ("NetworkPolicy", name)),
    )


def service_has_nobody(dossier: Dossier) -> Finding | None:
    """A Service whose endpoints were read, and are none."""
    found = shown(dossier)
    selector = table(found, "spec", "selector")
    if text(found, "kind") != "Service" or text(found, "spec", "type") == "ExternalName":
        return None
    name, place = name_of(found), namespace(dossier)
    endpoints = find(dossier, "Endpoints", name, namespace=place)
    if endpoints is None or text(endpoints, "metadata", "annotations", _LEADER):
        return None
    if any(rows(each, "addresses") for each in rows(endpoints, "subsets")):
        return None
    pods = [
        each
        for each in objects(dossier, "Pod", namespace=place)
        if selects_plainly(selector, labels_of(each))
    ]
    words = in_words(selector) if selector else ""
    why = (
        f"{len(pods)} Pods match its selector {words}, and none is ready"
        if pods
        else f"no Pod matches its selector {words}"
        if words
        else "it has no selector, and nobody has listed endpoints for it"
    )
    return tell_finding(
        dossier,
        rule="service.without-endpoints",
        category=Category.SERVICE,
        summary=f"Service {name} has no endpoints: {why}",
        cause=f"Service {name} of namespace {place} has no ready endpoints, because {why}; "
        f"callers are "
        "refused or wait in vain",
        why="A Service sends requests to ready Pods that its selector fits.",
        fix="Let the selector fit the labels of the Pods, or mend the Pods",
        command=f"kubectl -n {place} get pods --show-labels",
        confidence=90,
        citations=citing(dossier, ("Service", name)),
    )
