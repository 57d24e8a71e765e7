"""The engine, seen from inside the worker: one folder, one Edge shard, plain synchronous calls.

    FOLDER/lock                   who owns it
    FOLDER/current/schema.json    model, dimensions, version
    FOLDER/current/shard/         Edge's own files
    FOLDER/new/                   a store in the making; garbage if found

A store is made under `new` and renamed when it is complete, so there is never a half-made one to
recognise. Search is exact: below about 100 000 records an index saves five milliseconds and
costs minutes of CPU. Payload indexes are made before the data.

A store does not grow without bound: `trim` takes out the records that were last seen the longest
ago. Nothing else deletes yet, and nothing rebuilds a store that is lost: the memory begins anew.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import qdrant_edge as edge

from kausa.memory.edge.lock import FolderLock
from kausa.memory.errors import MemoryUnavailableError, UnavailableReason
from kausa.memory.store import MOST_RECORDS, SCHEMA_VERSION, RecordFilter

__all__ = ["CHECK_EVERY", "LOCK_WAIT_SECONDS", "Schema", "Shard"]

LOCK_WAIT_SECONDS = 5.0
CHECK_EVERY = 1000
"""After how many written records they are counted, and how many are removed at a time."""
VECTOR = "dense"
"""Named, so that sparse vectors can join it later in the same shard."""
_NO_INDEX_BELOW_KB = 10_000_000
_KEYWORDS = ("namespace", "owner_name", "category", "reason", "fingerprint", "outcome")


class Schema(msgspec.Struct, frozen=True):
    """What the vectors of a store are."""

    model: str
    dimensions: int
    version: int = SCHEMA_VERSION


class Shard:
    """An open store. It belongs to this process until it is closed."""

    def __init__(
        self,
        folder: Path,
        *,
        schema: Schema,
        most_records: int = MOST_RECORDS,
        wait_seconds: float = LOCK_WAIT_SECONDS,
    ) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = FolderLock(folder, wait_seconds=wait_seconds)
        except OSError as error:
            raise _unavailable(f"the memory's folder {folder} cannot be used: {error}") from error
        try:
            current = folder / "current"
            if not current.exists():
                _make(folder / "new", schema=schema)
                (folder / "new").rename(current)
            _compare(current / "schema.json", wanted=schema)
            self._shard = edge.EdgeShard.load(str(current / "shard"))
        except MemoryUnavailableError:
            self._lock.release()
            raise
        except Exception as error:  # Edge raises nothing narrower
            self._lock.release()
            raise _unavailable(
                f"the memory in {folder} cannot be opened ({error}). Move {folder}/current away "
                "and start again: the memory begins anew, without what it held"
            ) from error
        self.dirty = False
        self._most_records = most_records
        self._unchecked = CHECK_EVERY  # a predecessor may have left too many

    def upsert(self, points: list[tuple[str, list[float], dict[str, Any]]]) -> None:
        """Write points; acknowledged points survive a kill, flushed ones the loss of the node."""
        made = [edge.Point(id_, {VECTOR: vector}, payload) for id_, vector, payload in points]
        self.dirty = True
        self._shard.update(edge.UpdateOperation.upsert_points(made))
        self._unchecked += len(made)

    def search(
        self, vector: list[float], *, where: RecordFilter, limit: int, minimum_score: float
    ) -> list[tuple[float, dict[str, Any]]]:
        """The nearest points, best first."""
        found = self._shard.query(
            edge.QueryRequest(
                limit=limit,
                query=edge.Query.Nearest(vector, using=VECTOR),
                filter=_filter(where),
                score_threshold=minimum_score,
                with_payload=True,
                params=edge.SearchParams(exact=True),
            )
        )
        return [(point.score, point.payload or {}) for point in found]

    def get(self, point_id: str) -> dict[str, Any] | None:
        """One payload."""
        found = self._shard.retrieve([point_id], True, False)
        return (found[0].payload or {}) if found else None

    def count(self, where: RecordFilter | None) -> int:
        """How many points match."""
        chosen = _filter(where) if where else None
        return int(self._shard.count(edge.CountRequest(exact=True, filter=chosen)))

    def delete(self, *, ids: list[str], where: RecordFilter | None) -> None:
        """Forget points."""
        self.dirty = True
        if ids:
            self._shard.update(edge.UpdateOperation.delete_points([*ids]))
        if where:
            self._shard.update(edge.UpdateOperation.delete_points_by_filter(_filter(where)))

    def trim(self) -> None:
        """Take out the oldest records where there are too many; counts only now and then.

        A thousand of 100 000 take 15 ms. The engine rewrites itself without them once they are a
        fifth of it, which then takes 3 s; it does not do so unasked, and the disk would fill.
        """
        if self._unchecked < CHECK_EVERY:
            return
        excess = self.count(None) - self._most_records
        if excess > 0:
            self.dirty = True
            while excess > 0 and (oldest := self._oldest(min(excess, CHECK_EVERY))):
                self._shard.update(edge.UpdateOperation.delete_points(oldest))
                excess -= len(oldest)
            self._shard.optimize()
        self._unchecked = 0

    def _oldest(self, limit: int) -> list[Any]:
        request = edge.ScrollRequest(
            limit=limit,
            order_by=edge.OrderBy("last_seen", direction=edge.Direction.Asc),
            with_payload=False,
            with_vector=False,
        )
        found, _ = self._shard.scroll(request)
        return [point.id for point in found]

    def flush(self) -> None:
        """Bring everything to disk."""
        self._shard.flush()
        self.dirty = False

    def close(self) -> None:
        """Flush and let go of the folder."""
        try:
            self._shard.flush()
            self._shard.close()
        finally:
            self._lock.release()


def _make(folder: Path, *, schema: Schema) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    path = folder / "shard"
    path.mkdir(parents=True)
    config = edge.EdgeConfig(
        vectors={
            VECTOR: edge.EdgeVectorParams(size=schema.dimensions, distance=edge.Distance.Cosine)
        },
        optimizers=edge.EdgeOptimizersConfig(indexing_threshold=_NO_INDEX_BELOW_KB),
    )
    shard = edge.EdgeShard.create(str(path), config)
    index = edge.UpdateOperation.create_field_index
    shard.update(index("cluster", edge.KeywordIndexParams(is_tenant=True)))
    for name in _KEYWORDS:
        shard.update(index(name, edge.PayloadSchemaType.Keyword))
    shard.update(index("last_seen", edge.PayloadSchemaType.Datetime))
    shard.flush()
    shard.close()
    with (folder / "schema.json").open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _compare(path: Path, *, wanted: Schema) -> None:
    found = msgspec.json.decode(path.read_bytes(), type=Schema)
    if found == wanted:
        return
    reason: UnavailableReason = "ModelMismatch"
    if found.version != wanted.version:
        reason = "SchemaMismatch"
    elif found.dimensions != wanted.dimensions:
        reason = "DimensionMismatch"
    raise MemoryUnavailableError(
        f"the memory in {path.parent} holds vectors of {found.model} ({found.dimensions} "
        f"dimensions, schema {found.version}), but the embedder is {wanted.model} "
        f"({wanted.dimensions} dimensions, schema {wanted.version}). Configure the model it was "
        "made with, or move that folder away: the memory begins anew, without what it held",
        reason=reason,
    )


def _filter(where: RecordFilter) -> edge.Filter:
    def equal(key: str, value: str) -> edge.FieldCondition:
        return edge.FieldCondition(key, edge.MatchValue(value))

    must: list[Any] = [equal("cluster", where.cluster)]
    if where.namespace is not None:
        must.append(equal("namespace", where.namespace))
    must_not: list[Any] = []
    if where.exclude_fingerprint is not None:
        must_not.append(equal("fingerprint", where.exclude_fingerprint))
    return edge.Filter(must=must, must_not=must_not or None)


def _unavailable(message: str) -> MemoryUnavailableError:
    return MemoryUnavailableError(message, reason="StoreUnavailable")
