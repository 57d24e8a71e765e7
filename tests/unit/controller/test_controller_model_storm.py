"""Very many owners fail at once, and one slow model answers all of them in the end.

`make bench-model` does the same with a thousand, a real API server's place taken by a server of its
own, and real connections.
"""

from __future__ import annotations

import asyncio

import pytest
from support.diagnosing import Diagnosing
from support.dossiers import dossier
from support.fake_language_model import FakeLanguageModel, models_of
from support.pods import container, pod, terminated, waiting
from support.virtual_time import VirtualTimeLoop

EVENT_LOOP = VirtualTimeLoop
UNSURE = dossier(pod(container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=2)))
OWNERS = 60
ANSWER_SECONDS = 20.0
GATHER_SECONDS = 0.05
QUESTIONS_AN_HOUR = 25
CONSULTED = "ModelConsulted"


@pytest.mark.slow
async def test_all_have_their_facts_at_once_and_an_answer_within_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Hours pass: fewer turns of the loop.
    monkeypatch.setattr("kausa.controller.looks.TICK_SECONDS", 30.0)
    model = FakeLanguageModel(seconds=ANSWER_SECONDS)
    model.prompt_tokens, model.output_tokens = 9_000, 1_000
    now = asyncio.get_running_loop().time
    worst = models_of(model).limits.most
    budget = worst + (QUESTIONS_AN_HOUR - 1) * 10_000
    it = Diagnosing(
        UNSURE,
        models=models_of(model, tokens_per_hour=budget, clock=now),
        queue_size=OWNERS // 2,
    )
    it.gather_seconds = GATHER_SECONDS
    names = [f"owner-{number:02}" for number in range(OWNERS)]
    began, most_waiting, most_spent = now(), 0, 0
    async with it.running():
        async with asyncio.TaskGroup() as tasks:
            for name in names:
                tasks.create_task(it.reconciler.reconcile(it.fails(name)))
        latest = max(it.store.diagnosed_at[("shop", name)] for name in names) - began
        # Four at a time, and what this machine takes; the model's first answer takes as long.
        assert latest < OWNERS * GATHER_SECONDS / 4 + 10
        assert len(it.store.diagnosed_at) == OWNERS
        for _ in range(12 * 60):
            await asyncio.sleep(60)
            assert it.queue is not None
            most_waiting = max(most_waiting, len(it.queue))
            assert it.models is not None
            most_spent = max(most_spent, it.models.budget.spent)
            answered = [name for name in names if it.condition(CONSULTED, name)[0] == "True"]
            if len(answered) == OWNERS:
                break
    assert len(answered) == OWNERS
    assert len(model.prompts) == OWNERS
    assert model.most_at_once == 1
    assert most_waiting <= OWNERS // 2
    assert most_spent <= budget
    # Three hours' budgets, and some minutes for those that had to wait outside.
    assert now() - began < 4 * 3600
