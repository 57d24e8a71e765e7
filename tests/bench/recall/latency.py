"""How long a whole recall takes: embed the question, search both lists, read the best again, rank.

For `make bench-memory`, which has the large memories: give it a `Recall` over one of them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from kausa.recall.query import analyse
from kausa.recall.recall import Recall
from kausa.recall.requests import RecallFilters, SearchRequest

__all__ = ["QUESTIONS", "EndToEnd", "end_to_end"]

QUESTIONS = (
    "Why is the container killed with exit code 137",
    "image pull fails with unauthorized from the private registry",
    "pods stay pending because of insufficient cpu",
    "the readiness probe times out after a deployment",
    "a configmap key is missing when the container is created",
    "volume cannot be mounted, still attached to another node",
    "connection refused by the database at startup",
    "the job reached its backoff limit",
    "no such host when resolving the name of a service",
    "evicted because the node was low on ephemeral storage",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndToEnd:
    """Milliseconds of wall time a search, and how many of the searches read their best again."""

    searches: int
    p50: float
    p95: float
    p99: float
    reread: int
    passages: int
    """Read again by a search, in the median; the others of its best are read behind it."""
    found: int

    def __str__(self) -> str:
        return (
            f"recall end to end p50 {self.p50:.1f}  p95 {self.p95:.1f}  p99 {self.p99:.1f} ms; "
            f"{self.reread} of {self.searches} read a second time ({self.passages} passages in the "
            f"median), {self.found} found something"
        )


async def end_to_end(
    recall: Recall,
    *,
    filters: RecallFilters,
    questions: Sequence[str] = QUESTIONS,
    rounds: int = 10,
    warm_up: int = 1,
    deadline_seconds: float = 30.0,
) -> EndToEnd:
    """Search the failures for every question so often, one after the other.

    Each search is another one to the caches of answers and of exact texts (a number is put behind
    the question). Passages that were read before are known to the embedder, by each search up to
    `rerank_new_tokens` more: nothing is read behind the answers, as they follow at once.
    `warm_up` rounds are not counted, as the model is loaded in them.
    """
    times: list[float] = []
    passages: list[int] = []
    found = 0
    for number in range(warm_up + rounds):
        for question in questions:
            request = _request(recall, f"{question} {number}", filters)
            started = time.perf_counter()
            answer = await recall.failures(request, deadline_seconds=deadline_seconds)
            took = time.perf_counter() - started
            if number >= warm_up:
                times.append(took * 1000)
                passages.append(answer.reranked)
                found += bool(answer.results)
    times.sort()
    passages.sort()
    return EndToEnd(
        searches=len(times),
        p50=_quantile(times, 0.50),
        p95=_quantile(times, 0.95),
        p99=_quantile(times, 0.99),
        reread=sum(each > 0 for each in passages),
        passages=passages[len(passages) // 2] if passages else 0,
        found=found,
    )


def _request(recall: Recall, question: str, filters: RecallFilters) -> SearchRequest:
    [part, *_] = analyse(question, now=recall.now()).sub_questions
    return SearchRequest(
        text=part.search,
        words=part.words,
        filters=filters,
        ranking=recall.options.ranking,
        reasons=part.reasons,
        categories=part.categories,
    )


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
