"""What `kausa ingest` does, apart from its options: read, redact, cut, write, and say what became.

Twice the same folder is once: every document has a source of its own (`file:` and its path) and a
digest, every failure an identity. What nobody can tell the namespace of is left out, because what
has none may be seen by everybody; a runbook is meant to be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from kausa.cluster.errors import SnapshotError
from kausa.cluster.snapshot import load_snapshot
from kausa.cluster.snapshot.documents import read_documents
from kausa.commands.ingest_documents import (
    Section,
    events_by_namespace,
    log_sections,
    manifests_by_namespace,
    passages,
)
from kausa.commands.ingest_files import (
    MOST_TEXT_BYTES,
    FileKind,
    Found,
    LeftOut,
    read_log_file,
    read_text_file,
    walk,
)
from kausa.controller.identity import identify
from kausa.diagnosis.recollection import failure_record
from kausa.errors import KausaError
from kausa.evidence.fields import namespace_of
from kausa.evidence.redaction import WITHHELD, Redactor
from kausa.memory.chunking.markdown import RunbookSource, runbook_chunks
from kausa.memory.chunking.tokens import ChunkSize
from kausa.memory.records import FailureRecord, Record, RunbookChunk
from kausa.offline.diagnosing import Answer, OfflineDiagnosis, moment_of
from kausa.recall.runbook_library import FILE, parse_runbook
from kausa.recall.runbook_match import pattern_problem

__all__ = ["IngestMemory", "Ingestion", "Options", "Report"]

DEADLINE_SECONDS = 120.0
MOST_OBJECT_BYTES = 64 * MOST_TEXT_BYTES
NOBODY_KNOWS_WHOSE = "nobody can tell which namespace it is of; name it with --namespace"
FAILURES = "failures found in them"


class IngestMemory(Protocol):
    """The part of `kausa.memory.service.FailureMemory` that is needed here."""

    async def upsert_runbook(
        self, chunks: Sequence[RunbookChunk], *, deadline_seconds: float
    ) -> bool:
        """Write a whole set of passages; False where it was there already."""

    async def get(self, record_id: str, *, deadline_seconds: float) -> Record | None:
        """One record by its id."""

    async def remember(
        self, records: Sequence[FailureRecord], *, deadline_seconds: float
    ) -> list[str]:
        """Write records over their earlier selves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Whose the texts are, and how they are cut."""

    cluster: str
    namespace: str | None = None
    """Whose everything is that does not say so itself; None leaves that out, but for runbooks."""
    size: ChunkSize = field(default_factory=ChunkSize)


@dataclass(slots=True)
class Report:
    """What became of everything."""

    new: Counter[str] = field(default_factory=Counter)
    """Written, by kind."""
    known: Counter[str] = field(default_factory=Counter)
    """There already, the same."""
    passages: Counter[str] = field(default_factory=Counter)
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether everything that should be readable was."""
        return not any(each.broken for each in self.left_out)

    def lines(self) -> Iterator[str]:
        """As a person reads it."""
        for kind in (*FileKind, FAILURES):
            new, known = self.new[kind], self.known[kind]
            if new or known:
                passages = f", {self.passages[kind]} passages" if self.passages[kind] else ""
                yield f"{kind:22} {new + known:6} taken: {new} new, {known} known already{passages}"
        if not self.new and not self.known:
            yield "Nothing was taken."
        if self.left_out:
            yield f"left out {len(self.left_out):20}:"
            yield from (f"  {each.name}: {each.why}" for each in self.left_out)


