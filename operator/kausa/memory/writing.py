"""What writing a record comes to: nothing, a few fields, or new vectors; pure.

A failure that goes on is written again and again with nothing new but its counts. Only a text that
reads otherwise is embedded anew; else the fields that differ are written over, and rewards, which
others count at the same time, are not touched at all. A copy of the resource that is older than
what is kept changes nothing but a verdict.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from kausa.memory.chunking.tokens import ChunkSize
from kausa.memory.errors import InvalidRecordError
from kausa.memory.points import (
    TAKEN_BACK,
    Passage,
    collection_of,
    from_payload,
    passages,
    payload_of,
    point_ids,
    value_of,
)
from kausa.memory.records import (
    FailureRecord,
    Happening,
    Record,
    RolloutRecord,
    RunbookChunk,
    clip,
)
from kausa.memory.rewards import Reward, with_verdict
from kausa.memory.store import Collection, Payload

__all__ = ["REWARD_FIELDS", "Writing", "head_id", "merged", "plan", "reward_of"]

REWARD_FIELDS = ("reward_sum", "reward_count", "verdict", "reward_revision")
_OF_ONE_PASSAGE = frozenset({"chunk", "chunks", "passage", "digest"})
_KNOWN_TO_WHO_SAW_IT = ("category", "image", "node", "labels", "text")
"""What a FailureDiagnosis does not tell, or tells in short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What is to be done for one record."""

    record: Record
    collection: Collection
    ids: tuple[str, ...]
    """Of all its points, as they will be."""
    to_embed: tuple[Passage, ...] = ()
    """New points; empty where the vectors stay."""
    stale: tuple[str, ...] = ()
    """Points that are no more."""
    values: Payload | None = None
    """Fields to write over on all its points."""
    verdict: bool = False
    """Whether its verdict is not the one that is counted."""

    @property
    def is_nothing(self) -> bool:
        """Whether the store holds all of it already."""
        return not (self.to_embed or self.stale or self.values or self.verdict)


def head_id(record: Record) -> str:
    """The point that is read to know what the store holds of a record."""
    if isinstance(record, RunbookChunk):
        return passages(record)[0].id
    return point_ids(record.record_id, 1)[0]


def plan(
    record: Record,
    *,
    stored: Mapping[str, Any] | None,
    model: str,
    size: ChunkSize,
    copied: bool = False,
    anew: bool = False,
) -> Writing:
    """Compare a record with the payload of its first point, where there is one.

    `copied` records were made of the resource alone, and leave standing what only those knew who
    saw it fail. `anew` embeds and writes also what is there as it is.

    Raises:
        InvalidRecordError: the record is malformed.
    """
    record = clip(record)
    if isinstance(record, FailureRecord | RolloutRecord) and stored is not None:
        record = _completed(record, stored, copied=copied)
    record = _with_model(record, model)
    counted = reward_of(stored) if stored is not None else Reward()
    verdict = record.verdict if isinstance(record, FailureRecord) else None
    if stored is None:
        counted = with_verdict(_own(record), verdict)
    kept = replace(record, reward_sum=counted.sum, reward_count=counted.count)
    if isinstance(kept, FailureRecord):
        kept = replace(kept, verdict=counted.verdict)
    made = passages(kept, size=size)
    digest = _digest(made) if not isinstance(kept, RunbookChunk) else kept.digest
    ids = tuple(each.id for each in made)
    common: dict[str, Any] = {
        "record": record,
        "collection": collection_of(record),
        "ids": ids,
        "verdict": stored is not None and verdict != counted.verdict,
    }
    if stored is None or anew or not _same_vectors(stored, digest=digest, model=model):
        chunks = 0 if stored is None or isinstance(record, RunbookChunk) else stored.get("chunks")
        before = point_ids(record.record_id, chunks if isinstance(chunks, int) else 0)
        # Whoever counts a reward at this moment finds that it was changed, and reads it again.
        revision = {"reward_revision": counted.revision + 1} if stored is not None else {}
        beside = revision | ({"digest": digest} if digest else {})
        payloads = [each.payload | beside for each in made]
        return Writing(
            to_embed=tuple(
                replace(each, payload=payload) for each, payload in zip(made, payloads, strict=True)
            ),
            stale=tuple(each for each in before if each not in ids),
            **common,
        )
    return Writing(values=_differing(made[0].payload, stored) or None, **common)


def merged(before: Happening, after: Happening, *, copied: bool) -> Happening:
    """What two records of one identity come to that are written at once; `copied` is the second.

    The later one, with what it leaves standing of the earlier one.
    """
    try:
        stored = payload_of(clip(before))
    except InvalidRecordError:
        return after
    return _completed(after, stored, copied=copied)


def reward_of(payload: Mapping[str, Any]) -> Reward:
    """What a payload says of rewards, whatever wrote it."""
    total, count, verdict, revision = (payload.get(name) for name in REWARD_FIELDS)
    return Reward(
        sum=float(total) if isinstance(total, int | float) else 0.0,
        count=count if isinstance(count, int) else 0,
        verdict=verdict if verdict in ("Helpful", "Partial", "Wrong") else None,
        revision=revision if isinstance(revision, int) else 0,
    )


def _own(record: Record) -> Reward:
    """What the record brings along: it was moved here from elsewhere."""
    verdict = record.verdict if isinstance(record, FailureRecord) else None
    counted = verdict is not None and record.reward_count > 0
    return Reward(
        sum=record.reward_sum, count=record.reward_count, verdict=verdict if counted else None
    )


def _with_model(record: Record, model: str) -> Record:
    return replace(record, model=model)


def _completed(record: Happening, stored: Mapping[str, Any], *, copied: bool) -> Happening:
    """The record with what the stored one knows and it does not."""
    if isinstance(record, RolloutRecord):
        # What was changed is read when a rollout begins; who has just started does not know it.
        changed = record.changed or tuple(value_of(stored, "changed") or ())
        return replace(record, changed=changed)
    if copied and _is_older(record, stored):
        kept = _kept(record, stored)
        if kept is not None:
            return kept
    return _with_known(record, stored, copied=copied)


def _is_older(record: FailureRecord, stored: Mapping[str, Any]) -> bool:
    """Whether the stored one tells of something later."""
    moments = [record.last_seen, record.resolved_at or record.last_seen]
    kept = [_moment(stored, "last_seen"), _moment(stored, "resolved_at")]
    latest = max((each for each in kept if each is not None), default=None)
    if latest is None:
        return False
    if max(moments) != latest:
        return max(moments) < latest
    if record.outcome != "Open":
        return False
    occurrences = stored.get("occurrences")
    counted = occurrences if isinstance(occurrences, int) else 0
    return stored.get("outcome") == "Resolved" or record.occurrences < counted


def _kept(record: FailureRecord, stored: Mapping[str, Any]) -> FailureRecord | None:
    """The stored one, with the verdict; None where it cannot be read.

    That its resource is gone is told by its last words, however old they are.
    """
    try:
        kept = from_payload(stored)
    except InvalidRecordError:
        return None
    if not isinstance(kept, FailureRecord):
        return None
    gone = record.outcome in ("Superseded", "Dismissed") and kept.outcome == "Open"
    outcome = record.outcome if gone else kept.outcome
    return replace(kept, verdict=record.verdict, outcome=outcome)


def _moment(stored: Mapping[str, Any], name: str) -> datetime | None:
    value = value_of(stored, name)
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _with_known(record: FailureRecord, stored: Mapping[str, Any], *, copied: bool) -> FailureRecord:
    last_seen = _moment(stored, "last_seen")
    if copied and last_seen is not None and record.last_seen < last_seen:
        # It was over later than what is kept, and seen more often than the copy knows.
        occurrences = stored.get("occurrences")
        counted = occurrences if isinstance(occurrences, int) else 0
        record = replace(record, last_seen=last_seen, occurrences=max(record.occurrences, counted))
    same = copied and stored.get("cause", "") == record.cause
    if record.outcome == stored.get("outcome") == "Resolved" and not record.resolution:
        # What mended it was read when it recovered; later nobody can tell any more.
        record = replace(
            record,
            resolution=value_of(stored, "resolution"),
            changed=record.changed or tuple(stored.get("changed") or ()),
        )
    known: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name in _KNOWN_TO_WHO_SAW_IT
        if (value := stored.get(name)) and (same or not getattr(record, name))
    }
    return clip(replace(record, **known)) if known else record


def _digest(made: Sequence[Passage]) -> str:
    words = "\0".join(each.text for each in made)
    return hashlib.blake2b(words.encode(errors="replace"), digest_size=16).hexdigest()


def _same_vectors(stored: Mapping[str, Any], *, digest: str | None, model: str) -> bool:
    return digest is not None and (stored.get("digest"), stored.get("model")) == (digest, model)


def _differing(payload: Payload, stored: Mapping[str, Any]) -> Payload:
    """What to write over; what is not there any more is taken back."""
    # What a later release has added is not ours to take away.
    ours = {*payload, *(each.name for each in fields(FailureRecord))}
    names = ours - _OF_ONE_PASSAGE - set(REWARD_FIELDS)
    return {
        name: payload.get(name, TAKEN_BACK)
        for name in sorted(names)
        if payload.get(name) != value_of(stored, name)
    }
