"""Similar failures of the past, and what came of them.

Where likeness begins was measured: all-MiniLM-L6-v2 (int8), 37 written failures of 16 kinds, each
asked for its three nearest among the others.

    minimum   entries   same kind   same category   other   asked and a same kind found
    0.40        107        48            21           38            37 of 37
    0.45         92        46            20           26            37
    0.50         74        42            18           14            36
    0.55         63        34            18           11            29
    0.60         51        26            16            9            24

Of 624 pairs of different categories, 10 reach 0.50 and 6 reach 0.55 (half are below 0.27); of 26
pairs of one kind, 22 and 17. So 0.50: above it whole kinds are lost and little noise goes. The
texts and the kinds are by one hand and few; another model needs its own number.

So the cosine alone is the relevance here: it is what the number was measured for, and two failures
of one kind share few words but those of Kubernetes. Reward and age may reorder within the band.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from kausa.memory.records import FailureRecord
from kausa.recall.fusion import FusionWeights
from kausa.recall.ranking import Ranking
from kausa.recall.recall import Recall, RecallOptions
from kausa.recall.requests import RecallFilters, SearchRequest
from kausa.recall.results import Scored
from kausa.recall.source import RecallMemory
from kausa.telemetry.clock import utc_now

__all__ = ["DEFAULT_MINIMUM_SCORE", "SimilarFailure", "SimilarFailures", "by_likeness"]

DEFAULT_MINIMUM_SCORE = 0.50


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarFailure:
    """One entry of a diagnosis' `similar` list."""

    reference: str
    """`namespace/name` of the FailureDiagnosis."""
    score_percent: int
    when: datetime
    cause: str
    resolution: str
    outcome: str


class SimilarFailures:
    """Finds what failed in a like way before, one answer per owner."""

    def __init__(
        self,
        *,
        memory: RecallMemory,
        options: RecallOptions | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        # What is written while this failure is diagnosed counts: nothing is cached. And nothing is
        # read again.
        options = replace(options or RecallOptions(), cache_seconds=0.0, rerank_seconds=0.0)
        self._recall = Recall(memory=memory, options=options, now=now)

    async def find(
        self,
        record: FailureRecord,
        *,
        limit: int = 3,
        minimum_score: float = DEFAULT_MINIMUM_SCORE,
        deadline_seconds: float,
    ) -> tuple[SimilarFailure, ...]:
        """The most alike first; within the band of the ranking, what helped goes before.

        Of the same namespace only: whoever may read this diagnosis may not be allowed to read
        another namespace's.

        The failure itself is left out. Several failures of one owner count as one, the best, so
        that one noisy workload does not fill the list. Raises `MemoryUnavailableError`.
        """
        request = SearchRequest(
            text=record.embedding_text,
            filters=RecallFilters(
                cluster=record.cluster,
                namespaces=(record.namespace,),
                exclude_record=record.record_id,
            ),
            limit=limit,
            one_per="owner",
            rerank=False,
            ranking=by_likeness(self._recall.options.ranking, minimum=minimum_score),
        )
        answer = await self._recall.failures(request, deadline_seconds=deadline_seconds)
        return tuple(
            _answer(found, found.record)
            for found in answer.results
            if isinstance(found.record, FailureRecord)
        )


def by_likeness(ranking: Ranking, *, minimum: float) -> Ranking:
    """The same ranking with the cosine as the whole of relevance, and nothing below `minimum`."""
    return replace(
        ranking,
        fusion=FusionWeights(dense=1.0, sparse=0.0, rerank=0.0, agreement=0.0),
        least_relevance=minimum,
        floor=max(ranking.floor, minimum),
    )


def _answer(found: Scored, record: FailureRecord) -> SimilarFailure:
    return SimilarFailure(
        reference=record.reference,
        score_percent=max(0, min(100, round(found.score.relevance * 100))),
        when=record.last_seen,
        cause=record.cause,
        resolution=record.resolution or "",
        outcome=record.outcome,
    )
