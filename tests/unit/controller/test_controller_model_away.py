"""A model that cannot be asked, or says nothing that holds: the resources say so, and wait."""

from __future__ import annotations

import asyncio

import pytest
from support.diagnosing import Diagnosing
from support.fake_language_model import FakeLanguageModel, models_of
from support.fake_store import overloaded
from support.model_scenes import CONSULTED, KEY, UNSURE, scene
from support.virtual_time import VirtualTimeLoop

from kausa.diagnosis.errors import ModelDeadlineExceeded, ModelMissing, ModelUnavailable
from kausa.resources.diagnosis import DecidedBy

EVENT_LOOP = VirtualTimeLoop


async def test_a_model_that_is_away_is_said_and_asked_when_it_is_back() -> None:
    model = FakeLanguageModel(error=ModelUnavailable("nobody answers"))
    it = scene(model)
    async with it.running():
        for name in ("a", "b", "c"):
            await it.reconciler.reconcile(it.fails(name))
        await asyncio.sleep(10)
        for name in ("a", "b", "c"):
            assert it.condition(CONSULTED, name)[:2] == ("False", "Unavailable")
        await it.reconciler.reconcile(it.fails("d"))
        assert it.condition(CONSULTED, "d") == ("False", "Unavailable", "nobody answers")
        model.error = None
        await asyncio.sleep(45)
        for name in ("a", "b", "c", "d"):
            assert it.condition(CONSULTED, name)[:2] == ("True", "Answered")
    assert len(model.prompts) == 4


async def test_one_that_waits_is_told_why_when_the_model_goes_away() -> None:
    model = FakeLanguageModel(seconds=5)
    it = scene(model)
    async with it.running():
        for name in ("a", "b", "c"):
            await it.reconciler.reconcile(it.fails(name))
        assert it.condition(CONSULTED, "c")[1] == "Queued"
        model.error = ModelMissing("pull it")
        await asyncio.sleep(12)
        assert it.condition(CONSULTED, "a")[1] == "Answered"
        assert it.condition(CONSULTED, "b")[1] == "ModelMissing"
        assert it.condition(CONSULTED, "c") == ("False", "ModelMissing", "pull it")
        assert it.gate.why == ("ModelMissing", "pull it")
        # The third need not find out for itself: it was gathered for its first look alone.
        assert it.gathered == 3 + 2


async def test_a_spent_budget_is_said_and_the_rest_is_asked_in_the_next_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # An hour passes: fewer turns of the loop.
    monkeypatch.setattr("kausa.controller.looks.TICK_SECONDS", 120.0)
    model = FakeLanguageModel()
    model.prompt_tokens = 10_000
    worst = models_of(model).limits.most
    it = Diagnosing(
        UNSURE,
        models=models_of(
            model, tokens_per_hour=worst, clock=lambda: asyncio.get_running_loop().time()
        ),
    )
    async with it.running():
        for name in ("a", "b"):
            await it.reconciler.reconcile(it.fails(name))
        await asyncio.sleep(60)
        assert it.condition(CONSULTED, "a")[1] == "Answered"
        assert it.condition(CONSULTED, "b")[1] == "BudgetSpent"
        await asyncio.sleep(3700)
        assert it.condition(CONSULTED, "b")[1] == "Answered"


async def test_one_answer_that_is_too_slow_does_not_keep_the_others() -> None:
    model = FakeLanguageModel()
    model.errors = [ModelDeadlineExceeded("no answer within 60 seconds")]
    it = scene(model)
    async with it.running():
        for name in ("a", "b"):
            await it.reconciler.reconcile(it.fails(name))
        await asyncio.sleep(5)
        assert it.condition(CONSULTED, "a")[:2] == ("False", "DeadlineExceeded")
        assert it.condition(CONSULTED, "b")[1] == "Answered"
        await asyncio.sleep(120)
        assert it.condition(CONSULTED, "a")[1] == "Answered"


async def test_a_missing_model_that_one_resource_names_is_that_resources_trouble() -> None:
    mine = FakeLanguageModel("mine", error=ModelMissing("pull it"))
    it = Diagnosing(UNSURE, models=models_of(FakeLanguageModel(), connect=lambda *_: mine))
    async with it.running():
        await it.reconciler.reconcile(it.fails("a", model="mine"))
        await it.reconciler.reconcile(it.fails("b"))
        await asyncio.sleep(1)
        assert it.condition(CONSULTED, "a")[1] == "ModelMissing"
        assert it.condition(CONSULTED, "b")[1] == "Answered"


async def test_nonsense_leaves_the_rules_answer_and_is_not_paid_for_twice() -> None:
    model = FakeLanguageModel()
    model.texts = ["no JSON", "still none"]
    it = scene(model)
    async with it.running():
        await it.reconciler.reconcile(it.fails())
        await asyncio.sleep(100)
        assert it.condition(CONSULTED)[:2] == ("False", "InvalidAnswer")
        assert it.now().status.diagnosis.decided_by is DecidedBy.RULES  # type: ignore[union-attr]
        await it.reconciler.look_again(KEY)
        assert it.condition(CONSULTED)[:2] == ("False", "InvalidAnswer")
        assert not it.queue
    assert len(model.prompts) == 2


async def test_an_api_server_that_is_away_for_a_moment_costs_no_turn() -> None:
    model = FakeLanguageModel()
    it = scene(model)
    await it.reconciler.reconcile(it.fails())
    it.store.fail_next = overloaded()
    async with it.running():
        await asyncio.sleep(60)
    assert it.condition(CONSULTED)[1] == "Answered"
