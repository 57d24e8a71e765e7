"""References that do not resolve, each with the sentence that says so."""

from __future__ import annotations

from collections.abc import Iterable

from kausa.evidence.dossier import Evidence, Reference, Source
from kausa.evidence.reading import Reading
from kausa.resources.evidence import EvidenceKind

__all__ = [
    "NOT_RECORDED",
    "NO_ENDPOINT",
    "NO_KEY",
    "NO_POD",
    "NO_PORT",
    "in_words",
    "reading_of",
]

NO_KEY = "has no such key"
NO_PORT = "has no such port"
NO_ENDPOINT = "has no endpoint that is ready"
NO_POD = "selects no Pod"
NOT_RECORDED = "is not in the snapshot"
"""It may exist all the same: weaker than `does not exist`."""


def reading_of(found: Iterable[tuple[Reference, str]]) -> Reading:
    """References with what else is known of each, as evidence and for the rules."""
    pairs = list(dict.fromkeys(found))
    return Reading(
        evidence=tuple(
            Evidence(
                kind=EvidenceKind.REFERENCE,
                source=reference.by,
                text=in_words(reference, hint=hint),
            )
            for reference, hint in pairs
        ),
        references=tuple(reference for reference, _ in pairs),
    )


def in_words(reference: Reference, *, hint: str = "") -> str:
    """`Pod web names ConfigMap settings in spec.volumes[config], which does not exist`."""
    by, more = reference.by, f" ({hint})" if hint else ""
    thing = f"{reference.kind} {reference.name}".strip()
    if reference.namespace and reference.kind != "Node":
        thing += f" of namespace {reference.namespace}" if _elsewhere(by, reference) else ""
    if (by.kind, by.name) == (reference.kind, reference.name):
        about = f" {reference.key}" if reference.key else ""
        return f"{thing}: {by.field_path}{about} {reference.problem}{more}"
    if reference.key:
        return (
            f"{by.kind} {by.name} needs {reference.key} of {thing} in {by.field_path}, "
            f"which {reference.problem}{more}"
        )
    if not reference.name:
        return f"{by.kind} {by.name}: {thing} {reference.problem} in {by.field_path}{more}"
    return f"{by.kind} {by.name} names {thing} in {by.field_path}, which {reference.problem}{more}"


def _elsewhere(by: Source, reference: Reference) -> bool:
    return by.field_path.startswith(("log[", "events[", "status"))
