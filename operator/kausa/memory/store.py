"""What the memory asks of a vector store, in words of its own.

Backends translate; nothing above them knows Qdrant. A store answers a hybrid query with candidates
and what each list said of them, the cosine and the BM25 score, untouched: fusing, rewarding,
reranking and grouping are `kausa.recall`'s, so that they are the same on every backend, and every
part of a score can be shown.

All calls take a deadline, are safe to repeat, and raise only what `errors.py` draws. A store holds
one generation of vectors for readers and writers, made by one model; another generation is made
beside it, filled, and switched to at once (`kausa.memory.migration`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from kausa.memory.filters import Filter

__all__ = [
    "COLLECTIONS",
    "SCHEMA_VERSION",
    "Candidate",
    "Collection",
    "Generation",
    "Health",
    "HybridQuery",
    "Page",
    "Payload",
    "Point",
    "Predecessor",
    "Schema",
    "SparseVector",
    "StoredPoint",
    "VectorStore",
]

SCHEMA_VERSION = 2
"""Of how points are laid out; the payloads have a version of their own."""

Collection = Literal["failures", "runbooks"]
COLLECTIONS: tuple[Collection, ...] = ("failures", "runbooks")
Payload: TypeAlias = dict[str, Any]
"""JSON types only; moments are RFC 3339 text in UTC; what is not known is left out."""


class Schema(msgspec.Struct, frozen=True):
    """What the dense vectors of a generation are; two that differ never share a collection."""

    model: str
    dimensions: int
    version: int = SCHEMA_VERSION


class SparseVector(msgspec.Struct, frozen=True):
    """Token ids and their weights, in the same order, every id once."""

    indices: tuple[int, ...]
    values: tuple[float, ...]


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One passage on the way in. Its id is a UUID made of its identity: twice is once."""

    id: str
    dense: tuple[float, ...] | list[float]
    sparse: SparseVector
    payload: Payload


class StoredPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One passage on the way out; the vectors only where they were asked for."""

    id: str
    payload: Payload
    dense: tuple[float, ...] | None = None
    sparse: SparseVector | None = None


class HybridQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Ask both lists at once. Each gives at most `candidates`, filtered before it searches."""

    where: Filter
    dense: tuple[float, ...] | None = None
    sparse: SparseVector | None = None
    candidates: int = 50
    exact: bool = False
    """True never uses an approximate index, where there is one."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A point that one list or both named, best first by `dense`, then `sparse`."""

    id: str
    payload: Payload
    dense: float | None = None
    """The cosine, -1 to 1; None where the dense list did not name the point."""
    sparse: float | None = None
    """BM25 with the collection's own IDF, above 0; None where its list did not name the point."""


class Page(msgspec.Struct, frozen=True):
    """A part of a walk over a collection, in the order of ids."""

    points: list[StoredPoint]
    after: str | None
    """Where the next part begins; None when this was the last."""


class Predecessor(msgspec.Struct, frozen=True):
    """A generation that another one took the place of."""

    schema: Schema
    at: str
    """When, as RFC 3339 text in UTC."""


class Generation(msgspec.Struct, frozen=True):
    """The vectors that one model made, and whether they are the ones in use."""

    schema: Schema
    active: bool
    points: Mapping[str, int]
    """By collection."""
    predecessors: tuple[Predecessor, ...] = ()
    """Which were migrated to this one, newest first. Told where several operators may share a
    memory; a memory of one process has one operator, who knows what it wants."""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How the store does, for a condition, a metric and `kausa memory status`."""

    backend: str
    version: str
    schema: Schema | None
    points: Mapping[str, int]
    bytes_on_disk: int | None = None


class VectorStore(Protocol):
    """Keeps passages by id and finds them by likeness and by words."""

    async def open(self, schema: Schema, *, deadline_seconds: float) -> None:
        """Be ready for vectors of this schema; a store that is empty is made for it.

        Raises `MemoryUnavailableError`: `ModelMismatch`, `DimensionMismatch` or `SchemaMismatch`
        where the active generation is another (nothing is converted here), `StoreLocked`,
        `StoreUnavailable`, `StoreUnauthorized`, `StoreFull`, `StoreCorrupt`...
        """

    async def upsert(
        self, collection: Collection, points: Sequence[Point], *, deadline_seconds: float
    ) -> None:
        """Write points over those of the same id; once it returns, a kill loses none of them.

        At most 500 at a time. Raises `InvalidRecordError` for a vector that is not finite or a
        payload that is too large; then nothing was written.
        """

    async def candidates(
        self, collection: Collection, query: HybridQuery, *, deadline_seconds: float
    ) -> list[Candidate]:
        """What either list names; where both do, both scores."""

    async def get(
        self,
        collection: Collection,
        ids: Sequence[str],
        *,
        with_vectors: bool = False,
        deadline_seconds: float,
    ) -> list[StoredPoint]:
        """The points that exist, in the order of the ids."""

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

    async def count(self, collection: Collection, *, where: Filter, deadline_seconds: float) -> int:
        """How many points match, exactly."""

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

    async def set_payload(
        self,
        collection: Collection,
        ids: Sequence[str],
        values: Payload,
        *,
        expect: Filter | None = None,
        deadline_seconds: float,
    ) -> bool:
        """Write over some keys of points that are there and that `expect` still matches.

        A key whose value is None is gone afterwards, or null: a filter cannot tell one from the
        other, nor may a reader.

        True where every one of the points has the values now, so that a call which is repeated
        after its answer was lost is not taken for a lost one. With `expect` this is a
        compare-and-set: who lost it reads again. Two writers that write the very same values both
        won; where that matters, one of the values is the writer's own.
        """

    async def delete(
        self,
        collection: Collection,
        *,
        ids: Sequence[str] = (),
        where: Filter | None = None,
        deadline_seconds: float,
    ) -> None:
        """Forget these ids, and all that the filter matches."""

    async def generations(self, *, deadline_seconds: float) -> list[Generation]:
        """Every generation that is there; works without `open`."""

    async def make(self, schema: Schema, *, deadline_seconds: float) -> VectorStore:
        """A generation beside the active one (made, or found half filled), as a store of its own.

        The answer writes and reads that generation only. Closing it does not close this one.
        """

    async def activate(self, schema: Schema, *, deadline_seconds: float) -> None:
        """Switch readers and writers to this generation, both collections at once."""

    async def drop(self, schema: Schema, *, deadline_seconds: float) -> None:
        """Delete a generation that is not active; one that is not there is dropped already."""

    async def backup(self, target: Path, *, deadline_seconds: float) -> None:
        """Write the active generation into this folder (made, must be empty), consistent."""

    async def restore(self, source: Path, *, deadline_seconds: float) -> None:
        """Put back what `backup` wrote, in place of what is there, and check the counts.

        Raises `InvalidBackupError` before anything is touched where the folder is not a backup.
        """

    async def health(self, *, deadline_seconds: float) -> Health:
        """Whether it answers, and what it holds; works without `open`."""

    async def flush(self, *, deadline_seconds: float) -> None:
        """Bring everything to disk, so that not even the loss of the node loses it."""

    async def close(self) -> None:
        """Flush and let go. Closing twice is closing once."""
