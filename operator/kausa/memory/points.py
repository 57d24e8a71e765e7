"""Records as points: one a passage, each with the whole payload of its record.

So every filter works on every point, and hits are grouped by `record_id`. Beside the record's own
fields (what is None or empty is left out) a payload has

    version      of the payload
    kind         failure, rollout or runbook
    record_id    the record; the id of the point is made of it and of `chunk`
    chunk        which passage of it, from 0; `chunks` of them
    passage      the text that was embedded: what a reranker reads and a person is shown
    owner        Kind/name (failures and rollouts)
    owner_name   the name alone, for who does not know the kind

`outcome` and `last_seen` stand under the same keys whatever the kind.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, TypeAlias

import msgspec

from kausa.memory.chunking.logs import log_passages
from kausa.memory.chunking.tokens import ChunkSize
from kausa.memory.errors import InvalidRecordError
from kausa.memory.records import (
    PAYLOAD_VERSION,
    FailureRecord,
    Record,
    RolloutRecord,
    RunbookChunk,
    clip,
)
from kausa.memory.store import Collection, Payload

__all__ = [
    "TAKEN_BACK",
    "Kind",
    "Passage",
    "collection_of",
    "from_payload",
    "passages",
    "payload_of",
    "point_id",
    "point_ids",
    "value_of",
]

Kind: TypeAlias = Literal["failure", "rollout", "runbook"]
_TYPES: Final[Mapping[str, type[FailureRecord] | type[RolloutRecord] | type[RunbookChunk]]] = {
    "failure": FailureRecord,
    "rollout": RolloutRecord,
    "runbook": RunbookChunk,
}
_KINDS: Final[Mapping[type[Any], Kind]] = {
    FailureRecord: "failure",
    RolloutRecord: "rollout",
    RunbookChunk: "runbook",
}
_FIELDS: Final = {kind: tuple(each.name for each in fields(of)) for kind, of in _TYPES.items()}
TAKEN_BACK: Final[list[str]] = []
"""Written over a field that is to be there no more. To every filter it is absent; null is not
written, because stores differ in whether they keep it."""
_LISTS: Final = frozenset({"labels", "changed", "images", "headings", "reasons", "categories"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One point to be: what is embedded, and what is kept beside it."""

    id: str
    text: str
    payload: Payload


def collection_of(record: Record) -> Collection:
    """Where records of this kind are kept."""
    return "runbooks" if isinstance(record, RunbookChunk) else "failures"


def point_id(record_id: str, chunk: int) -> str:
    """The id of one passage; the same record and chunk are always the same point."""
    return str(uuid.uuid5(uuid.UUID(record_id), str(chunk)))


def point_ids(record_id: str, chunks: int) -> tuple[str, ...]:
    """The ids of the first so many passages of a record."""
    return tuple(point_id(record_id, each) for each in range(chunks))


def passages(record: Record, *, size: ChunkSize | None = None) -> tuple[Passage, ...]:
    """All passages of a record, each beginning with what it is about.

    Raises:
        InvalidRecordError: the record does not have the shape that its version promises.
    """
    record = clip(record)
    base = payload_of(record)
    if isinstance(record, RunbookChunk):
        texts: Sequence[str] = (record.embedding_text,)
        first, chunks = record.position, record.count
    else:
        texts = log_passages(record.text, headline=record.headline, size=size or ChunkSize())
        first, chunks = 0, len(texts)
    return tuple(
        Passage(
            id=point_id(record.record_id, number),
            text=text,
            payload={**base, "chunk": number, "chunks": chunks, "passage": text},
        )
        for number, text in enumerate(texts, start=first)
    )


def value_of(payload: Mapping[str, Any], name: str) -> Any:
    """A field of a payload; None where it is not there, or was taken back."""
    value = payload.get(name)
    return None if value == TAKEN_BACK else value


def payload_of(record: Record) -> Payload:
    """The part of the payload that all points of a record share: JSON types only, validated.

    Raises:
        InvalidRecordError: the record does not have the shape that its version promises.
    """
    kind = _KINDS[type(record)]
    try:
        whole: dict[str, Any] = msgspec.to_builtins(record)
        msgspec.convert(whole, type(record))
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        raise InvalidRecordError(f"a {kind} record is malformed: {error}") from error
    payload: Payload = {
        name: list(value) if name in _LISTS else value
        for name, value in whole.items()
        if value is not None and value != "" and (name not in _LISTS or value)
    }
    if not isinstance(record, RunbookChunk):
        payload |= {"owner": record.owner}
    return payload | {"version": PAYLOAD_VERSION, "kind": kind, "record_id": record.record_id}


def from_payload(payload: Mapping[str, Any]) -> Record:
    """Read a record back, from any of its points.

    Raises:
        InvalidRecordError: it is not a record, or of another version.
    """
    version, kind = payload.get("version"), payload.get("kind")
    if version != PAYLOAD_VERSION:
        raise InvalidRecordError(
            f"a record has payload version {version!r}, this Kausa reads {PAYLOAD_VERSION}"
        )
    if not isinstance(kind, str) or kind not in _TYPES:
        raise InvalidRecordError(f"a record is of the unknown kind {kind!r}")
    known = {
        name: value for name in _FIELDS[kind] if (value := value_of(payload, name)) is not None
    }
    try:
        return msgspec.convert(known, _TYPES[kind])
    except (msgspec.ValidationError, ValueError) as error:
        raise InvalidRecordError(f"a {kind} record is malformed: {error}") from error
