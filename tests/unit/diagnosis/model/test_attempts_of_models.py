"""Attempts that come to nothing are counted, and there are no more of them than tokens."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.fake_model_server import FakeModelServer
from support.model_clients import SCHEMA, client, serving
from support.virtual_time import VirtualTimeLoop

from kausa.diagnosis.errors import (
    ModelDeadlineExceeded,
    ModelError,
    ModelInvalidAnswer,
    ModelUnavailable,
)
from kausa.diagnosis.model.boundary import AttemptFailed
from kausa.diagnosis.model.breaker import CircuitBreaker, ModelCircuitOpen
from kausa.diagnosis.model.budget import ModelPromptTooLong
from kausa.diagnosis.model.clients import ModelClient, Opened
from kausa.diagnosis.model.metering import Meter
from kausa.diagnosis.model.prompt import TokenCounter
from kausa.diagnosis.model.protocol import Message
from kausa.diagnosis.model.transport import Transport

EVENT_LOOP = VirtualTimeLoop
MOST = 16_000
WRITTEN = 900


def meter(model: ModelClient, *, most: int = MOST, window: int = 8_192) -> Meter:
    return Meter(Opened(client=model, counter=TokenCounter()), most=most, window=window)


async def ask(metered: Meter, *, prompt: str, seconds: float = 600, think: bool = False) -> None:
    await metered.complete(
        (Message(role="user", content=prompt),),
        schema=SCHEMA,
        deadline_seconds=seconds,
        think=think,
        max_output_tokens=WRITTEN,
    )


def long(tokens: int) -> str:
    """A prompt of about so many tokens."""
    return "x" * int(tokens * 3 / TokenCounter().ratio)


# -- what is spent -------------------------------------------------------------------------------


async def test_streams_that_break_off_are_counted_and_not_repeated_beyond_the_tokens(
    server: FakeModelServer, model: ModelClient
) -> None:
    server.script = [server.cuts(pieces=850)]
    metered = meter(model)

    with pytest.raises(ModelUnavailable):
        await ask(metered, prompt=long(6_000))

    really = len(server.requests) * (6_000 + 850)
    assert len(server.requests) == 2
    assert metered.prompt + metered.output == pytest.approx(really, rel=0.01)
    assert metered.prompt + metered.output <= MOST


async def test_a_short_question_is_repeated_as_often_as_ever(
    server: FakeModelServer, model: ModelClient
) -> None:
    server.script = [server.cuts(), server.cuts(), server.says("{}")]
    metered = meter(model)

    await ask(metered, prompt=long(1_000))

    assert len(server.requests) == 3
    # Of the answer the server tells what it took; of the others all was counted here.
    assert metered.prompt == pytest.approx(2 * 1_000 + 120, rel=0.01)
    assert metered.output == 2 + 60


async def test_where_nobody_listens_nothing_is_spent(
    server: FakeModelServer, model: ModelClient
) -> None:
    await server.stop()
    metered = meter(model)

    with pytest.raises(ModelUnavailable, match="No model server answers"):
        await ask(metered, prompt=long(6_000))

    assert (metered.prompt, metered.output) == (0, 0)


@pytest.mark.parametrize(
    ("status", "read"), [(400, False), (429, False), (503, False), (500, True)]
)
async def test_what_is_refused_was_not_read_and_what_fails_may_have_been(
    server: FakeModelServer, model: ModelClient, status: int, read: bool
) -> None:
    server.script = [server.raw("{}", status=status)]
    metered = meter(model)

    with pytest.raises(ModelError):
        await ask(metered, prompt=long(1_000))

    assert metered.prompt == pytest.approx(1_000 if read else 0, rel=0.01)
    assert metered.output == 0


async def test_what_never_came_to_a_question_was_not_read() -> None:
    async with serving("ollama") as server:
        server.showing = server.raw("{}", status=500)
        model = client("ollama", server.url)
        metered = meter(model)

        with pytest.raises(ModelUnavailable):
            await ask(metered, prompt=long(1_000), think=True)

        assert server.requests == []
        assert (metered.prompt, metered.output) == (0, 0)
        await model.close()


async def test_a_question_that_is_not_sent_for_a_refusal_of_another_costs_nothing() -> None:
    async with serving("openai") as server:
        server.script = [server.raw("{}", status=401)]
        model = client("openai", server.url)
        with pytest.raises(ModelUnavailable, match="refuses our key"):
            await ask(meter(model), prompt="why?")

        metered = meter(model)
        with pytest.raises(ModelUnavailable, match="refuses our key"):
            await ask(metered, prompt=long(1_000))

        assert len(server.requests) == 1
        assert (metered.prompt, metered.output) == (0, 0)
        await model.close()


async def test_whoever_goes_between_two_attempts_has_paid_for_the_first_alone(
    server: FakeModelServer, model: ModelClient
) -> None:
    server.script = [server.raw("{}", status=503, headers={"Retry-After": "100"})]
    metered = meter(model)
    task = asyncio.ensure_future(ask(metered, prompt=long(1_000)))
    while not server.requests:
        await asyncio.sleep(0.01)
    await asyncio.sleep(20)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task

    assert len(server.requests) == 1
    assert (metered.prompt, metered.output) == (0, 0)


async def test_a_stream_that_is_left_is_paid_for_as_if_it_had_been_written_to_its_end(
    server: FakeModelServer, model: ModelClient
) -> None:
    server.script = [server.cuts(), server.slow(600)]
    metered = meter(model)

    with pytest.raises(ModelDeadlineExceeded, match="within 20 seconds"):
        await ask(metered, prompt=long(1_000), seconds=20.004)

    assert metered.prompt == pytest.approx(2_000, rel=0.01)
    assert metered.output == 1 + WRITTEN


async def test_tokens_that_come_several_in_a_piece_are_not_counted_as_one(
    server: FakeModelServer, model: ModelClient
) -> None:
    pieces = [server.piece(text="on and on ") for _ in range(40)]
    server.script = [server.streams(pieces)]
    metered = meter(model)

    with pytest.raises(ModelUnavailable):
        await ask(metered, prompt="why?")

    assert metered.output == 3 * 100


# -- what is not sent at all ---------------------------------------------------------------------


@pytest.mark.parametrize(("most", "window"), [(MOST, 4_096), (6_000, 100_000)])
async def test_a_question_that_is_more_than_may_be_sent_is_refused_and_says_why(
    server: FakeModelServer, model: ModelClient, most: int, window: int
) -> None:
    metered = meter(model, most=most, window=window)

    with pytest.raises(ModelPromptTooLong, match="KAUSA_MODEL_CONTEXT_TOKENS") as caught:
        await ask(metered, prompt=long(5_500))

    assert caught.value.reason == "BudgetSpent"
    assert server.requests == []
    assert not metered.answered


async def test_a_second_question_that_the_window_does_not_hold_leaves_the_first_answer(
    server: FakeModelServer, model: ModelClient
) -> None:
    metered = meter(model, most=100_000, window=4_096)
    await ask(metered, prompt=long(3_000))

    with pytest.raises(ModelInvalidAnswer, match="no room for a second"):
        await ask(metered, prompt=long(3_500))

    assert len(server.requests) == 1


# -- a server that hangs -------------------------------------------------------------------------


def transport(breaker: CircuitBreaker) -> Transport:
    return Transport(model="tiny", where="here", breaker=breaker)


async def hangs() -> None:
    await asyncio.sleep(10_000)


async def test_a_server_that_hangs_at_every_check_is_left_alone() -> None:
    breaker = CircuitBreaker(failures_to_open=3)
    tried = transport(breaker)

    for state in ("closed", "closed", "open"):
        with pytest.raises(ModelUnavailable, match="did not say within 2 seconds"):
            await tried.check(hangs, deadline_seconds=2)
        assert breaker.state.value == state
    with pytest.raises(ModelCircuitOpen):
        await tried.check(hangs, deadline_seconds=2)


async def test_whoever_has_no_patience_at_a_check_cannot_open_the_breaker() -> None:
    breaker = CircuitBreaker(failures_to_open=1)

    with pytest.raises(ModelUnavailable):
        await transport(breaker).check(hangs, deadline_seconds=0.2)

    assert breaker.state.value == "closed"


async def test_a_trial_that_hangs_at_its_check_lengthens_the_pause() -> None:
    now = 0.0
    breaker = CircuitBreaker(
        failures_to_open=1,
        first_pause_seconds=10,
        uniform=lambda _, high: high,
        clock=lambda: now,
    )
    tried = transport(breaker)
    for pause in (10, 20):
        with pytest.raises(ModelUnavailable):
            await tried.check(hangs, deadline_seconds=2)
        assert breaker.retry_after_seconds == pause
        now += pause


async def test_of_several_that_wait_for_a_model_that_is_back_one_is_its_trial() -> None:
    now = 0.0
    breaker = CircuitBreaker(failures_to_open=1, clock=lambda: now)
    tried = transport(breaker)
    asked = 0

    async def refuses() -> None:
        raise AttemptFailed(ModelUnavailable("it fails"), alive=False)

    async def answers() -> str:
        nonlocal asked
        asked += 1
        await asyncio.sleep(30)
        return "{}"

    with pytest.raises(ModelUnavailable):
        await tried.ask(refuses, deadline_seconds=60)
    now = 1000.0
    results: list[Any] = await asyncio.gather(
        *(tried.ask(answers, deadline_seconds=60) for _ in range(5)), return_exceptions=True
    )

    assert asked == 1
    assert [isinstance(each, ModelError) for each in results] == [False, *[True] * 4]
    assert breaker.state.value == "closed"
