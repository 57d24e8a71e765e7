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
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kausa.memory.records import FailureRecord
from kausa.memory.service import FailureMemory
from kausa.memory.store import Hit, RecordFilter

__all__ = ["DEFAULT_MINIMUM_SCORE", "SimilarFailure", "SimilarFailures"]

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

    def __init__(self, *, memory: FailureMemory) -> None:
        self._memory = memory

    async def find(
        self,
        record: FailureRecord,
        *,
        limit: int = 3,
        minimum_score: float = DEFAULT_MINIMUM_SCORE,
        deadline_seconds: float,
    ) -> tuple[SimilarFailure, ...]:
        """The most alike first; of equals (in whole percent) the latest first.

        Of the same namespace only: whoever may read this diagnosis may not be allowed to read
        another namespace's.

        The failure itself is left out. Several failures of one owner count as one, the best, so
        that one noisy workload does not fill the list.
        """
        hits = await self._memory.recall(
            record,
            where=RecordFilter(
                cluster=record.cluster,
                namespace=record.namespace,
                exclude_fingerprint=record.fingerprint,
            ),
            limit=max(_CANDIDATES, limit * _CANDIDATES_PER_ANSWER),
            minimum_score=minimum_score,
            deadline_seconds=deadline_seconds,
        )
        answers = [_answer(hit) for hit in _best_of_each_owner(hits)]
        answers.sort(key=lambda found: (-found.score_percent, -found.when.timestamp()))
        return tuple(answers[:limit])


_CANDIDATES = 32
_CANDIDATES_PER_ANSWER = 8


def _best_of_each_owner(hits: list[Hit]) -> list[Hit]:
    best: dict[tuple[str, str, str], Hit] = {}
    for hit in hits:  # best first, so the first of an owner is its best
        found = hit.record
        best.setdefault((found.namespace, found.owner_kind, found.owner_name), hit)
    return list(best.values())


def _answer(hit: Hit) -> SimilarFailure:
    return SimilarFailure(
        reference=hit.record.reference,
        score_percent=max(0, min(100, round(hit.score * 100))),
        when=hit.record.last_seen,
        cause=hit.record.cause,
        resolution=hit.record.resolution,
        outcome=hit.record.outcome,
    )
