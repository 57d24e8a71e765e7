"""Containers that cannot be configured: what the kubelet misses before it creates one.

The words stand in the container's status or, for a moment, in an Event only; what is named and does
not exist was looked up besides, and tells also who names it.
"""

from __future__ import annotations

from collections.abc import Iterator

from kausa.detection.symptom import Symptom
from kausa.diagnosis.finding import Finding, Fix
from kausa.diagnosis.rules.accounts import events
from kausa.diagnosis.rules.config_words import CONFIG_STATEMENTS
from kausa.diagnosis.rules.statement import tell
from kausa.diagnosis.rules.telling import LONGEST_SUMMARY, citing
from kausa.diagnosis.rules.wording import clip
from kausa.evidence.dossier import Dossier, Reference
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["configuration_missing"]

_OF_KUBELET = frozenset(
    {"Failed", "CreateContainerConfigError", "InvalidEnvironmentVariableNames", "FailedCreate",
     "CreateContainerError", "InvalidVariableNames", "Error"}
)  # fmt: skip
_KINDS = {"configmap": "ConfigMap", "secret": "Secret"}
_ASKED = frozenset({Category.CONFIG, Category.OTHER, Category.CRASH_LOOP, Category.NODE})
_NAMED = frozenset({"ConfigMap", "Secret"})
LONGEST_READ = 4096


def configuration_missing(dossier: Dossier) -> Finding | None:
    """The kubelet cannot make the container's configuration and says what it lacks."""
    symptom = dossier.symptom
    if symptom is None or symptom.category not in _ASKED or _is_of_volume(symptom):
        return None
    for text, citations in _texts(dossier, symptom):
        for statement in CONFIG_STATEMENTS:
            found = statement.pattern.search(text)
            if found is None:
                continue
            told = {
                key: clip(value or "", characters=200).strip(" .")
                for key, value in found.groupdict().items()
            }
            for name in ("kind", "name", "key"):
                told[name] = told.get(name) or told.get(f"{name}2") or ""
            return _stated(dossier, statement.rule, told, text=text, citations=citations)
    if symptom.category is not Category.CONFIG:
        return None
    return _by_reference(dossier, symptom) or _undescribed(dossier, symptom)


def _is_of_volume(symptom: Symptom) -> bool:
    """A volume that is made of what is missing: told by the rules for volumes."""
    of_config = symptom.category is Category.CONFIG and symptom.container is None
    return of_config and symptom.reason not in _OF_KUBELET


def _texts(dossier: Dossier, symptom: Symptom) -> Iterator[tuple[str, tuple[str, ...]]]:
    status = dossier.cite(EvidenceKind.STATUS, containing=f"container {symptom.container}:")
    if symptom.category is Category.CONFIG:
        errors = dossier.cite(EvidenceKind.EVENT, containing="Error:")
        yield symptom.message[:LONGEST_READ], (*status, *errors) or citing(dossier)
    elif symptom.category is Category.OTHER:
        yield f"{symptom.reason}: {symptom.message}"[:LONGEST_READ], citing(dossier)
    if symptom.exit_code is not None:
        return
    for account in reversed(events(dossier)):
        of_pod = account.kind == "Pod" and account.name == dossier.pod.metadata.name
        if of_pod and account.warning and account.reason in _OF_KUBELET:
            yield account.text, (*account.citations, *status)


