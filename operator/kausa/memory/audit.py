"""Who searched the memory and who wrote into it: metadata only, never a text.

`AuditedStore` stands before a store and tells of each call: when, who, what, how many, how long,
and how it ended. Of filters it names the fields, and the values of those that say whose data it is
(cluster, namespace); of points their number. A line in a file is one JSON object; files are rotated
by size. An audit that cannot be written is said once and never holds up the memory: the file is
written by a thread of its own, and of what it cannot keep up with the newest is left out and
counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from kausa.memory.audit_file import AuditEntry, AuditFile
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

__all__ = [
    "AuditEntry",
    "AuditFile",
    "AuditedStore",
    "acting_as",
    "actor",
    "log_entry",
    "this_user",
]

_logger = get_logger("kausa.memory.audit")
_actor: ContextVar[str] = ContextVar("kausa_memory_actor", default="operator")
_TOLD_VALUES: Final = frozenset({"cluster", "namespace"})
_MOST_TOLD_VALUES = 8


Sink = Callable[[AuditEntry], None]


@contextlib.contextmanager
def acting_as(actor: str) -> Iterator[None]:
    """Whoever asks the memory inside is called this, in this task and those it starts."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def actor() -> str:
    """Who asks the memory here, as the audit is told."""
    return _actor.get()


def this_user() -> str:
    """Who runs this process, by name where the machine knows one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


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
            actor=actor(),
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

    def __init__(self, store: VectorStore, *, sinks: Sequence[Sink], beside: bool = False) -> None:
        """`beside`: another one has the same sinks, and closes them."""
        self._store = store
        self._sinks = tuple(sinks)
        self._beside = beside

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
        return AuditedStore(made, sinks=self._sinks, beside=True)

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
        """As the store below; what was told is written then."""
        try:
            await self._store.close()
        finally:
            for sink in () if self._beside else self._sinks:
                if isinstance(sink, AuditFile):
                    await asyncio.to_thread(sink.close)

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
