"""Points on their way in and out of the client's types (pure)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from qdrant_client import models

from kausa.memory.schema import DENSE, SPARSE, canonical_id
from kausa.memory.store import Candidate, Payload, Point, SparseVector, StoredPoint

__all__ = ["MARK", "batches", "incoming", "merged", "shown", "stored", "vector_of"]

MARK = "_written_by"
"""The key of a compare-and-set's mark, which nobody outside sees."""
_MOST_BYTES = 8 * 1024 * 1024
"""Of one request, as JSON: the server takes 32 MiB."""
_BYTES_PER_NUMBER = 14


def incoming(point: Point) -> models.PointStruct:
    """For an upsert; without a word in it a passage has no sparse vector."""
    vector: dict[str, Any] = {DENSE: list(point.dense)}
    if point.sparse.indices:
        vector[SPARSE] = vector_of(point.sparse)
    return models.PointStruct(id=canonical_id(point.id), vector=vector, payload=point.payload)


def vector_of(sparse: SparseVector) -> models.SparseVector:
    """The same for the client."""
    return models.SparseVector(indices=list(sparse.indices), values=list(sparse.values))


def batches(points: Sequence[Point]) -> Iterator[list[Point]]:
    """In requests that a server takes."""
    batch: list[Point] = []
    size = 0
    for point in points:
        numbers = len(point.dense) + 2 * len(point.sparse.indices)
        needs = numbers * _BYTES_PER_NUMBER + len(msgspec.json.encode(point.payload))
        if batch and size + needs > _MOST_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(point)
        size += needs
    if batch:
        yield batch


def shown(payload: dict[str, Any] | None) -> Payload:
    """A payload without what only this backend needs."""
    if payload is None:
        return {}
    payload.pop(MARK, None)
    return payload


def stored(record: models.Record) -> StoredPoint:
    """A point that was read."""
    vectors = record.vector
    dense: Any = vectors.get(DENSE) if isinstance(vectors, dict) else None
    sparse: Any = vectors.get(SPARSE) if isinstance(vectors, dict) else None
    if isinstance(vectors, dict) and sparse is None:
        sparse = SparseVector((), ())
    elif sparse is not None:
        pairs = sorted(zip(sparse.indices, sparse.values, strict=True))
        sparse = SparseVector(
            tuple(index for index, _ in pairs), tuple(value for _, value in pairs)
        )
    return StoredPoint(
        id=str(record.id),
        payload=shown(record.payload),
        dense=tuple(dense) if dense is not None else None,
        sparse=sparse,
    )


def merged(
    dense: Sequence[models.ScoredPoint], sparse: Sequence[models.ScoredPoint]
) -> list[Candidate]:
    """What either list named, best first by the cosine, then by BM25.

    Points that share no word with the question score 0, and are not named by a server; the
    client's local mode names them.
    """
    words = {str(hit.id): hit.score for hit in sparse if hit.score > 0}
    found = [
        Candidate(
            id=str(hit.id),
            payload=shown(hit.payload),
            dense=hit.score,
            sparse=words.pop(str(hit.id), None),
        )
        for hit in dense
    ]
    found.extend(
        Candidate(id=str(hit.id), payload=shown(hit.payload), sparse=words[str(hit.id)])
        for hit in sparse
        if str(hit.id) in words
    )
    return sorted(found, key=_best_first)


def _best_first(candidate: Candidate) -> tuple[float, float, str]:
    dense = -candidate.dense if candidate.dense is not None else math.inf
    return dense, -(candidate.sparse or 0.0), candidate.id
