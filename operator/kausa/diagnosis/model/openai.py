"""A language model behind any endpoint that speaks OpenAI's chat API: vLLM, llama.cpp, hosted ones.

The same bounds hold as for Ollama: one streamed request, a schema, temperature 0, a limit of
tokens. Servers differ in which of these they take; `dialect.py` finds that out. Leaving the stream
closes the connection, on which a server stops writing.

Every foreign error ends here as a `ModelError`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from kausa.diagnosis.errors import ModelInvalidAnswer, ModelMissing
from kausa.diagnosis.model.asked_to_wait import AskedToWait, heed_retry_after
from kausa.diagnosis.model.boundary import (
    AttemptFailed,
    Boundary,
    Heard,
    bound_response,
    shown_address,
)
from kausa.diagnosis.model.breaker import CircuitBreaker
from kausa.diagnosis.model.dialect import Dialect
from kausa.diagnosis.model.events import parts, shown_words
from kausa.diagnosis.model.gathering import Gathering
from kausa.diagnosis.model.listing import lists
from kausa.diagnosis.model.protocol import Attempts, Completion, Message, OnText
from kausa.diagnosis.model.streams import whole_lines, without_garbage
from kausa.diagnosis.model.transport import CONNECT_SECONDS, Held, Transport
from kausa.telemetry.logs import get_logger

__all__ = ["OpenAIModel"]

_REFUSED: Final = frozenset({400, 422})
_MOST_REFUSAL: Final = 64 * 1024
_UNLISTED: Final = frozenset({401, 403, 404, 405, 501})
"""A key may be good for questions alone, and a server may list nothing."""
_FOR_ALL: Final = frozenset({401, 403, 404})
"""Such a refusal is of the key or of the model, not of the one question."""
_FOR_ALL_SECONDS: Final = 60.0
_log = get_logger(__name__)


class OpenAIModel:
    """One model of one endpoint."""

    def __init__(
        self,
        *,
        url: str,
        name: str,
        key: SecretStr | None = None,
        trust: ssl.SSLContext | bool = True,
        breaker: CircuitBreaker | None = None,
        retry_seconds: float = 0.2,
    ) -> None:
        """`url` is the base that `/chat/completions` is added to; without a path it is `/v1`.

        `trust` is who may vouch for the server's certificate (`trust.py`).

        `retry_seconds` is the longest first pause before a question whose connection broke is asked
        again.
        """
        self._where = shown_address(url)
        self._model = name
        self._key = key
        self._dialect = Dialect()
        self._client = httpx.AsyncClient(
            base_url=url if urlsplit(url).path.strip("/") else url.rstrip("/") + "/v1",
            headers={
                "Accept-Encoding": "identity",
                **({"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}),
            },
            # A redirect would carry the evidence, and the key, to wherever the answer points.
            follow_redirects=False,
            verify=trust,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            event_hooks={"response": [bound_response, whole_lines, heed_retry_after]},
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

        An endpoint that doesn't list its models, or not to us, is taken at its word that it has
        ours; one that then refuses the question for its model or its key is not asked for a minute.
        """

        async def attempt() -> None:
            with self._attempt():
                response = await self._client.get("/models")
                if response.status_code in _UNLISTED:
                    return
                if response.status_code != 200:
                    raise self._boundary.refused(response.status_code, of_question=False)
                if not lists(response.json()["data"], self._model):
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

        def request(dialect: Dialect) -> dict[str, Any]:
            return dialect.body(
                model=self._model,
                messages=messages,
                schema=schema,
                think=think,
                max_output_tokens=max_output_tokens,
            )

        async def attempt() -> Completion:
            with self._attempt() as heard:
                gathering = Gathering(max_output_tokens=max_output_tokens, on_text=on_text)
                prompt = "\n".join(message.content for message in messages)
                dialect = self._dialect
                body = request(dialect)
                while True:
                    async with self._client.stream(
                        "POST", "/chat/completions", json=body
                    ) as response:
                        if response.status_code == 200:
                            self._adopt(dialect)
                            return await self._gather(
                                response, gathering, prompt=prompt, heard=heard
                            )
                        asks_too_much = response.status_code in _REFUSED
                        words = await _words(response) if asks_too_much else ""
                        refused = self._refused(response.status_code, words)
                    # Each step gives one thing up, so this comes to an end.
                    before = body
                    while body == before:
                        simpler = dialect.without(words, think=think)
                        if simpler is None or not asks_too_much:
                            raise refused
                        dialect, body = simpler, request(simpler)

        return await self._transport.ask(
            attempt, deadline_seconds=deadline_seconds, attempts=attempts
        )

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()

    @contextmanager
    def _attempt(self) -> Iterator[Heard]:
        with self._boundary.attempt() as heard, without_garbage(heard, where=self._where):
            try:
                yield heard
            except AskedToWait as asked:
                failed = self._boundary.refused(asked.status)
                raise Held(failed, seconds=asked.seconds, again=True) from None

    def _refused(self, status: int, words: str) -> AttemptFailed:
        failed = self._boundary.refused(status, words=words)
        if status in _FOR_ALL:
            return Held(failed, seconds=_FOR_ALL_SECONDS, again=False)
        return failed

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
        in_pieces = False
        async with aclosing(parts(response)) as pieces:
            async for part in pieces:
                if part.get("error"):
                    raise await self._said(part["error"], begun=heard.begun)
                usage = part.get("usage") or usage
                # Behind an answer some tell of usage alone.
                choices = part["choices"] if finish is None else part.get("choices") or []
                for choice in choices[:1]:
                    delta = choice.get("delta") or {}
                    in_pieces = in_pieces or bool(delta.get("content"))
                    # A message behind its pieces is all of them once more.
                    said = delta if in_pieces else delta or choice.get("message") or {}
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
        if finish == "error":
            raise self._boundary.gave_up()
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

    async def _said(self, error: object, *, begun: bool) -> AttemptFailed:
        """What an error within a stream comes to; its words are for the log alone."""
        secret = self._key.get_secret_value() if self._key is not None else ""
        words = await asyncio.to_thread(shown_words, error, secret=secret)
        _log.warning(
            "the model's server gave up on an answer",
            server=self._where,
            model=self._model,
            said=words,
        )
        status = error.get("code") if isinstance(error, dict) else None
        if not begun and isinstance(status, int) and 400 <= status < 500:
            # A server that had to begin before it knew.
            return self._refused(status, words)
        return self._boundary.gave_up()

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


async def _words(response: httpx.Response) -> str:
    await response.aread()
    return response.text[:_MOST_REFUSAL]


def _count(number: object) -> int | None:
    return number if isinstance(number, int) and not isinstance(number, bool) else None
