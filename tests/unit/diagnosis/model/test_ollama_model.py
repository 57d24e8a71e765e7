"""The real client over a real connection, on the server's good and bad days."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import time
from typing import Any

import pytest
from aiohttp import web
from support.fake_ollama import GOOD, FakeOllamaServer

from kausa.diagnosis.errors import (
    ModelDeadlineExceeded,
    ModelError,
    ModelInvalidAnswer,
    ModelMissing,
    ModelUnavailable,
)
from kausa.diagnosis.model import ModelRequest
from kausa.diagnosis.model.ollama import OllamaLimits, OllamaModel
from kausa.resources.category import Category


async def test_a_good_answer_becomes_a_reply(
    server: FakeOllamaServer, model: OllamaModel, request_: ModelRequest
) -> None:
    reply = await model.diagnose(request_, deadline_seconds=5)

    assert reply.answer.category is Category.OOM_KILLED
    assert reply.answer.citations == ("E1",)
    assert reply.answer.confidence == 90
    assert reply.answer.remediation[0].command == GOOD["remediation"][0]["command"]
    assert (reply.model, reply.prompt_tokens, reply.output_tokens) == ("tiny", 120, 60)
    assert reply.dropped == ()


async def test_the_question_is_bounded_and_constrained(
    server: FakeOllamaServer, model: OllamaModel, request_: ModelRequest
) -> None:
    await model.diagnose(request_, deadline_seconds=5)

    (sent,) = server.requests
    assert sent["model"] == "tiny"
    assert sent["stream"] is False
    assert sent["options"]["temperature"] == 0
    assert sent["options"]["num_predict"] > 0
    assert sent["options"]["num_ctx"] > sent["options"]["num_predict"]
    properties = sent["format"]["properties"]
    assert properties["citations"]["items"]["enum"] == ["E1", "E2"]
    assert properties["category"]["enum"] == [category.value for category in Category]
    assert properties["rootCause"]["maxLength"] > 0
    assert "exit code 137" in sent["messages"][1]["content"]


async def test_invented_citations_are_dropped_and_said(
    server: FakeOllamaServer, model: OllamaModel, request_: ModelRequest
) -> None:
    server.chat = server.says({**GOOD, "citations": ["E9", "E2", "E2", " E1 "]})

    reply = await model.diagnose(request_, deadline_seconds=5)

    assert reply.answer.citations == ("E2", "E1")
    assert reply.dropped == ("citation 'E9': no such evidence",)


async def test_a_shell_command_in_a_fix_is_dropped_and_the_fix_stays(
    server: FakeOllamaServer, model: OllamaModel, request_: ModelRequest
) -> None:
    answer: dict[str, Any] = copy.deepcopy(GOOD)
    answer["remediation"][0]["command"] = "kubectl get pods | sh"
    server.chat = server.says(answer)

    reply = await model.diagnose(request_, deadline_seconds=5)

    assert reply.answer.remediation[0].title == "Raise the memory limit"
    assert reply.answer.remediation[0].command is None
    assert reply.dropped == ("command 'kubectl get pods | sh': it has shell operators",)


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [
        "",
        "not json",
        "[]",
        "null",
        '{"summary": "cut in the midd',
        json.dumps({**GOOD, "category": "Gremlins"}),
        json.dumps({**GOOD, "confidence": "high"}),
        json.dumps({**GOOD, "citations": []}),
        json.dumps({**GOOD, "citations": ["E77"]}),
        json.dumps({**GOOD, "summary": "  "}),
        json.dumps({key: value for key, value in GOOD.items() if key != "rootCause"}),
        "[" * 100_000,
    ],
)
async def test_what_is_no_diagnosis_is_an_invalid_answer(
    server: FakeOllamaServer, model: OllamaModel, request_: ModelRequest, content: str
) -> None:
    server.chat = server.says(content)

    with pytest.raises(ModelInvalidAnswer) as caught:
        await model.diagnose(request_, deadline_seconds=5)

    assert caught.value.reason == "InvalidAnswer"
    assert len(str(caught.value)) < 400


async def test_an_answer_that_hit_its_limit_is_invalid(
    server: FakeOllamaServer, model: OllamaModel, request_: ModelRequest
) -> None:
    server.chat = server.says(GOOD, done_reason="length")

    with pytest.raises(ModelInvalidAnswer, match="without coming to an end"):
        await model.diagnose(request_, deadline_seconds=5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>hello</html>",
        b"[]",
        b"{}",
        b"null",
        b'{"message": 3}',
        b"\xff\xfe",
        b"[" * 50_000,
    ],
)
async def test_a_server_that_is_no_ollama_is_an_invalid_answer(
    server: FakeOllamaServer, model: OllamaModel, request_: ModelRequest, body: bytes
) -> None:
    server.chat = server.raw(body)

    with pytest.raises(ModelInvalidAnswer, match="does not speak"):
        await model.diagnose(request_, deadline_seconds=5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "body", ['{"error": "out of memory"}', "bad gateway", "[1]", '{"error": {"a": 1}}', ""]
)
@pytest.mark.parametrize("status", [400, 503])
async def test_a_failing_server_is_a_model_error(
    server: FakeOllamaServer, model: OllamaModel, request_: ModelRequest, body: str, status: int
) -> None:
    server.chat = server.raw(body, status=status)

    with pytest.raises(ModelError):
        await model.diagnose(request_, deadline_seconds=5)


async def test_a_refusal_keeps_its_status_and_none_of_the_server_s_words(
    server: FakeOllamaServer, model: OllamaModel, request_: ModelRequest
) -> None:
    server.chat = server.raw('{"error": "model requires more system memory"}', status=500)

    with pytest.raises(ModelUnavailable, match="HTTP status 500") as caught:
        await model.diagnose(request_, deadline_seconds=5)

    assert "system memory" not in str(caught.value)


async def test_a_missing_model_says_how_to_get_it(
    server: FakeOllamaServer, model: OllamaModel, request_: ModelRequest
) -> None:
    server.chat = server.raw('{"error": "model \\"tiny\\" not found"}', status=404)

    with pytest.raises(ModelMissing, match="ollama pull tiny") as caught:
        await model.diagnose(request_, deadline_seconds=5)

    assert caught.value.reason == "ModelMissing"


@pytest.mark.slow
async def test_a_slow_server_meets_the_deadline(
    server: FakeOllamaServer, model: OllamaModel, request_: ModelRequest
) -> None:
    server.chat = server.slow(30)
    started = time.monotonic()

    with pytest.raises(ModelDeadlineExceeded, match=r"0\.2 seconds") as caught:
        await model.diagnose(request_, deadline_seconds=0.2)

    assert time.monotonic() - started < 2
    assert caught.value.reason == "DeadlineExceeded"


async def test_cancelling_is_no_deadline(
    server: FakeOllamaServer, model: OllamaModel, request_: ModelRequest
) -> None:
    server.chat = server.slow(30)
    task = asyncio.create_task(model.diagnose(request_, deadline_seconds=20))
    await asyncio.sleep(0.1)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_connection_that_is_cut_is_unavailable(
    server: FakeOllamaServer, model: OllamaModel, request_: ModelRequest
) -> None:
    server.chat = server.cut()

    with pytest.raises(ModelUnavailable):
        await model.diagnose(request_, deadline_seconds=5)


async def test_a_redirect_is_not_followed(
    server: FakeOllamaServer, model: OllamaModel, request_: ModelRequest
) -> None:
    async def elsewhere(request: web.Request) -> web.StreamResponse:
        raise web.HTTPTemporaryRedirect("/api/tags")

    server.chat = elsewhere

    with pytest.raises(ModelUnavailable, match="307"):
        await model.diagnose(request_, deadline_seconds=5)


async def test_nobody_at_the_address_is_unavailable_and_hides_the_password(
    server: FakeOllamaServer, request_: ModelRequest
) -> None:
    password = "not" + "4you"
    address = server.url.replace("http://", f"http://user:{password}@")
    await server.stop()
    model = OllamaModel(url=address, name="tiny")

    with pytest.raises(ModelUnavailable) as caught:
        await model.diagnose(request_, deadline_seconds=5)

    assert server.url in str(caught.value)
    assert password not in str(caught.value)
    with pytest.raises(ModelError):
        await model.check(deadline_seconds=1)
    await model.close()


async def test_no_evidence_is_not_even_asked(server: FakeOllamaServer, model: OllamaModel) -> None:
    with pytest.raises(ModelInvalidAnswer, match="no evidence"):
        await model.diagnose(ModelRequest(reason="x", target="y", evidence=()), deadline_seconds=5)

    assert server.requests == []


@pytest.mark.parametrize(
    ("name", "held", "expected"),
    [
        ("tiny", ["tiny:latest"], True),
        ("tiny:latest", ["tiny:latest"], True),
        ("tiny:7b", ["tiny:latest"], False),
        ("host:5000/tiny", ["host:5000/tiny:latest"], True),
        ("tiny", [], False),
    ],
)
async def test_the_check_passes_only_where_the_model_is_there(
    server: FakeOllamaServer, name: str, held: list[str], expected: bool
) -> None:
    server.models = held
    model = OllamaModel(url=server.url, name=name)

    with contextlib.nullcontext() if expected else pytest.raises(ModelMissing, match="ollama pull"):
        await model.check(deadline_seconds=2)
    await model.close()


async def test_a_server_that_hangs_fails_the_check_in_time(
    server: FakeOllamaServer, model: OllamaModel
) -> None:
    server.tags = server.slow(30)

    with pytest.raises(ModelDeadlineExceeded):
        await model.check(deadline_seconds=0.1)


async def test_the_prompt_fits_the_window(server: FakeOllamaServer, request_: ModelRequest) -> None:
    limits = OllamaLimits(context_tokens=2_048, output_tokens=512)
    model = OllamaModel(url=server.url, name="tiny", limits=limits)
    evidence = tuple(
        type(request_.evidence[0])(id=f"E{n}", kind="log", source="Pod/api-0", text="line " * 300)
        for n in range(1, 40)
    )

    await model.diagnose(
        ModelRequest(reason="x", target="y", evidence=evidence), deadline_seconds=5
    )

    (sent,) = server.requests
    length = sum(len(message["content"]) for message in sent["messages"])
    assert length <= limits.prompt_characters
    sent_ids = sent["format"]["properties"]["citations"]["items"]["enum"]
    assert sent_ids == [f"E{n}" for n in range(1, len(sent_ids) + 1)]
    assert 1 <= len(sent_ids) < 39
    await model.close()
