"""What is compared: BM25, dense vectors, their reciprocal ranks, and all of recall.

The parts get the question as it was asked. Passages of one record count as one, its best.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from bench.recall.failures import CLUSTER
from bench.recall.questions import Over

from kausa.memory.filters import Filter, OneOf
from kausa.memory.service import FailureMemory
from kausa.memory.store import Candidate
from kausa.recall.recall import Recall
from kausa.recall.requests import RecallFilters
from kausa.recall.results import Scored

__all__ = ["DEPTH", "Order", "System", "systems"]

DEPTH = 10
"""How many of each are looked at."""
WIDE = 100
RRF_K = 60
DEADLINE = 60.0

Order = list[str]
System = Callable[[str, Over], Awaitable[Order]]


def systems(memory: FailureMemory, recall: Recall, *, names: dict[str, str]) -> dict[str, System]:
    """By their names; `names` tells what a record is called in the questions."""

    async def lists(question: str, over: Over) -> tuple[Order, Order]:
        found = await memory.candidates(
            over,
            text=question,
            words=question,
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

    async def rrf(question: str, over: Over) -> Order:
        scores: dict[str, float] = {}
        for order in await lists(question, over):
            for place, name in enumerate(order, 1):
                scores[name] = scores.get(name, 0.0) + 1 / (RRF_K + place)
        return sorted(scores, key=lambda name: (-scores[name], name))

    async def full(question: str, over: Over) -> Order:
        asked = await recall.ask(
            question,
            filters=RecallFilters(cluster=CLUSTER),
            limit=DEPTH,
            deadline_seconds=DEADLINE,
        )
        return _names(asked.runbooks if over == "runbooks" else asked.failures, names)

    return {"BM25": bm25, "dense": dense, f"RRF k={RRF_K}": rrf, "full pipeline": full}


def _once(candidates: Sequence[Candidate], names: dict[str, str]) -> Order:
    return list(dict.fromkeys(names[str(c.payload["record_id"])] for c in candidates))


def _names(results: Sequence[Scored], names: dict[str, str]) -> Order:
    return list(dict.fromkeys(names[each.record_id] for each in results))
