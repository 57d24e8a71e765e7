"""Real completions of a real model behind a real server, over both of its APIs.

`make model-up` starts one; `KAUSA_MODEL_URL` and `KAUSA_SIMPLE_MODEL` say where it is.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from kausa.diagnosis.errors import ModelDeadlineExceeded, ModelInvalidAnswer, ModelMissing
from kausa.diagnosis.model import ModelRequest, NumberedEvidence
from kausa.diagnosis.model.asking import ask
from kausa.diagnosis.model.ollama import OllamaModel
from kausa.diagnosis.model.openai import OpenAIModel
from kausa.diagnosis.model.protocol import Message

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        "KAUSA_MODEL_URL" not in os.environ,
        reason="no model server: `make model-up` starts one and says what to set",
    ),
]
CATEGORIES = ["OOMKilled", "MissingConfig", "Unknown"]
SCHEMA = {
    "type": "object",
    "properties": {
        "cause": {"type": "string", "maxLength": 120},
        "category": {"type": "string", "enum": CATEGORIES},
    },
    "required": ["cause", "category"],
    "additionalProperties": False,
}
MESSAGES = (
    Message(role="system", content="You find the cause of a failure and answer in JSON."),
    Message(role="user", content="E1: exit code 1\nE2: KeyError: 'PAYMENTS_DB_DSN'"),
)
STORY = (Message(role="user", content="Tell a story of ten thousand words about a ship."),)
ANYTHING = {"type": "object", "properties": {"story": {"type": "string"}}, "required": ["story"]}
PATIENCE_SECONDS = 240.0


def address() -> str:
    return os.environ["KAUSA_MODEL_URL"].rstrip("/")


def name() -> str:
    return os.environ.get("KAUSA_SIMPLE_MODEL", "llama3.1")


def made(kind: str, *, model: str | None = None) -> OllamaModel | OpenAIModel:
    if kind == "ollama":
        return OllamaModel(url=address(), name=model or name())
    return OpenAIModel(url=f"{address()}/v1", name=model or name())


@pytest.fixture(params=["ollama", "openai"])
async def model(request: pytest.FixtureRequest) -> AsyncIterator[OllamaModel | OpenAIModel]:
    client = made(request.param)
    yield client
    await client.close()


async def test_an_answer_is_in_the_schema_and_its_cost_is_known(
    model: OllamaModel | OpenAIModel,
) -> None:
    await model.check(deadline_seconds=10)
    completion = await model.complete(
        MESSAGES,
        schema=SCHEMA,
        deadline_seconds=PATIENCE_SECONDS,
        think=False,
        max_output_tokens=200,
    )

    answer = json.loads(completion.text)
    assert set(answer) == {"cause", "category"}
    assert answer["category"] in CATEGORIES
    assert completion.finish == "stop"
    assert 20 < completion.prompt_tokens < 200
    assert 5 < completion.output_tokens <= 200


async def test_a_repeated_question_gets_the_same_answer(model: OllamaModel | OpenAIModel) -> None:
    said = [
        await model.complete(
            MESSAGES,
            schema=SCHEMA,
            deadline_seconds=PATIENCE_SECONDS,
            think=False,
            max_output_tokens=200,
        )
        for _ in range(2)
    ]
    assert said[0].text == said[1].text


async def test_a_model_that_cannot_think_answers_when_it_is_asked_to(
    model: OllamaModel | OpenAIModel,
) -> None:
    completion = await model.complete(
        MESSAGES,
        schema=SCHEMA,
        deadline_seconds=PATIENCE_SECONDS,
        think=True,
        max_output_tokens=400,
    )
    assert set(json.loads(completion.text)) == {"cause", "category"}


async def test_a_text_that_is_too_long_ends_at_the_limit(model: OllamaModel | OpenAIModel) -> None:
    completion = await model.complete(
        STORY,
        schema=ANYTHING,
        deadline_seconds=PATIENCE_SECONDS,
        think=False,
        max_output_tokens=12,
    )
    assert completion.finish == "length"
    assert completion.output_tokens <= 12


@pytest.mark.parametrize("kind", ["ollama", "openai"])
async def test_a_model_that_is_not_there_is_missing(kind: str) -> None:
    client = made(kind, model="no-such-model")
    with pytest.raises(ModelMissing):
        await client.check(deadline_seconds=10)
    with pytest.raises(ModelMissing):
        await client.complete(
            MESSAGES, schema=SCHEMA, deadline_seconds=30, think=False, max_output_tokens=10
        )
    await client.close()


async def test_leaving_a_question_frees_the_server_for_the_next_one(
    model: OllamaModel | OpenAIModel,
) -> None:
    """A server that went on writing would keep the next question waiting for a long story."""
    await model.complete(
        STORY, schema=ANYTHING, deadline_seconds=PATIENCE_SECONDS, think=False, max_output_tokens=1
    )
    long = asyncio.create_task(
        model.complete(
            STORY, schema=ANYTHING, deadline_seconds=600, think=False, max_output_tokens=6_000
        )
    )
    await asyncio.sleep(2)
    assert not long.done()
    long.cancel()
    with pytest.raises(asyncio.CancelledError):
        await long
    began = time.monotonic()
    await model.complete(
        STORY, schema=ANYTHING, deadline_seconds=60, think=False, max_output_tokens=1
    )
    assert time.monotonic() - began < 30


async def test_a_deadline_that_is_too_short_is_kept(model: OllamaModel | OpenAIModel) -> None:
    began = time.monotonic()
    with pytest.raises(ModelDeadlineExceeded):
        await model.complete(
            STORY, schema=ANYTHING, deadline_seconds=0.5, think=False, max_output_tokens=6_000
        )
    assert time.monotonic() - began < 3


async def test_what_the_model_is_told_includes_the_system_message() -> None:
    """A server that doesn't know the model's template drops it without a word."""
    body = {"model": name(), "stream": False, "options": {"num_predict": 1}}
    async with httpx.AsyncClient(base_url=address(), timeout=PATIENCE_SECONDS) as client:
        counts = []
        for system in ("Be brief.", "Be brief. " * 40):
            messages = [{"role": "system", "content": system}, {"role": "user", "content": "Why?"}]
            answer = await client.post("/api/chat", json={**body, "messages": messages})
            counts.append(answer.json()["prompt_eval_count"])
    assert counts[1] > counts[0] + 60


CRASHED = "container api: terminated, Error with exit code 1; restarts 4"
STORIES = {
    "a variable that nobody set": "KeyError: 'PAYMENTS_DB_DSN'",
    "a server that is not there": (
        "connecting to ledger-db:5432\n"
        "psycopg.OperationalError: connection to server at ledger-db port 5432 failed: "
        "Connection refused"
    ),
    "a file that is not there": (
        "reading /etc/api/limits.yaml\n"
        "FileNotFoundError: No such file or directory: '/etc/api/limits.yaml'"
    ),
    "a disk that is full": "OSError: No space left on device: '/var/spool/api/outbox'",
}


def crashed(log: str, *, brief: bool) -> ModelRequest:
    return ModelRequest(
        reason="CrashLoopBackOff",
        target="Deployment/payments",
        evidence=(
            NumberedEvidence(id="E1", kind="Status", source="Pod/payments-1", text=CRASHED),
            NumberedEvidence(id="E2", kind="Log", source="Pod/payments-1", text=log),
        ),
        findings=() if brief else ("Container api ends with exit code 1. (E1)",),
        brief=brief,
    )


@pytest.mark.timeout(len(STORIES) * PATIENCE_SECONDS)
async def test_answers_cite_only_evidence_that_exists_and_not_all_of_them_are_refused() -> None:
    """A small model may ramble now and then, which nobody gets to see; one that always does is
    worth nothing, and a check that lets nothing pass is broken."""
    model = made("ollama")
    held, refused = [], []
    for number, log in enumerate(STORIES.values()):
        request = crashed(log, brief=number % 2 == 0)
        try:
            held.append(await ask(model, request, deadline_seconds=PATIENCE_SECONDS))
        except ModelInvalidAnswer as error:
            refused.append(str(error))
    await model.close()
    assert held, refused
    for reply in held:
        assert set(reply.answer.citations) <= {"E1", "E2"}
        assert reply.output_tokens > 0
