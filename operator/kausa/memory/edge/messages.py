"""What the operator and its store worker say to each other, and how it is framed.

A frame is four bytes of length and one MessagePack value. Ids pair answers with requests, so an
answer that came too late is dropped instead of being taken for the next one. Vectors travel as
float32 in the machine's order and payloads as MessagePack of their own: so the operator can unpack
a large answer piece by piece, and its event loop waits for none.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from kausa.memory.errors import UnavailableReason
from kausa.memory.filters import Filter
from kausa.memory.store import Collection, Schema

__all__ = [
    "HEADER_BYTES",
    "MAX_FRAME_BYTES",
    "Activate",
    "Answer",
    "Backup",
    "Call",
    "Candidates",
    "Count",
    "Delete",
    "Drop",
    "Facet",
    "Failure",
    "FailureKind",
    "Flush",
    "Generations",
    "Get",
    "Inspect",
    "Make",
    "Open",
    "Own",
    "PackedCandidate",
    "PackedPage",
    "PackedPoint",
    "Request",
    "Restore",
    "Scroll",
    "SetPayload",
    "Trimmed",
    "Upsert",
    "body_length",
    "decode_answer",
    "decode_request",
    "encode",
]

HEADER_BYTES = 4
MAX_FRAME_BYTES = 64 * 2**20
"""500 points of 1024 dimensions with the longest payloads are 36 MiB."""


class PackedPoint(msgspec.Struct, frozen=True, array_like=True):
    """A point on its way: vectors as bytes, empty where they were not asked for."""

    id: str
    payload: msgspec.Raw
    dense: bytes = b""
    indices: bytes = b""
    values: bytes = b""


class PackedCandidate(msgspec.Struct, frozen=True, array_like=True):
    """A candidate on its way."""

    id: str
    payload: msgspec.Raw
    dense: float | None
    sparse: float | None


class PackedPage(msgspec.Struct, frozen=True):
    """A page on its way."""

    points: list[PackedPoint]
    after: str | None


class Own(msgspec.Struct, frozen=True, tag=True):
    """Take the folder; every other call comes after it."""

    most_points: int


class Open(msgspec.Struct, frozen=True, tag=True):
    """Compare the request's schema with the active generation's; make the first one."""


class Upsert(msgspec.Struct, frozen=True, tag=True):
    """Write points."""

    collection: Collection
    points: list[PackedPoint]


class Candidates(msgspec.Struct, frozen=True, tag=True):
    """Ask both lists."""

    collection: Collection
    where: Filter
    limit: int
    dense: bytes
    indices: bytes
    values: bytes
    exact: bool


class Get(msgspec.Struct, frozen=True, tag=True):
    """Read points by their ids."""

    collection: Collection
    ids: list[str]
    with_vectors: bool


class Scroll(msgspec.Struct, frozen=True, tag=True):
    """Read a page."""

    collection: Collection
    where: Filter
    limit: int
    after: str | None
    with_vectors: bool


class Count(msgspec.Struct, frozen=True, tag=True):
    """Count what matches."""

    collection: Collection
    where: Filter


class Facet(msgspec.Struct, frozen=True, tag=True):
    """Count the values of a field."""

    collection: Collection
    field: str
    where: Filter
    limit: int


class SetPayload(msgspec.Struct, frozen=True, tag=True):
    """Compare and set."""

    collection: Collection
    ids: list[str]
    values: dict[str, Any]
    expect: Filter | None


class Delete(msgspec.Struct, frozen=True, tag=True):
    """Forget by id and by filter."""

    collection: Collection
    ids: list[str]
    where: Filter | None


class Flush(msgspec.Struct, frozen=True, tag=True):
    """Bring everything to disk."""


class Generations(msgspec.Struct, frozen=True, tag=True):
    """List them."""


class Make(msgspec.Struct, frozen=True, tag=True):
    """Make the generation of this schema, unless it is there."""

    schema: Schema


class Activate(msgspec.Struct, frozen=True, tag=True):
    """Switch to the generation of this schema."""

    schema: Schema


class Drop(msgspec.Struct, frozen=True, tag=True):
    """Delete the generation of this schema."""

    schema: Schema


class Backup(msgspec.Struct, frozen=True, tag=True):
    """Flush, and copy the active generation there; the answer is a `Generation`."""

    target: str


class Restore(msgspec.Struct, frozen=True, tag=True):
    """Copy a generation from there, check it, and make it the active one."""

    source: str
    schema: Schema
    points: dict[str, int]


class Trimmed(msgspec.Struct, frozen=True, tag=True):
    """How many points were taken out, as too many, since this was asked last."""


class Inspect(msgspec.Struct, frozen=True, tag=True):
    """How the store does; the answer is a `Health`."""


Call = (
    Own
    | Open
    | Upsert
    | Candidates
    | Get
    | Scroll
    | Count
    | Facet
    | SetPayload
    | Delete
    | Flush
    | Generations
    | Make
    | Activate
    | Drop
    | Backup
    | Restore
    | Inspect
    | Trimmed
)


class Request(msgspec.Struct, frozen=True):
    """One call, its number, and the generation that it means.

    Every request says what it means, so a worker that was started again needs to be told nothing.
    """

    id: int
    call: Call
    schema: Schema | None = None
    beside: bool = False
    """False: the active generation, which must be of this schema. True: the one of this schema."""
    expires_at: float | None = None
    """When nobody waits for the answer any more, by the clock of `time.monotonic`, which counts
    from the machine's start and is the same for both processes."""


FailureKind = Literal["Unavailable", "Record", "Backup", "Refused"]


class Failure(msgspec.Struct, frozen=True):
    """An error of the memory's, as it crosses the pipe."""

    kind: FailureKind
    message: str
    reason: UnavailableReason | None = None


class Answer(msgspec.Struct, frozen=True):
    """The result, still packed, or what was wrong."""

    id: int
    result: msgspec.Raw = msgspec.Raw(b"\xc0")
    failure: Failure | None = None


_requests = msgspec.msgpack.Decoder(Request)
_answers = msgspec.msgpack.Decoder(Answer)
decode_request = _requests.decode
decode_answer = _answers.decode


def encode(message: Request | Answer) -> bytes:
    """One whole frame; ValueError if it is too long to send."""
    body = msgspec.msgpack.encode(message)
    if len(body) > MAX_FRAME_BYTES:
        raise ValueError(f"a message of {len(body)} bytes, at most {MAX_FRAME_BYTES} are sent")
    return len(body).to_bytes(HEADER_BYTES, "big") + body


def body_length(header: bytes) -> int:
    """The length that a header announces; ValueError if no honest peer would send it."""
    length = int.from_bytes(header, "big")
    if length > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {length} bytes was announced")
    return length
