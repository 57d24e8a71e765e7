"""What the operator and its store worker say to each other, and how it is framed.

A frame is four bytes of length and one MessagePack value. Ids pair answers with requests, so an
answer that came too late is dropped instead of being taken for the next one.
"""

from __future__ import annotations

from typing import Any

import msgspec

from kausa.memory.errors import UnavailableReason
from kausa.memory.store import RecordFilter

__all__ = [
    "HEADER_BYTES",
    "MAX_FRAME_BYTES",
    "Answer",
    "Call",
    "Count",
    "Delete",
    "Flush",
    "Get",
    "Open",
    "Request",
    "Search",
    "Upsert",
    "body_length",
    "decode_answer",
    "decode_request",
    "encode",
]

HEADER_BYTES = 4
MAX_FRAME_BYTES = 64 * 2**20
"""500 points of 1024 dimensions with the longest payloads are about 10 MiB."""


class Open(msgspec.Struct, frozen=True, tag=True):
    """Make the store ready; every other call comes after it."""

    model: str
    dimensions: int
    most_records: int


class Upsert(msgspec.Struct, frozen=True, tag=True):
    """Write points: id, vector, payload."""

    points: list[tuple[str, list[float], dict[str, Any]]]


class Search(msgspec.Struct, frozen=True, tag=True):
    """Find the nearest; the answer is a list of (score, payload)."""

    vector: list[float]
    where: RecordFilter
    limit: int
    minimum_score: float


class Get(msgspec.Struct, frozen=True, tag=True):
    """Read one payload, or None."""

    point_id: str


class Count(msgspec.Struct, frozen=True, tag=True):
    """Count what matches."""

    where: RecordFilter | None


class Delete(msgspec.Struct, frozen=True, tag=True):
    """Forget by id and by filter."""

    ids: list[str]
    where: RecordFilter | None


class Flush(msgspec.Struct, frozen=True, tag=True):
    """Bring everything to disk."""


Call = Open | Upsert | Search | Get | Count | Delete | Flush


class Request(msgspec.Struct, frozen=True):
    """One call and its number."""

    id: int
    call: Call


class Answer(msgspec.Struct, frozen=True):
    """The result, or the reason and message of a `MemoryUnavailableError`."""

    id: int
    result: Any = None
    reason: UnavailableReason | None = None
    message: str = ""


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
