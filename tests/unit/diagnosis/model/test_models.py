"""One question costs once, within the budget, of a model that is there."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from support.dossiers import dossier
from support.fake_language_model import ANSWER, FakeLanguageModel, models_of
from support.pods import container, pod, terminated, waiting

from kausa.diagnosis.errors import (
    ModelDeadlineExceeded,
    ModelInvalidAnswer,
    ModelMissing,
    ModelUnavailable,
)
from kausa.diagnosis.model.breaker import ModelCircuitOpen
from kausa.diagnosis.model.budget import ModelBudgetSpent
from kausa.diagnosis.model.choosing import Choice, Complexity, Role
from kausa.diagnosis.model.metrics import ModelMetrics
from kausa.diagnosis.model.models import MOST_FORCED, Models
from kausa.diagnosis.model.protocol import Completion, OnText
from kausa.diagnosis.model.requesting import request_from
from kausa.diagnosis.rules.engine import decide_by_rules
from kausa.resources.limits import THINKING
from kausa.telemetry.metrics import Registry

SEEN = dossier(pod(container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=2)))
REQUEST = request_from(SEEN, decide_by_rules(SEEN), None)
EASY, HARD = Complexity(score=0.1, reasons=("a doubt",)), Complexity(score=0.9)
WORST = models_of(FakeLanguageModel()).limits.most


def counted(models: Models) -> Registry:
    registry = Registry()
    models.observe(ModelMetrics(registry))
    return registry


# -- which one -----------------------------------------------------------------------------------


async def test_what_is_easy_is_asked_of_one_and_what_is_hard_of_the_other() -> None:
    small, large = FakeLanguageModel("small"), FakeLanguageModel("large")
    models = models_of(small, large)
    for judged in (EASY, HARD):
        await models.ask(await models.available(models.choice_for(judged)), REQUEST)
    assert (small.thought, large.thought) == ([False], [True])
    assert "a doubt" in small.prompts[0]


@pytest.mark.parametrize("error", [ModelMissing("pull it"), ModelCircuitOpen("it failed")])
async def test_where_the_reasoning_model_is_missing_the_simple_one_answers_and_it_is_said(
    error: ModelUnavailable,
) -> None:
    models = models_of(FakeLanguageModel("small"), FakeLanguageModel("large", error=error))
    choice = await models.available(models.choice_for(HARD))
    assert (choice.model, choice.role, choice.thinks) == ("small", Role.SIMPLE, False)
    assert choice.why.startswith("large ")
    assert "so small was asked" in choice.why


async def test_nobody_stands_in_for_a_server_that_is_away_nor_for_whom_a_resource_names() -> None:
    away = models_of(
        FakeLanguageModel("small"), FakeLanguageModel("large", error=ModelUnavailable("away"))
    )
    with pytest.raises(ModelUnavailable):
        await away.available(away.choice_for(HARD))
    mine = FakeLanguageModel("mine", error=ModelMissing("pull it"))
    models = models_of(FakeLanguageModel("small"), connect=lambda *_: mine)
    with pytest.raises(ModelMissing):
        await models.available(models.choice_for(EASY, forced="mine"))


async def test_a_few_of_the_models_that_resources_name_are_kept_and_the_others_closed() -> None:
    made: list[FakeLanguageModel] = []

    def connect(name: str, configured: bool) -> FakeLanguageModel:
        assert not configured
        made.append(FakeLanguageModel(name))
        return made[-1]

    models = models_of(FakeLanguageModel("small"), connect=connect)
    for number in range(MOST_FORCED + 3):
        await models.available(models.choice_for(EASY, forced=f"m{number}"))
    await models.available(models.choice_for(EASY))
    assert [each.closed for each in made] == [True] * 3 + [False] * MOST_FORCED
    await models.close()
    assert all(each.closed for each in made)


# -- paying once ---------------------------------------------------------------------------------


async def test_the_same_question_is_paid_for_once() -> None:
    model = FakeLanguageModel()
    models = models_of(model)
    registry = counted(models)
    choice = models.choice_for(EASY)
    first = await models.ask(choice, REQUEST, digest="d")
    second = await models.ask(choice, REQUEST, digest="d")
    assert len(model.prompts) == 1
    assert (second.answer, second.prompt_tokens) == (first.answer, first.prompt_tokens)
    assert models.budget.spent == 1100
    await models.ask(choice, REQUEST, digest="another")
    assert len(model.prompts) == 2
    labels = {"role": "simple", "result": "cached"}
    assert registry.get_sample_value("kausa_model_questions_total", labels) == 1
    labels = {"role": "simple", "direction": "prompt"}
    assert registry.get_sample_value("kausa_model_tokens_total", labels) == 2000


async def test_a_known_answer_is_held_against_the_evidence_of_the_day() -> None:
    model = FakeLanguageModel(rootCause="The program exits with code 7 on every start.")
    first = replace(
        REQUEST,
        evidence=tuple(
            replace(each, text=each.text.replace("code 1", "code 7")) for each in REQUEST.evidence
        ),
        ruling=None,
    )
    models = models_of(model)
    choice = models.choice_for(EASY)
    assert "code 7" in (await models.ask(choice, first, digest="d")).answer.root_cause
    model.answer = {**ANSWER}
    # Nothing says 7 any more, so what was written then is no answer now.
    assert "7" not in (await models.ask(choice, REQUEST, digest="d")).answer.root_cause


async def test_nonsense_is_paid_for_once_as_well() -> None:
    model = FakeLanguageModel()
    model.texts = ["no JSON", "still none"]
    models = models_of(model)
    registry = counted(models)
    for _ in range(3):
        with pytest.raises(ModelInvalidAnswer):
            await models.ask(models.choice_for(EASY), REQUEST, digest="d")
    assert len(model.prompts) == 2
    assert models.budget.spent == 2200
    for result, count in (("InvalidAnswer", 1), ("cached", 2)):
        labels = {"role": "simple", "result": result}
        assert registry.get_sample_value("kausa_model_questions_total", labels) == count


async def test_an_answer_that_was_cut_off_is_asked_for_again() -> None:
    model = FakeLanguageModel()
    model.errors = [ModelUnavailable("cut")]
    models = models_of(model)
    with pytest.raises(ModelUnavailable):
        await models.ask(models.choice_for(EASY), REQUEST, digest="d")
    assert (await models.ask(models.choice_for(EASY), REQUEST, digest="d")).answer.determined


# -- the budget ----------------------------------------------------------------------------------


async def test_without_tokens_nobody_is_asked() -> None:
    model = FakeLanguageModel()
    models = models_of(model, tokens_per_hour=WORST)
    await models.ask(models.choice_for(EASY), REQUEST)
    with pytest.raises(ModelBudgetSpent):
        await models.ready()
    with pytest.raises(ModelBudgetSpent) as caught:
        await models.ask(models.choice_for(EASY), REQUEST)
    assert caught.value.retry_after_seconds
    assert len(model.prompts) == 1


async def test_questions_at_the_same_time_do_not_share_the_same_tokens() -> None:
    models = models_of(FakeLanguageModel(seconds=0.01), tokens_per_hour=2 * WORST)
    asked = [models.ask(models.choice_for(HARD), REQUEST) for _ in range(5)]
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(each, ModelBudgetSpent) for each in results) == 3


async def test_where_it_is_said_that_anybody_may_ask_everybody_may() -> None:
    for judged in (EASY, HARD):
        models = models_of(FakeLanguageModel(), tokens_per_hour=WORST)
        await models.ready()
        assert (await models.ask(models.choice_for(judged), REQUEST)).answer.determined


@pytest.mark.parametrize(
    ("error", "at_least", "at_most"),
    [
        (ModelDeadlineExceeded("slow"), 1000, WORST),
        (ModelUnavailable("cut"), 300, 3000),
        (ModelMissing("pull it"), 0, 0),
        (ModelCircuitOpen("it failed"), 0, 0),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_a_failure_may_have_used_is_taken_to_be_used(
    error: ModelUnavailable, at_least: int, at_most: int
) -> None:
    model = FakeLanguageModel()
    model.errors = [error]
    models = models_of(model, tokens_per_hour=10 * WORST)
    with pytest.raises(type(error)):
        await models.ask(models.choice_for(EASY), REQUEST)
    assert at_least <= models.budget.spent <= at_most


async def test_a_question_that_is_cancelled_is_paid_for_and_says_so() -> None:
    model = FakeLanguageModel(seconds=60)
    models = models_of(model, tokens_per_hour=10 * WORST)
    registry = counted(models)
    task = asyncio.ensure_future(models.ask(models.choice_for(EASY), REQUEST))
    # Tokens are set aside before the prompt is made; used they are once the model reads it.
    while not model.prompts:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert 0 < models.budget.spent <= WORST
    labels = {"role": "simple", "result": "cancelled"}
    assert registry.get_sample_value("kausa_model_questions_total", labels) == 1


async def test_there_is_no_second_attempt_where_one_diagnosis_has_no_tokens_for_it() -> None:
    model = FakeLanguageModel()
    model.texts = ["no JSON", json.dumps(model.answer)]
    model.prompt_tokens = 15_500
    models = models_of(model)
    with pytest.raises(ModelInvalidAnswer, match="KAUSA_MODEL_TOKENS_PER_DIAGNOSIS"):
        await models.ask(models.choice_for(EASY), REQUEST)
    assert len(model.prompts) == 1


# -- what it thought -----------------------------------------------------------------------------


async def test_what_it_thought_is_redacted_before_it_is_cut_and_never_in_the_answer() -> None:
    model = FakeLanguageModel()
    model.thinking = "secret " * 2000
    models = models_of(model, redact=lambda text: text.replace("secret", "******"))
    choice = models.choice_for(HARD)
    for _ in range(2):
        reply = await models.ask(choice, REQUEST, digest="d")
        assert 1000 < len(reply.thinking.encode()) <= THINKING
        assert "secret" not in reply.thinking
        assert "***" not in repr(reply.answer)


async def test_thinking_in_tags_is_redacted_too_when_the_answer_is_known() -> None:
    model = FakeLanguageModel()
    model.texts = [f"<think>secret</think>{json.dumps(model.answer)}"]
    models = models_of(model, redact=lambda text: text.replace("secret", "******"))
    for _ in range(2):
        reply = await models.ask(models.choice_for(HARD), REQUEST, digest="d")
        assert reply.thinking == "******"


# -- what is told --------------------------------------------------------------------------------


async def test_circuits_and_budget_are_shown_by_the_role_of_the_model() -> None:
    small, large = FakeLanguageModel("small"), FakeLanguageModel("large")
    models = models_of(small, large, tokens_per_hour=WORST)
    registry = counted(models)
    for _ in range(3):
        admission = large.breaker.admit()
        assert admission is not None
        large.breaker.failed(admission)

    def circuit(role: str) -> float | None:
        return registry.get_sample_value("kausa_model_circuit_state", {"role": role})

    assert (circuit("simple"), circuit("reasoning")) == (0, 2)
    assert registry.get_sample_value("kausa_model_budget_left_tokens") == WORST
    assert set(models.breakers()) == {"small", "large"}


async def test_sentences_are_told_as_they_are_written() -> None:
    heard: list[str] = []

    class Live(FakeLanguageModel):
        async def complete(self, *args: Any, **given: Any) -> Completion:
            on_text: OnText = given["on_text"]
            completion = await super().complete(*args, **given)
            on_text(None)
            on_text(completion.text)
            return completion

    models = models_of(Live())
    choice = Choice(model="fake", role=Role.SIMPLE, why="", complexity=EASY)
    for _ in range(2):
        heard.clear()
        await models.ask(
            choice, REQUEST, digest="d", on_sentence=lambda part, text: heard.append(part)
        )
        assert heard


async def test_what_a_broken_stream_took_is_counted_though_the_client_sent_it_again() -> None:
    class Breaks(FakeLanguageModel):
        async def complete(self, *args: Any, **given: Any) -> Completion:
            on_text, attempts = given["on_text"], given["attempts"]
            for pieces, read in ((30, True), (0, False), (5, True)):
                on_text(None)
                for _ in range(pieces):
                    on_text("x")
                if pieces != 5:
                    attempts.failed(read=read)
                    assert attempts.may_repeat()
            return await super().complete(*args, **given)

    plain, broken = models_of(FakeLanguageModel()), models_of(Breaks())
    for models in (plain, broken):
        await models.ask(models.choice_for(EASY), REQUEST)
    lost = broken.budget.spent - plain.budget.spent
    # One attempt had begun to write 30 tokens; the refused connection read nothing.
    assert 30 + 300 < lost < 3000


async def test_a_stream_that_breaks_off_for_ever_takes_no_more_than_was_set_aside_for_it() -> None:
    class Breaks(FakeLanguageModel):
        async def complete(self, *args: Any, **given: Any) -> Completion:
            on_text, attempts = given["on_text"], given["attempts"]
            repeat = True
            while repeat:
                on_text(None)
                for _ in range(given["max_output_tokens"]):
                    on_text("x")
                attempts.failed(read=True)
                repeat = attempts.may_repeat()
            raise ModelUnavailable("it broke off")

    models = models_of(Breaks(), tokens_per_hour=WORST)
    with pytest.raises(ModelUnavailable):
        await models.ask(models.choice_for(HARD), REQUEST)
    assert WORST // 2 < models.budget.spent <= WORST


async def test_only_what_is_allowed_may_be_named_where_that_is_set() -> None:
    models = models_of(FakeLanguageModel("small"), connect=lambda name, _: FakeLanguageModel(name))
    assert (await models.available(models.choice_for(EASY, forced="dear"))).model == "dear"
    models.names = replace(models.names, allowed=frozenset({"cheap"}))
    for name in ("cheap", "small"):
        assert (await models.available(models.choice_for(EASY, forced=name))).model == name
    with pytest.raises(ModelMissing, match="KAUSA_MODEL_ALLOWED"):
        await models.available(models.choice_for(EASY, forced="dear"))
