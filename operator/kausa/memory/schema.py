"""What every store is made of: names, payload indexes, limits, and what may be asked and written.

Both backends make the same indexes before the first point and refuse the same things here, so that
a filter which works with the embedded store works with a server in strict mode, and the other way
round.
"""

from __future__ import annotations

import hashlib
import math
import re
import uuid
from array import array
from collections.abc import Sequence
from typing import Literal

import msgspec

from kausa.memory.errors import InvalidRecordError, MemoryUnavailableError
from kausa.memory.filters import Absent, Filter, InvalidFilterError, OneOf, Range, TimeRange, check
from kausa.memory.store import Payload, Point, Schema, SparseVector

__all__ = [
    "DENSE",
    "INDEXED_FIELDS",
    "MOST_CANDIDATES",
    "MOST_CHANGED_AT_ONCE",
    "MOST_FACETS",
    "MOST_PAYLOAD_BYTES",
    "MOST_PER_PAGE",
    "MOST_POINTS",
    "SPARSE",
    "FieldKind",
    "IndexedField",
    "canonical_id",
    "canonical_ids",
    "check_facet",
    "check_filter",
    "check_point",
    "check_sparse",
    "packed_dense",
    "packed_payload",
    "slug",
    "within",
]

DENSE = "dense"
"""The name of the dense vector in every store: cosine."""
SPARSE = "sparse"
"""The name of the sparse vector in every store: BM25, with the store's IDF."""

MOST_POINTS = 500
"""Points in one `upsert`, ids in one `get`."""
MOST_CHANGED_AT_ONCE = 500
"""Ids in one `set_payload` or `delete`."""
MOST_CANDIDATES = 256
"""Of each list. More is cut to this, as are pages and facets."""
MOST_PER_PAGE = 500
MOST_FACETS = 1000
MOST_PAYLOAD_BYTES = 64 * 1024
"""Of one point, as MessagePack. A record with all its texts has about 10 KiB."""

FieldKind = Literal["keyword", "integer", "datetime"]


class IndexedField(msgspec.Struct, frozen=True):
    """A payload field that may be filtered by; no other may."""

    name: str
    kind: FieldKind
    tenant: bool = False
    """Whether points are kept apart by it (`is_tenant`)."""


_KEYWORDS = (
    *("namespace", "owner", "container", "node", "category", "reason", "fingerprint", "outcome"),
    *("labels", "kind", "record_id", "source"),
)
_INTEGERS = ("exit_code", "chunk", "reward_count", "reward_revision")
_DATETIMES = ("last_seen",)

INDEXED_FIELDS: tuple[IndexedField, ...] = (
    IndexedField("cluster", "keyword", tenant=True),
    *(IndexedField(name, "keyword") for name in _KEYWORDS),
    *(IndexedField(name, "integer") for name in _INTEGERS),
    *(IndexedField(name, "datetime") for name in _DATETIMES),
)
"""Made before any data, in both collections; the values of keywords can be counted."""

_KINDS = {field.name: field.kind for field in INDEXED_FIELDS}
_NO_NAME = re.compile(r"[^a-z0-9]+")


def slug(schema: Schema) -> str:
    """A name for the generation, fit for a folder and a collection, another for another schema.

    >>> slug(Schema(model="all-MiniLM-L6-v2", dimensions=384))
    'all-minilm-l6-v2-07db__384__v2'
    """
    readable = _NO_NAME.sub("-", schema.model.lower()).strip("-")[:48] or "model"
    # Two models may differ only in what a name cannot hold.
    digest = hashlib.sha256(schema.model.encode()).hexdigest()[:4]
    return f"{readable}-{digest}__{schema.dimensions}__v{schema.version}"


def within(limit: int, most: int) -> int:
    """The limit that is used: at least one, at most `most`."""
    return max(1, min(limit, most))


def canonical_id(id_: str) -> str:
    """The id as every store writes it; `InvalidRecordError` where it is not a UUID."""
    try:
        return str(uuid.UUID(id_))
    except (ValueError, AttributeError, TypeError) as error:
        raise InvalidRecordError(f"{id_!r} is not the id of a point: it must be a UUID") from error


