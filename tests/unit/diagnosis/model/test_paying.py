"""What was paid for is kept, and no question is asked in vain for ever."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest
from support.dossiers import dossier
from support.fake_language_model import FakeLanguageModel, models_of
from support.pods import container, pod, terminated, waiting
from support.virtual_time import VirtualTimeLoop

from kausa.diagnosis.errors import (
    ModelDeadlineExceeded,
    ModelError,
    ModelInvalidAnswer,
    ModelRefusedQuestion,
    ModelUnavailable,
)
from kausa.diagnosis.model.breaker import ModelCircuitOpen
from kausa.diagnosis.model.choosing import Complexity
from kausa.diagnosis.model.metrics import ModelMetrics
from kausa.diagnosis.model.models import Models
from kausa.diagnosis.model.postponing import FIRST_REST_SECONDS, LONGEST_REST_SECONDS
from kausa.diagnosis.model.protocol import Completion, ModelReply
from kausa.diagnosis.model.requesting import request_from
from kausa.diagnosis.rules.engine import decide_by_rules
from kausa.telemetry.metrics import Registry

EVENT_LOOP = VirtualTimeLoop
SEEN = dossier(pod(container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=2)))
REQUEST = request_from(SEEN, decide_by_rules(SEEN), None)
EASY = Complexity(score=0.1)
DAY = 24 * 3600


class Scripted(FakeLanguageModel):
    """Says one thing after the other, and then what it always says."""

    def __init__(self, *said: str | ModelError, **given: Any) -> None:
        super().__init__(**given)
        self.said = list(said)

    async def complete(self, *args: Any, **given: Any) -> Completion:
        if self.said:
            said = self.said.pop(0)
            if isinstance(said, str):
                self.texts = [said]
            else:
                self.errors = [said]
        return await super().complete(*args, **given)


async def ask(models: Models, digest: str = "d", *, seconds: float | None = None) -> ModelReply:
    choice = models.choice_for(EASY)
    return await models.ask(choice, REQUEST, digest=digest, deadline_seconds=seconds)


# -- a whole answer that does not hold -----------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        ModelDeadlineExceeded("no answer in 3 seconds"),
        ModelUnavailable("it broke off"),
        ModelCircuitOpen("it failed"),
        ModelRefusedQuestion("too long"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_an_answer_that_does_not_hold_is_not_paid_again_where_its_repair_fails(
    error: ModelError,
) -> None:
    model = Scripted("no JSON", error)
    models = models_of(model)
    for _ in range(3):
        with pytest.raises(ModelInvalidAnswer, match=f"repair came to nothing: {error}") as caught:
            await ask(models)
        assert type(caught.value) is ModelInvalidAnswer
    assert len(model.prompts) == 2
    assert models.nonsense("d")


async def test_a_repair_for_which_there_was_no_time_is_paid_later_and_the_answer_is_not() -> None:
    model = Scripted("no JSON")
    models = models_of(model)
    with pytest.raises(ModelInvalidAnswer):
        await ask(models, seconds=0.5)
    assert not models.nonsense("d")
    assert models.budget.spent == 1100
    reply = await ask(models)
    assert reply.repaired
    assert len(model.prompts) == 2
    assert models.budget.spent == 2200
    # What the answer took is told of all of it, as a status keeps it for the next process.
    assert (reply.prompt_tokens, reply.output_tokens) == (2000, 200)
    assert (await ask(models)).answer == reply.answer
    assert len(model.prompts) == 2


async def test_there_is_no_time_for_a_repair_only_once() -> None:
    model = Scripted("no JSON")
    models = models_of(model)
    for _ in range(4):
        with pytest.raises(ModelInvalidAnswer):
            await ask(models, seconds=0.5)
    assert len(model.prompts) == 1
    assert models.nonsense("d")


async def test_what_was_answered_to_who_was_interrupted_is_not_paid_again() -> None:
    model = Scripted("no JSON", seconds=5)
    models = models_of(model)
    task = asyncio.ensure_future(ask(models))
    while len(model.prompts) < 2:
        await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await ask(models)).repaired
    # The first answer, its repair that was stopped, and its repair.
    assert len(model.prompts) == 3
    assert model.said == []


# -- what nobody answers in time -----------------------------------------------------------------


async def test_a_question_that_is_always_too_slow_rests_longer_each_time() -> None:
    model = FakeLanguageModel()
    model.errors = [ModelDeadlineExceeded("slow") for _ in range(1000)]
    models = models_of(model)
    loop = asyncio.get_running_loop()
    began, at = loop.time(), list[float]()
    while loop.time() < began + DAY:
        asked = len(model.prompts)
        with pytest.raises(ModelDeadlineExceeded, match="asked again after 20") as caught:
            await ask(models)
        assert caught.value.reason == "DeadlineExceeded"
        assert caught.value.retry_after_seconds
        if len(model.prompts) > asked:
            at.append(loop.time())
        await asyncio.sleep(caught.value.retry_after_seconds / 2 + 0.1)
    rests = [later - one for one, later in itertools.pairwise(at)]
    assert rests[:3] == pytest.approx([60, 120, 240], rel=0.1)
    assert max(rests) == pytest.approx(LONGEST_REST_SECONDS, rel=0.1)
    assert 8 < len(at) < 15


async def test_while_a_question_rests_nothing_is_paid_and_others_are_answered() -> None:
    model = FakeLanguageModel()
    model.errors = [ModelDeadlineExceeded("slow")]
    models = models_of(model)
    registry = Registry()
    models.observe(ModelMetrics(registry))
    with pytest.raises(ModelDeadlineExceeded) as first:
        await ask(models)
    spent = models.budget.spent
    resting = models.in_vain("d")
    # The same words each time: a condition that changes is written each time.
    assert str(resting) == str(first.value)
    with pytest.raises(ModelDeadlineExceeded):
        await ask(models)
    assert models.budget.spent == spent
    labels = {"role": "simple", "result": "cached"}
    assert registry.get_sample_value("kausa_model_questions_total", labels) == 1
    assert (await ask(models, "another")).answer.determined
    await asyncio.sleep(FIRST_REST_SECONDS)
    assert models.in_vain("d") is None
    assert (await ask(models)).answer.determined


async def test_who_has_less_patience_than_the_settings_does_not_make_a_question_rest() -> None:
    model = FakeLanguageModel()
    model.errors = [ModelDeadlineExceeded("slow")]
    models = models_of(model)
    with pytest.raises(ModelDeadlineExceeded):
        await ask(models, seconds=5)
    assert (await ask(models)).answer.determined


# -- what a server does not take -----------------------------------------------------------------


async def test_a_question_that_the_server_refuses_is_not_sent_again_for_hours() -> None:
    model = FakeLanguageModel()
    model.errors = [ModelRefusedQuestion("it refuses this as too long")]
    models = models_of(model)
    for _ in range(3):
        with pytest.raises(ModelRefusedQuestion, match="too long") as caught:
            await ask(models)
        assert caught.value.reason == "Refused"
    assert len(model.prompts) == 1
    assert not models.nonsense("d")
    await asyncio.sleep(LONGEST_REST_SECONDS)
    assert (await ask(models)).answer.determined


def fails() -> ModelUnavailable:
    return ModelUnavailable("the HTTP status 500.")


async def test_a_question_at_which_alone_a_server_fails_is_no_failure_of_the_server() -> None:
    model = FakeLanguageModel()
    models = models_of(model)
    model.errors = [fails()]
    with pytest.raises(ModelUnavailable):
        await ask(models, "poison")
    await ask(models, "another")
    model.errors = [fails()]
    with pytest.raises(ModelRefusedQuestion, match="answered others meanwhile"):
        await ask(models, "poison")
    asked = len(model.prompts)
    with pytest.raises(ModelRefusedQuestion):
        await ask(models, "poison")
    assert len(model.prompts) == asked


async def test_while_a_server_fails_at_everything_no_question_is_blamed() -> None:
    model = FakeLanguageModel()
    models = models_of(model)
    await ask(models, "earlier")
    for _ in range(3):
        for digest in ("a", "b"):
            model.errors = [fails()]
            with pytest.raises(ModelUnavailable):
                await ask(models, digest)
    for digest in ("a", "b"):
        assert (await ask(models, digest)).answer.determined


async def test_a_server_that_nobody_reached_is_blamed_itself() -> None:
    class Unreached(FakeLanguageModel):
        async def complete(self, *args: Any, **given: Any) -> Completion:
            if self.errors:
                given["attempts"].failed(read=False)
                raise self.errors.pop(0)
            return await super().complete(*args, **given)

    model = Unreached()
    models = models_of(model)
    for number in range(3):
        model.errors = [ModelUnavailable("nobody listens")]
        with pytest.raises(ModelUnavailable):
            await ask(models)
        await ask(models, f"other-{number}")
    assert (await ask(models)).answer.determined
