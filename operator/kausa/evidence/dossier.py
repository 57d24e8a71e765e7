"""A dossier: all that was read about one failure, each piece with a number to cite it by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kausa.cluster.objects import Container, ContainerStatus, ObjectReference, Pod
from kausa.cluster.owners import Owner
from kausa.cluster.reader import Manifest
from kausa.detection.symptom import Symptom
from kausa.resources.evidence import EvidenceKind

__all__ = ["Change", "Dossier", "Evidence", "EvidenceGap", "LogExcerpt", "Reference", "Source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The object, and the field of it, that a piece of evidence was read from."""

    kind: str
    name: str
    field_path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One piece of evidence; `id` is empty until the dossier numbers it."""

    kind: EvidenceKind
    source: Source
    text: str
    time: datetime | None = None
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceGap:
    """Something that could not be read, why, and the permission that would help."""

    what: str
    why: str
    permission: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A difference from the last revision that worked, or a thing that appeared or vanished."""

    path: str
    """The field that differs with the object it is in, or an object such as ConfigMap/settings."""
    before: str | None = None
    after: str | None = None
    at: datetime | None = None
    """When it was changed, as far as that is known."""
    citation: str = ""
    """Text that the evidence of this change holds, to cite it by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Something that an object names and that is not there, or not as it is named."""

    by: Source
    """Who names it, and in which field."""
    kind: str
    name: str
    namespace: str = ""
    key: str = ""
    """A key or port of it that is missing, where the thing itself is there."""
    problem: str = "does not exist"
    """In words, such as `does not exist` or `has no endpoint that is ready`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One thing that a program said, a stack trace whole, and how often it said the like."""

    text: str
    """As it stands in the log, without prefixes of the runtime; shortened where it is long."""
    message: str
    """What it says, without time, level and logger."""
    cause: str = ""
    """The first cause that it names; empty where it names none beside its message."""
    level: str
    """`fatal`, `error`, `warning` or `info`, by its level field or by its words."""
    count: int = 1
    """How many entries differ in numbers, ids and times only."""
    line: int = 0
    """The number of its first line in what was read of the log, from 1."""
    last_line: int = 0
    first_time: datetime | None = None
    last_time: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogExcerpt:
    """What one container's log comes to: its end, and what decides in all of it."""

    container: str
    previous: bool
    text: str
    """The end of the log."""
    decisive: str
    """The one line that tells most; empty for an empty log."""
    cause: str = ""
    """The first cause that the decisive entry names; empty where it names none."""
    entries: tuple[LogEntry, ...] = ()
    """Errors and warnings of the whole log, one of a kind, the decisive one first."""
    before: tuple[LogEntry, ...] = ()
    """Rare entries right before trouble began, such as a configuration that was read again."""
    lines: int = 0
    """How many lines were read."""
    complete: bool = True
    """False where the log goes on before what was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """What is known of one failure (or of a healthy Pod that somebody asked about)."""

    owner: Owner
    shown_by: ObjectReference
    """The object that shows it: a Pod, or a workload, claim or node without a failing Pod."""
    pod: Pod
    """The Pod that shows it, or one of the workload's; an empty one where there is none."""
    symptom: Symptom | None
    evidence: tuple[Evidence, ...] = ()
    gaps: tuple[EvidenceGap, ...] = ()
    logs: tuple[LogExcerpt, ...] = ()
    manifests: tuple[Manifest, ...] = ()
    """Objects that were read beside the Pod, redacted: owners, what is named, nodes, quotas."""
    changes: tuple[Change, ...] = ()
    """What changed since it last worked, the likeliest to matter first."""
    references: tuple[Reference, ...] = ()
    """What is named and does not resolve."""
    now: datetime | None = None
    """When it was gathered."""
    redactions: Mapping[str, int] = field(default_factory=dict)

    @property
    def has_pod(self) -> bool:
        """Whether there is a Pod at all."""
        return bool(self.pod.metadata.uid)

    def cite(self, *kinds: EvidenceKind, containing: str = "") -> tuple[str, ...]:
        """The ids of the evidence of these kinds whose text holds `containing`."""
        return tuple(
            each.id
            for each in self.evidence
            if each.kind in kinds and containing.lower() in each.text.lower()
        )

    def events_of(self, container: str | None, *, containing: str) -> tuple[str, ...]:
        """The ids of Events about that container, or about the Pod as a whole."""
        texts = self.cite(EvidenceKind.EVENT, containing=containing)
        return tuple(
            each.id
            for each in self.evidence
            if each.id in texts
            and ("{" not in each.source.field_path or f"{{{container}}}" in each.source.field_path)
        )

    def objects(self, kind: str) -> Iterator[Manifest]:
        """The objects of a kind that were read."""
        return (each for each in self.manifests if each.get("kind") == kind)

    def object(self, kind: str, name: str) -> Manifest | None:
        """One object that was read."""
        return next(
            (each for each in self.objects(kind) if each["metadata"].get("name") == name), None
        )

    def about(self, kind: str, name: str, *, containing: str = "") -> tuple[str, ...]:
        """The ids of the evidence that was read from an object."""
        return tuple(
            each.id
            for each in self.evidence
            if (each.source.kind, each.source.name) == (kind, name)
            and containing.lower() in each.text.lower()
        )

    def container(self, name: str | None) -> Container | None:
        """What the container of that name was asked to be."""
        return next((each for each in self.pod.spec.all_containers if each.name == name), None)

    def container_status(self, name: str | None) -> ContainerStatus | None:
        """How the container of that name is doing."""
        statuses = self.pod.status.all_container_statuses
        return next((each for each in statuses if each.name == name), None)

    def log(self, container: str | None) -> LogExcerpt | None:
        """The excerpt of that container's log, where it could be read."""
        return next((each for each in self.logs if each.container == container), None)
