"""A server is asked whether it has the model, and left alone for a while where it keeps failing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from aiohttp import web
from support.fake_model_server import FakeModelServer
from support.model_clients import ANSWER, ask, client
from unit.diagnosis.model.steering import request_with

from kausa.diagnosis.errors import (
    ModelDeadlineExceeded,
    ModelError,
    ModelInvalidAnswer,
    ModelMissing,
    ModelRefusedQuestion,
    ModelUnavailable,
)
from kausa.diagnosis.model.breaker import CircuitBreaker, ModelCircuitOpen
from kausa.diagnosis.model.budget import HourlyBudget, TokenLimits
from kausa.diagnosis.model.choosing import Complexity
from kausa.diagnosis.model.clients import ModelClient
from kausa.diagnosis.model.models import Models, Names
from kausa.diagnosis.model.protocol import LanguageModel


async def test_the_check_passes_only_where_the_model_is_there(
    server: FakeModelServer, model: LanguageModel
) -> None:
    await model.check(deadline_seconds=2)
    server.models = ["other:latest"]

    with pytest.raises(ModelMissing):
        await model.check(deadline_seconds=2)


async def test_a_server_that_hangs_fails_the_check_in_time_and_is_as_good_as_away(
    server: FakeModelServer, model: LanguageModel
) -> None:
    server.listing = server.slow()

    with pytest.raises(ModelUnavailable, match=r"did not say within 0\.1 seconds"):
        await model.check(deadline_seconds=0.1)


async def test_a_server_that_keeps_failing_is_left_alone_and_tried_again(
    server: FakeModelServer,
) -> None:
    now = 0.0
    breaker = CircuitBreaker(clock=lambda: now, first_pause_seconds=10)
    model = client(server.kind, server.url, breaker=breaker)
    server.script = [server.raw("{}", status=500)]
    for _ in range(3):
        with pytest.raises(ModelUnavailable, match="500"):
            await ask(model)
    assert breaker.state.value == "open"

    for attempt in (ask(model), model.check(deadline_seconds=2)):
        with pytest.raises(ModelCircuitOpen, match="asked again in") as caught:
            await attempt
        assert caught.value.reason == "CircuitOpen"
    assert len(server.requests) == 3

    now = 10.0
    server.script = [server.says(ANSWER)]
    await model.check(deadline_seconds=2)
    # That it lists its models is no proof that it answers.
    assert breaker.state.value == "half-open"
    assert (await ask(model)).text == ANSWER
    assert str(breaker.state) == "closed"
    await model.close()


async def test_a_hiccup_that_fails_all_attempts_of_one_question_opens_no_breaker(
    server: FakeModelServer,
) -> None:
    breaker = CircuitBreaker(failures_to_open=2)
    model = client(server.kind, server.url, breaker=breaker)
    server.script = [server.cuts()]
    for state in ("closed", "open"):
        with pytest.raises(ModelUnavailable):
            await ask(model)
        assert breaker.state.value == state

    assert len(server.requests) == 6
    await model.close()


async def test_refusals_of_single_questions_open_no_breaker(server: FakeModelServer) -> None:
    breaker = CircuitBreaker(failures_to_open=1)
    model = client(server.kind, server.url, breaker=breaker)
    for status in (400, 401, 404, 422):
        server.script = [server.raw("{}", status=status)]
        with pytest.raises(ModelError):
            await ask(model)

    assert breaker.state.value == "closed"
    await model.close()


async def test_whoever_has_no_patience_cannot_open_the_breaker(server: FakeModelServer) -> None:
    breaker = CircuitBreaker(failures_to_open=1)
    model = client(server.kind, server.url, breaker=breaker)
    server.script = [server.slow()]
    with pytest.raises(ModelDeadlineExceeded):
        await ask(model, seconds=0.05)

    assert breaker.state.value == "closed"
    await model.close()


@pytest.mark.parametrize("status", [400, 500])
async def test_one_question_that_a_server_does_not_take_leaves_the_model_to_the_others(
    server: FakeModelServer, model: ModelClient, status: int
) -> None:
    bad, good = server.raw('{"error": "failed to parse grammar"}', status=status), server.says("{}")

    async def handler(request: web.Request) -> web.StreamResponse:
        sent = json.dumps(await request.json())
        return await (bad if "poisoned" in sent else good)(request)

    server.script = [handler]
    models = Models(
        names=Names(simple="tiny", reasoning="tiny"),
        connect=lambda *_: model,
        limits=TokenLimits(),
        budget=HourlyBudget(tokens=None),
        redact=lambda text: text,
    )
    choice = models.choice_for(Complexity())
    usual = request_with(None)
    poisoned = replace(usual, question="why is it poisoned?")
    sent: list[int] = []
    for number in range(10):
        with pytest.raises(ModelError) as caught:
            await models.ask(choice, poisoned, digest="poison")
        sent.append(sum("poisoned" in json.dumps(each) for each in server.requests))
        with pytest.raises(ModelInvalidAnswer):
            await models.ask(choice, usual, digest=f"other-{number}")
        assert model.breaker.state.value == "closed"

    assert isinstance(caught.value, ModelRefusedQuestion)
    # An error is the server's, until it has answered another question meanwhile.
    assert sent[2:] == [sent[0] if status == 400 else 2] * 8
