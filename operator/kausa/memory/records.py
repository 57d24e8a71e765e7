"""What the memory keeps: failures and how they ended, rollouts, and passages of runbooks.

The API server is the truth of failures, and a record is a copy of a part of it: written, whole,
when its failure is diagnosed, looked at again or over, under an id made of its identity alone. So
writing is idempotent, and `kausa.memory.sync` writes again what was lost. A record outlives its
FailureDiagnosis, until retention takes it.

What is not known is None, never an empty text. Every text in a record has already been redacted;
nothing here looks at its content.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from msgspec import Meta

from kausa.memory.store import SCHEMA_VERSION

__all__ = [
    "PAYLOAD_VERSION",
    "FailureOutcome",
    "FailureRecord",
    "Happening",
    "Record",
    "RolloutOutcome",
    "RolloutRecord",
    "RunbookChunk",
    "Verdict",
    "clip",
    "runbook_id",
]

PAYLOAD_VERSION = 1
LONGEST_TEXT = 8192
LONGEST_LINE = 1024
MOST_LABELS = 16
MOST_CHANGES = 10
_NAMESPACE = uuid.UUID("6f1d4c0e-5a3b-5d0c-9d55-6b61757361aa")
# A separator that no Kubernetes name holds.
_SEPARATOR = "|"

FailureOutcome = Literal["Open", "Resolved", "Superseded", "Dismissed"]
RolloutOutcome = Literal["STARTED", "SUCCEEDED", "FAILED"]
Verdict = Literal["Helpful", "Partial", "Wrong"]

Name = Annotated[str, Meta(min_length=1, max_length=253)]
Line = Annotated[str, Meta(max_length=LONGEST_LINE)]
Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Instant = Annotated[datetime, Meta(tz=True)]
Lines = Annotated[tuple[Line, ...], Meta(max_length=MOST_CHANGES)]
Labels = Annotated[tuple[Annotated[str, Meta(max_length=512)], ...], Meta(max_length=MOST_LABELS)]
"""Each as `key=value`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRecord:
    """One failure of one owner. Equal identity means the same failure, seen again."""

    cluster: Name
    namespace: Name
    owner_kind: Name
    owner_name: Name
    container: Name | None = None
    """None where the failure is not a container's."""
    category: Name
    reason: Name
    """Kubernetes' own word. Not part of the identity: ErrImagePull and ImagePullBackOff take turns
    within one failure, and the fingerprint already holds the class of both."""
    fingerprint: Name
    exit_code: int | None = None
    image: Line | None = None
    node: Name | None = None
    labels: Labels = ()
    """Of the workload."""
    first_seen: Instant
    last_seen: Instant
    occurrences: Count
    cause: Line = ""
    """The diagnosis in one line; empty where none was reached."""
    outcome: FailureOutcome = "Open"
    resolved_at: Instant | None = None
    resolution: Line | None = None
    """How it was mended: what a person said, else what was changed, in a sentence."""
    changed: Lines = ()
    """What was changed between the failure and the recovery, one change each, in a form that is the
    same for the same change elsewhere: what worked is counted by it."""
    reference: Annotated[str, Meta(min_length=1, max_length=507)]
    """`namespace/name` of the FailureDiagnosis."""
    text: Text = ""
    """The decisive message and log lines."""
    verdict: Verdict | None = None
    """What a person said of the diagnosis: it is counted in the reward, once."""
    reward_sum: Annotated[float, Meta(ge=0)] = 0.0
    reward_count: Count = 0
    model: Name | None = None
    """Which model made its vectors; the writer sets it."""
    schema_version: int = SCHEMA_VERSION

    @property
    def record_id(self) -> str:
        """The record's id in every store: a UUID of its identity."""
        return _uuid(
            self.cluster, self.namespace, self.owner, self.container or "", self.fingerprint
        )

    @property
    def owner(self) -> str:
        """`Kind/name`, as filters and tables take it."""
        return f"{self.owner_kind}/{self.owner_name}"

    @property
    def headline(self) -> str:
        """What every passage of it begins with."""
        return f"{self.category} {self.reason}: {self.cause}".strip()

    @property
    def embedding_text(self) -> str:
        """What is embedded, for storing and for searching alike.

        The failure in words, most telling part first, because a model reads a few hundred tokens
        and no more. No owner, namespace or node: likeness is about what went wrong, not about whose
        it is.

        Measured with all-MiniLM-L6-v2 on 37 written failures of 16 kinds, how often the nearest is
        of the same kind: cause and text 21, with the reason before them 26, with the category and
        the reason 31 (splitting the CamelCase words: 30).
        """
        return f"{self.headline}\n{self.text}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutRecord:
    """One rollout of one workload: what was brought out, and whether it came up."""

    cluster: Name
    namespace: Name
    owner_kind: Name
    owner_name: Name
    revision: Name
    """What tells this rollout from others of the workload, also when an old template comes back."""
    outcome: RolloutOutcome
    reason: Name | None = None
    """Kubernetes' own word, where it failed."""
    images: Lines = ()
    labels: Labels = ()
    changed: Lines = ()
    """What differs from the revision before it, in the form of a failure's `changed`."""
    first_seen: Instant
    """When it began."""
    last_seen: Instant
    """When it ended; as long as it goes on, when it was last looked at."""
    duration_seconds: Annotated[float, Meta(ge=0)] | None = None
    """From the beginning to the end; None as long as it goes on."""
    reward_sum: Annotated[float, Meta(ge=0)] = 0.0
    reward_count: Count = 0
    model: Name | None = None
    schema_version: int = SCHEMA_VERSION

    @property
    def record_id(self) -> str:
        """A UUID of its identity: the outcome is not part of it, so it changes in its place."""
        return _uuid("rollout", self.cluster, self.namespace, self.owner, self.revision)

    @property
    def owner(self) -> str:
        """`Kind/name`."""
        return f"{self.owner_kind}/{self.owner_name}"

    @property
    def headline(self) -> str:
        """What every passage of it begins with."""
        how = {"STARTED": "began", "SUCCEEDED": "succeeded", "FAILED": "failed"}[self.outcome]
        why = f" ({self.reason})" if self.reason else ""
        return f"Rollout of {self.owner_kind} {self.owner_name} {how}{why}"

    @property
    def text(self) -> str:
        """What was changed, and what ran."""
        return "\n".join((*self.changed, *(f"image {each}" for each in self.images)))

    @property
    def embedding_text(self) -> str:
        """What is embedded: how it went, then what was changed."""
        return f"{self.headline}\n{self.text}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunbookChunk:
    """One passage of a runbook. All passages of one `source` are written and removed as a set."""

    cluster: Name
    namespace: Name | None = None
    """Of the Runbook; None for those that come with Kausa or from a folder."""
    name: Name
    source: Annotated[str, Meta(min_length=1, max_length=1024)]
    """Where it stands: `namespace/name` of the Runbook, `builtin:name`, or `file:path`."""
    title: Line
    headings: Annotated[tuple[Line, ...], Meta(max_length=8)] = ()
    """The way to the passage, from the top heading down."""
    text: Text = ""
    """The passage, without title and headings."""
    reasons: tuple[Name, ...] = ()
    categories: tuple[Name, ...] = ()
    message_pattern: Line | None = None
    labels: Labels = ()
    """All of which a failing workload must carry."""
    position: Count
    """Which passage of its source, from 0."""
    count: Annotated[int, Meta(ge=1)]
    """How many passages its source has."""
    digest: Name | None = None
    """Of all that the source says: the same digest needs no writing."""
    last_seen: Instant
    """When the source was last changed."""
    reward_sum: Annotated[float, Meta(ge=0)] = 0.0
    reward_count: Count = 0
    model: Name | None = None
    schema_version: int = SCHEMA_VERSION

    @property
    def record_id(self) -> str:
        """The id of its source: hits are grouped by it."""
        return runbook_id(cluster=self.cluster, source=self.source)

    @property
    def headline(self) -> str:
        """The title and the way to the passage."""
        # A title is often repeated as the first heading.
        way = [each for each in self.headings if each != self.title]
        return " > ".join((self.title, *way))

    @property
    def embedding_text(self) -> str:
        """What is embedded: what it is about, then what it says, then the words of `match`."""
        words = " ".join((*self.reasons, *self.categories))
        return "\n".join(each for each in (self.headline, self.text, words) if each)


