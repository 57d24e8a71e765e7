"""All owners fail at once; a slow model answers as many as an hour's tokens pay for; then the
operator is started again, with the tokens of another hour, and answers the rest.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.model.resources import Resources, followed
from bench.model.server import MODEL, OUTPUT_TOKENS, PROMPT_TOKENS, Question, SlowModel
from bench.storm.api import connect
from bench.storm.metrics import Metrics, total
from bench.storm.operator import MeasuredOperator
from bench.storm.outcome import percentile
from bench.storm.place import Size, own_place
from bench.storm.storm import _fake_nodes as fake_nodes
from bench.storm.watching import Seen
from support.operator_process import RESTART_SECONDS

__all__ = ["Outcome", "Plan", "run"]

READY_SECONDS = 180.0
FACTS_SECONDS = 300.0
LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much fails, and how slow the model is."""

    owners: int = 1000
    answer_seconds: float = 0.25
    paid_share: float = 0.6
    """Of the owners, for whom the first hour's tokens are enough."""

    @property
    def budget(self) -> int:
        """Tokens an hour, with what is set aside for the last question."""
        return int(self.owners * self.paid_share) * (PROMPT_TOKENS + OUTPUT_TOKENS) + 16_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was seen."""

    plan: Plan
    opened: tuple[float, ...]
    """Seconds from each owner's first failing status to its resource, sorted."""
    facts: tuple[float, ...]
    """The same to its rules' diagnosis, be it by the status alone."""
    gathered: tuple[float, ...]
    """The same to the diagnosis with all of its evidence."""
    created: dict[str, float]
    questions: tuple[Question, ...]
    most_waiting: int
    most_at_once: int
    tokens_in_first_hour: int
    answered_in_first_hour: int
    said_then: dict[str, int]
    said_at_the_end: dict[str, int]
    resident_mib: float
    leases_lost: int
    """How often it was started again because the machine was too busy to renew its Lease."""


class _Operator(MeasuredOperator):
    """With a model, and the budget of the plan."""

    def __init__(self, *, kubeconfig: str, folder: Path, url: str, plan: Plan) -> None:
        super().__init__(kubeconfig=kubeconfig, folder=folder)
        self._environment |= {
            "KAUSA_MODEL_URL": url,
            "KAUSA_SIMPLE_MODEL": MODEL,
            "KAUSA_REASONING_MODEL": MODEL,
            # Everybody is asked about, however sure rules are.
            "KAUSA_MODEL_BELOW_CONFIDENCE": "101",
            "KAUSA_MODEL_TOKENS_PER_HOUR": str(plan.budget),
            "KAUSA_MODEL_QUEUE_SIZE": str(plan.owners),
        }

    def has_another_hour(self) -> None:
        """From its next start on as many tokens again: one that takes over counts what the answers
        of the hour have cost.
        """
        spent = int(self._environment["KAUSA_MODEL_TOKENS_PER_HOUR"])
        self._environment["KAUSA_MODEL_TOKENS_PER_HOUR"] = str(2 * spent)

    async def launched(self) -> None:
        """Start, and wait until everything was read."""
        self.launch()
        deadline = time.monotonic() + READY_SECONDS
        while not await self.is_ready():
            if time.monotonic() > deadline or not self.running:
                raise TimeoutError(f"the operator is not ready:\n{self.log()[-3000:]}")
            await asyncio.sleep(LOOK_SECONDS)


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


async def run(*, kubeconfig: str, folder: Path, plan: Plan) -> Outcome:
    """One storm; what was built for it is gone afterwards."""
    size = Size(pods=0, deployments=plan.owners, replicas=1)
    model = SlowModel(seconds=plan.answer_seconds)
    await model.server.start()
    try:
        async with (
            connect(kubeconfig) as api,
            own_place(api, size=size) as place,
            fake_nodes(place),
        ):
            began = time.monotonic()
            await place.deploy()
            _tell(f"{plan.owners} Deployments stand after {time.monotonic() - began:.0f} s")
            operator = _Operator(
                kubeconfig=kubeconfig, folder=folder, url=model.server.url, plan=plan
            )
            try:
                await operator.launched()
                async with followed(api, prefix=place.prefix) as (resources, seen):
                    await place.begin_storm()
                    # A machine that is too busy to renew the Lease ends it; a kubelet starts it
                    # again, and so does this.
                    with operator.kept_alive():
                        return await _measure(operator, model, resources, seen, plan=plan)
            finally:
                if operator.running:
                    operator.stop()
                _tell("clearing away")
    finally:
        await model.server.stop()


async def _measure(
    operator: _Operator, model: SlowModel, resources: Resources, seen: Seen, *, plan: Plan
) -> Outcome:
    most_waiting = 0

    async def until(done: Callable[[], bool], *, seconds: float, what: str) -> None:
        nonlocal most_waiting
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                _tell(f"gave up waiting for {what}: {dict(resources.reasons())}")
                return
            if not operator.running:
                await asyncio.sleep(2 * RESTART_SECONDS)
            assert operator.running, operator.log()[-3000:]
            most_waiting = max(most_waiting, _waiting(await operator.metrics()))
            await asyncio.sleep(LOOK_SECONDS)

    await until(lambda: len(resources.gathered) >= plan.owners, seconds=FACTS_SECONDS, what="facts")
    failed = {key[1]: at for key, at in seen.failed_first.items()}
    opened = _since(failed, resources.created)
    facts = _since(failed, resources.diagnosed)
    gathered = _since(failed, resources.gathered)
    worst = [f"{percentile(each, 0.99):.1f}" for each in (opened, facts, gathered)]
    _tell(
        f"p99 to resource, rules' diagnosis (p74: {percentile(facts, 0.74):.1f}) and evidence: "
        f"{', '.join(worst)} s; the model has answered {model.answered}"
    )

    def hour_is_over() -> bool:
        reasons = resources.reasons()
        return reasons["BudgetSpent"] > 0 and not reasons["Queued"]

    patience = 120 + plan.owners * (plan.answer_seconds + 1.0)
    await until(hour_is_over, seconds=patience, what="the hour's tokens to be spent")
    said_then = dict(resources.reasons())
    tokens, answered = model.tokens, model.answered
    resident = operator.usage().resident_mib
    _tell(f"the first hour's tokens are spent: {said_then}; starting anew")
    operator.stop()
    operator.has_another_hour()
    await operator.launched()
    await until(
        lambda: resources.reasons()["Answered"] >= plan.owners, seconds=patience, what="answers"
    )
    said_at_the_end = dict(resources.reasons())

    return Outcome(
        plan=plan,
        opened=opened,
        facts=facts,
        gathered=gathered,
        created=resources.created,
        questions=tuple(model.questions),
        most_waiting=most_waiting,
        most_at_once=model.most_at_once,
        tokens_in_first_hour=tokens,
        answered_in_first_hour=answered,
        said_then=said_then,
        said_at_the_end=said_at_the_end,
        resident_mib=resident,
        leases_lost=operator.restarts,
    )


def _since(failed: dict[str, float], reached: dict[str, float]) -> tuple[float, ...]:
    return tuple(sorted(at - failed[name] for name, at in reached.items() if name in failed))


def _waiting(metrics: Metrics | None) -> int:
    return int(total(metrics, "kausa_model_queue_waiting") or 0)
