"""What recall answers: a record, the passage that was found, and why it stands where it stands."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from kausa.memory.records import FailureRecord, Record, RunbookChunk
from kausa.recall.ranking import ScoreParts

__all__ = ["Answer", "Scored", "spoken_time"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One result."""

    record: Record
    record_id: str
    passage: str
    """The text that was found; of several passages of one record the best."""
    score: ScoreParts
    seen: str
    """When it was last seen, as a person reads it."""

    @property
    def title(self) -> str:
        """What it is, in one line."""
        return self.record.headline

    @property
    def source(self) -> str:
        """Where it stands: the FailureDiagnosis, the workload that was rolled out, the runbook."""
        if isinstance(self.record, FailureRecord):
            return self.record.reference
        if isinstance(self.record, RunbookChunk):
            return self.record.source
        return f"{self.record.namespace}/{self.record.owner}"

    def to_builtins(self) -> dict[str, Any]:
        """All of it as JSON types: the whole record, and every part of the score."""
        return {
            "title": self.title,
            "source": self.source,
            "seen": self.seen,
            "passage": self.passage,
            "score": asdict(self.score),
            "record_id": self.record_id,
            "record": msgspec.to_builtins(self.record),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one search found, best first, and what a reader should know of how it was found."""

    results: tuple[Scored, ...] = ()
    notes: tuple[str, ...] = ()
    """Such as that nothing was read a second time, and why. In sentences."""
    reranked: int = 0
    """How many passages were read a second time."""
    unread: int = 0
    """How many should have been, and were left for behind the answer: the next time they are known.
    """
    weak: int = 0
    """How many records were found, and fit too little to be answered."""


_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"))


def spoken_time(when: datetime, *, now: datetime) -> str:
    """`2026-11-21 18:03 UTC (2 hours ago)`."""
    written = f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    seconds = (now - when).total_seconds()
    if seconds < 0:
        return written
    for size, unit in _UNITS:
        count = int(seconds // size)
        if count:
            return f"{written} ({count} {unit}{'s' if count > 1 else ''} ago)"
    return f"{written} (just now)"
