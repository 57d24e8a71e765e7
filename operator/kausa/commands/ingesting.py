"""What `kausa ingest` does, apart from its options: read, redact, cut, write, and say what became.

Twice the same folder is once: every document has a source of its own (`file:` and its path) and a
digest, every failure an identity. A document that is no more in the folder goes, unless nothing in
the folder was known: then another of the same name is meant. What nobody can tell the namespace of
is left out, because what has none may be seen by everybody; a runbook is meant to be.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
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
from kausa.commands.ingest_report import FAILURES, Report
from kausa.controller.identity import identify
from kausa.controller.runbook_documents import secret_in
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

__all__ = ["IngestMemory", "Ingestion", "Options"]

DEADLINE_SECONDS = 120.0
MOST_OBJECT_BYTES = 64 * MOST_TEXT_BYTES
NOT_SURE = "it could not be made sure that it has no secret"
NOBODY_KNOWS_WHOSE = "nobody can tell which namespace it is of; name it with --namespace"


class IngestMemory(Protocol):
    """The part of `kausa.memory.service.FailureMemory` that is needed here."""

    async def upsert_runbook(
        self, chunks: Sequence[RunbookChunk], *, deadline_seconds: float
    ) -> bool:
        """Write a whole set of passages; False where it was there already."""

    async def remove_runbook(self, *, cluster: str, source: str, deadline_seconds: float) -> None:
        """Delete all passages of a source."""

    async def runbook_sources(self, *, cluster: str, deadline_seconds: float) -> dict[str, str]:
        """Every source that is indexed, with its digest."""

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


class Ingestion:
    """Takes folders into a memory; one after the other."""

    def __init__(
        self,
        *,
        memory: IngestMemory,
        redactor: Redactor,
        options: Options,
        report: Report | None = None,
    ) -> None:
        self._memory = memory
        self._redactor = redactor
        self._options = options
        self.report = report or Report()
        self._before: dict[str, str] | None = None
        """The sources that were known before, with their digests."""
        self._under: dict[str, None] = {}
        """What the sources of the folders begin with."""
        self._seen: set[str] = set()
        """Sources that are in the folders."""
        self._kept: set[str] = set()
        """Of files that are there and were left out: what is known of them stays."""

    async def take(self, folder: Path, *, name: str | None = None) -> None:
        """Take in a folder; its sources begin with `name`, else with its own name.

        Raises:
            KausaError: it cannot be read as a whole, or the memory is away.
        """
        under = self._under_name(name or _name_of(folder))
        self._under[under] = None
        if self._before is None:
            self._before = await self._memory.runbook_sources(
                cluster=self._options.cluster, deadline_seconds=DEADLINE_SECONDS
            )
        objects: dict[Found, list[dict[str, Any]]] = {}
        logs: list[Found] = []
        broken = len(self.report.left_out)
        for found in walk(folder):
            if isinstance(found, LeftOut):
                self._leave_out(found, under=under)
            elif self._clean(found.name) == WITHHELD:
                self._leave_out(LeftOut(found.name, "its name may hold a secret"))
            elif found.kind is FileKind.RUNBOOK:
                await self._runbook(found, under=under)
            elif found.kind is FileKind.LOG:
                logs.append(found)
            else:
                self._read_objects(found, into=objects, under=under)
        for file, items in objects.items():
            await self._objects(file, items, under=under)
        namespaces = {namespace_of(each) for items in objects.values() for each in items}
        for log in logs:
            await self._log(log, under=under, namespaces=namespaces)
        if any(objects.values()):
            unreadable = [each for each in self.report.left_out[broken:] if each.broken]
            await self._failures(folder, whole=not unreadable)

    async def sweep(self) -> None:
        """Remove what is in none of the folders any more; after all of them were taken.

        Raises:
            KausaError: the memory is away.
        """
        for under in self._under:
            below = [source for source in self._before or {} if source.startswith(f"{under}/")]
            gone = [source for source in below if not self._is_there(source)]
            if gone and len(gone) == len(below):
                self._leave_out(
                    LeftOut(
                        under.removeprefix(FILE),
                        f"{len(gone)} documents of that name are in the memory, and none of them "
                        "in this folder. Is it another folder? Then give it another --name; else "
                        "remove them with --remove",
                        broken=False,
                    )
                )
                continue
            await self._remove(gone)

    async def remove(self, name: str) -> None:
        """Remove all documents whose sources begin with `name`.

        Raises:
            KausaError: the memory is away.
        """
        known = await self._memory.runbook_sources(
            cluster=self._options.cluster, deadline_seconds=DEADLINE_SECONDS
        )
        below = f"{self._under_name(name)}/"
        await self._remove([source for source in known if source.startswith(below)])

    def _under_name(self, name: str) -> str:
        """What sources begin with: two teams may call their folders the same."""
        whose = self._options.namespace
        return _source_of(f"{name}@{whose}" if whose is not None else name)

    async def _remove(self, sources: Sequence[str]) -> None:
        for source in sources:
            await self._memory.remove_runbook(
                cluster=self._options.cluster, source=source, deadline_seconds=DEADLINE_SECONDS
            )
            self.report.removed += 1

    def _is_there(self, source: str) -> bool:
        return source in self._seen or any(
            source == each or source.startswith((f"{each}#", f"{each}/")) for each in self._kept
        )

    # -- documents -------------------------------------------------------------------------------

    async def _runbook(self, found: Found, *, under: str) -> None:
        try:
            runbook = parse_runbook(read_text_file(found.path), name=found.path.stem)
        except KausaError as error:
            self._leave_out(LeftOut(found.name, str(error).rstrip(".")), under=under)
            return
        pattern = runbook.match.message_pattern
        if pattern is not None and (problem := pattern_problem(pattern)) is not None:
            self._leave_out(LeftOut(found.name, problem.rstrip(".")), under=under)
            return
        content, title = (self._redactor.text(each) for each in (runbook.content, runbook.title))
        if WITHHELD in (content.value, title.value):
            self._leave_out(LeftOut(found.name, NOT_SURE))
            return
        if (part := secret_in(runbook.match, redact=self._redactor.text)) is not None:
            self._leave_out(LeftOut(found.name, f"what stands in its {part} looks like a secret"))
            return
        source = replace(runbook, name=self._clean(runbook.name)).source(
            cluster=self._options.cluster,
            source=f"{under}/{self._clean(found.name)}",
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
            self._leave_out(LeftOut(found.name, NOBODY_KNOWS_WHOSE), under=under)
            return
        try:
            summary = read_log_file(found.path)
        except KausaError as error:
            self._leave_out(LeftOut(found.name, str(error)), under=under)
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

    def _read_objects(
        self, found: Found, *, into: dict[Found, list[dict[str, Any]]], under: str
    ) -> None:
        try:
            if found.path.stat().st_size > MOST_OBJECT_BYTES:
                raise KausaError(f"it is larger than {MOST_OBJECT_BYTES >> 20} MiB")
            documents = read_documents(found.path.read_bytes(), name=found.name)
        except OSError as error:
            why = f"it cannot be read: {error.strerror or error}"
            self._leave_out(LeftOut(found.name, why), under=under)
            return
        except KausaError as error:
            said = str(error).removeprefix(f"{found.name}: ").rstrip(".")
            self._leave_out(LeftOut(found.name, said), under=under)
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
                LeftOut(found.name, f"{names}{more}: {NOBODY_KNOWS_WHOSE}", broken=False),
                under=under,
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
        # A path is a text like any other: tokens stand in the names of files too.
        path = self._clean(found.name)
        return RunbookSource(
            cluster=self._options.cluster,
            namespace=namespace,
            name=path.rpartition("/")[2][:253],
            source=f"{under}/{path}",
            title=f"{what} {path}",
            changed_at=_changed(found.path),
        )

    def _clean(self, text: str) -> str:
        return self._redactor.text(text).value

    async def _write(self, chunks: Sequence[RunbookChunk], *, kind: str) -> None:
        self._seen.add(chunks[0].source)
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

    def _leave_out(self, what: LeftOut, *, under: str | None = None) -> None:
        """`under`: it is there, so what is known of it stays."""
        self.report.left_out.append(what)
        if under is not None:
            self._kept.add(f"{under}/{self._clean(what.name).rstrip('/')}")


def _source_of(name: str) -> str:
    return f"{FILE}{name}"


def _name_of(folder: Path) -> str:
    return folder.resolve().name


def _changed(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    except (OSError, ValueError, OverflowError):
        return datetime.fromtimestamp(0, UTC)
