"""One search from end to end: candidates, first order, second reading, last order, groups.

The store gives each list's best with their raw scores. The best of them by relevance alone are read
again, within a budget; then the records are ranked, each with the best of its passages' scores, and
only the best of each owner is answered where that is asked. Reward has no say in what is read
again, so praise cannot push a passage that fits out of the second reading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from kausa.memory.errors import InvalidRecordError
from kausa.memory.filters import Filter
from kausa.memory.points import from_payload
from kausa.memory.store import Candidate, Collection
from kausa.recall.agreement import agreement_of, agreement_with
from kausa.recall.fusion import Signals, best_signals, relevance_of
from kausa.recall.ranking import Rankable, Ranked, best_of_each, rank
from kausa.recall.requests import SearchRequest
from kausa.recall.rereading import Rereader
from kausa.recall.results import Answer, Scored, spoken_time
from kausa.recall.source import CandidateSource

__all__ = ["Searcher"]

CANDIDATES_PER_RESULT = 5
"""A passage that one list leaves out has no score of it, and several may be of one record."""


class Searcher:
    """Searches one collection; keeps nothing."""

    def __init__(
        self, *, source: CandidateSource, rereader: Rereader, now: Callable[[], datetime]
    ) -> None:
        self._source = source
        self._rereader = rereader
        self._now = now

    async def search(
        self,
        collection: Collection,
        request: SearchRequest,
        *,
        wheres: Sequence[Filter],
        deadline_seconds: float,
    ) -> Answer:
        """The best, one per record or owner. Raises `MemoryUnavailableError`."""
        with self._rereader.searching():
            found = await self._source.candidates(
                collection,
                text=request.text,
                words=request.words or request.text,
                wheres=wheres,
                limit=max(request.ranking.candidates, CANDIDATES_PER_RESULT * request.limit),
                deadline_seconds=deadline_seconds,
            )
            candidates = {candidate.id: candidate for candidate in found}
            reading = await self._read_again(candidates, request, deadline_seconds=deadline_seconds)
        records = _by_record(list(candidates.values()), request, reading)
        ranked = rank(
            [each.rankable for each in records.values()], ranking=request.ranking, now=self._now()
        )
        notes = (reading.skipped,) if reading.skipped else ()
        answer = self._answer(ranked, records, request, notes=notes)
        return replace(
            answer,
            weak=len(records) - len(ranked),
            reranked=len(reading.scores),
            unread=reading.unread,
        )

    async def _read_again(
        self,
        candidates: Mapping[str, Candidate],
        request: SearchRequest,
        *,
        deadline_seconds: float,
    ) -> _Read:
        if not request.rerank or not request.ranking.rerank_best or not candidates:
            return _Read()
        every = list(candidates.values())
        first = relevance_of(
            [_signals(each, request) for each in every], weights=request.ranking.fusion
        )
        order = sorted(zip(first, every, strict=True), key=lambda pair: (-pair[0], pair[1].id))
        best = [candidate for _, candidate in order[: request.ranking.rerank_best]]
        rereading = await self._rereader.read(
            request.words or request.text,
            [_passage(each) for each in best],
            deadline_seconds=deadline_seconds,
        )
        scores = zip((each.id for each in best), rereading.scores, strict=False)
        return _Read(
            scores={name: score for name, score in scores if score is not None},
            skipped=rereading.skipped,
            unread=rereading.unread,
        )

    def _answer(
        self,
        ranked: Sequence[Ranked],
        records: Mapping[str, _Found],
        request: SearchRequest,
        *,
        notes: tuple[str, ...],
    ) -> Answer:
        results: list[Scored] = []
        broken = 0
        for each in best_of_each(ranked, group=lambda r: _group(records[r.key].best, request)):
            if len(results) == request.limit:
                break
            try:
                results.append(self._scored(records[each.key].best, each))
            except InvalidRecordError:
                broken += 1
        if broken:
            notes = (*notes, f"{broken} records could not be read: they are malformed.")
        return Answer(results=tuple(results), notes=notes)

    def _scored(self, candidate: Candidate, ranked: Ranked) -> Scored:
        record = from_payload(candidate.payload)
        return Scored(
            record=record,
            record_id=ranked.key,
            passage=_passage(candidate),
            score=ranked.score,
            seen=spoken_time(record.last_seen, now=self._now()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """One record, with the passage of it that fits best."""

    best: Candidate
    rankable: Rankable


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What the second reading gave, by the ids of the passages."""

    scores: Mapping[str, float] = field(default_factory=dict)
    skipped: str = ""
    unread: int = 0


def _by_record(
    candidates: Sequence[Candidate], request: SearchRequest, reading: _Read
) -> dict[str, _Found]:
    """Each record with the best that any of its passages has of each score.

    Not the scores of one passage: what is seen stands under one heading and why under another, and
    a question has words of both. Measured on runbooks: recall@1 0.85 by the best passage, 0.88 so.
    """
    signals = [_signals(each, request, rerank=reading.scores.get(each.id)) for each in candidates]
    relevances = relevance_of(signals, weights=request.ranking.fusion)
    grouped: dict[str, list[tuple[float, Candidate, Signals]]] = {}
    for relevance, candidate, signal in zip(relevances, candidates, signals, strict=True):
        record_id = str(candidate.payload.get("record_id", candidate.id))
        grouped.setdefault(record_id, []).append((relevance, candidate, signal))
    found: dict[str, _Found] = {}
    for record_id, passages in grouped.items():
        _, best, _ = min(passages, key=lambda each: (-each[0], each[1].id))
        payload = best.payload
        found[record_id] = _Found(
            best=best,
            rankable=Rankable(
                key=record_id,
                signals=best_signals([each[2] for each in passages]),
                reward_sum=_number(payload.get("reward_sum")),
                reward_count=_number(payload.get("reward_count")),
                when=_moment(payload),
            ),
        )
    return found


def _signals(
    candidate: Candidate, request: SearchRequest, *, rerank: float | None = None
) -> Signals:
    payload = candidate.payload
    if request.failing is not None and payload.get("kind") == "runbook":
        agreement = agreement_with(payload, request.failing)
    else:
        agreement = agreement_of(payload, reasons=request.reasons, categories=request.categories)
    return Signals(
        dense=candidate.dense, sparse=candidate.sparse, rerank=rerank, agreement=agreement
    )


def _passage(candidate: Candidate) -> str:
    return str(candidate.payload.get("passage", ""))


def _group(candidate: Candidate, request: SearchRequest) -> object:
    payload = candidate.payload
    if request.one_per == "owner" and "owner" in payload:
        return (payload.get("namespace"), payload["owner"])
    return payload.get("record_id")


def _moment(payload: Mapping[str, Any]) -> datetime | None:
    """What ages is what happened; a runbook does not."""
    if payload.get("kind") == "runbook":
        return None
    try:
        moment = datetime.fromisoformat(str(payload.get("last_seen")))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
