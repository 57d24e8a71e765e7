"""Between a Runbook and the memory: its passages, and what its status says; pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kausa.evidence.redaction import WITHHELD, RedactedText
from kausa.memory.chunking.markdown import RunbookSource, runbook_chunks
from kausa.memory.chunking.tokens import ChunkSize
from kausa.memory.records import RunbookChunk
from kausa.recall.runbook_match import pattern_problem
from kausa.resources import limits
from kausa.resources.condition import (
    INDEXED,
    Condition,
    ConditionStatus,
    find_condition,
    set_condition,
)
from kausa.resources.runbook import Runbook, RunbookMatch, RunbookStatus

__all__ = [
    "Prepared",
    "is_settled",
    "prepare",
    "secret_in",
    "source_of",
    "status_indexed",
    "status_refused",
]


# What stands in a pattern for any text.
_WILD: Final = re.compile(r"\\[A-Za-z]|\[[^\]]*\]|\.?[*+?]|[(){}|^$]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A Runbook as the memory takes it, or why it cannot be taken."""

    chunks: tuple[RunbookChunk, ...] = ()
    hidden: int = 0
    """How many secrets were taken out."""
    problem: tuple[str, str] | None = None
    """A word for the condition, and a sentence for a person. It stays until the spec changes."""


def source_of(*, namespace: str, name: str) -> str:
    """What the memory calls a Runbook."""
    return f"{namespace}/{name}"


def prepare(
    runbook: Runbook,
    *,
    cluster: str,
    redact: Callable[[str], RedactedText],
    now: datetime,
    size: ChunkSize | None = None,
) -> Prepared:
    """Redact a Runbook and cut it into passages."""
    spec, meta = runbook.spec, runbook.metadata
    match = spec.match
    pattern = match.message_pattern if match is not None else None
    if pattern is not None and (problem := pattern_problem(pattern)) is not None:
        return Prepared(problem=("InvalidPattern", problem))
    if (said := secret_in(match, redact=redact)) is not None:
        return Prepared(
            problem=(
                "SecretInMatch",
                f"What stands in match.{said} looks like a secret. It is compared and kept as it "
                "is, so the Runbook is not searched. Take the secret out of it.",
            )
        )
    title, content = redact(spec.title), redact(spec.content)
    if WITHHELD in (title.value, content.value):
        return Prepared(
            problem=(
                "Withheld",
                "It could not be made sure that the text holds no secret, so it is not searched. "
                "Take out what looks like one, or cut the text into several Runbooks.",
            )
        )
    if not content.value.strip():
        return Prepared(problem=("Empty", "The content is blank: there is nothing to search."))
    chunks = runbook_chunks(
        content.value,
        of=RunbookSource(
            cluster=cluster,
            namespace=meta.namespace,
            name=meta.name,
            source=source_of(namespace=meta.namespace or "", name=meta.name),
            title=title.value,
            changed_at=now,
            reasons=match.reasons if match else (),
            categories=tuple(str(each) for each in match.categories) if match else (),
            message_pattern=pattern,
            labels=tuple(f"{each.key}={each.value}" for each in match.labels) if match else (),
        ),
        size=size,
    )
    hidden = sum(title.counts.values()) + sum(content.counts.values())
    return Prepared(chunks=chunks, hidden=hidden)


def secret_in(match: RunbookMatch | None, *, redact: Callable[[str], RedactedText]) -> str | None:
    """Which part of a match would be kept otherwise than it is written; None where none would."""
    if match is None:
        return None
    parts = {
        "reasons": match.reasons,
        # `token: \S+` looks for a secret and has none.
        "messagePattern": (_WILD.sub(" ", match.message_pattern or ""),),
        "labels": tuple(f"{each.key}={each.value}" for each in match.labels),
    }
    for name, texts in parts.items():
        if any(redact(each).value != each for each in texts):
            return name
    return None


def is_settled(runbook: Runbook) -> bool:
    """Whether its status already says that what stands there now is indexed."""
    status = runbook.status
    if status is None or status.observed_generation != runbook.metadata.generation:
        return False
    condition = find_condition(status.conditions or (), INDEXED)
    return condition is not None and condition.status is ConditionStatus.TRUE


def status_indexed(
    runbook: Runbook, prepared: Prepared, *, wrote: bool, now: datetime
) -> RunbookStatus:
    """The passages are in the memory. Its time moves only where they were written just now."""
    before = runbook.status.indexed_time if runbook.status is not None else None
    count = len(prepared.chunks)
    message = f"{count} {'passages are' if count > 1 else 'passage is'} searched."
    if prepared.hidden:
        message += f" {prepared.hidden} secret{'s' if prepared.hidden > 1 else ''} left out."
    return RunbookStatus(
        observed_generation=runbook.metadata.generation,
        conditions=_condition(
            runbook, ConditionStatus.TRUE, reason="Indexed", message=message, now=now
        ),
        indexed_time=now.replace(microsecond=0) if wrote or before is None else before,
        chunks=count,
    )


def status_refused(runbook: Runbook, *, reason: str, message: str, now: datetime) -> RunbookStatus:
    """It is not indexed as it stands there, and why.

    What was indexed before is still said, as long as it is still found: while the memory is away
    nobody knows otherwise.
    """
    before = runbook.status
    return RunbookStatus(
        observed_generation=runbook.metadata.generation,
        conditions=_condition(
            runbook, ConditionStatus.FALSE, reason=reason, message=message, now=now
        ),
        indexed_time=before.indexed_time if before is not None else None,
        chunks=before.chunks if before is not None else None,
    )


def _condition(
    runbook: Runbook, status: ConditionStatus, *, reason: str, message: str, now: datetime
) -> tuple[Condition, ...]:
    return set_condition(
        (runbook.status.conditions if runbook.status is not None else None) or (),
        type=INDEXED,
        status=status,
        reason=reason,
        message=message[: limits.CONDITION_MESSAGE],
        now=now,
        observed_generation=runbook.metadata.generation,
    )