Happening: TypeAlias = FailureRecord | RolloutRecord
"""What happened in the cluster, as against what is written about such things."""
Record: TypeAlias = Happening | RunbookChunk
AnyRecord = TypeVar("AnyRecord", bound=FailureRecord | RolloutRecord | RunbookChunk)

_LONGEST = {"cause": LONGEST_LINE, "resolution": LONGEST_LINE, "image": LONGEST_LINE}
_LONGEST |= {"title": LONGEST_LINE, "text": LONGEST_TEXT}
_MOMENTS = ("first_seen", "last_seen", "resolved_at")
_MOST = {"labels": MOST_LABELS, "changed": MOST_CHANGES, "images": MOST_CHANGES, "headings": 8}


def clip(record: AnyRecord) -> AnyRecord:
    """The record as it is kept: its free texts cut to what the payload allows and encodable as
    UTF-8, its moments in UTC.
    """
    changes: dict[str, Any] = {}
    for name, longest in _LONGEST.items():
        value = getattr(record, name, None)
        # The text of a rollout is computed.
        if isinstance(value, str) and name in record.__dataclass_fields__:
            changes[name] = _clipped(value, longest)
    for name, most in _MOST.items():
        values = getattr(record, name, None)
        if values:
            longest = 512 if name == "labels" else LONGEST_LINE
            changes[name] = tuple(_clipped(each, longest) for each in values[:most])
    for name in _MOMENTS:
        moment = getattr(record, name, None)
        if isinstance(moment, datetime) and moment.tzinfo is not None:
            changes[name] = moment.astimezone(UTC)
    return replace(record, **changes)


def runbook_id(*, cluster: str, source: str) -> str:
    """The record id that all passages of one source share."""
    return _uuid("runbook", cluster, source)


def _clipped(text: str, longest: int) -> str:
    return text[:longest].encode(errors="replace").decode()


def _uuid(*identity: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, _SEPARATOR.join(identity)))
