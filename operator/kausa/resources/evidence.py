"""What a diagnosis rests on: numbered facts, what could not be read, and what has changed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from kausa.resources import limits
from kausa.resources.fields import Count, EvidenceId, Line, Text, Timestamp
from kausa.resources.part import Part

__all__ = ["Change", "Evidence", "EvidenceGap", "EvidenceKind", "EvidenceSource", "Redaction"]


class EvidenceKind(StrEnum):
    """Where a fact comes from."""

    STATUS = "Status"
    EVENT = "Event"
    LOG = "Log"
    SPEC = "Spec"
    OWNER = "Owner"
    CHANGE = "Change"
    REFERENCE = "Reference"
    NODE = "Node"
    VOLUME = "Volume"
    QUOTA = "Quota"
    QUESTION = "Question"
    OTHER = "Other"


class EvidenceSource(Part):
    """The object that a fact was read from."""

    kind: Annotated[str, Line(limits.KIND)]
    """The kind of the object, such as Pod."""

    name: Annotated[str, Line(limits.NAME)]
    """The name of the object."""

    field_path: Annotated[str, Line(limits.LINE)] | None = None
    """The field, or the container's log, that the fact was read from."""


class Evidence(Part):
    """One fact, redacted, with an id that the diagnosis cites."""

    id: EvidenceId
    """E1, E2 and so on; only valid within this resource."""

    kind: EvidenceKind
    """Where the fact comes from."""

    source: EvidenceSource | None = None
    """The object that the fact was read from."""

    time: Timestamp | None = None
    """When the fact came about, where that is known."""

    text: Annotated[str, Text(limits.EVIDENCE_TEXT)]
    """The fact itself, redacted and shortened."""


class EvidenceGap(Part):
    """Something that would have helped and could not be read."""

    what: Annotated[str, Line(limits.LINE)]
    """What is missing, such as the log of a container."""

    why: Annotated[str, Line(limits.PATH)]
    """Why it could not be read."""

    permission: Annotated[str, Line(limits.LINE)] | None = None
    """The permission to grant so that it can be read next time, such as get pods/log."""


class Change(Part):
    """A difference from the last revision that worked, or a thing that appeared or vanished."""

    path: Annotated[str, Line(limits.LINE)]
    """The field that differs, or the object such as ConfigMap/settings."""

    before: Annotated[str, Text(limits.CHANGE_VALUE)] | None = None
    """What it was; left out where it did not exist, or is not known any more."""

    after: Annotated[str, Text(limits.CHANGE_VALUE)] | None = None
    """What it is now; left out where it is gone, or too much to show."""

    time: Timestamp | None = None
    """When it was changed, where that is known."""


class Redaction(Part):
    """How many secrets of one kind were taken out of the evidence."""

    kind: Annotated[str, Field(max_length=limits.WORD, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._:-]*$")]
    """What kind of secret, such as a password or a token."""

    count: Count
    """How many were taken out."""
