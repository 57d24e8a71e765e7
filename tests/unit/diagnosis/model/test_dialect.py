"""What an endpoint refuses is given up one thing at a time, and no more of it than must be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_model_server import FakeModelServer
from support.model_clients import ANSWER, MESSAGES, ask, refuses

from kausa.diagnosis.model.answer.schema import answer_schema
from kausa.diagnosis.model.dialect import Dialect
from kausa.diagnosis.model.openai import OpenAIModel

SCHEMA = answer_schema(["E1", "E2"], ["a line with maxLength"])


def sent_schema(endpoint: FakeModelServer) -> dict[str, Any]:
    schema: dict[str, Any] = endpoint.requests[-1]["response_format"]["json_schema"]["schema"]
    return schema


@pytest.mark.parametrize("words", ["maxLength is not permitted", "bad request"])
async def test_a_server_that_takes_no_lengths_keeps_the_rest_of_the_schema(
    endpoint: FakeModelServer, openai: OpenAIModel, words: str
) -> None:
    endpoint.script = [refuses(endpoint, lambda body: '"maxLength": ' in body, words)]

    assert (await ask(openai, schema=SCHEMA)).text == ANSWER
    assert (await ask(openai, schema=SCHEMA)).text == ANSWER

    schema = sent_schema(endpoint)
    assert schema["properties"]["citations"] == {
        "type": "array",
        "items": {"type": "string", "enum": ["E1", "E2"]},
    }
    assert schema["properties"]["rootCause"] == {"type": "string"}
    assert schema["properties"]["confidence"] == {"type": "integer"}
    assert schema["required"] == SCHEMA["required"]
    assert schema["additionalProperties"] is False
    # What it learnt it does not ask again.
    assert len(endpoint.requests) == 4
    assert "lengths" in " ".join(openai.given_up)
    assert "checked only afterwards" not in " ".join(openai.given_up)


async def test_names_of_properties_are_no_bounds(endpoint: FakeModelServer) -> None:
    schema = {"type": "object", "properties": {"maxLength": {"type": "string", "maxLength": 3}}}
    body = Dialect(constrained="unbounded_schema").body(
        model="tiny", messages=MESSAGES, schema=schema, think=False, max_output_tokens=9
    )
    kept = body["response_format"]["json_schema"]["schema"]
    assert kept == {"type": "object", "properties": {"maxLength": {"type": "string"}}}


async def test_a_model_that_shall_not_think_is_kept_from_it(
    endpoint: FakeModelServer, openai: OpenAIModel
) -> None:
    await ask(openai, schema=SCHEMA)
    await ask(openai, schema=SCHEMA, think=True)

    silent, thinking = endpoint.requests
    assert silent["chat_template_kwargs"] == {"enable_thinking": False}
    assert "chat_template_kwargs" not in thinking
    assert thinking["reasoning_effort"] == "medium"


@pytest.mark.parametrize(
    "words",
    [
        "Unrecognized request argument supplied: chat_template_kwargs",
        "chat_template is not supported for Mistral tokenizers.",
        "bad request",
    ],
)
async def test_a_server_that_knows_no_templates_costs_one_refusal_and_no_schema(
    endpoint: FakeModelServer, openai: OpenAIModel, words: str
) -> None:
    endpoint.script = [refuses(endpoint, lambda body: "chat_template_kwargs" in body, words)]

    await ask(openai, schema=SCHEMA)
    await ask(openai, schema=SCHEMA)

    assert len(endpoint.requests) == 3
    assert sent_schema(endpoint) == SCHEMA
    assert [each.split(":")[0] for each in openai.given_up] == ["chat_template_kwargs"]


@given(
    st.lists(
        st.sampled_from(
            ["reasoning_effort", "stream_options", "max_completion_tokens", "seed", "think", ""]
        )
    ),
    st.booleans(),
)
def test_giving_up_comes_to_an_end_whatever_is_refused(words: list[str], think: bool) -> None:
    dialect: Dialect | None = Dialect()
    steps = 0
    for refusal in words + [""] * 4:
        before, dialect = dialect, dialect.without(refusal, think=think) if dialect else None
        assert dialect != before or dialect is None
        steps += dialect is not None

    assert dialect is None
    assert steps <= 8
