"""A language model behind any endpoint that speaks OpenAI's chat API: vLLM, llama.cpp, hosted ones.

The same bounds hold as for Ollama: one streamed request, a schema, temperature 0, a limit of
tokens. Servers differ in which of these they take; `dialect.py` finds that out. Leaving the stream
closes the connection, on which a server stops writing.

Every foreign error ends here as a `ModelError`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from kausa.diagnosis.errors import ModelInvalidAnswer, ModelMissing
from kausa.diagnosis.model.boundary import (
    AttemptFailed,
    Boundary,
    Heard,
    bound_response,
    shown_address,
)
from kausa.diagnosis.model.breaker import CircuitBreaker
from kausa.diagnosis.model.dialect import Dialect
from kausa.diagnosis.model.gathering import Gathering
from kausa.diagnosis.model.protocol import Attempts, Completion, Message, OnText
from kausa.diagnosis.model.transport import CONNECT_SECONDS, Transport
from kausa.telemetry.logs import get_logger

__all__ = ["OpenAIModel"]

_REFUSED: Final = frozenset({400, 422})
_MOST_REFUSAL: Final = 64 * 1024
_log = get_logger(__name__)


class OpenAIModel:
    """One model of one endpoint."""

    def __init__(
        self,
        *,
        url: str,
        name: str,
        key: SecretStr | None = None,
        breaker: CircuitBreaker | None = None,
        retry_seconds: float = 0.2,
    ) -> None:
        """`url` is the base that `/chat/completions` is added to; without a path it is `/v1`.

        `retry_seconds` is the longest first pause before a question whose connection broke is asked
        again.
        """
        self._where = shown_address(url)
        self._model = name
        self._dialect = Dialect()
        self._client = httpx.AsyncClient(
            base_url=url if urlsplit(url).path.strip("/") else url.rstrip("/") + "/v1",
            headers={
                "Accept-Encoding": "identity",
                **({"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}),
            },
            # A redirect would carry the evidence, and the key, to wherever the answer points.
            follow_redirects=False,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            event_hooks={"response": [bound_response]},
        )
        self._transport = Transport(
            model=name, where=self._where, breaker=breaker, first_pause_seconds=retry_seconds
        )
        self._boundary = Boundary(
            where=self._where, speaks="OpenAI's chat API", missing=self._nowhere
        )

    @property
    def name(self) -> str:
        """The model's name, as the status shows it."""
        return self._model

    @property
    def breaker(self) -> CircuitBreaker:
        """Whether questions are asked at the moment."""
        return self._transport.breaker

    @property
    def given_up(self) -> tuple[str, ...]:
        """What the server turned out not to take, in words for a person."""
        return self._dialect.given_up

    async def check(self, *, deadline_seconds: float) -> None:
        """Raise the `ModelError` that says why a question now would not be answered.

        An endpoint that doesn't list its models is taken at its word that it has ours.
        """

        async def attempt() -> None:
            with self._boundary.attempt():
                response = await self._client.get("/models")
                if response.status_code in (404, 405, 501):
                    return
                if response.status_code != 200:
                    raise self._boundary.refused(response.status_code)
                names = {entry["id"] for entry in response.json()["data"]}
                if self._model not in names:
                    raise AttemptFailed(self._missing())

        await self._transport.check(attempt, deadline_seconds=deadline_seconds)

    async def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any],
        deadline_seconds: float,
        think: bool,
        max_output_tokens: int,
        on_text: OnText | None = None,
        attempts: Attempts | None = None,
    ) -> Completion:
        """Continue the messages with a JSON text in the schema; raises `ModelError`.

        `max_output_tokens` bounds thinking and answer together. `attempts` is told of those that
        fail, and asked before the question is sent again.
        """

        async def attempt() -> Completion:
            with self._boundary.attempt() as heard:
                dialect = self._dialect
                gathering = Gathering(max_output_tokens=max_output_tokens, on_text=on_text)
                prompt = "\n".join(message.content for message in messages)
                while True:
                    body = dialect.body(
                        model=self._model,
                        messages=messages,
                        schema=schema,
                        think=think,
                        max_output_tokens=max_output_tokens,
                    )
                    async with self._client.stream(
                        "POST", "/chat/completions", json=body
                    ) as response:
                        if response.status_code == 200:
                            self._adopt(dialect)
                            return await self._gather(
                                response, gathering, prompt=prompt, heard=heard
                            )
                        dialect = await self._simpler(response, dialect, think=think)

        return await self._transport.ask(
            attempt, deadline_seconds=deadline_seconds, attempts=attempts
        )

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()

    async def _simpler(self, response: httpx.Response, dialect: Dialect, *, think: bool) -> Dialect:
        """What to try after a refusal; each step gives one thing up, so it comes to an end."""
        simpler = None
        if response.status_code in _REFUSED:
            await response.aread()
            simpler = dialect.without(response.text[:_MOST_REFUSAL], think=think)
        if simpler is None:
            raise self._boundary.refused(response.status_code)
        return simpler

    def _adopt(self, dialect: Dialect) -> None:
        if dialect == self._dialect:
            return
        self._dialect = dialect
        _log.warning(
            "the model's server does not take all that we ask for",
            server=self._where,
            model=self._model,
            goes_without=list(dialect.given_up),
        )

    async def _gather(
        self, response: httpx.Response, gathering: Gathering, *, prompt: str, heard: Heard
    ) -> Completion:
        finish: str | None = None
        usage: dict[str, Any] = {}
        async with aclosing(_parts(response)) as parts:
            async for part in parts:
                if part.get("error"):
                    raise self._boundary.gave_up()
                usage = part.get("usage") or usage
                for choice in part["choices"][:1]:
                    said = choice.get("delta") or choice.get("message") or {}
                    gathering.add(
                        text=said.get("content") or "",
                        thinking=said.get("reasoning_content") or said.get("reasoning") or "",
                    )
                    finish = choice.get("finish_reason") or finish
                heard.begun = True
                if gathering.is_flooded:
                    finish = "length"
                    break
        if finish is None:
            raise self._boundary.broke_off()
        if finish == "content_filter":
            raise AttemptFailed(
                ModelInvalidAnswer(f"The content filter of {self._where} withheld the answer.")
            )
        return gathering.completion(
            finish="length" if finish == "length" else "stop",
            prompt=prompt,
            prompt_tokens=_count(usage.get("prompt_tokens")),
            output_tokens=_count(usage.get("completion_tokens")),
        )

    def _nowhere(self) -> ModelMissing:
        return ModelMissing(
            f"The server at {self._where} has no model {self._model}, or no chat API below this "
            "address (HTTP status 404): check KAUSA_MODEL_URL and the model's name."
        )

    def _missing(self) -> ModelMissing:
        return ModelMissing(
            f"The server at {self._where} does not list the model {self._model}: serve it there, "
            "or name a model that it has."
        )


async def _parts(response: httpx.Response) -> AsyncGenerator[dict[str, Any], None]:
    """The objects of a stream of server-sent events, or the one of a server that doesn't stream."""
    if response.headers.get("content-type", "").startswith("application/json"):
        await response.aread()
        yield response.json()
        return
    spoke, garbage = False, False
    async for line in response.aiter_lines():
        field, _, value = line.partition(":")
        if field == "data":
            spoke = True
            if value.strip() == "[DONE]":
                return
            yield json.loads(value)
        # A comment keeps the connection open.
        garbage = garbage or bool(field)
    if garbage and not spoke:
        raise ValueError("no stream of events: the page of something else")


def _count(number: object) -> int | None:
    return number if isinstance(number, int) else None
