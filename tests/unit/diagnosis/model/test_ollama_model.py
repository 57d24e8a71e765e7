"""What only Ollama has: schemas as a format, thinking, keeping a model loaded, pulling one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr
from support.fake_model_server import FakeModelServer
from support.logs import captured_log
from support.model_clients import SCHEMA, ask

from kausa.diagnosis.errors import ModelMissing, ModelUnavailable
from kausa.diagnosis.model.ollama import OllamaModel
from kausa.diagnosis.model.pulling import PullProgress


@pytest.fixture
async def ollama() -> AsyncIterator[FakeModelServer]:
    fake = FakeModelServer("ollama")
    await fake.start()
    yield fake
    await fake.stop()


async def test_the_question_is_bounded_constrained_and_repeatable(ollama: FakeModelServer) -> None:
    model = OllamaModel(url=ollama.url, name="tiny", context_tokens=4_096, keep_alive="3m")
    await ask(model, tokens=77)
    await model.close()

    (sent,) = ollama.requests
    assert sent["model"] == "tiny"
    assert sent["format"] == SCHEMA
    assert sent["stream"] is True
    assert sent["keep_alive"] == "3m"
    assert sent["options"] == {"temperature": 0, "seed": 0, "num_ctx": 4_096, "num_predict": 77}


@pytest.mark.parametrize(
    ("think", "capable", "sent"),
    [(False, False, False), (False, True, False), (True, False, False), (True, True, True)],
)
async def test_only_a_model_that_can_think_is_asked_to(
    ollama: FakeModelServer, think: bool, capable: bool, sent: bool
) -> None:
    ollama.capabilities = ["completion", "thinking"] if capable else ["completion"]
    model = OllamaModel(url=ollama.url, name="tiny")
    await ask(model, think=think)
    await model.close()

    assert ollama.requests[0]["think"] is sent


@pytest.mark.parametrize(
    ("name", "held", "expected"),
    [
        ("tiny", ["tiny:latest"], True),
        ("tiny:latest", ["tiny:latest"], True),
        ("tiny:7b", ["tiny:latest"], False),
        ("host:5000/tiny", ["host:5000/tiny:latest"], True),
        ("registry.ollama.ai/library/tiny", ["tiny:latest"], True),
        ("library/tiny:7B", ["tiny:7b"], True),
        ("somebody/tiny", ["tiny:latest"], False),
        ("tiny", [], False),
    ],
)
async def test_the_check_knows_a_model_by_its_full_name(
    ollama: FakeModelServer, name: str, held: list[str], expected: bool
) -> None:
    ollama.models = held
    model = OllamaModel(url=ollama.url, name=name)
    with contextlib.nullcontext() if expected else pytest.raises(ModelMissing, match="ollama pull"):
        await model.check(deadline_seconds=2)
    await model.close()


# -- pulling -------------------------------------------------------------------------------------


def report(status: str, *, completed: int = 0, total: int = 0, layer: str = "a") -> dict[str, Any]:
    if not total:
        return {"status": status}
    return {"status": status, "digest": layer, "completed": completed, "total": total}


async def said(model: OllamaModel) -> str:
    with pytest.raises(ModelMissing) as caught:
        await model.check(deadline_seconds=2)
    return str(caught.value)


async def test_a_missing_model_is_pulled_once_and_each_check_says_how_far_it_is(
    ollama: FakeModelServer,
) -> None:
    go_on = asyncio.Event()

    async def pulling(request: Any) -> Any:
        response = await ollama._begin(request)
        await response.write(ollama.line(report("pulling", completed=40_000_000, total=10**8)))
        await response.write(
            ollama.line(report("pulling", completed=10_000_000, total=10**8, layer="b"))
        )
        await go_on.wait()
        ollama.models = ["tiny:latest"]
        await response.write(ollama.line(report("success")))
        return response

    ollama.models, ollama.pulling = [], pulling
    model = OllamaModel(url=ollama.url, name="tiny", pull=True)

    assert "begins to pull" in await said(model)
    async with asyncio.timeout(2):
        while "25 % of 200 MB" not in await said(model):
            await asyncio.sleep(0.005)
        go_on.set()
        while True:
            try:
                await model.check(deadline_seconds=2)
                break
            except ModelMissing:
                await asyncio.sleep(0.005)
    await model.close()

    assert ollama.pulls == [{"model": "tiny", "stream": True, "insecure": False}]


@pytest.mark.parametrize(
    "lines",
    [
        [{"error": "pull model manifest: file does not exist"}],
        [{"status": "pulling"}],
        [[]],
        [report("pulling", completed=1, total=2, layer=str(number)) for number in range(200)],
    ],
)
async def test_a_pull_that_failed_is_not_begun_again_at_once(
    ollama: FakeModelServer, lines: list[Any]
) -> None:
    ollama.models = []
    ollama.pulling = ollama.streams([ollama.line(each) for each in lines])
    model = OllamaModel(url=ollama.url, name="tiny", pull=True)

    await said(model)
    async with asyncio.timeout(2):
        while "could not pull" not in await said(model):
            await asyncio.sleep(0.005)
    await model.close()

    assert len(ollama.pulls) == 1


async def test_nothing_is_pulled_where_that_was_not_asked_for(ollama: FakeModelServer) -> None:
    ollama.models = []
    model = OllamaModel(url=ollama.url, name="tiny")
    assert "ollama pull tiny" in await said(model)
    await model.close()

    assert ollama.pulls == []


async def test_closing_ends_a_pull(ollama: FakeModelServer) -> None:
    ollama.models, ollama.pulling = [], ollama.slow()
    model = OllamaModel(url=ollama.url, name="tiny", pull=True)
    await said(model)
    while not ollama.pulls:
        await asyncio.sleep(0.005)
    await model.close()

    await asyncio.wait_for(ollama.left_early.wait(), timeout=2)


@pytest.mark.parametrize(
    ("completed", "total", "percent"), [(0, 0, 0), (999, 1000, 99), (5, 4, 100), (1, -1, 0)]
)
def test_progress_is_whole_percent_rounded_down(completed: int, total: int, percent: int) -> None:
    assert PullProgress(completed=completed, total=total).percent == percent


@pytest.mark.parametrize("path", ["/v1", "/api", "/somewhere"])
async def test_an_address_that_is_no_ollamas_is_not_taken_for_a_missing_model(
    ollama: FakeModelServer, path: str
) -> None:
    # `run ollama pull` was said of a model that the server had.
    model = OllamaModel(url=f"{ollama.url}{path}", name="tiny")
    with pytest.raises(ModelUnavailable, match="without /v1 or /api"):
        await model.check(deadline_seconds=5)
    with pytest.raises(ModelUnavailable, match="without /v1 or /api"):
        await ask(model)
    await model.close()


async def test_the_key_that_a_server_repeats_is_not_logged(ollama: FakeModelServer) -> None:
    secret = "tell" + "nobody"
    model = OllamaModel(url=ollama.url, name="tiny", key=SecretStr(secret))
    error = ollama.line({"error": f"wrong key: {secret}"})
    ollama.script = [ollama.streams([ollama.piece(text="{"), error])]

    with captured_log() as log, pytest.raises(ModelUnavailable) as caught:
        await ask(model)

    assert "wrong key" in log.getvalue()
    assert secret not in log.getvalue() + str(caught.value)
    await model.close()