def _stated(
    dossier: Dossier,
    rule: str,
    told: dict[str, str],
    *,
    text: str,
    citations: tuple[str, ...],
) -> Finding:
    statement = next(each for each in CONFIG_STATEMENTS if each.rule == rule)
    symptom = dossier.symptom
    containers = dossier.pod.spec.containers or ()
    container = symptom.container if symptom is not None else None
    if container is None and len(containers) == 1:
        container = containers[0].name
    kind = _KINDS.get(told["kind"].lower().removesuffix("s"), told["kind"])
    words = {
        "image": "",
        **{name: "" for name in ("name", "key", "user", "why", "volume", "variables", "path")},
        **told,
        "kind": kind,
        "kind_lower": kind.lower(),
        "container": f"container {container}" if container else f"Pod {dossier.pod.metadata.name}",
        "namespace": dossier.owner.namespace,
        "pod": dossier.pod.metadata.name,
        "chain": _chain(dossier, kind, told.get("name", "")),
    }
    shown = f" Kubernetes shows {symptom.reason}." if symptom is not None else ""
    explanation = tell(statement.explanation, words)
    return Finding(
        rule=statement.rule,
        category=statement.cause or Category.CONFIG,
        summary=clip(tell(statement.summary, words), characters=LONGEST_SUMMARY),
        root_cause=f"{clip(tell(statement.root_cause, words), characters=400)}{shown}",
        explanation=explanation,
        confidence=statement.confidence,
        citations=(*citations, *_referring(dossier, told.get("name", ""))),
        fixes=(
            Fix(
                title=clip(tell(statement.advice, words), characters=LONGEST_SUMMARY),
                rationale=explanation,
                command=tell(statement.command, words) if statement.command else None,
                citations=citations,
            ),
        ),
    )


def _chain(dossier: Dossier, kind: str, name: str) -> str:
    """Who names it, where that was looked up."""
    fields = dict.fromkeys(
        each.by.field_path
        for each in dossier.references
        if name and each.name == name and each.kind in (kind, "") and each.by.field_path
    )
    return ", ".join(list(fields)[:2])


def _referring(dossier: Dossier, name: str) -> tuple[str, ...]:
    if not name:
        return ()
    return dossier.cite(EvidenceKind.REFERENCE, containing=f" {name}")[:3]


def _by_reference(dossier: Dossier, symptom: Symptom) -> Finding | None:
    """The kubelet has not said it, but what the container names was looked up."""
    found = [each for each in dossier.references if each.kind in _NAMED and _of(each, symptom)]
    if not found:
        return None
    first = found[0]
    key = f"key {first.key} of " if first.key else ""
    what = f"{key}{first.kind} {first.name}"
    problem = "does not exist" if not first.key else "is missing there (no such key)"
    citations = (*_referring(dossier, first.name), *citing(dossier))
    return Finding(
        rule="config.reference",
        category=Category.CONFIG,
        summary=clip(
            f"{what} {problem}, and container {symptom.container} needs it",
            characters=LONGEST_SUMMARY,
        ),
        root_cause=f"Container {symptom.container} takes its configuration from {what} "
        f"({first.by.field_path}), which {first.problem} in namespace "
        f"{dossier.owner.namespace}. Kubernetes shows {symptom.reason}.",
        explanation="The kubelet reads a container's configuration before it creates the "
        "container, and waits until what is missing is there.",
        confidence=92,
        citations=citations,
        fixes=(
            Fix(
                title=f"Create {first.kind} {first.name}, or correct the name",
                rationale="It is named by the Pod and was not found.",
                command=f"kubectl -n {dossier.owner.namespace} get {first.kind.lower()}s",
                citations=citations,
            ),
        ),
    )


def _of(reference: Reference, symptom: Symptom) -> bool:
    path = reference.by.field_path
    return symptom.container is None or f"[{symptom.container}]" in path or "volumes" in path


def _undescribed(dossier: Dossier, symptom: Symptom) -> Finding:
    said = clip(symptom.message, characters=160)
    who = f"container {symptom.container}" if symptom.container else "a container"
    citations = (
        *dossier.cite(EvidenceKind.STATUS, containing=f"container {symptom.container}:"),
        *dossier.cite(EvidenceKind.EVENT, containing="Error:"),
    ) or citing(dossier)
    return Finding(
        rule="config.other",
        category=Category.CONFIG,
        summary=f"{who} cannot be created: {said or symptom.reason}",
        root_cause=f"The kubelet cannot create {who} ({symptom.reason}): "
        f"{said or 'it does not say why'}.",
        explanation="The kubelet cannot make the container out of what the Pod asks for.",
        confidence=70 if said else 30,
        citations=citations,
    )
