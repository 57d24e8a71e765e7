"""The clients of language models, and a question for them that costs nothing to make."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr
from support.fake_model_server import Kind

from kausa.diagnosis.model.breaker import CircuitBreaker
from kausa.diagnosis.model.ollama import OllamaModel
from kausa.diagnosis.model.openai import OpenAIModel
from kausa.diagnosis.model.protocol import Completion, LanguageModel, Message

__all__ = ["ANSWER", "MESSAGES", "SCHEMA", "ask", "client"]

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


async def ask(
    model: LanguageModel, *, seconds: float = 5, tokens: int = 200, think: bool = False
) -> Completion:
    return await model.complete(
        MESSAGES, schema=SCHEMA, deadline_seconds=seconds, think=think, max_output_tokens=tokens
    )
