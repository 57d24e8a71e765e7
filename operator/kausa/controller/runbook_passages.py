"""What runbooks say of a failure, as `status.runbooks` shows it.

Recall orders by likeness. Whether a Runbook's author excludes this failure (another label, another
message) is only known here, where the whole failure is, so more are asked for than are shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kausa.memory.records import FailureRecord, RunbookChunk
from kausa.recall.results import Scored
from kausa.recall.runbook_library import BUILTIN, is_runbook
from kausa.recall.runbook_match import Failing, Match, agreement
from kausa.resources.recollection import RunbookPassage

__all__ = ["MOST_SHOWN", "failing_of", "runbook_passages"]

MOST_SHOWN: Final = 3
LEAST_RELEVANCE: Final = 0.35
"""Of what people wrote for their cluster."""
LEAST_OF_OURS: Final = 0.5
FARTHEST_OF_OURS: Final = 0.12
"""Behind the best. Of what comes with every Kausa, a wrong hint costs more than none.

Measured on 26 recorded failures with the int8 MiniLM, without a second reading: the right one of 70
is the first of 25, with a relevance of 0.57 to 0.88 (the one that is wrong has 0.54); the next of
each failure, mostly about a neighbour of it, follows 0.15 behind in the middle.
"""


def failing_of(record: FailureRecord) -> Failing:
    """What a Runbook's `match` is held against."""
    return Failing(
        reasons=(record.reason,),
        categories=(record.category,),
        message=f"{record.cause}\n{record.text}",
        labels=record.labels,
    )


def runbook_passages(
    results: Iterable[Scored], *, failing: Failing, most: int = MOST_SHOWN
) -> tuple[RunbookPassage, ...]:
    """The best of these that are relevant, and that their authors do not exclude."""
    found = [
        (each.record, each)
        for each in results
        if isinstance(each.record, RunbookChunk) and is_runbook(each.record.source)
    ]
    best = max((each.score.relevance for _, each in found), default=0.0)
    least_of_ours = max(LEAST_OF_OURS, best - FARTHEST_OF_OURS)
    shown: list[RunbookPassage] = []
    for chunk, each in found:
        least = least_of_ours if chunk.source.startswith(BUILTIN) else LEAST_RELEVANCE
        match = Match.of_chunk(chunk)
        excluded = match.strict and agreement(match, failing) == 0
        if excluded or each.score.relevance < least:
            continue
        shown.append(_passage(chunk, each))
        if len(shown) == most:
            break
    return tuple(shown)


def _passage(chunk: RunbookChunk, found: Scored) -> RunbookPassage:
    # Titles are often repeated as the first heading.
    way = " > ".join(each for each in chunk.headings if each != chunk.title)
    return RunbookPassage(
        title=chunk.title,
        passage=f"{way}: {chunk.text}" if way else chunk.text,
        source=chunk.source,
        score=max(0, min(100, round(found.score.relevance * 100))),
    )
