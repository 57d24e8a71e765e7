"""One question: an answer that holds, or one repair, or the reason why there is none."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from unit.diagnosis.model.steering import HONEST, request_with

from kausa.diagnosis.errors import ModelInvalidAnswer, ModelUnavailable
from kausa.diagnosis.model.asking import ModelNotRepaired, TokenBudget, ask
from kausa.diagnosis.model.prompt import VERSION, TokenCounter
from kausa.diagnosis.model.protocol import Completion, Message

GOOD = json.dumps(HONEST)
BAD = json.dumps({**HONEST, "rootCause": "The server db-7 was deleted."})


class Scripted:
    """Says one thing after the other."""

    name = "scripted"

    def __init__(self, *said: str | Completion | Exception) -> None:
        self.said = list(said)
        self.heard: list[tuple[Message, ...]] = []
        self.options: list[dict[str, Any]] = []

    async def check(self, *, deadline_seconds: float) -> None:
        return None

    async def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any],
        deadline_seconds: float,
        think: bool,
        max_output_tokens: int,
    ) -> Completion:
        self.heard.append(tuple(messages))
        self.options.append(
            {"schema": schema, "seconds": deadline_seconds, "most": max_output_tokens}
        )
        said = self.said.pop(0)
        if isinstance(said, Exception):
            raise said
        if isinstance(said, Completion):
            return said
        return Completion(text=said, prompt_tokens=700, output_tokens=90)

    async def close(self) -> None:
        return None


async def test_an_answer_that_holds_takes_one_call() -> None:
    model = Scripted(GOOD)
    reply = await ask(model, request_with(None), deadline_seconds=5)

    assert reply.answer.root_cause == HONEST["rootCause"]
    assert (reply.model, reply.prompt_version, reply.repaired) == ("scripted", VERSION, False)
    assert (reply.prompt_tokens, reply.output_tokens) == (700, 90)
    ((system, user),) = model.heard
    assert (system.role, user.role) == ("system", "user")
    ids = model.options[0]["schema"]["properties"]["citations"]["items"]["enum"]
    assert sorted(ids) == ["E1", "E2", "E3", "E4", "E5"]


@pytest.mark.parametrize("first", [BAD, "", "{", Completion(text=GOOD[:50], finish="length")])
async def test_an_answer_that_does_not_hold_is_repaired_once(first: str | Completion) -> None:
    model = Scripted(first, GOOD)
    reply = await ask(model, request_with(None), deadline_seconds=5)

    assert reply.repaired
    assert reply.answer.root_cause == HONEST["rootCause"]
    assert [message.role for message in model.heard[1]] == ["system", "user", "assistant", "user"]
    assert "can't be used" in model.heard[1][3].content
    assert model.options[1]["seconds"] <= 5


async def test_the_repair_says_what_was_wrong() -> None:
    model = Scripted(BAD, GOOD)
    await ask(model, request_with(None), deadline_seconds=5)
    assert "db-7" in model.heard[1][3].content
    # A small model repeats our own words as a cause.
    assert "does not bear" not in model.heard[1][3].content


async def test_after_the_second_bad_answer_there_is_none() -> None:
    model = Scripted(BAD, BAD)
    with pytest.raises(ModelInvalidAnswer, match="does not bear") as caught:
        await ask(model, request_with(None), deadline_seconds=5)
    # Conditions and logs show the message, and nobody checked what the model wrote.
    assert "db-7" not in str(caught.value)
    assert len(model.heard) == 2


async def test_without_time_there_is_no_repair() -> None:
    model = Scripted(BAD, GOOD)
    with pytest.raises(ModelInvalidAnswer):
        await ask(model, request_with(None), deadline_seconds=0.5)
    assert len(model.heard) == 1


async def test_a_model_that_is_away_is_not_asked_again() -> None:
    model = Scripted(ModelUnavailable("away"))
    with pytest.raises(ModelUnavailable):
        await ask(model, request_with(None), deadline_seconds=5)


async def test_no_evidence_is_not_even_asked() -> None:
    model = Scripted()
    with pytest.raises(ModelInvalidAnswer, match="no evidence"):
        await ask(model, replace(request_with(None), evidence=()), deadline_seconds=5)


@pytest.mark.parametrize(
    "written",
    [
        Completion(text=GOOD, thinking="it is the variable"),
        Completion(text=f"<think>it is the variable</think>\n{GOOD}"),
    ],
)
async def test_thinking_is_kept_apart(written: Completion) -> None:
    model = Scripted(written)
    reply = await ask(model, request_with(None), deadline_seconds=5, think=True)
    assert "it is the variable" in reply.thinking
    assert "it is the variable" not in str(reply.answer)
    budget = TokenBudget()
    assert model.options[0]["most"] == budget.output + budget.thinking


async def test_the_count_of_tokens_learns_from_the_reply() -> None:
    counter = TokenCounter()
    before = counter.ratio
    await ask(Scripted(GOOD), request_with(None), deadline_seconds=5, counter=counter)
    assert counter.ratio != before


@pytest.mark.parametrize(
    "written",
    [
        Completion(text=GOOD, thinking="it is the variable", prompt_tokens=2500),
        Completion(text=f"<think>it is the variable</think>{GOOD}", prompt_tokens=2500),
    ],
)
async def test_the_count_of_tokens_learns_nothing_from_who_thought(written: Completion) -> None:
    # Ollama counts the thoughts as prompt: the next prompt would be half as long.
    counter = TokenCounter()
    before = counter.ratio
    await ask(
        Scripted(written), request_with(None), deadline_seconds=5, think=True, counter=counter
    )
    assert counter.ratio == before
    await ask(Scripted(GOOD), request_with(None), deadline_seconds=5, think=True, counter=counter)
    assert counter.ratio != before


async def test_where_the_repair_fails_the_answer_is_as_bad_as_it_was() -> None:
    model = Scripted(BAD, ModelUnavailable("it broke off."))
    with pytest.raises(ModelInvalidAnswer, match=r"does not bear .*nothing: it broke off") as error:
        await ask(model, request_with(None), deadline_seconds=5)
    assert "db-7" not in str(error.value)


async def test_that_there_was_no_time_for_a_repair_is_told() -> None:
    with pytest.raises(ModelNotRepaired, match="does not bear") as caught:
        await ask(Scripted(BAD), request_with(None), deadline_seconds=0.5)
    assert caught.value.reason == "InvalidAnswer"
