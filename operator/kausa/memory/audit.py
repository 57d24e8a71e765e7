"""Who searched the memory and who wrote into it: metadata only, never a text.

`AuditedStore` stands before a store and tells of each call: when, who, what, how many, how long,
and how it ended. Of filters it names the fields, and the values of those that say whose data it is
(cluster, namespace); of points their number. A line in a file is one JSON object; files are rotated
by size. An audit that cannot be written is said once and never holds up the memory.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.filters import Filter, OneOf
from kausa.memory.store import (
    Candidate,
    Collection,
    Generation,
    Health,
    HybridQuery,
    Page,
    Payload,
    Point,
    Schema,
    StoredPoint,
    VectorStore,
)
from kausa.telemetry.logs import get_logger
from kausa.telemetry.trouble import Trouble

__all__ = ["AuditEntry", "AuditFile", "AuditedStore", "acting_as", "log_entry"]

_logger = get_logger("kausa.memory.audit")
_actor: ContextVar[str] = ContextVar("kausa_memory_actor", default="operator")
_TOLD_VALUES: Final = frozenset({"cluster", "namespace"})
_MOST_TOLD_VALUES = 8


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call of the memory's store."""

    time: str
    actor: str
    action: str
    """The name of the call: candidates, upsert, delete..."""
    collection: str = ""
    count: int | None = None
    """Points that were found, written, changed or asked for."""
    scope: dict[str, tuple[str | int, ...]] = {}
    """Whose data: values that a filter wants of `cluster` and `namespace`."""
    fields: tuple[str, ...] = ()
    """All fields that a filter names."""
    milliseconds: float = 0.0
    outcome: str = "ok"
    """The reason, or the kind of error, where it failed."""


Sink = Callable[[AuditEntry], None]


