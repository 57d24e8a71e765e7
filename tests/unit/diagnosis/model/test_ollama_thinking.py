"""A model that can think and shall not is kept to the schema all the same."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from support.fake_model_server import FakeModelServer
from support.logs import captured_log
from support.model_clients import ANSWER, SCHEMA, ask

from kausa.diagnosis.errors import ModelMissing, ModelUnavailable
from kausa.diagnosis.model.ollama import OllamaModel
from kausa.diagnosis.model.protocol import Message


@pytest.fixture
async def server() -> AsyncIterator[FakeModelServer]:
    fake = FakeModelServer("ollama")
    fake.capabilities = ["completion", "thinking"]
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def model(server: FakeModelServer) -> AsyncIterator[OllamaModel]:
    made = OllamaModel(url=server.url, name="tiny", keep_alive="3m", retry_seconds=0.001)
    yield made
    await made.close()


async def test_without_thoughts_it_is_asked_where_the_schema_holds_from_the_first_token(
    server: FakeModelServer, model: OllamaModel
) -> None:
    completion = await ask(model, tokens=77)

    assert server.paths == ["/api/generate"]
    (sent,) = server.requests
    assert (sent["system"], sent["prompt"]) == ("You find causes.", "exit code 137")
    assert sent["format"] == SCHEMA
    assert sent["think"] is False
    assert (sent["stream"], sent["keep_alive"]) == (True, "3m")
    assert sent["options"]["num_predict"] == 77
    assert completion.text == ANSWER
    assert (completion.prompt_tokens, completion.output_tokens) == (120, 60)


async def test_with_thoughts_it_is_asked_where_they_come_before_the_schema(
    server: FakeModelServer, model: OllamaModel
) -> None:
    server.script = [server.says(ANSWER, thinking="137 is a kill.")]
    completion = await ask(model, think=True)

    assert server.paths == ["/api/chat"]
    assert server.requests[0]["think"] is True
    assert (completion.text, completion.thinking) == (ANSWER, "137 is a kill.")


async def test_a_repair_is_told_all_that_was_said_in_its_order(
    server: FakeModelServer, model: OllamaModel
) -> None:
    turns = [("system", "rules"), ("user", "question"), ("assistant", "{}"), ("user", "mend it")]
    await model.complete(
        [Message(role=role, content=content) for role, content in turns],  # type: ignore[arg-type]
        schema=SCHEMA,
        deadline_seconds=5,
        think=False,
        max_output_tokens=50,
    )

    assert server.requests[0]["system"] == "rules"
    assert server.requests[0]["prompt"] == "question\n\n{}\n\nmend it"


async def test_a_model_that_cannot_think_is_asked_in_a_chat(
    server: FakeModelServer, model: OllamaModel
) -> None:
    server.capabilities = ["completion"]
    await ask(model)
    assert server.paths == ["/api/chat"]


async def test_a_server_that_tells_nothing_of_its_models_is_asked_in_a_chat(
    server: FakeModelServer, model: OllamaModel
) -> None:
    server.showing = server.raw(json.dumps({"error": "model 'tiny' not found"}), status=404)

    assert (await ask(model)).text == ANSWER
    assert server.paths == ["/api/chat"]
    with pytest.raises(ModelMissing, match="does not have the model"):
        await ask(model, think=True)


@pytest.mark.parametrize("family", ["gptoss", "gpt-oss"])
async def test_a_model_that_cannot_be_kept_from_thinking_is_asked_in_a_chat(
    server: FakeModelServer, model: OllamaModel, family: str
) -> None:
    server.family = family
    await ask(model)
    assert server.paths == ["/api/chat"]


async def test_an_answer_that_was_taken_for_thoughts_is_the_answer(
    server: FakeModelServer, model: OllamaModel
) -> None:
    server.script = [server.says("", thinking=ANSWER)]

    completion = await ask(model)

    assert (completion.text, completion.thinking) == (ANSWER, "")


@pytest.mark.parametrize("said", ["", "The sea is wide."])
async def test_where_that_comes_to_nothing_it_is_asked_in_a_chat_from_then_on(
    server: FakeModelServer, model: OllamaModel, said: str
) -> None:
    server.script = [server.says(said, thinking="hm"), server.says(ANSWER)]

    await ask(model)
    assert (await ask(model)).text == ANSWER
    await ask(model)

    assert server.paths == ["/api/generate", "/api/chat", "/api/chat"]


async def test_an_answer_that_kept_to_no_schema_is_said_once(
    server: FakeModelServer, model: OllamaModel
) -> None:
    server.script = [server.says("```json\n{}\n```")]

    with captured_log() as log:
        await ask(model)
        await ask(model)

    assert log.getvalue().count("does not keep it to the schema") == 1


async def test_an_answer_that_was_cut_off_says_nothing_of_the_schema(
    server: FakeModelServer, model: OllamaModel
) -> None:
    server.script = [server.says("", thinking="hm", finish="length"), server.says(" {}")]

    with captured_log() as log:
        await ask(model, think=True)
        await ask(model, think=True)

    assert "schema" not in log.getvalue()


async def test_an_error_within_the_stream_is_told_in_the_log(
    server: FakeModelServer, model: OllamaModel
) -> None:
    server.script = [server.streams([server.piece(text="{"), server.line({"error": "no memory"})])]

    with captured_log() as log, pytest.raises(ModelUnavailable, match="gave up") as caught:
        await ask(model)

    assert "no memory" in log.getvalue()
    assert "no memory" not in str(caught.value)
