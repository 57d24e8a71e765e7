"""The embedded store as the operator sees it: a `VectorStore` whose engine runs next door.

Every call says which generation it means, so a worker may die and be started again between any two
of them. A store that `make` answered shares the worker of the one that made it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from kausa.memory.edge import backups, messages, packing
from kausa.memory.edge.keeper import WorkerKeeper
from kausa.memory.edge.process import worker_command
from kausa.memory.errors import InvalidRecordError, MemoryUnavailableError, deadline
from kausa.memory.filters import Filter
from kausa.memory.schema import (
    MOST_CANDIDATES,
    MOST_CHANGED_AT_ONCE,
    MOST_FACETS,
    MOST_PER_PAGE,
    MOST_POINTS,
    canonical_id,
    check_facet,
    check_filter,
    check_sparse,
    packed_dense,
    packed_payload,
    within,
)
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
)
from kausa.telemetry.logs import get_logger

__all__ = ["MOST_KEPT", "EdgeStore"]

MOST_KEPT = 300_000
"""Points of failures where nobody says otherwise (`KAUSA_MEMORY_MOST_POINTS`)."""
ASK_EVERY = 1000
"""After how many written points the worker is asked how many were too many."""
_FOR_OTHERS_TO_MEND = {"ModelMismatch", "DimensionMismatch", "SchemaMismatch", "StoreCorrupt"}
_T = TypeVar("_T")
_logger = get_logger("kausa.memory.edge")


class EdgeStore:
    """Qdrant Edge in a worker process that owns one folder; a `VectorStore`."""

    def __init__(
        self,
        *,
        folder: Path,
        most_points: int = MOST_KEPT,
        hung_after_seconds: float = 60.0,
        command: Callable[[Path], list[str]] = worker_command,
        keeper: WorkerKeeper | None = None,
        beside: Schema | None = None,
        on_trimmed: Callable[[int], None] = lambda _: None,
    ) -> None:
        """No process is started and no file is made yet.

        Args:
            folder: Where the store lies; one process at a time owns it.
            most_points: Points of failures that are kept (`Shard.trim` says which go of more).
            hung_after_seconds: After how long a worker that owes an answer is killed.
            command: How the worker is started.
            keeper: Another store's, to share its worker; the four above are its own then.
            beside: The generation that this store is of; closing it leaves the worker running.
            on_trimmed: Told how many points went since it was told last.
        """
        self._folder = folder
        self._keeper = keeper or WorkerKeeper(
            folder=folder,
            most_points=most_points,
            hung_after_seconds=hung_after_seconds,
            command=command,
        )
        self._most_points = most_points
        self._on_trimmed = on_trimmed
        self._written = 0
        self._beside = beside is not None
        self._schema = beside
        self._opened = beside is not None
        self._closed = False

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id, while there is one."""
        return self._keeper.worker_pid

    async def open(self, schema: Schema, *, deadline_seconds: float) -> None:
        """Have the active generation open for this schema; the first one is made."""
        if self._opened and self._schema == schema:
            return
        if self._opened or self._beside:
            raise MemoryUnavailableError(
                f"the memory is open for {self._schema}, not for {schema}", reason="ModelMismatch"
            )
        try:
            await self._keeper.call(
                messages.Open(), schema=schema, patient=True, deadline_seconds=deadline_seconds
            )
        except MemoryUnavailableError as error:
            if error.reason in _FOR_OTHERS_TO_MEND:
                await self._keeper.release()
            raise
        self._schema, self._opened = schema, True

    async def upsert(
        self, collection: Collection, points: Sequence[Point], *, deadline_seconds: float
    ) -> None:
        """Write points; once it returns they survive a kill of either process."""
        if not points:
            return
        _at_most(len(points), MOST_POINTS)
        packed = await packing.pack(points, dimensions=self._ready().dimensions)
        await self._ask(messages.Upsert(collection, packed), None, deadline_seconds)
        self._written += len(points)
        if self._written >= ASK_EVERY:
            self._written = 0
            # The points are written, whatever becomes of this.
            with contextlib.suppress(MemoryUnavailableError):
                await self._tell_trimmed(deadline_seconds)

    async def candidates(
        self, collection: Collection, query: HybridQuery, *, deadline_seconds: float
    ) -> list[Candidate]:
        """What either list names; where both do, both scores."""
        check_filter(query.where)
        if query.sparse is not None:
            check_sparse(query.sparse)
        dimensions = self._ready().dimensions
        dense = query.dense
        call = messages.Candidates(
            collection=collection,
            where=query.where,
            limit=within(query.candidates, MOST_CANDIDATES),
            dense=b"" if dense is None else packed_dense(dense, dimensions=dimensions),
            indices=packing.pack_ids(query.sparse) if query.sparse else b"",
            values=packing.pack_values(query.sparse) if query.sparse else b"",
            exact=query.exact,
        )
        found = await self._ask(call, list[messages.PackedCandidate], deadline_seconds)
        return await packing.unpack(found, packing.unpack_candidate)

    async def get(
        self,
        collection: Collection,
        ids: Sequence[str],
        *,
        with_vectors: bool = False,
        deadline_seconds: float,
    ) -> list[StoredPoint]:
        """The points that exist, in the order of the ids."""
        _at_most(len(ids), MOST_POINTS)
        call = messages.Get(collection, [canonical_id(id_) for id_ in ids], with_vectors)
        found = await self._ask(call, list[messages.PackedPoint], deadline_seconds)
        return await packing.unpack(found, packing.unpack_point)

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
        """Walk over what matches, a page at a time."""
        check_filter(where)
        call = messages.Scroll(
            collection=collection,
            where=where,
            limit=within(limit, MOST_PER_PAGE),
            after=None if after is None else canonical_id(after),
            with_vectors=with_vectors,
        )
        found = await self._ask(call, messages.PackedPage, deadline_seconds)
        return Page(await packing.unpack(found.points, packing.unpack_point), found.after)

    async def count(self, collection: Collection, *, where: Filter, deadline_seconds: float) -> int:
        """How many points match, exactly."""
        check_filter(where)
        return await self._ask(messages.Count(collection, where), int, deadline_seconds)

    async def facet(
        self,
        collection: Collection,
        field: str,
        *,
        where: Filter,
        limit: int,
        deadline_seconds: float,
    ) -> dict[str, int]:
        """How many of the matching points have each value of a keyword field, most first."""
        check_filter(where)
        check_facet(field)
        call = messages.Facet(collection, field, where, within(limit, MOST_FACETS))
        return await self._ask(call, dict[str, int], deadline_seconds)

    async def set_payload(
        self,
        collection: Collection,
        ids: Sequence[str],
        values: Payload,
        *,
        expect: Filter | None = None,
        deadline_seconds: float,
    ) -> bool:
        """Write over some keys of points that are there and that `expect` still matches."""
        _at_most(len(ids), MOST_CHANGED_AT_ONCE)
        packed_payload(values)
        if expect is not None:
            check_filter(expect)
        call = messages.SetPayload(collection, [canonical_id(i) for i in ids], values, expect)
        return await self._ask(call, bool, deadline_seconds)

    async def delete(
        self,
        collection: Collection,
        *,
        ids: Sequence[str] = (),
        where: Filter | None = None,
        deadline_seconds: float,
    ) -> None:
        """Forget these ids, and all that the filter matches."""
        _at_most(len(ids), MOST_CHANGED_AT_ONCE)
        if where is not None:
            check_filter(where)
        call = messages.Delete(collection, [canonical_id(id_) for id_ in ids], where)
        await self._ask(call, None, deadline_seconds)

    async def generations(self, *, deadline_seconds: float) -> list[Generation]:
        """Every generation that is there; works without `open`."""
        return await self._manage(messages.Generations(), list[Generation], deadline_seconds)

    async def make(self, schema: Schema, *, deadline_seconds: float) -> EdgeStore:
        """A generation beside the active one (made, or found half filled), as its own store."""
        await self._manage(messages.Make(schema), None, deadline_seconds)
        return EdgeStore(folder=self._folder, keeper=self._keeper, beside=schema)

    async def activate(self, schema: Schema, *, deadline_seconds: float) -> None:
        """Switch readers and writers to this generation, both collections at once."""
        await self._manage(messages.Activate(schema), None, deadline_seconds)
        if self._opened and not self._beside:
            self._schema = schema

    async def drop(self, schema: Schema, *, deadline_seconds: float) -> None:
        """Delete a generation that is not active; one that is not there is dropped already."""
        await self._manage(messages.Drop(schema), None, deadline_seconds)

    async def backup(self, target: Path, *, deadline_seconds: float) -> None:
        """Flush, and copy the active generation; searches wait meanwhile, about 1 s for 1 GB."""
        async with deadline(deadline_seconds, doing="backing up the memory"):
            await asyncio.to_thread(backups.prepare, target)
            call = messages.Backup(_absolute(target))
            copied = await self._manage(call, Generation, deadline_seconds)
            await asyncio.to_thread(backups.finish, target, copied)

    async def restore(self, source: Path, *, deadline_seconds: float) -> None:
        """Put back what `backup` wrote, in place of what is there, and check the counts."""
        async with deadline(deadline_seconds, doing="restoring the memory"):
            manifest = await asyncio.to_thread(backups.verified, source)
            call = messages.Restore(_absolute(source), manifest.schema, dict(manifest.points))
            await self._manage(call, None, deadline_seconds)

    async def health(self, *, deadline_seconds: float) -> Health:
        """Whether it answers, and what it holds; works without `open`."""
        await self._tell_trimmed(deadline_seconds)
        return await self._manage(messages.Inspect(), Health, deadline_seconds)

    async def flush(self, *, deadline_seconds: float) -> None:
        """Bring everything to disk."""
        self._ready()
        await self._manage(messages.Flush(), None, deadline_seconds)

    async def close(self) -> None:
        """Flush and let go of the folder; bounded, ten seconds."""
        self._closed = True
        if not self._beside:
            await self._keeper.close()

    async def _tell_trimmed(self, seconds: float) -> None:
        """The worker takes out what is too much by itself, and says so only when it is asked."""
        gone = await self._manage(messages.Trimmed(), int, seconds)
        if gone:
            _logger.warning(
                "Forgot the oldest records, the memory held more than its setting allows",
                passages=gone,
                most=self._most_points,
                setting="KAUSA_MEMORY_MOST_POINTS",
            )
            self._on_trimmed(gone)

    def _ready(self) -> Schema:
        if self._closed:
            raise MemoryUnavailableError("the memory is closed", reason="Closed")
        if self._schema is None:
            raise MemoryUnavailableError(
                "the memory was asked before it was opened", reason="StoreUnavailable"
            )
        return self._schema

    async def _ask(self, call: messages.Call, type_: type[_T] | None, seconds: float) -> _T:
        schema = self._ready()
        answer = await self._keeper.call(
            call, schema=schema, beside=self._beside, deadline_seconds=seconds
        )
        return msgspec.msgpack.decode(answer, type=type_)

    async def _manage(self, call: messages.Call, type_: type[_T] | None, seconds: float) -> _T:
        if self._closed:
            raise MemoryUnavailableError("the memory is closed", reason="Closed")
        answer = await self._keeper.call(call, patient=True, deadline_seconds=seconds)
        return msgspec.msgpack.decode(answer, type=type_)


def _absolute(path: Path) -> str:
    return str(path.absolute())


def _at_most(number: int, most: int) -> None:
    if number > most:
        raise InvalidRecordError(f"{number} points in one call, at most {most}")
