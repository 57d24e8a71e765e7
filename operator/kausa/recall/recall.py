"""What the operator, the commands and the API ask: failures, rollouts, runbooks, fixes, questions.

One object over the memory. It keeps a short cache of answers and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from kausa.memory.records import FailureRecord
from kausa.recall import ask as asking
from kausa.recall import suggest_fix as suggesting
from kausa.recall.ask import Asked
from kausa.recall.cache import QueryCache
from kausa.recall.ranking import Ranking
from kausa.recall.requests import (
    RecallFilters,
    SearchRequest,
    failure_filter,
    runbook_filters,
)
from kausa.recall.rereading import Rereader
from kausa.recall.results import Answer
from kausa.recall.runbook_match import Failing
from kausa.recall.search import Searcher
from kausa.recall.source import RecallMemory
from kausa.recall.suggest_fix import Suggestions
from kausa.telemetry.clock import utc_now

__all__ = ["Recall", "RecallOptions"]

What = Literal["failures", "rollouts", "runbooks"]
DEADLINE_SECONDS = 10.0
PATIENT_SECONDS = 2.0
_ROLLOUT_OUTCOMES = frozenset({"STARTED", "SUCCEEDED", "FAILED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallOptions:
    """What may be set of recall; `kausa.settings` names the variables."""

    ranking: Ranking = field(default_factory=Ranking)
    rerank_seconds: float = 0.5
    """How long the second reading may take before an answer goes without it."""
    rerank_new_tokens: int = 80
    """How much text that the embedder does not know yet may be read for an answer within that time.
    The rest is read behind it, and known the next time. Who gives the second reading more than
    `PATIENT_SECONDS` waits for all of it."""
    behind_after_seconds: float = 0.25
    """How long nobody must have searched before something is read behind the answers."""
    cache_seconds: float = 30.0
    """How long an answer is given again; 0 caches nothing."""
    cache_entries: int = 256


class Recall:
    """Finds what helps now."""

    def __init__(
        self,
        *,
        memory: RecallMemory,
        options: RecallOptions | None = None,
        now: Callable[[], datetime] = utc_now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.options = options or RecallOptions()
        self._memory = memory
        self._now = now
        patient = self.options.rerank_seconds > PATIENT_SECONDS
        self._rereader = Rereader(
            reranker=memory,
            budget_seconds=self.options.rerank_seconds,
            most_new_tokens=None if patient else self.options.rerank_new_tokens,
            behind_after_seconds=self.options.behind_after_seconds,
        )
        if self.options.rerank_seconds:
            memory.watch_runbooks(self._rereader.read_ahead)
        self._searcher = Searcher(source=memory, rereader=self._rereader, now=now)
        self._cache: QueryCache[Answer] = QueryCache(
            most=self.options.cache_entries, seconds=self.options.cache_seconds, clock=clock
        )

    @property
    def cache(self) -> QueryCache[Answer]:
        """For a metric, and for who changed the memory as a whole."""
        return self._cache

    def now(self) -> datetime:
        """The time that ages are counted from."""
        return self._now()

    async def failures(
        self, request: SearchRequest, *, deadline_seconds: float = DEADLINE_SECONDS
    ) -> Answer:
        """Failures of the past. Raises `MemoryUnavailableError`, as all of these do."""
        return await self._search("failures", request, deadline_seconds=deadline_seconds)

    async def rollouts(
        self, request: SearchRequest, *, deadline_seconds: float = DEADLINE_SECONDS
    ) -> Answer:
        """Rollouts of the past; categories, containers and exit codes say nothing of them."""
        return await self._search("rollouts", request, deadline_seconds=deadline_seconds)

    async def runbooks(
        self, request: SearchRequest, *, deadline_seconds: float = DEADLINE_SECONDS
    ) -> Answer:
        """Passages of runbooks, one of each: of the filter's namespaces, and of nobody's."""
        return await self._search("runbooks", request, deadline_seconds=deadline_seconds)

    async def runbooks_for(
        self,
        record: FailureRecord,
        *,
        everywhere: tuple[str, ...] = (),
        limit: int = 3,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> Answer:
        """Passages of runbooks that speak of failures like this one.

        `everywhere`: namespaces whose runbooks apply in all others, such as the operator's own.
        """
        return await self.runbooks(
            SearchRequest(
                text=record.embedding_text,
                filters=RecallFilters(
                    cluster=record.cluster, namespaces=(record.namespace,), everywhere=everywhere
                ),
                limit=limit,
                ranking=self.options.ranking,
                failing=Failing(
                    reasons=(record.reason,),
                    categories=(record.category,),
                    message=f"{record.cause}\n{record.text}",
                    labels=record.labels,
                ),
            ),
            deadline_seconds=deadline_seconds,
        )

    async def similar(
        self,
        record: FailureRecord,
        *,
        limit: int = 3,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> Answer:
        """Failures like this one: of its namespace, not itself, the best of each owner."""
        return await self.failures(
            SearchRequest(
                text=record.embedding_text,
                filters=RecallFilters(
                    cluster=record.cluster,
                    namespaces=(record.namespace,),
                    exclude_record=record.record_id,
                ),
                limit=limit,
                one_per="owner",
                ranking=self.options.ranking,
                reasons=(record.reason,),
                categories=(record.category,),
            ),
            deadline_seconds=deadline_seconds,
        )

    async def suggest_fix(
        self,
        asked: FailureRecord | SearchRequest,
        *,
        limit: int = 3,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> Suggestions:
        """What mended failures like this one, with how often it worked and was tried."""
        return await suggesting.suggest_fix(
            self, asked, limit=limit, deadline_seconds=deadline_seconds
        )

    async def ask(
        self,
        question: str,
        *,
        filters: RecallFilters,
        limit: int = 5,
        rerank: bool = True,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> Asked:
        """A question in words: analysed, its parts searched at once, the answers merged.

        `filters` is what the asker may see; nothing in the question widens it.
        """
        return await asking.ask(
            self,
            question,
            filters=filters,
            limit=limit,
            rerank=rerank,
            deadline_seconds=deadline_seconds,
        )

    async def idle(self) -> None:
        """Wait until nothing is left to be read behind the answers, or somebody searches."""
        await self._rereader.idle()

    async def close(self) -> None:
        """End what still goes on behind an answer. The memory is its owner's to close."""
        await self._rereader.close()

    async def _search(
        self, what: What, request: SearchRequest, *, deadline_seconds: float
    ) -> Answer:
        kept = self._cache.get(self._key(what, request))
        if kept is not None:
            return kept
        generation = self._cache.generation
        if what == "runbooks":
            wheres = runbook_filters(request.filters)
        elif what == "rollouts":
            wheres = (failure_filter(_of_rollouts(request.filters), kind="rollout"),)
        else:
            wheres = (failure_filter(request.filters, kind="failure"),)
        answer = await self._searcher.search(
            "runbooks" if what == "runbooks" else "failures",
            request,
            wheres=wheres,
            deadline_seconds=deadline_seconds,
        )
        # What was done worse than it could be is not kept; the next time it may go better.
        if not answer.notes and not answer.unread:
            self._cache.put(self._key(what, request), answer, generation=generation)
        return answer

    def _key(self, what: What, request: SearchRequest) -> Hashable:
        """The models are known only after the first answer, so it is made anew for each use."""
        return (what, request, self._memory.model, self._memory.reranker)


def _of_rollouts(filters: RecallFilters) -> RecallFilters:
    """Without what no rollout has; outcomes of failures say nothing of rollouts either."""
    return replace(
        filters,
        categories=(),
        reasons=(),
        containers=(),
        nodes=(),
        exit_code=None,
        outcomes=tuple(each for each in filters.outcomes if each in _ROLLOUT_OUTCOMES),
    )
