"""The clients of language models, and a question for them that costs nothing to make."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from pydantic import SecretStr
from support.fake_model_server import FakeModelServer, Handler, Kind

from kausa.diagnosis.model.breaker import CircuitBreaker
from kausa.diagnosis.model.ollama import OllamaModel
from kausa.diagnosis.model.openai import OpenAIModel
from kausa.diagnosis.model.protocol import Completion, LanguageModel, Message

__all__ = ["ANSWER", "MESSAGES", "SCHEMA", "ask", "client", "refuses", "serving"]

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"cause": {"type": "string"}}}
MESSAGES = (
    Message(role="system", content="You find causes."),
    Message(role="user", content="exit code 137"),
)
ANSWER = '{"cause": "memory"}'


def client(
    kind: Kind, url: str, *, key: SecretStr | None = None, breaker: CircuitBreaker | None = None
) -> OllamaModel | OpenAIModel:
    make = OllamaModel if kind == "ollama" else OpenAIModel
    return make(url=url, name="tiny", key=key, breaker=breaker, retry_seconds=0.001)


@asynccontextmanager
async def serving(kind: Kind) -> AsyncIterator[FakeModelServer]:
    fake = FakeModelServer(kind)
    await fake.start()
    try:
        yield fake
    finally:
        await fake.stop()


def refuses(server: FakeModelServer, bad: Callable[[str], bool], words: str) -> Handler:
    """Refuses each body that is bad with these words, and answers any other."""
    answer, refusal = server.says(ANSWER), server.raw(words, status=400)

    async def handler(request: web.Request) -> web.StreamResponse:
        body = json.dumps(await request.json())
        return await (refusal if bad(body) else answer)(request)

    return handler


async def ask(
    model: LanguageModel,
    *,
    schema: dict[str, Any] = SCHEMA,
    seconds: float = 5,
    tokens: int = 200,
    think: bool = False,
) -> Completion:
    return await model.complete(
        MESSAGES, schema=schema, deadline_seconds=seconds, think=think, max_output_tokens=tokens
    )
