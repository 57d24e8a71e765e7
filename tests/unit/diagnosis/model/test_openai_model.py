"""What only OpenAI's API has: servers that call themselves compatible and differ."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from support.fake_model_server import FakeModelServer, Handler
from support.model_clients import ANSWER, SCHEMA, ask, refuses

from kausa.diagnosis.errors import ModelError, ModelInvalidAnswer, ModelMissing
from kausa.diagnosis.model.openai import OpenAIModel


@pytest.fixture
async def openai(endpoint: FakeModelServer) -> AsyncIterator[OpenAIModel]:
    """Its address has a path, and a slash too many."""
    made = OpenAIModel(url=endpoint.url + "/v1/", name="tiny", retry_seconds=0.001)
    yield made
    await made.close()


def refuses_field(endpoint: FakeModelServer, field: str, words: str) -> Handler:
    return refuses(endpoint, lambda body: field in body, json.dumps({"error": words}))


async def test_the_question_is_bounded_constrained_and_repeatable(
    endpoint: FakeModelServer, openai: OpenAIModel
) -> None:
    await ask(openai, tokens=77)

    (sent,) = endpoint.requests
    assert sent["model"] == "tiny"
    assert sent["max_tokens"] == 77
    assert (sent["temperature"], sent["seed"], sent["stream"]) == (0, 0, True)
    assert sent["response_format"]["json_schema"]["schema"] == SCHEMA
    assert sent["stream_options"] == {"include_usage": True}
    assert "reasoning_effort" not in sent
    assert openai.given_up == ()


@pytest.mark.parametrize(
    ("field", "words", "said"),
    [
        ("json_schema", "response_format.type json_schema is unavailable", "JSON schemas"),
        ("json_schema", "bad request", "JSON schemas"),
        ("stream_options", "Unrecognized request argument: stream_options", "usage"),
        ("temperature", "Unsupported value: 'temperature'", "temperature"),
        ("reasoning_effort", '"tiny" does not support thinking', "reasoning_effort"),
        ('"max_tokens"', "Use 'max_completion_tokens' instead.", None),
    ],
)
async def test_what_a_server_refuses_is_given_up_for_good_and_said(
    endpoint: FakeModelServer, openai: OpenAIModel, field: str, words: str, said: str | None
) -> None:
    endpoint.script = [refuses_field(endpoint, field, words)]

    assert (await ask(openai, think=True)).text == ANSWER
    assert (await ask(openai, think=True)).text == ANSWER

    assert len(endpoint.requests) == 3
    assert len(openai.given_up) == (0 if said is None else 1)
    assert said is None or openai.given_up[0].startswith(said)
    limits = {"max_tokens", "max_completion_tokens"}
    assert all(len(limits & set(sent)) == 1 for sent in endpoint.requests)


async def test_without_a_schema_the_answer_is_still_asked_for_as_json(
    endpoint: FakeModelServer, openai: OpenAIModel
) -> None:
    endpoint.script = [refuses_field(endpoint, "json_schema", "json_schema")]
    await ask(openai)

    assert endpoint.requests[-1]["response_format"] == {"type": "json_object"}


async def test_a_question_that_is_refused_for_itself_costs_no_schema(
    endpoint: FakeModelServer, openai: OpenAIModel
) -> None:
    endpoint.script = [
        endpoint.raw('{"error": "maximum context length is 4096 tokens"}', status=400)
    ]
    with pytest.raises(ModelError, match="400"):
        await ask(openai)
    assert openai.given_up == ()

    endpoint.script = [endpoint.says(ANSWER)]
    await ask(openai)
    assert endpoint.requests[-1]["response_format"]["type"] == "json_schema"


async def test_a_server_that_does_not_stream_is_understood(
    endpoint: FakeModelServer, openai: OpenAIModel
) -> None:
    whole = {
        "choices": [{"message": {"content": ANSWER}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 6},
    }
    endpoint.script = [endpoint.raw(json.dumps(whole))]

    completion = await ask(openai)

    assert completion.text == ANSWER
    assert (completion.prompt_tokens, completion.output_tokens) == (12, 6)


async def test_comments_and_other_fields_of_a_stream_are_skipped(
    endpoint: FakeModelServer, openai: OpenAIModel
) -> None:
    noise = [b": keep-alive\n\n", b"event: message\nid: 4\n"]
    endpoint.script = [
        endpoint.streams([*noise, endpoint.piece(text=ANSWER), *noise, *endpoint.end()])
    ]

    assert (await ask(openai)).text == ANSWER


async def test_a_withheld_answer_is_invalid(endpoint: FakeModelServer, openai: OpenAIModel) -> None:
    endpoint.script = [endpoint.says(ANSWER, finish="content_filter")]

    with pytest.raises(ModelInvalidAnswer, match="withheld"):
        await ask(openai)


async def test_an_address_without_a_path_is_asked_below_v1(endpoint: FakeModelServer) -> None:
    model = OpenAIModel(url=endpoint.url + "/", name="tiny")
    await model.check(deadline_seconds=2)
    assert (await ask(model)).finish == "stop"
    await model.close()


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_an_endpoint_that_lists_nothing_is_believed(
    endpoint: FakeModelServer, openai: OpenAIModel, status: int
) -> None:
    endpoint.listing = endpoint.raw("{}", status=status)
    await openai.check(deadline_seconds=2)


async def test_an_endpoint_that_lists_only_others_lacks_ours(
    endpoint: FakeModelServer, openai: OpenAIModel
) -> None:
    endpoint.models = ["tiny-2"]
    with pytest.raises(ModelMissing, match="does not list the model tiny"):
        await openai.check(deadline_seconds=2)


async def test_a_whole_message_behind_its_pieces_is_no_second_answer(
    endpoint: FakeModelServer, openai: OpenAIModel
) -> None:
    last = {"delta": {}, "message": {"content": ANSWER}, "finish_reason": "stop"}
    endpoint.script = [
        endpoint.streams([endpoint.piece(text=ANSWER), endpoint.line({"choices": [last]})])
    ]

    assert (await ask(openai)).text == ANSWER


@pytest.mark.parametrize("delta", [{}, None])
async def test_a_whole_message_without_pieces_is_the_answer(
    endpoint: FakeModelServer, openai: OpenAIModel, delta: dict[str, Any] | None
) -> None:
    role = {"choices": [{"delta": {"role": "assistant", "content": ""}}]}
    last = {"delta": delta, "message": {"content": ANSWER}, "finish_reason": "stop"}
    endpoint.script = [endpoint.streams([endpoint.line(role), endpoint.line({"choices": [last]})])]

    assert (await ask(openai)).text == ANSWER


@pytest.mark.parametrize("fields", [{}, {"choices": None}])
async def test_usage_behind_an_answer_needs_no_choices(
    endpoint: FakeModelServer, openai: OpenAIModel, fields: dict[str, Any]
) -> None:
    usage = {"usage": {"prompt_tokens": 120, "completion_tokens": 60}, **fields}
    end = [*endpoint.end(counted=False)[:-1], endpoint.line(usage), b"data: [DONE]\n\n"]
    endpoint.script = [endpoint.streams([endpoint.piece(text=ANSWER), *end])]

    completion = await ask(openai)

    assert completion.text == ANSWER
    assert (completion.prompt_tokens, completion.output_tokens) == (120, 60)


async def test_what_tells_of_usage_and_never_of_choices_does_not_speak_the_api(
    endpoint: FakeModelServer, openai: OpenAIModel
) -> None:
    other = {"content": [{"text": ANSWER}], "usage": {"input_tokens": 12}}
    endpoint.script = [endpoint.raw(json.dumps(other))]

    with pytest.raises(ModelError, match="does not speak"):
        await ask(openai)

    assert len(endpoint.requests) == 1


async def test_true_is_no_count_of_tokens(endpoint: FakeModelServer, openai: OpenAIModel) -> None:
    usage = {"prompt_tokens": True, "completion_tokens": True}
    end = [*endpoint.end(counted=False)[:-1], endpoint.line({"choices": [], "usage": usage})]
    endpoint.script = [endpoint.streams([endpoint.piece(text=ANSWER), *end])]

    completion = await ask(openai)

    assert completion.prompt_tokens > 1
    assert completion.output_tokens > 1