@contextlib.contextmanager
def acting_as(actor: str) -> Iterator[None]:
    """Whoever asks the memory inside is called this, in this task and those it starts."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def log_entry(entry: AuditEntry) -> None:
    """A sink: one structured line of the log."""
    _logger.info(
        "Used the memory",
        actor=entry.actor,
        action=entry.action,
        collection=entry.collection,
        count=entry.count,
        scope=entry.scope,
        fields=entry.fields,
        milliseconds=entry.milliseconds,
        outcome=entry.outcome,
    )


class AuditFile:
    """A sink: JSON lines in a file that only its owner reads, rotated by size."""

    def __init__(self, path: Path, *, most_bytes: int = 16 * 1024 * 1024, kept: int = 5) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._kept = kept
        self._trouble = Trouble(
            _logger, failed="Could not write the audit file", recovered="The audit file works again"
        )

    def __call__(self, entry: AuditEntry) -> None:
        """Append; a hundred microseconds on a usual disk, so no thread is asked."""
        line = msgspec.json.encode(entry) + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                if self._path.stat().st_size + len(line) > self._most_bytes:
                    self._rotate()
            number = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(number, line)
            finally:
                os.close(number)
        except OSError as error:
            self._trouble.happened(error, path=str(self._path))
            return
        self._trouble.over()

    def _rotate(self) -> None:
        """`audit.jsonl.1` is the newest of the old ones; the oldest goes."""
        for number in range(self._kept - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                self._old(number).rename(self._old(number + 1))
        if self._kept:
            self._path.rename(self._old(1))
        else:
            self._path.unlink()

    def _old(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


class _Call:
    """One call on its way."""

    def __init__(self, *, action: str, collection: str, where: Filter | None) -> None:
        self.action = action
        self.collection = collection
        self.where = where
        self.count: int | None = None
        self.began = time.perf_counter()

    def entry(self, outcome: str) -> AuditEntry:
        conditions = () if self.where is None else (*self.where.must, *self.where.must_not)
        wanted = () if self.where is None else self.where.must
        return AuditEntry(
            time=datetime.now(UTC).isoformat(timespec="milliseconds"),
            actor=_actor.get(),
            action=self.action,
            collection=self.collection,
            count=self.count,
            scope={
                each.field: each.values[:_MOST_TOLD_VALUES]
                for each in wanted
                if isinstance(each, OneOf) and each.field in _TOLD_VALUES
            },
            # A filter that is none is refused below, with words of its own.
            fields=tuple(dict.fromkeys(getattr(each, "field", "?") for each in conditions)),
            milliseconds=round((time.perf_counter() - self.began) * 1000, 1),
            outcome=outcome,
        )


class AuditedStore:
    """A `VectorStore` that tells `sinks` of every call to another one."""

    def __init__(self, store: VectorStore, *, sinks: Sequence[Sink]) -> None:
        self._store = store
        self._sinks = tuple(sinks)

    async def open(self, schema: Schema, *, deadline_seconds: float) -> None:
        """As the store below."""
        with self._told("open"):
            await self._store.open(schema, deadline_seconds=deadline_seconds)

    async def upsert(
        self, collection: Collection, points: Sequence[Point], *, deadline_seconds: float
    ) -> None:
        """As the store below."""
        with self._told("upsert", collection) as call:
            call.count = len(points)
            await self._store.upsert(collection, points, deadline_seconds=deadline_seconds)

    async def candidates(
        self, collection: Collection, query: HybridQuery, *, deadline_seconds: float
    ) -> list[Candidate]:
        """As the store below."""
        with self._told("candidates", collection, where=query.where) as call:
            found = await self._store.candidates(
                collection, query, deadline_seconds=deadline_seconds
            )
            call.count = len(found)
            return found

    async def get(
        self,
        collection: Collection,
        ids: Sequence[str],
        *,
        with_vectors: bool = False,
        deadline_seconds: float,
    ) -> list[StoredPoint]:
        """As the store below."""
        with self._told("get", collection) as call:
            found = await self._store.get(
                collection, ids, with_vectors=with_vectors, deadline_seconds=deadline_seconds
            )
            call.count = len(found)
            return found

    async def scroll(
        self,
        collection: Collection,
        *,
        where: Filter,
        limit: int,
        after: str | None = None,
        with_vectors: bool = False,
        deadline_seconds: float,
    ) -> Page:
        """As the store below."""
        with self._told("scroll", collection, where=where) as call:
            page = await self._store.scroll(
                collection,
                where=where,
                limit=limit,
                after=after,
                with_vectors=with_vectors,
                deadline_seconds=deadline_seconds,
            )
            call.count = len(page.points)
            return page

    async def count(self, collection: Collection, *, where: Filter, deadline_seconds: float) -> int:
        """As the store below."""
        with self._told("count", collection, where=where) as call:
            call.count = await self._store.count(
                collection, where=where, deadline_seconds=deadline_seconds
            )
            return call.count

    async def facet(
        self,
        collection: Collection,
        field: str,
        *,
        where: Filter,
        limit: int,
        deadline_seconds: float,
    ) -> dict[str, int]:
        """As the store below."""
        with self._told("facet", collection, where=where) as call:
            found = await self._store.facet(
                collection, field, where=where, limit=limit, deadline_seconds=deadline_seconds
            )
            call.count = len(found)
            return found

    async def set_payload(
        self,
        collection: Collection,
        ids: Sequence[str],
        values: Payload,
        *,
        expect: Filter | None = None,
        deadline_seconds: float,
    ) -> bool:
        """As the store below."""
        with self._told("set_payload", collection, where=expect) as call:
            call.count = len(ids)
            return await self._store.set_payload(
                collection, ids, values, expect=expect, deadline_seconds=deadline_seconds
            )

    async def delete(
        self,
        collection: Collection,
        *,
        ids: Sequence[str] = (),
        where: Filter | None = None,
        deadline_seconds: float,
    ) -> None:
        """As the store below."""
        with self._told("delete", collection, where=where) as call:
            call.count = len(ids)
            await self._store.delete(
                collection, ids=ids, where=where, deadline_seconds=deadline_seconds
            )

    async def generations(self, *, deadline_seconds: float) -> list[Generation]:
        """As the store below; it tells of no record, so nobody is told of it."""
        return await self._store.generations(deadline_seconds=deadline_seconds)

    async def make(self, schema: Schema, *, deadline_seconds: float) -> VectorStore:
        """As the store below; what it makes is told of as well."""
        with self._told("make"):
            made = await self._store.make(schema, deadline_seconds=deadline_seconds)
        return AuditedStore(made, sinks=self._sinks)

    async def activate(self, schema: Schema, *, deadline_seconds: float) -> None:
        """As the store below."""
        with self._told("activate"):
            await self._store.activate(schema, deadline_seconds=deadline_seconds)

    async def drop(self, schema: Schema, *, deadline_seconds: float) -> None:
        """As the store below."""
        with self._told("drop"):
            await self._store.drop(schema, deadline_seconds=deadline_seconds)

    async def backup(self, target: Path, *, deadline_seconds: float) -> None:
        """As the store below."""
        with self._told("backup"):
            await self._store.backup(target, deadline_seconds=deadline_seconds)

    async def restore(self, source: Path, *, deadline_seconds: float) -> None:
        """As the store below."""
        with self._told("restore"):
            await self._store.restore(source, deadline_seconds=deadline_seconds)

    async def health(self, *, deadline_seconds: float) -> Health:
        """As the store below; it tells of no record, so nobody is told of it."""
        return await self._store.health(deadline_seconds=deadline_seconds)

    async def flush(self, *, deadline_seconds: float) -> None:
        """As the store below."""
        await self._store.flush(deadline_seconds=deadline_seconds)

    async def close(self) -> None:
        """As the store below."""
        await self._store.close()

    @contextlib.contextmanager
    def _told(
        self, action: str, collection: str = "", *, where: Filter | None = None
    ) -> Iterator[_Call]:
        call = _Call(action=action, collection=collection, where=where)
        outcome = "ok"
        try:
            yield call
        except BaseException as error:
            outcome = _outcome_of(error)
            raise
        finally:
            entry = call.entry(outcome)
            for sink in self._sinks:
                sink(entry)


def _outcome_of(error: BaseException) -> str:
    return error.reason if isinstance(error, MemoryUnavailableError) else type(error).__name__
