"""`make bench-recall`: how often the right runbook or failure comes first.

BM25, dense vectors, their reciprocal ranks and all of recall answer the same questions over the
same memory. Numbers of recall are tuned on one half of the questions only; the other half is scored
once, with `--half scoring`, when nothing is tuned any more.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench.recall.corpus import filled_memory
from bench.recall.failures import CLUSTER
from bench.recall.metrics import place_of, summed_up
from bench.recall.questions import BrokenQuestionsError, Question, check, read_questions
from bench.recall.systems import AS_OPERATOR, DEPTH, FULL, System, systems

from kausa.recall.recall import Recall, RecallOptions
from kausa.settings import Settings

HERE = Path(__file__).parent
CASES = HERE.parents[1] / "cases"
GOALS = {"recall_at_1": 0.90, "recall_at_5": 0.99}


def main() -> int:
    """Print the table; 1 where a goal was asked for and is missed."""
    options = _options()
    try:
        questions = read_questions(options.questions)
    except BrokenQuestionsError as error:
        print(error, file=sys.stderr)
        return 2
    if options.half != "both":
        questions = [each for each in questions if each.half == options.half]
    return asyncio.run(_run(questions, options))


async def _run(questions: list[Question], options: argparse.Namespace) -> int:
    started = time.monotonic()
    async with filled_memory(
        cases=CASES, model_path=options.model, now=datetime.now(UTC)
    ) as corpus:
        print(
            f"{corpus.runbooks} runbooks in {corpus.chunks} passages, {corpus.failures} failures; "
            f"{corpus.memory.model}, second reading by {corpus.memory.reranker or 'nobody'}; "
            f"filled in {time.monotonic() - started:.1f} s"
        )
        check(questions, runbooks=corpus.runbook_names, cases=corpus.case_names)
        # Quality is asked here, not speed: the second reading gets all the time that it needs.
        recall = Recall(
            memory=corpus.memory, options=RecallOptions(rerank_seconds=60.0, cache_seconds=0.0)
        )
        # ... but for one line, which is what a diagnosis gets on this machine.
        seconds = Settings().rerank_seconds
        as_set = RecallOptions(rerank_seconds=seconds, cache_seconds=0.0)
        new_tokens = options.new_tokens or as_set.rerank_new_tokens
        operators = Recall(
            memory=corpus.memory, options=replace(as_set, rerank_new_tokens=new_tokens)
        )
        if not options.unread:
            # As the operator's indexing does, which tells of the runbooks.
            await corpus.memory.runbook_sources(cluster=CLUSTER, deadline_seconds=60.0)
            await operators.idle()
        print(
            f"{AS_OPERATOR}: the second reading has {seconds:g} s and {new_tokens} new tokens, as "
            f"in the operator; runbooks were {'not ' if options.unread else ''}read before"
        )
        asked = systems(corpus.memory, recall, operators=operators, names=corpus.names)
        places = {name: await _places(system, questions) for name, system in asked.items()}
        _table(places, questions)
        if options.verbose:
            await _misses(places[FULL], questions, asked[FULL])
        await operators.close()
        await recall.close()
    return verdict(places) if options.goals else 0


async def _places(system: System, questions: Sequence[Question]) -> list[int | None]:
    return [
        place_of(each.right, (await system(each.question, each.over))[:DEPTH]) for each in questions
    ]


def _table(places: dict[str, list[int | None]], questions: Sequence[Question]) -> None:
    for half in dict.fromkeys(each.half for each in questions):
        for over in ("all", "runbooks", "failures"):
            chosen = [
                n
                for n, each in enumerate(questions)
                if each.half == half and over in ("all", each.over)
            ]
            if not chosen:
                continue
            print(f"\n{half} half, over {over}")
            for name, found in places.items():
                print(f"  {name:27} {summed_up([found[n] for n in chosen])}")


async def _misses(
    places: Sequence[int | None], questions: Sequence[Question], full: System
) -> None:
    """What came first in place of the right one."""
    for place, each in zip(places, questions, strict=True):
        if place != 1:
            order = (await full(each.question, each.over))[:5]
            print(f"\n{each.id} at {place}: {each.question}\n  right {', '.join(each.right)}")
            print(f"  found {', '.join(order)}")


def verdict(places: dict[str, list[int | None]]) -> int:
    """Whether the goals are met, and the whole is above each of its parts."""
    metrics = {name: summed_up(found) for name, found in places.items()}
    full = metrics.pop(FULL)
    metrics.pop(AS_OPERATOR, None)  # the same, not a part of it
    missed = [
        f"{name} is {getattr(full, name):.3f}, not {goal}"
        for name, goal in GOALS.items()
        if getattr(full, name) < goal
    ]
    missed += [
        f"{name} is as good at {what}"
        for name, part in metrics.items()
        for what in ("mrr", "recall_at_1")
        if getattr(part, what) >= getattr(full, what)
    ]
    print("\ngoals: " + ("; ".join(missed) if missed else "met"))
    return 1 if missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-recall")
    parser.add_argument("--questions", type=Path, default=HERE / "questions.yaml")
    parser.add_argument("--half", choices=["tuning", "scoring", "both"], default="tuning")
    parser.add_argument("--new-tokens", type=int, help="Not as many as the operator would read.")
    parser.add_argument("--unread", action="store_true", help="Without runbooks read beforehand.")
    parser.add_argument("--model", type=Path, default=None, help="The model's folder.")
    parser.add_argument("--goals", action="store_true", help="Exit with 1 where one is missed.")
    parser.add_argument("-v", "--verbose", action="store_true", help="Show what was missed.")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
