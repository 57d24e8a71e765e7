"""What mended failures like this one, and how often.

Only failures that were resolved and rollouts that succeeded are offered. They are the same fix
where the same was changed; how often it was tried counts the others too that changed it and did
not get well: rollouts that failed, and failures that are open after it (they came back). What was
replaced or dismissed before anybody saw its end proves nothing. A fix is ranked like all else: by
how alike its failure is, and by its reward, which here is how often it worked, with the same prior,
so that one success of one try proves little.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from kausa.memory.records import FailureRecord, RolloutRecord
from kausa.recall.fusion import FusionWeights, Signals
from kausa.recall.ranking import Rankable, Ranked, Ranking, ScoreParts, rank
from kausa.recall.requests import MOST_RESULTS, RecallFilters, SearchRequest
from kausa.recall.results import Scored, spoken_time
from kausa.recall.together import together

if TYPE_CHECKING:
    from kausa.recall.recall import Recall

__all__ = ["Suggestion", "Suggestions", "collect", "suggest_fix"]

MOST_EXAMPLES = 3
LEAST_LIKENESS = 0.5
"""The cosine below which a failure is another kind of failure (measured in `similar.py`)."""
_WORKED = frozenset({"Resolved", "SUCCEEDED"})
_DID_NOT_WORK = frozenset({"FAILED", "Open"})
_SPACE = re.compile(r"\s+")
_AS_IT_IS = FusionWeights(dense=1.0, sparse=0.0, rerank=0.0, agreement=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One fix."""

    changes: tuple[str, ...]
    """What was changed, one each; where only words are known, those."""
    resolution: str
    """In a sentence, as it was written of the one that is most alike; may be empty."""
    worked: int
    """After how many of the tries the failure was over, or the rollout came up."""
    tried: int
    sources: tuple[str, ...]
    """Of the failures that it mended, most alike first: `namespace/name`."""
    last: str
    """When it last worked, as a person reads it."""
    score: ScoreParts


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    """Best first; empty where nothing that is like it was ever mended."""

    suggestions: tuple[Suggestion, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Fix:
    """All tries of one change."""

    worked: list[Scored] = field(default_factory=list)
    failed: int = 0


async def suggest_fix(
    recall: Recall,
    asked: FailureRecord | SearchRequest,
    *,
    limit: int,
    deadline_seconds: float,
) -> Suggestions:
    """See `Recall.suggest_fix`."""
    request = _request(recall, asked)
    ranking = request.ranking
    every, mended, rollouts = await together(
        (
            recall.failures(request, deadline_seconds=deadline_seconds),
            recall.failures(
                _with_outcomes(request, ("Resolved",)), deadline_seconds=deadline_seconds
            ),
            recall.rollouts(
                _with_outcomes(request, ("SUCCEEDED", "FAILED"), owners=_owners_of(asked)),
                deadline_seconds=deadline_seconds,
            ),
        )
    )
    found = {
        each.record_id: each for answer in (every, mended, rollouts) for each in answer.results
    }
    alike = [each for each in found.values() if _is_alike(each, asked, ranking)]
    notes = dict.fromkeys((*every.notes, *mended.notes))
    if any(len(each.results) >= MOST_RESULTS for each in (every, mended, rollouts)):
        notes |= {f"Tries are counted of the {MOST_RESULTS} most alike; there may be more.": None}
    return Suggestions(
        suggestions=collect(alike, ranking=ranking, now=recall.now(), limit=limit),
        notes=tuple(notes),
    )


def collect(
    found: Iterable[Scored], *, ranking: Ranking, now: datetime, limit: int
) -> tuple[Suggestion, ...]:
    """The fixes in these records, each once, best first; pure."""
    fixes: dict[tuple[str, ...], _Fix] = {}
    for each in sorted(found, key=lambda s: (-s.score.relevance, s.record_id)):
        if not isinstance(each.record, FailureRecord | RolloutRecord):
            continue
        key = _what_was_changed(each.record)
        if not key:
            continue
        fix = fixes.setdefault(key, _Fix())
        if each.record.outcome in _WORKED:
            fix.worked.append(each)
        elif each.record.outcome in _DID_NOT_WORK:
            fix.failed += 1
    worked = {
        f"{number:06}": (key, fix) for number, (key, fix) in enumerate(fixes.items()) if fix.worked
    }
    ranked = rank(
        [_rankable(number, fix) for number, (_, fix) in worked.items()],
        # Relevance is known here: it is not put together a second time.
        ranking=replace(ranking, fusion=_AS_IT_IS),
        now=now,
    )
    return tuple(_suggestion(each, *worked[each.key], now=now) for each in ranked[:limit])


def _suggestion(ranked: Ranked, key: tuple[str, ...], fix: _Fix, *, now: datetime) -> Suggestion:
    resolutions = [r for r in (_resolution(each) for each in fix.worked) if r]
    first = fix.worked[0]
    changed = getattr(first.record, "changed", ())
    return Suggestion(
        changes=changed or tuple(resolutions[:1]) or key,
        resolution=resolutions[0] if resolutions else "",
        worked=len(fix.worked),
        tried=len(fix.worked) + fix.failed,
        sources=tuple(each.source for each in fix.worked[:MOST_EXAMPLES]),
        last=spoken_time(_last(fix), now=now),
        score=replace(
            ranked.score,
            dense=first.score.dense,
            sparse=first.score.sparse,
            rerank=first.score.rerank,
            agreement=first.score.agreement,
        ),
    )


def _rankable(number: str, fix: _Fix) -> Rankable:
    records = [each.record for each in fix.worked]
    tried = len(fix.worked) + fix.failed
    return Rankable(
        key=number,
        signals=Signals(dense=fix.worked[0].score.relevance),
        reward_sum=len(fix.worked) + sum(record.reward_sum for record in records),
        reward_count=tried + sum(record.reward_count for record in records),
        when=_last(fix),
    )


def _what_was_changed(record: FailureRecord | RolloutRecord) -> tuple[str, ...]:
    """By what two fixes are one: what was changed, else the words that somebody wrote of it."""
    if record.changed:
        return tuple(sorted({_plain(each) for each in record.changed}))
    if isinstance(record, FailureRecord) and record.resolution:
        return (_plain(record.resolution).rstrip("."),)
    return ()


def _plain(text: str) -> str:
    return _SPACE.sub(" ", text).strip().casefold()


def _resolution(found: Scored) -> str:
    return (found.record.resolution or "") if isinstance(found.record, FailureRecord) else ""


def _last(fix: _Fix) -> datetime:
    return max(
        getattr(each.record, "resolved_at", None) or each.record.last_seen for each in fix.worked
    )


def _request(recall: Recall, asked: FailureRecord | SearchRequest) -> SearchRequest:
    if isinstance(asked, SearchRequest):
        return replace(asked, limit=MOST_RESULTS)
    return SearchRequest(
        text=asked.embedding_text,
        filters=RecallFilters(
            cluster=asked.cluster,
            namespaces=(asked.namespace,),
            exclude_record=asked.record_id,
        ),
        limit=MOST_RESULTS,
        ranking=recall.options.ranking,
        reasons=(asked.reason,),
        categories=(asked.category,),
    )


def _with_outcomes(
    request: SearchRequest, outcomes: tuple[str, ...], *, owners: Sequence[str] = ()
) -> SearchRequest:
    filters = replace(request.filters, outcomes=outcomes)
    if owners:
        filters = replace(filters, owners=tuple(owners))
    return replace(request, filters=filters)


def _owners_of(asked: FailureRecord | SearchRequest) -> tuple[str, ...]:
    return (asked.owner,) if isinstance(asked, FailureRecord) else ()


def _is_alike(found: Scored, asked: FailureRecord | SearchRequest, ranking: Ranking) -> bool:
    """A rollout of who fails is about it whatever its words; all else must be like it."""
    if isinstance(found.record, RolloutRecord):
        return bool(_owners_of(asked)) or found.score.relevance >= ranking.floor
    if isinstance(asked, FailureRecord):
        return (found.score.dense or 0.0) >= LEAST_LIKENESS
    return found.score.relevance >= ranking.floor
