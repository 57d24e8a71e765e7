"""A language model behind an Ollama server.

One question is one request: the schema constrains the output, temperature 0 makes a repeated
question give the same answer, and both the prompt and the output are bounded, because a small model
without a bound rambles until the deadline. Cancelling closes the connection, on which the server
stops writing.

Every foreign error ends here as a `ModelError`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx
import ollama

from kausa.diagnosis.errors import (
    ModelDeadlineExceeded,
    ModelError,
    ModelInvalidAnswer,
    ModelMissing,
    ModelUnavailable,
)
from kausa.diagnosis.model.answer import answer_schema, check_answer
from kausa.diagnosis.model.prompt import build_prompt
from kausa.diagnosis.model.protocol import ModelReply, ModelRequest

__all__ = ["OllamaLimits", "OllamaModel"]

# Three characters a token is what logs and YAML come to; prose has four.
_CHARACTERS_PER_TOKEN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class OllamaLimits:
    """How much the model may read and write."""

    context_tokens: int = 8_192
    """The window that the server allocates; the prompt is cut to what the answer leaves of it."""
    output_tokens: int = 900
    """Enough for a full answer in the schema; more is rambling."""

    @property
    def prompt_characters(self) -> int:
        """How long a prompt may be."""
        return max(self.context_tokens - self.output_tokens, 512) * _CHARACTERS_PER_TOKEN


class OllamaModel:
    """One model of one Ollama server."""

    def __init__(self, *, url: str, name: str, limits: OllamaLimits | None = None) -> None:
        self._url = _shown(url)
        self._model = name
        self._limits = limits or OllamaLimits()
        # A redirect would carry the evidence to wherever the answer points.
        self._client = ollama.AsyncClient(host=url, follow_redirects=False)

    @property
    def name(self) -> str:
        """The model's name, as the status shows it."""
        return self._model

    async def check(self, *, deadline_seconds: float) -> None:
        """Raise the `ModelError` that says why a question now would not be answered."""
        async with self._boundary(deadline_seconds):
            listed = await self._client.list()
        names = {_full_name(entry.model) for entry in listed.models if entry.model}
        if _full_name(self._model) not in names:
            raise self._missing()

    async def diagnose(self, request: ModelRequest, *, deadline_seconds: float) -> ModelReply:
        """Ask for the cause; raises `ModelError`."""
        if not request.evidence:
            raise ModelInvalidAnswer("There is no evidence, so nothing could be cited.")
        prompt = build_prompt(request, budget=self._limits.prompt_characters)
        started = time.monotonic()
        async with self._boundary(deadline_seconds):
            response = await self._client.chat(
                model=self._model,
                messages=[
                    {"role": "system", "content": prompt.system},
                    {"role": "user", "content": prompt.user},
                ],
                format=answer_schema(prompt.evidence_ids),
                options={
                    "temperature": 0,
                    "seed": 0,
                    "num_ctx": self._limits.context_tokens,
                    "num_predict": self._limits.output_tokens,
                },
            )
        if response.done_reason == "length":
            raise ModelInvalidAnswer(
                f"The model {self._model} wrote {self._limits.output_tokens} tokens without coming "
                "to an end."
            )
        answer, dropped = check_answer(
            response.message.content or "", evidence_ids=prompt.evidence_ids
        )
        return ModelReply(
            answer=answer,
            model=self._model,
            prompt_tokens=max(response.prompt_eval_count or 0, 0),
            output_tokens=max(response.eval_count or 0, 0),
            milliseconds=round((time.monotonic() - started) * 1000),
            dropped=dropped,
        )

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.close()  # type: ignore[no-untyped-call]

    @asynccontextmanager
    async def _boundary(self, deadline_seconds: float) -> AsyncIterator[None]:
        """Bound what happens inside and turn what it raises into our errors."""
        try:
            async with asyncio.timeout(deadline_seconds):
                yield
        except TimeoutError:
            raise ModelDeadlineExceeded(
                f"The model {self._model} did not answer within {deadline_seconds:g} seconds."
            ) from None
        except ollama.ResponseError as error:
            raise self._refused(error) from None
        except (ConnectionError, httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise ModelUnavailable(
                f"No model server answers at {self._url} ({type(error).__name__}); the diagnosis "
                "goes on without it."
            ) from None
        # The client builds its answer from whatever JSON arrives: an array or a missing field is a
        # TypeError, a ValidationError (a ValueError) or an AttributeError.
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise ModelInvalidAnswer(
                f"What answers at {self._url} does not speak Ollama's API ({type(error).__name__})."
            ) from None

    def _refused(self, error: ollama.ResponseError) -> ModelError:
        if error.status_code == httpx.codes.NOT_FOUND:
            return self._missing()
        # What it says beyond its status is anybody's text, and this message ends in a status.
        return ModelUnavailable(
            f"The model server at {self._url} answered with the HTTP status {error.status_code}; "
            "its own log says why."
        )

    def _missing(self) -> ModelMissing:
        return ModelMissing(
            f"The server at {self._url} does not have the model {self._model}: run "
            f"`ollama pull {self._model}` there, or name a model that it has."
        )


def _shown(url: str) -> str:
    """Return the address as messages may show it: without a user and a password."""
    scheme, separator, rest = url.rpartition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"


def _full_name(name: str) -> str:
    """Return the name with its tag: `qwen` and `qwen:latest` are one model."""
    return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"
