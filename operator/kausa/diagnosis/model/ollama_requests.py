"""The two ways to ask an Ollama server, and which one keeps a model to the schema.

`/api/chat` holds the schema back until the thoughts are over. A model with a parser of its own
(`qwen3.5` and its like) that is told not to think has none, so it would get no schema at all
(ollama#14645, true of 0.17.4 and later). `/api/generate` makes the same prompt of a system text and
a question, and enforces the schema from the first token, which leaves no place for thoughts: it is
for models that can think and shall not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import ollama

from kausa.diagnosis.model.protocol import Message

__all__ = ["Requests", "written"]


class Requests:
    """To one model of one server; each is a stream of pieces, with what the library raises."""

    def __init__(
        self, client: ollama.AsyncClient, *, model: str, context_tokens: int, keep_alive: str
    ) -> None:
        """`context_tokens` and `keep_alive` as for `OllamaModel`."""
        self._client = client
        self._model = model
        self._context_tokens = context_tokens
        self._keep_alive = keep_alive

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any],
        think: bool,
        most_tokens: int,
    ) -> AsyncIterator[ollama.ChatResponse]:
        """Thoughts first, where it shall think, then the answer in the schema."""
        return await self._client.chat(
            model=self._model,
            messages=[{"role": each.role, "content": each.content} for each in messages],
            format=dict(schema),
            think=think,
            keep_alive=self._keep_alive,
            stream=True,
            options=self._options(most_tokens),
        )

    async def generate(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any],
        think: bool,
        most_tokens: int,
    ) -> AsyncIterator[ollama.GenerateResponse]:
        """The answer alone. It takes one prompt: what was said in turns stands in it in order."""
        return await self._client.generate(
            model=self._model,
            system="\n\n".join(each.content for each in messages if each.role == "system"),
            prompt="\n\n".join(each.content for each in messages if each.role != "system"),
            format=dict(schema),
            think=think,
            keep_alive=self._keep_alive,
            stream=True,
            options=self._options(most_tokens),
        )

    def _options(self, most_tokens: int) -> dict[str, Any]:
        return {
            "temperature": 0,
            "seed": 0,
            "num_ctx": self._context_tokens,
            "num_predict": most_tokens,
        }


def written(piece: ollama.ChatResponse | ollama.GenerateResponse) -> tuple[str, str]:
    """The text and the thoughts of a piece."""
    if isinstance(piece, ollama.ChatResponse):
        return piece.message.content or "", piece.message.thinking or ""
    return piece.response or "", piece.thinking or ""
