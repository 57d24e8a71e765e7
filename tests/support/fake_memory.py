"""FakeVectorStore and FakeEmbedder: a memory in dicts whose parts can be away, slow or full.

They are to inject faults and to count what is asked. What a real store does is tested on real ones.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from kausa.memory.embedding.protocol import Kind, Priority
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.filters import Absent, Condition, Filter, OneOf, Range, TimeRange
from kausa.memory.service import FailureMemory
from kausa.memory.store import (
    COLLECTIONS,
    Candidate,
    Collection,
    Generation,
    Health,
    HybridQuery,
    Page,
    Payload,
    Point,
    Schema,
    SparseVector,
    StoredPoint,
)

__all__ = ["FakeEmbedder", "FakeEncoder", "FakeVectorStore", "fake_memory", "unavailable"]


def unavailable(reason: Any = "StoreUnavailable") -> MemoryUnavailableError:
    """What a part says that is not there."""
    return MemoryUnavailableError(f"injected: {reason}", reason=reason)


class FakeEncoder:
    """Every word is a token."""

    def encode_passage(self, text: str) -> SparseVector:
        words = Counter(text.lower().split())
        found = {int.from_bytes(_hash(word)[:4]): float(count) for word, count in words.items()}
        return SparseVector(tuple(found), tuple(found.values()))

    def encode_query(self, text: str) -> SparseVector:
        return self.encode_passage(text)


class FakeEmbedder:
    """A unit vector out of a hash. `fail` is raised until it is None; `delay` is waited."""

    reranker = ""
    remembers = False

    def __init__(self, *, model: str = "fake", dimensions: int = 4) -> None:
        self._model = model
        self._dimensions = dimensions
        self._known = False
        self.fail: MemoryUnavailableError | None = None
        self.delay = 0.0
        self.texts: list[str] = []
        self.closed = False

    @property
    def model(self) -> str:
        return self._model if self._known else ""

    @property
    def dimensions(self) -> int:
        return self._dimensions if self._known else 0

    async def embed(
        self,
        texts: Sequence[str],
        *,
        kind: Kind = "passage",
        priority: Priority = "interactive",
        deadline_seconds: float,
    ) -> list[list[float]]:
        await asyncio.sleep(self.delay)
        if self.fail is not None:
            raise self.fail
        self._known = True
        self.texts.extend(texts)
        return [_vector(text, self._dimensions) for text in texts]

    async def embed_stream(
        self, texts: AsyncIterable[tuple[str, str]], *, deadline_seconds: float
    ) -> AsyncGenerator[tuple[str, list[float]], None]:
        async for id_, text in texts:
            (vector,) = await self.embed([text], deadline_seconds=deadline_seconds)
            yield id_, vector

    async def rerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        priority: Priority = "interactive",
        deadline_seconds: float,
        most_new_tokens: int | None = None,
    ) -> list[float | None]:
        raise unavailable("EmbedderMissing")

    async def close(self) -> None:
        self.closed = True


class FakeVectorStore:
    """Points by id. `fail` is raised by every call until it is None, `full` by writes alone."""

    def __init__(self, *, schema: Schema | None = None) -> None:
        self.schema = schema
        self.points: dict[Collection, dict[str, Point]] = {name: {} for name in COLLECTIONS}
        self.fail: MemoryUnavailableError | None = None
        self.full = False
        self.delay = 0.0
        self.calls: Counter[str] = Counter()
        self.beside: dict[Schema, FakeVectorStore] = {}
        self.closed = False

    async def _called(self, name: str, *, writes: bool = False) -> None:
        self.calls[name] += 1
        await asyncio.sleep(self.delay)
        if self.fail is not None:
            raise self.fail
        if writes and self.full:
            raise unavailable("StoreFull")

    def payloads(self, collection: Collection = "failures") -> list[Payload]:
        return [each.payload for each in self.points[collection].values()]

    async def open(self, schema: Schema, *, deadline_seconds: float) -> None:
        await self._called("open")
        if self.schema is not None and self.schema != schema:
            raise unavailable("ModelMismatch")
        self.schema = schema

    async def upsert(
        self, collection: Collection, points: Sequence[Point], *, deadline_seconds: float
    ) -> None:
        await self._called("upsert", writes=True)
        for point in points:
            self.points[collection][point.id] = point

    async def candidates(
        self, collection: Collection, query: HybridQuery, *, deadline_seconds: float
    ) -> list[Candidate]:
        await self._called("candidates")
        found = [
            Candidate(
                id=each.id,
                payload=each.payload,
                dense=sum(a * b for a, b in zip(query.dense or (), each.dense, strict=False)),
            )
            for each in self.points[collection].values()
            if _matches(each.payload, query.where)
        ]
        return sorted(found, key=lambda each: -(each.dense or 0))[: query.candidates]

    async def get(
        self,
        collection: Collection,
        ids: Sequence[str],
        *,
        with_vectors: bool = False,
        deadline_seconds: float,
    ) -> list[StoredPoint]:
        await self._called("get")
        known = self.points[collection]
        return [StoredPoint(id=each, payload=known[each].payload) for each in ids if each in known]

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
        await self._called("scroll")
        found = [
            StoredPoint(id=id_, payload=point.payload)
            for id_, point in sorted(self.points[collection].items())
            if (after is None or id_ >= after) and _matches(point.payload, where)
        ]
        return Page(found[:limit], found[limit].id if len(found) > limit else None)

    async def count(self, collection: Collection, *, where: Filter, deadline_seconds: float) -> int:
        await self._called("count")
        return sum(_matches(each, where) for each in self.payloads(collection))

    async def facet(
        self,
        collection: Collection,
        field: str,
        *,
        where: Filter,
        limit: int,
        deadline_seconds: float,
    ) -> dict[str, int]:
        await self._called("facet")
        found = Counter(
            str(each[field])
            for each in self.payloads(collection)
            if field in each and _matches(each, where)
        )
        return dict(found.most_common(limit))

    async def set_payload(
        self,
        collection: Collection,
        ids: Sequence[str],
        values: Payload,
        *,
        expect: Filter | None = None,
        deadline_seconds: float,
    ) -> bool:
        await self._called("set_payload", writes=True)
        known = self.points[collection]
        if not all(
            each in known and (expect is None or _matches(known[each].payload, expect))
            for each in ids
        ):
            return False
        for each in ids:
            point = known[each]
            known[each] = Point(
                id=each, dense=point.dense, sparse=point.sparse, payload=point.payload | values
            )
        return True

    async def delete(
        self,
        collection: Collection,
        *,
        ids: Sequence[str] = (),
        where: Filter | None = None,
        deadline_seconds: float,
    ) -> None:
        await self._called("delete", writes=True)
        known = self.points[collection]
        gone = {id_ for id_, each in known.items() if where and _matches(each.payload, where)}
        for id_ in {*ids, *gone}:
            known.pop(id_, None)

    async def generations(self, *, deadline_seconds: float) -> list[Generation]:
        await self._called("generations")
        found = [Generation(self.schema, True, {})] if self.schema is not None else []
        return [*found, *(Generation(each, False, {}) for each in self.beside)]

    async def make(self, schema: Schema, *, deadline_seconds: float) -> FakeVectorStore:
        await self._called("make", writes=True)
        return self.beside.setdefault(schema, FakeVectorStore(schema=schema))

    async def activate(self, schema: Schema, *, deadline_seconds: float) -> None:
        await self._called("activate", writes=True)
        made = self.beside.pop(schema)
        if self.schema is not None:
            before = self.beside.setdefault(self.schema, FakeVectorStore(schema=self.schema))
            before.points = self.points
        self.schema, self.points = schema, made.points

    async def drop(self, schema: Schema, *, deadline_seconds: float) -> None:
        await self._called("drop", writes=True)
        self.beside.pop(schema, None)

    async def backup(self, target: Path, *, deadline_seconds: float) -> None:
        raise NotImplementedError

    async def restore(self, source: Path, *, deadline_seconds: float) -> None:
        raise NotImplementedError

    async def health(self, *, deadline_seconds: float) -> Health:
        await self._called("health")
        return Health(backend="fake", version="0", schema=self.schema, points={})

    async def flush(self, *, deadline_seconds: float) -> None:
        await self._called("flush")

    async def close(self) -> None:
        self.closed = True


def fake_memory(
    store: FakeVectorStore | None = None, embedder: FakeEmbedder | None = None, **given: Any
) -> FailureMemory:
    return FailureMemory(
        embedder=embedder or FakeEmbedder(),
        store=store or FakeVectorStore(),
        encoder=FakeEncoder(),
        **given,
    )


def _matches(payload: Payload, where: Filter) -> bool:
    return all(_holds(payload, each) for each in where.must) and not any(
        _holds(payload, each) for each in where.must_not
    )


def _holds(payload: Payload, condition: Condition) -> bool:
    value = payload.get(condition.field)
    values = value if isinstance(value, list) else [] if value is None else [value]
    match condition:
        case OneOf(values=wanted):
            return any(each in wanted for each in values)
        case Range(least=least, most=most):
            return any(
                (least is None or each >= least) and (most is None or each <= most)
                for each in values
            )
        case TimeRange(after=after, before=before):
            moments = [datetime.fromisoformat(each) for each in values]
            return any(
                (after is None or each >= after) and (before is None or each < before)
                for each in moments
            )
        case Absent():
            return not values


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=32).digest()


def _vector(text: str, dimensions: int) -> list[float]:
    raw = [byte - 127.5 for byte in _hash(text)[:dimensions]]
    length = math.sqrt(sum(each * each for each in raw))
    return [each / length for each in raw]
