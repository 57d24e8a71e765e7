"""What is compared: BM25, dense vectors, their reciprocal ranks, and all of recall.

The parts get the question as it was asked; BM25 and the reciprocal ranks a second time with the
words that recall searches by (its thesaurus), so that the rest of recall has to be worth something
on top. Passages of one record count as one, its best.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from bench.recall.failures import CLUSTER
from bench.recall.questions import Over

from kausa.memory.filters import Filter, OneOf
from kausa.memory.service import FailureMemory
from kausa.memory.store import Candidate
from kausa.recall.query import analyse
from kausa.recall.recall import Recall
from kausa.recall.requests import RecallFilters
from kausa.recall.results import Scored

__all__ = ["AS_OPERATOR", "DEPTH", "FULL", "Order", "System", "systems"]

DEPTH = 10
"""How many of each are looked at."""
WIDE = 100
RRF_K = 60
FULL = "full pipeline"
AS_OPERATOR = "full, as the operator"
DEADLINE = 60.0

Order = list[str]
System = Callable[[str, Over], Awaitable[Order]]


def systems(
    memory: FailureMemory, recall: Recall, *, operators: Recall, names: dict[str, str]
) -> dict[str, System]:
    """By their names; `names` tells what a record is called in the questions. `operators` is recall
    as the operator has it: a second reading that is not done in time is left out.
    """

    async def lists(question: str, over: Over, *, words: str | None = None) -> tuple[Order, Order]:
        found = await memory.candidates(
            over,
            text=question,
            words=words or question,
            wheres=[Filter(must=(OneOf("cluster", (CLUSTER,)),))],
            limit=WIDE,
            deadline_seconds=DEADLINE,
        )
        dense = sorted((c for c in found if c.dense is not None), key=lambda c: -(c.dense or 0))
        sparse = sorted((c for c in found if c.sparse is not None), key=lambda c: -(c.sparse or 0))
        return _once(sparse, names), _once(dense, names)

    async def bm25(question: str, over: Over) -> Order:
        return (await lists(question, over))[0]

    async def dense(question: str, over: Over) -> Order:
        return (await lists(question, over))[1]

    async def bm25_thesaurus(question: str, over: Over) -> Order:
        return (await lists(question, over, words=_words(question, recall)))[0]

    async def rrf(question: str, over: Over) -> Order:
        return _by_ranks(await lists(question, over))

    async def rrf_thesaurus(question: str, over: Over) -> Order:
        return _by_ranks(await lists(question, over, words=_words(question, recall)))

    async def full(question: str, over: Over, *, by: Recall = recall) -> Order:
        asked = await by.ask(
            question,
            filters=RecallFilters(cluster=CLUSTER),
            limit=DEPTH,
            deadline_seconds=DEADLINE,
        )
        return _names(asked.runbooks if over == "runbooks" else asked.failures, names)

    async def as_operator(question: str, over: Over) -> Order:
        return await full(question, over, by=operators)

    return {
        "BM25": bm25,
        "BM25 with the thesaurus": bm25_thesaurus,
        "dense": dense,
        f"RRF k={RRF_K}": rrf,
        f"RRF k={RRF_K} with the thesaurus": rrf_thesaurus,
        # Before the other, whose second reading would leave it nothing to read.
        AS_OPERATOR: as_operator,
        FULL: full,
    }


def _words(question: str, recall: Recall) -> str:
    """What recall searches by words for, its thesaurus included."""
    return " ".join(part.words for part in analyse(question, now=recall.now()).sub_questions)


def _by_ranks(orders: tuple[Order, Order]) -> Order:
    scores: dict[str, float] = {}
    for order in orders:
        for place, name in enumerate(order, 1):
            scores[name] = scores.get(name, 0.0) + 1 / (RRF_K + place)
    return sorted(scores, key=lambda name: (-scores[name], name))


def _once(candidates: Sequence[Candidate], names: dict[str, str]) -> Order:
    return list(dict.fromkeys(names[str(c.payload["record_id"])] for c in candidates))


def _names(results: Sequence[Scored], names: dict[str, str]) -> Order:
    return list(dict.fromkeys(names[each.record_id] for each in results))
