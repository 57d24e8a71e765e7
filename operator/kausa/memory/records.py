"""A failure as the memory keeps it: what it was, what was found, how it ended.

The API server is the truth and this is a copy of a part of it: a record is written, whole, when its
failure is diagnosed or looked at again, under an id made of its identity alone. So writing is
idempotent. Nothing rebuilds a lost memory yet, and a record outlives its FailureDiagnosis: only the
oldest ones go, where there are too many.

Every text in a record has already been redacted; nothing here looks at its content.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from kausa.memory.errors import InvalidRecordError

__all__ = ["PAYLOAD_VERSION", "FailureRecord", "clip", "from_payload", "to_payload"]

PAYLOAD_VERSION = 1
_NAMESPACE = uuid.UUID("6f1d4c0e-5a3b-5d0c-9d55-6b61757361aa")
# A separator that no Kubernetes name holds.
_SEPARATOR = "|"

Name = Annotated[str, Meta(max_length=253)]
Line = Annotated[str, Meta(max_length=1024)]
Text = Annotated[str, Meta(max_length=4096)]
Count = Annotated[int, Meta(ge=1, le=2**53)]
Instant = Annotated[datetime, Meta(tz=True)]
_LONGEST = {"image": 1024, "cause": 1024, "resolution": 1024, "text": 4096}


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRecord:
    """One failure of one owner. Equal identity means the same failure, seen again."""

    cluster: Name
    namespace: Name
    owner_kind: Name
    owner_name: Name
    container: Name
    """Empty where the failure is not a container's."""
    category: Name
    reason: Name
    """Kubernetes' own word. Not part of the identity: ErrImagePull and ImagePullBackOff take turns
    within one failure, and the fingerprint already holds the class of both."""
    fingerprint: Name
    exit_code: int | None
    image: Line
    node: Name
    first_seen: Instant
    last_seen: Instant
    occurrences: Count
    cause: Line
    outcome: Name = "Open"
    resolution: Line = ""
    reference: Name
    """`namespace/name` of the FailureDiagnosis."""
    text: Text
    """The decisive message or log lines."""

    @property
    def point_id(self) -> str:
        """The record's id in every store: a UUID of its identity."""
        owner = f"{self.owner_kind}/{self.owner_name}"
        identity = (self.cluster, self.namespace, owner, self.container, self.fingerprint)
        return str(uuid.uuid5(_NAMESPACE, _SEPARATOR.join(identity)))

    @property
    def embedding_text(self) -> str:
        """What is embedded, for storing and for searching alike.

        The failure in words, most telling part first, because the model reads 256 tokens and no
        more. No owner, namespace or node: likeness is about what went wrong, not about whose it is.

        Measured with all-MiniLM-L6-v2 on 37 written failures of 16 kinds, how often the nearest is
        of the same kind: cause and text 21, with the reason before them 26, with the category and
        the reason 31 (splitting the CamelCase words: 30).
        """
        return f"{self.category} {self.reason}: {self.cause}\n{self.text}".strip()


def clip(record: FailureRecord) -> FailureRecord:
    """The record with its free texts cut to what the payload allows, and encodable as UTF-8."""
    return replace(
        record,
        **{
            name: getattr(record, name)[:longest].encode(errors="replace").decode()
            for name, longest in _LONGEST.items()
        },
    )


def to_payload(record: FailureRecord) -> dict[str, Any]:
    """The record as a store keeps it: JSON types only, validated before it leaves."""
    payload: dict[str, Any] = msgspec.to_builtins(clip(record))
    payload["version"] = PAYLOAD_VERSION
    from_payload(payload)
    return payload


def from_payload(payload: Mapping[str, Any]) -> FailureRecord:
    """Read a record back, or say what is wrong with it."""
    version = payload.get("version")
    if version != PAYLOAD_VERSION:
        raise InvalidRecordError(
            f"a record has payload version {version!r}, this Kausa reads {PAYLOAD_VERSION}"
        )
    known = {name: payload[name] for name in _FIELDS if name in payload}
    try:
        return msgspec.convert(known, FailureRecord)
    except (msgspec.ValidationError, ValueError) as error:
        raise InvalidRecordError(f"a failure record is malformed: {error}") from error


_FIELDS = tuple(field.name for field in fields(FailureRecord))
