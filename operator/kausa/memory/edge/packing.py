"""Points in and out of frames, a few milliseconds at a time: a batch would hold the event loop."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from kausa.memory.edge.messages import PackedCandidate, PackedPoint
from kausa.memory.schema import canonical_id, check_sparse, packed_dense, packed_payload
from kausa.memory.store import Candidate, Payload, Point, SparseVector, StoredPoint

__all__ = ["pack", "pack_ids", "pack_values", "unpack", "unpack_candidate", "unpack_point"]

_AT_ONCE_SECONDS = 0.005
_In = TypeVar("_In")
_Out = TypeVar("_Out")
_payloads = msgspec.msgpack.Decoder(dict[str, Any])


async def pack(points: Sequence[Point], *, dimensions: int) -> list[PackedPoint]:
    """Check and pack points; raises what `schema.check_point` does, and nothing is sent then."""
    return await _each(points, lambda point: _pack(point, dimensions))


async def unpack(packed: Sequence[_In], one: Callable[[_In], _Out]) -> list[_Out]:
    """Unpack an answer with one of the functions below."""
    return await _each(packed, one)


def unpack_point(packed: PackedPoint) -> StoredPoint:
    """One point out of an answer."""
    if not packed.dense:
        return StoredPoint(id=packed.id, payload=_payload(packed.payload))
    return StoredPoint(
        id=packed.id,
        payload=_payload(packed.payload),
        dense=tuple(array("f", packed.dense)),
        sparse=SparseVector(tuple(array("I", packed.indices)), tuple(array("f", packed.values))),
    )


def unpack_candidate(packed: PackedCandidate) -> Candidate:
    """One candidate out of an answer."""
    return Candidate(
        id=packed.id,
        payload=_payload(packed.payload),
        dense=packed.dense,
        sparse=packed.sparse,
    )


def pack_ids(vector: SparseVector) -> bytes:
    """The token ids of a sparse vector."""
    return array("I", vector.indices).tobytes()


def pack_values(vector: SparseVector) -> bytes:
    """The weights of a sparse vector."""
    return array("f", vector.values).tobytes()


def _pack(point: Point, dimensions: int) -> PackedPoint:
    check_sparse(point.sparse)
    return PackedPoint(
        canonical_id(point.id),
        msgspec.Raw(packed_payload(point.payload)),
        packed_dense(point.dense, dimensions=dimensions),
        pack_ids(point.sparse),
        pack_values(point.sparse),
    )


def _payload(packed: msgspec.Raw) -> Payload:
    return _payloads.decode(packed)


async def _each(items: Sequence[_In], one: Callable[[_In], _Out]) -> list[_Out]:
    """Map, giving way to everybody else every few milliseconds."""
    done: list[_Out] = []
    until = time.perf_counter() + _AT_ONCE_SECONDS
    for item in items:
        done.append(one(item))
        if time.perf_counter() > until:
            await asyncio.sleep(0)
            until = time.perf_counter() + _AT_ONCE_SECONDS
    return done
