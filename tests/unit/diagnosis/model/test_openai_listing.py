"""A model is missing only where its endpoint would refuse it, under whichever name it is listed."""

from __future__ import annotations

import pytest
from aiohttp import web
from support.fake_model_server import FakeModelServer
from support.model_clients import ANSWER, ask

from kausa.diagnosis.errors import ModelMissing, ModelUnavailable
from kausa.diagnosis.model.listing import lists
from kausa.diagnosis.model.openai import OpenAIModel


@pytest.mark.parametrize(
    ("listed", "owner", "there"),
    [
        (["tiny"], "vllm", True),
        (["large", "tiny"], "openai", True),
        (["models/tiny", "models/large"], "google", True),
        (["/models/tiny.gguf"], "llamacpp", True),
        (["C:\\models\\tiny.GGUF"], "somebody", True),
        (["/models/another-name-Q4_K_M.gguf"], "llamacpp", True),
        (["tiny:latest"], "library", True),
        # Who serves these refuses a question to `tiny`.
        (["org/tiny"], "vllm", False),
        (["/models/tiny"], "vllm", False),
        (["large"], "vllm", False),
        (["tiny-2"], "openai", False),
        (["large", "larger"], "llamacpp", False),
        (["tiny:7b"], "library", False),
        ([], "llamacpp", False),
    ],
)
def test_a_name_is_known_as_its_server_knows_it(listed: list[str], owner: str, there: bool) -> None:
    assert lists([{"id": each, "owned_by": owner} for each in listed], "tiny") is there


async def test_a_model_that_is_listed_as_a_resource_is_asked(
    endpoint: FakeModelServer, openai: OpenAIModel
) -> None:
    endpoint.models = ["models/tiny"]
    await openai.check(deadline_seconds=2)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_may_not_list_may_ask(
    endpoint: FakeModelServer, openai: OpenAIModel, status: int
) -> None:
    endpoint.listing = endpoint.raw("{}", status=status)

    await openai.check(deadline_seconds=2)
    assert (await ask(openai)).text == '{"cause": "memory"}'


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, ModelUnavailable, "KAUSA_MODEL_KEY"),
        (403, ModelUnavailable, "KAUSA_MODEL_KEY"),
        (404, ModelMissing, "has no model tiny"),
    ],
)
async def test_what_the_question_is_refused_for_keeps_all_others_back_and_is_said_by_the_check(
    endpoint: FakeModelServer,
    openai: OpenAIModel,
    status: int,
    error: type[Exception],
    words: str,
) -> None:
    endpoint.listing = endpoint.raw("{}", status=403)
    endpoint.script = [endpoint.raw("{}", status=status), endpoint.says(ANSWER)]

    for attempt in (ask(openai), openai.check(deadline_seconds=2), ask(openai)):
        with pytest.raises(error, match=words):
            await attempt

    assert len(endpoint.requests) == 1


async def test_a_list_of_another_shape_is_no_list(
    endpoint: FakeModelServer, openai: OpenAIModel
) -> None:
    async def listing(request: web.Request) -> web.StreamResponse:
        return web.json_response({"data": [{"name": "tiny"}]})

    endpoint.listing = listing
    with pytest.raises(ModelUnavailable, match="does not speak"):
        await openai.check(deadline_seconds=2)
