"""Where nothing is a better answer: `PYTHONPATH=tests python -m bench.recall.floor`.

For each floor of the ranking, how many right answers it hides, and of how many questions that have
nothing to do with clusters something is shown all the same. On the questions that may be tuned on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import yaml
from bench.recall.corpus import Corpus, filled_memory
from bench.recall.failures import CLUSTER
from bench.recall.questions import Question, read_questions

from kausa.recall.ask import Asked
from kausa.recall.ranking import Ranking
from kausa.recall.recall import Recall, RecallOptions
from kausa.recall.requests import RecallFilters

HERE = Path(__file__).parent
CASES = HERE.parents[1] / "cases"
FLOORS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45)
DEPTH = 10
DEADLINE_SECONDS = 120.0


def main() -> None:
    """Print both tables."""
    asyncio.run(_run())


async def _run() -> None:
    related = [
        each
        for name in ("questions.yaml", "development.yaml")
        for each in read_questions(HERE / name)
        if each.half == "tuning"
    ]
    unrelated: list[str] = yaml.safe_load((HERE / "unrelated.yaml").read_text())
    async with filled_memory(cases=CASES, model_path=None, now=datetime.now(UTC)) as corpus:
        options = RecallOptions(
            ranking=Ranking(floor=0.0), rerank_seconds=DEADLINE_SECONDS, cache_seconds=0.0
        )
        recall = Recall(memory=corpus.memory, options=options)
        for rerank in (True, False):
            right = [
                _of_right(await _ask(recall, each.question, rerank=rerank), each, corpus=corpus)
                for each in related
            ]
            other = [_best(await _ask(recall, each, rerank=rerank)) for each in unrelated]
            print("with" if rerank else "without", "the second reading")
            _table([each for each in right if each is not None], other)
        await recall.close()


async def _ask(recall: Recall, question: str, *, rerank: bool) -> Asked:
    return await recall.ask(
        question,
        filters=RecallFilters(cluster=CLUSTER),
        limit=DEPTH,
        rerank=rerank,
        deadline_seconds=DEADLINE_SECONDS,
    )


def _of_right(asked: Asked, question: Question, *, corpus: Corpus) -> float | None:
    """How relevant the right answer is; None where it is not among the first."""
    results = asked.runbooks if question.over == "runbooks" else asked.failures
    right = [
        each.score.relevance for each in results if corpus.names[each.record_id] in question.right
    ]
    return max(right, default=None)


def _best(asked: Asked) -> float:
    results = (*asked.runbooks, *asked.failures)
    return max((each.score.relevance for each in results), default=0.0)


def _table(right: Sequence[float], other: Sequence[float]) -> None:
    print(f"floor  right lost of {len(right)}  shown of {len(other)} unrelated")
    for floor in FLOORS:
        lost = sum(each < floor for each in right)
        shown = sum(each >= floor for each in other)
        print(f"{floor:5.2f}  {lost:17d}  {shown:21d}")


if __name__ == "__main__":
    main()