def canonical_ids(ids: Sequence[str], *, most: int) -> list[str]:
    """The ids as every store writes them; `InvalidRecordError` where they are too many."""
    if len(ids) > most:
        raise InvalidRecordError(f"{len(ids)} ids at once, at most {most}")
    return [canonical_id(each) for each in ids]


def check_point(point: Point, *, dimensions: int) -> None:
    """Refuse what a store would keep without a word, or fail on in the middle of a batch.

    Raises `InvalidRecordError`, and `MemoryUnavailableError` (`DimensionMismatch`).
    """
    canonical_id(point.id)
    packed_dense(point.dense, dimensions=dimensions)
    check_sparse(point.sparse)
    packed_payload(point.payload)


def packed_dense(vector: Sequence[float], *, dimensions: int) -> bytes:
    """The vector as float32 in this machine's order, once it is known to be one."""
    if len(vector) != dimensions:
        raise MemoryUnavailableError(
            f"a vector of {len(vector)} dimensions for a memory of {dimensions}",
            reason="DimensionMismatch",
        )
    packed = array("f", vector)
    # A sum is as finite as its terms: float32 ones cannot overflow the double that adds them.
    if not math.isfinite(sum(packed)):
        raise InvalidRecordError("a vector holds a value that is not finite")
    return packed.tobytes()


def check_sparse(vector: SparseVector) -> None:
    """Refuse a sparse vector that is malformed."""
    if len(vector.indices) != len(vector.values):
        raise InvalidRecordError("a sparse vector needs as many values as token ids")
    if len(set(vector.indices)) != len(vector.indices):
        raise InvalidRecordError("a sparse vector names a token id twice")
    if vector.indices and not 0 <= min(vector.indices) <= max(vector.indices) < 2**32:
        raise InvalidRecordError("a sparse vector's token ids must fit 32 bits")
    if not math.isfinite(sum(array("f", vector.values))):
        raise InvalidRecordError("a sparse vector holds a value that is not finite")


def packed_payload(payload: Payload) -> bytes:
    """The payload as MessagePack, once it is known to be JSON of a sane size."""
    try:
        packed = msgspec.msgpack.encode(payload)
        # Not what msgspec knows besides JSON, such as moments and bytes; NaN neither.
        _check_json(payload)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidRecordError(f"a payload is not JSON: {error}") from error
    if len(packed) > MOST_PAYLOAD_BYTES:
        raise InvalidRecordError(
            f"a payload of {len(packed)} bytes, at most {MOST_PAYLOAD_BYTES} are kept"
        )
    return packed


def _check_json(value: object) -> None:
    match value:
        case None | str() | bool() | int():
            return
        case float():
            if not math.isfinite(value):
                raise ValueError("a number is not finite")
        case list():
            for item in value:
                _check_json(item)
        case dict():
            for key, item in value.items():
                if not isinstance(key, str):
                    raise TypeError(f"the key {key!r} is not a text")
                _check_json(item)
        case _:
            raise TypeError(f"{type(value).__name__} is no JSON type")


def check_filter(where: Filter) -> None:
    """Refuse a filter that a store would ignore in part, or that has no index to go by.

    Raises `InvalidFilterError`.
    """
    check(where)
    for condition in (*where.must, *where.must_not):
        kind = _KINDS.get(condition.field)
        if kind is None:
            raise InvalidFilterError(
                f"the memory has no index of {condition.field!r}, so it cannot be filtered by: "
                f"there are {', '.join(_KINDS)}"
            )
        if not _fits(condition, kind):
            raise InvalidFilterError(
                f"{type(condition).__name__} does not fit {condition.field!r}, which is a {kind}"
            )


def _fits(condition: OneOf | Range | TimeRange | Absent, kind: FieldKind) -> bool:
    match condition:
        case OneOf(values=values):
            wanted = {"keyword": str, "integer": int}.get(kind)
            return wanted is not None and all(isinstance(value, wanted) for value in values)
        case Range():
            return kind == "integer"
        case TimeRange():
            return kind == "datetime"
    return True


def check_facet(field: str) -> None:
    """Refuse a field whose values cannot be counted; `InvalidFilterError`."""
    if _KINDS.get(field) != "keyword":
        raise InvalidFilterError(f"the values of {field!r} cannot be counted: it is no keyword")
