"""From a dossier to what a model is told: evidence, what rules found, what memory knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kausa.diagnosis.changed import fitting_changes
from kausa.diagnosis.finding import Diagnosis, Finding
from kausa.diagnosis.model.protocol import (
    Incident,
    KnownObject,
    ModelRequest,
    NumberedEvidence,
    Passage,
    Ruling,
)
from kausa.diagnosis.recollection import Recollection
from kausa.evidence.dossier import Change, Dossier

__all__ = ["request_from"]

_MOST_CHANGES = 6
_MOST_PASSAGES = 4


def request_from(
    dossier: Dossier,
    by_rules: Diagnosis,
    recollection: Recollection | None,
    *,
    question: str | None = None,
    complexity: tuple[str, ...] = (),
) -> ModelRequest:
    """Return what to ask about one failure; everything in it was redacted before."""
    symptom = dossier.symptom
    return ModelRequest(
        reason=symptom.reason if symptom is not None else "no failure was detected",
        target=f"{dossier.owner.kind}/{dossier.owner.name}",
        namespace=dossier.owner.namespace or "",
        question=question,
        evidence=tuple(
            NumberedEvidence(
                id=each.id,
                kind=str(each.kind),
                source=f"{each.source.kind}/{each.source.name} {each.source.field_path}".strip(),
                text=each.text,
            )
            for each in dossier.evidence
        ),
        findings=tuple(_findings(by_rules)),
        ruling=_ruling(by_rules),
        changes=tuple(_changes(dossier, by_rules)),
        incidents=_incidents(recollection),
        runbooks=_runbooks(recollection),
        objects=tuple(dict.fromkeys(_objects(dossier))),
        images=tuple(dict.fromkeys(_images(dossier))),
        rolled_out=any(_of_template(each) for each in dossier.changes),
        repairs=tuple(each.command for each in by_rules.fixes if each.command),
        complexity=complexity,
    )


def _findings(by_rules: Diagnosis) -> Iterator[str]:
    # That nothing decides is no finding: told so, a small model says the same whatever it reads.
    first = (by_rules,) if by_rules.determined else ()
    told: tuple[Diagnosis | Finding, ...] = (*first, *by_rules.alternatives)
    for each in told:
        cited = f" [{', '.join(each.citations)}]" if each.citations else ""
        yield f"{each.root_cause} ({each.confidence} % sure){cited}"


def _ruling(by_rules: Diagnosis) -> Ruling | None:
    if not by_rules.determined:
        return None
    return Ruling(
        category=by_rules.category,
        root_cause=by_rules.root_cause,
        confidence=by_rules.confidence,
        citations=by_rules.citations,
    )


def _changes(dossier: Dossier, by_rules: Diagnosis) -> Iterator[str]:
    for change in fitting_changes(dossier, by_rules)[:_MOST_CHANGES]:
        for each in dossier.evidence:
            if change.citation and change.citation in each.text:
                yield f"{each.text} [{each.id}]"
                break


def _images(dossier: Dossier) -> Iterator[str]:
    yield from (each.image for each in dossier.pod.spec.all_containers if each.image)
    for change in dossier.changes:
        if _of_template(change) and change.path.endswith(".image") and change.before:
            yield change.before


def _of_template(change: Change) -> bool:
    """Whether it is of the workload itself, and not of what anybody may annotate."""
    return ".template." in change.path or change.path.endswith(" revision")


def _incidents(recollection: Recollection | None) -> tuple[Incident, ...]:
    return tuple(
        Incident(
            cause=each.cause,
            resolution=each.resolution,
            outcome=_OUTCOMES.get(str(each.outcome).lower(), ""),
            score=each.score_percent,
        )
        for each in (recollection.similar if recollection is not None else ())
    )


_OUTCOMES = {
    "resolved": "worked",
    "succeeded": "worked",
    "superseded": "failed",
    "failed": "failed",
}


def _runbooks(recollection: Recollection | None) -> tuple[Passage, ...]:
    found = recollection.runbooks if recollection is not None else ()
    return tuple(
        Passage(title=each.title, text=each.passage, source=each.source)
        for each in found[:_MOST_PASSAGES]
    )


def _objects(dossier: Dossier) -> Iterator[KnownObject]:
    """Yield what was read: a command may be about it."""
    names = tuple(each.name for each in dossier.pod.spec.all_containers)
    if dossier.has_pod:
        yield KnownObject(
            kind="Pod",
            name=dossier.pod.metadata.name,
            namespace=dossier.pod.metadata.namespace or "",
            api_version="v1",
            containers=names,
        )
    owner = dossier.owner
    yield KnownObject(
        kind=owner.kind,
        name=owner.name,
        namespace=owner.namespace or "",
        api_version=owner.api_version,
        containers=names,
    )
    for manifest in dossier.manifests:
        metadata: Any = manifest.get("metadata") or {}
        pair = (str(manifest.get("kind") or ""), str(metadata.get("name") or ""))
        if all(pair) and pair != (owner.kind, owner.name):
            yield KnownObject(
                kind=pair[0],
                name=pair[1],
                namespace=str(metadata.get("namespace") or ""),
                api_version=str(manifest.get("apiVersion") or ""),
            )
