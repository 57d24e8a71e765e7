"""A question in words, answered: its parts are searched at once, and what they find is merged.

What the question names becomes a filter. A namespace, a label and a time are meant; whom a Pod's
name belongs to, and what went wrong, are guessed, and where a guess finds nothing the search is
repeated without it, and the answer says so. Nothing in a question widens what its asker may see.

A search always finds something that is nearest. What is less relevant than the floor of the ranking
is not answered but counted: to a person, nothing is a better answer than something else. Failures
of what the question names fit by that, however little it says besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kausa.recall.query import QueryAnalysis, SubQuestion, analyse
from kausa.recall.ranking import Ranking, best_of_each
from kausa.recall.requests import RecallFilters, SearchRequest
from kausa.recall.results import Answer, Scored
from kausa.recall.together import together

if TYPE_CHECKING:
    from kausa.recall.recall import Recall

__all__ = ["Asked", "PartAnswer", "ask", "narrowed"]

MOST_LABELS = 8
"""Of a question that narrow a search; a store takes 32 conditions in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartAnswer:
    """What one part of the question found."""

    question: SubQuestion
    failures: Answer
    runbooks: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The whole answer: merged, each record once, the best of each part first."""

    analysis: QueryAnalysis
    parts: tuple[PartAnswer, ...]
    failures: tuple[Scored, ...]
    runbooks: tuple[Scored, ...]
    notes: tuple[str, ...]
    weak: int = 0
    """How many records were found, and fit less than the floor of the ranking."""


async def ask(
    recall: Recall,
    question: str,
    *,
    filters: RecallFilters,
    limit: int,
    rerank: bool,
    deadline_seconds: float,
) -> Asked:
    """See `Recall.ask`."""
    analysis = analyse(question, now=recall.now())
    allowed, note = narrowed(filters, analysis)
    parts = await together(
        _part(
            recall,
            part,
            filters=filters,
            allowed=allowed,
            analysis=analysis,
            limit=limit,
            rerank=rerank,
            deadline_seconds=deadline_seconds,
        )
        for part in analysis.sub_questions
    )
    searched = (n for part in parts for n in (*part.failures.notes, *part.runbooks.notes))
    notes = [note, *analysis.notes, *searched]
    return Asked(
        analysis=analysis,
        parts=tuple(parts),
        failures=_merged([part.failures for part in parts], limit=limit),
        runbooks=_merged([part.runbooks for part in parts], limit=limit),
        notes=tuple(dict.fromkeys(each for each in notes if each)),
        weak=sum(part.failures.weak + part.runbooks.weak for part in parts),
    )


def narrowed(filters: RecallFilters, analysis: QueryAnalysis) -> tuple[RecallFilters | None, str]:
    """The asker's filters with what the question surely means; None where nothing is left of them.

    And a note for a reader, where there is one.
    """
    namespaces = analysis.namespaces or filters.namespaces
    if filters.namespaces and analysis.namespaces:
        namespaces = tuple(each for each in analysis.namespaces if each in filters.namespaces)
        if not namespaces:
            asked = ", ".join(analysis.namespaces)
            return None, f"No failure was searched: namespace {asked} is not to be seen from here."
    return replace(
        filters,
        namespaces=namespaces,
        labels=tuple(dict.fromkeys((*filters.labels, *analysis.labels[:MOST_LABELS]))),
        after=max((m for m in (filters.after, analysis.after) if m is not None), default=None),
        before=min((m for m in (filters.before, analysis.before) if m is not None), default=None),
    ), ""


def _guessed(filters: RecallFilters, analysis: QueryAnalysis) -> RecallFilters:
    """With what the question seems to mean too; the asker's own words go before."""
    return replace(
        filters,
        owners=filters.owners or analysis.owners,
        containers=filters.containers or analysis.containers,
        nodes=filters.nodes or analysis.nodes,
        reasons=filters.reasons or analysis.reasons,
        exit_code=filters.exit_code if filters.exit_code is not None else analysis.exit_code,
    )


async def _part(
    recall: Recall,
    part: SubQuestion,
    *,
    filters: RecallFilters,
    allowed: RecallFilters | None,
    analysis: QueryAnalysis,
    limit: int,
    rerank: bool,
    deadline_seconds: float,
) -> PartAnswer:
    request = SearchRequest(
        text=part.search,
        words=part.words,
        filters=allowed or filters,
        limit=limit,
        rerank=rerank,
        ranking=_from_the_floor(recall.options.ranking),
        reasons=part.reasons,
        categories=part.categories,
    )
    of_failures = request if allowed == filters else _unfloored(request, recall)
    runbooks, failures = await together(
        (
            recall.runbooks(request, deadline_seconds=deadline_seconds),
            _failures(recall, of_failures, analysis, deadline_seconds=deadline_seconds)
            if allowed is not None
            else _nothing(),
        )
    )
    return PartAnswer(question=part, failures=failures, runbooks=runbooks)


def _from_the_floor(ranking: Ranking) -> Ranking:
    return replace(ranking, least_relevance=max(ranking.least_relevance, ranking.floor))


def _unfloored(request: SearchRequest, recall: Recall) -> SearchRequest:
    return replace(request, ranking=recall.options.ranking)


async def _failures(
    recall: Recall, request: SearchRequest, analysis: QueryAnalysis, *, deadline_seconds: float
) -> Answer:
    guessed = _guessed(request.filters, analysis)
    if guessed == request.filters:
        return await recall.failures(request, deadline_seconds=deadline_seconds)
    named = replace(_unfloored(request, recall), filters=guessed)
    answer = await recall.failures(named, deadline_seconds=deadline_seconds)
    if answer.results:
        return answer
    wider = await recall.failures(request, deadline_seconds=deadline_seconds)
    if not wider.results:
        return wider
    words = ", ".join(
        (
            *guessed.owners,
            *(f"container {each}" for each in guessed.containers),
            *(f"node {each}" for each in guessed.nodes),
            *guessed.reasons,
            *([f"exit code {guessed.exit_code}"] if guessed.exit_code is not None else []),
        )
    )
    return replace(
        wider, notes=(*wider.notes, f"Nothing is known of {words}: these failures are like it.")
    )


async def _nothing() -> Answer:
    return Answer()


def _merged(answers: Sequence[Answer], *, limit: int) -> tuple[Scored, ...]:
    """First the best of each part, then the second of each; a record once, where it is first."""
    placed = [
        (place, -each.score.total, number, each)
        for number, answer in enumerate(answers)
        for place, each in enumerate(answer.results)
    ]
    placed.sort(key=lambda p: p[:3])
    return tuple(
        best_of_each((p[3] for p in placed), group=lambda each: each.record_id, limit=limit)
    )