class Ingestion:
    """Takes folders into a memory; one after the other."""

    def __init__(self, *, memory: IngestMemory, redactor: Redactor, options: Options) -> None:
        self._memory = memory
        self._redactor = redactor
        self._options = options
        self.report = Report()

    async def take(self, folder: Path, *, name: str | None = None) -> None:
        """Take in a folder; its sources begin with `name`, else with its own name.

        Raises:
            KausaError: it cannot be read as a whole, or the memory is away.
        """
        under = f"{FILE}{name or _name_of(folder)}"
        objects: dict[Found, list[dict[str, Any]]] = {}
        logs: list[Found] = []
        broken = len(self.report.left_out)
        for found in walk(folder):
            if isinstance(found, LeftOut):
                self._leave_out(found)
            elif found.kind is FileKind.RUNBOOK:
                await self._runbook(found, under=under)
            elif found.kind is FileKind.LOG:
                logs.append(found)
            else:
                self._read_objects(found, into=objects)
        for file, items in objects.items():
            await self._objects(file, items, under=under)
        namespaces = {namespace_of(each) for items in objects.values() for each in items}
        for log in logs:
            await self._log(log, under=under, namespaces=namespaces)
        if any(objects.values()):
            unreadable = [each for each in self.report.left_out[broken:] if each.broken]
            await self._failures(folder, whole=not unreadable)

    # -- documents -------------------------------------------------------------------------------

    async def _runbook(self, found: Found, *, under: str) -> None:
        try:
            runbook = parse_runbook(read_text_file(found.path), name=found.path.stem)
        except KausaError as error:
            self._leave_out(LeftOut(found.name, str(error).rstrip(".")))
            return
        pattern = runbook.match.message_pattern
        if pattern is not None and (problem := pattern_problem(pattern)) is not None:
            self._leave_out(LeftOut(found.name, problem.rstrip(".")))
            return
        content, title = (self._redactor.text(each) for each in (runbook.content, runbook.title))
        if WITHHELD in (content.value, title.value):
            self._leave_out(LeftOut(found.name, "it could not be made sure that it has no secret"))
            return
        source = runbook.source(
            cluster=self._options.cluster,
            source=f"{under}/{found.name}",
            namespace=self._options.namespace,
            changed_at=_changed(found.path),
        )
        chunks = runbook_chunks(
            content.value, of=replace(source, title=title.value), size=self._options.size
        )
        await self._write(chunks, kind=FileKind.RUNBOOK)

    async def _log(self, found: Found, *, under: str, namespaces: set[str]) -> None:
        parts = found.name.split("/")
        told = parts[-3] if len(parts) > 2 and parts[-3] in namespaces else None
        namespace = told or self._options.namespace
        if namespace is None:
            self._leave_out(LeftOut(found.name, NOBODY_KNOWS_WHOSE))
            return
        try:
            summary = read_log_file(found.path)
        except KausaError as error:
            self._leave_out(LeftOut(found.name, str(error)))
            return
        chunks = passages(
            log_sections(summary, redactor=self._redactor),
            of=self._source(found, under=under, namespace=namespace, what="Log"),
            size=self._options.size,
        )
        if not chunks:
            self._leave_out(LeftOut(found.name, "it is empty", broken=False))
            return
        await self._write(chunks, kind=FileKind.LOG)

    def _read_objects(self, found: Found, *, into: dict[Found, list[dict[str, Any]]]) -> None:
        try:
            if found.path.stat().st_size > MOST_OBJECT_BYTES:
                raise KausaError(f"it is larger than {MOST_OBJECT_BYTES >> 20} MiB")
            documents = read_documents(found.path.read_bytes(), name=found.name)
        except OSError as error:
            self._leave_out(LeftOut(found.name, f"it cannot be read: {error.strerror or error}"))
            return
        except KausaError as error:
            said = str(error).removeprefix(f"{found.name}: ").rstrip(".")
            self._leave_out(LeftOut(found.name, said))
            return
        items = [each for document in documents for each in document.objects]
        if items:
            into[found] = items
        else:
            self._leave_out(LeftOut(found.name, "no object of Kubernetes is in it", broken=False))

    async def _objects(self, found: Found, items: list[dict[str, Any]], *, under: str) -> None:
        written = manifests_by_namespace(
            items, namespace=self._options.namespace, redactor=self._redactor
        )
        nobodys = written.pop(None, [])
        said = events_by_namespace(items, redactor=self._redactor)
        known = {whose: sections for whose, sections in written.items() if whose is not None}
        for what, by_namespace in (("Manifests", known), ("Events", said)):
            for whose, sections in by_namespace.items():
                await self._document(found, sections, under=under, namespace=whose, what=what)
        if nobodys:
            names = ", ".join(headings[0] for headings, _ in nobodys[:3])
            more = f" and {len(nobodys) - 3} more" if len(nobodys) > 3 else ""
            self._leave_out(
                LeftOut(found.name, f"{names}{more}: {NOBODY_KNOWS_WHOSE}", broken=False)
            )

    async def _document(
        self, found: Found, sections: list[Section], *, under: str, namespace: str, what: str
    ) -> None:
        of = self._source(found, under=under, namespace=namespace, what=what)
        of = replace(of, source=f"{of.source}#{what.lower()}/{namespace}")
        chunks = passages(sections, of=of, size=self._options.size)
        if chunks:
            await self._write(chunks, kind=FileKind.OBJECTS)

    def _source(self, found: Found, *, under: str, namespace: str, what: str) -> RunbookSource:
        return RunbookSource(
            cluster=self._options.cluster,
            namespace=namespace,
            name=found.path.name[:253],
            source=f"{under}/{found.name}",
            title=f"{what} {found.name}",
            changed_at=_changed(found.path),
        )

    async def _write(self, chunks: Sequence[RunbookChunk], *, kind: str) -> None:
        wrote = await self._memory.upsert_runbook(chunks, deadline_seconds=DEADLINE_SECONDS)
        (self.report.new if wrote else self.report.known)[kind] += 1
        self.report.passages[kind] += len(chunks)

    # -- failures --------------------------------------------------------------------------------

    async def _failures(self, folder: Path, *, whole: bool) -> None:
        """What fails in what was recorded, diagnosed as `kausa diagnose` does."""
        if not whole:
            said = "some of its files cannot be read, so it is not told what fails in it"
            self._leave_out(LeftOut(str(folder), said, broken=False))
            return
        try:
            snapshot = load_snapshot(folder)
        except SnapshotError as error:
            self._leave_out(LeftOut(str(folder), str(error).rstrip("."), broken=False))
            return
        now = moment_of(snapshot)
        pipeline = OfflineDiagnosis(snapshot, redactor=self._redactor, now=now)
        async for record in self._records(await pipeline.of_all(), now=now):
            # What the operator keeps of it is nearer to the truth, and knows how it ended.
            if await self._memory.get(record.record_id, deadline_seconds=DEADLINE_SECONDS):
                self.report.known[FAILURES] += 1
                continue
            await self._memory.remember([record], deadline_seconds=DEADLINE_SECONDS)
            self.report.new[FAILURES] += 1

    async def _records(
        self, answers: Sequence[Answer], *, now: datetime
    ) -> AsyncIterator[FailureRecord]:
        for answer in answers:
            # The dossier's is redacted; the other is what the failure is known by.
            symptom, owner, raw = (
                answer.dossier.symptom,
                answer.subject.owner,
                answer.subject.symptom,
            )
            if symptom is None or raw is None:
                continue
            identity = identify(cluster=self._options.cluster, owner=owner, symptom=raw)
            namespace = owner.namespace or self._options.namespace or "default"
            record = failure_record(
                answer.dossier,
                symptom,
                answer.diagnosis,
                cluster=self._options.cluster,
                fingerprint=identity.fingerprint,
                occurrences=symptom.occurrences,
                first_seen=symptom.since or symptom.last_seen or now,
                last_seen=symptom.last_seen or now,
                reference=f"{namespace}/{identity.name}",
            )
            # Nobody watches it any more, and nobody knows how it ended.
            yield replace(record, namespace=namespace, outcome="Superseded")

    def _leave_out(self, what: LeftOut) -> None:
        self.report.left_out.append(what)


def _name_of(folder: Path) -> str:
    return folder.resolve().name


def _changed(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    except (OSError, ValueError, OverflowError):
        return datetime.fromtimestamp(0, UTC)
