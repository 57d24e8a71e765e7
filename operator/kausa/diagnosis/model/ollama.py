"""A language model behind an Ollama server.

One completion is one streamed request: the schema constrains the output, temperature 0 makes a
repeated question give the same answer, and the output is bounded, because a small model without a
bound rambles until the deadline. Leaving the stream, be it by cancelling, closes the connection, on
which the server stops writing.

Every foreign error ends here as a `ModelError`.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import Any, Final

import httpx
import ollama
from pydantic import SecretStr

from kausa.diagnosis.errors import ModelMissing, ModelUnavailable
from kausa.diagnosis.model.asked_to_wait import AskedToWait, heed_retry_after
from kausa.diagnosis.model.boundary import (
    AttemptFailed,
    Boundary,
    Heard,
    bound_response,
    shown_address,
)
from kausa.diagnosis.model.breaker import CircuitBreaker
from kausa.diagnosis.model.events import shown_words
from kausa.diagnosis.model.gathering import Gathering
from kausa.diagnosis.model.ollama_requests import Requests, written
from kausa.diagnosis.model.protocol import Attempts, Completion, Message, OnText
from kausa.diagnosis.model.pulling import Pull
from kausa.diagnosis.model.streams import whole_lines, without_garbage
from kausa.diagnosis.model.transport import CONNECT_SECONDS, Held, Transport
from kausa.telemetry.logs import get_logger

__all__ = ["OllamaModel"]

_REGISTRY: Final = "registry.ollama.ai/"
_NAMESPACE: Final = "library/"
"""Where a model is looked for whose name says nothing else; no list tells these."""
_ALWAYS_THINK: Final = frozenset({"gptoss", "gpt-oss"})
"""Families whose format of messages begins with thoughts, and has no place for a schema before."""
_log = get_logger(__name__)


class OllamaModel:
    """One model of one Ollama server."""

    def __init__(
        self,
        *,
        url: str,
        name: str,
        key: SecretStr | None = None,
        trust: ssl.SSLContext | bool = True,
        context_tokens: int = 8_192,
        keep_alive: str = "10m",
        pull: bool = False,
        breaker: CircuitBreaker | None = None,
        retry_seconds: float = 0.2,
    ) -> None:
        """`key` is a bearer token, for a server behind something that asks for one. `trust` is who
        may vouch for its certificate (`trust.py`).

        `context_tokens` is the window that the server allocates: prompt and answer must fit.
        `keep_alive` is how long the model stays loaded after an answer, as Ollama writes it (`10m`,
        `-1` for ever): loading one anew takes seconds to minutes. `pull` fetches a model that the
        server lacks, in the background, as soon as a check finds it missing. `retry_seconds` is the
        longest first pause before a question whose connection broke is asked again.
        """
        self._where = shown_address(url)
        self._model = name
        self._key = key
        self._context_tokens = context_tokens
        self._keep_alive = keep_alive
        self._thinks: bool | None = None
        self._plainly = True
        """Whether a model that shall not think is asked so; until one answer came to nothing."""
        self._strayed = False
        self._client = ollama.AsyncClient(
            host=url,
            headers={
                "Accept-Encoding": "identity",
                **({"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}),
            },
            # A redirect would carry the evidence to wherever the answer points.
            follow_redirects=False,
            verify=trust,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            event_hooks={"response": [bound_response, whole_lines, heed_retry_after]},
        )
        self._requests = Requests(
            self._client, model=name, context_tokens=context_tokens, keep_alive=keep_alive
        )
        self._transport = Transport(
            model=name, where=self._where, breaker=breaker, first_pause_seconds=retry_seconds
        )
        self._boundary = Boundary(where=self._where, speaks="Ollama's API", missing=self._missing)
        self._pull = Pull(self._client, model=name, where=self._where) if pull else None

    @property
    def name(self) -> str:
        """The model's name, as the status shows it."""
        return self._model

    @property
    def breaker(self) -> CircuitBreaker:
        """Whether questions are asked at the moment."""
        return self._transport.breaker

    async def check(self, *, deadline_seconds: float) -> None:
        """Raise the `ModelError` that says why a question now would not be answered.

        Where the model may be pulled, the check that finds it missing starts that.
        """

        async def attempt() -> None:
            with self._attempt(of_question=False):
                listed = await self._client.list()
                names = {_full_name(entry.model) for entry in listed.models if entry.model}
                if _full_name(self._model) not in names:
                    raise AttemptFailed(self._pull.begin() if self._pull else self._missing())

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
            with self._attempt() as heard:
                can_think = await self._can_think(must_know=think)
                return await self._stream(
                    messages,
                    schema=schema,
                    think=think and can_think,
                    plainly=can_think and not think and self._plainly,
                    gathering=Gathering(max_output_tokens=max_output_tokens, on_text=on_text),
                    max_output_tokens=max_output_tokens,
                    heard=heard,
                )

        return await self._transport.ask(
            attempt, deadline_seconds=deadline_seconds, attempts=attempts
        )

    async def close(self) -> None:
        """Let the connections go, and a pull with them: the server keeps what it has of it."""
        if self._pull is not None:
            await self._pull.cancel()
        await self._client.close()  # type: ignore[no-untyped-call]

    async def _can_think(self, *, must_know: bool) -> bool:
        """A model that can't refuses every question that asks it to; so it is asked once before."""
        if self._thinks is None:
            try:
                shown = await self._client.show(self._model)
            except ollama.ResponseError:
                if must_know:
                    raise
                # Something before the server may let only questions through.
                return False
            self._thinks = "thinking" in (shown.capabilities or ())
            family = shown.details.family if shown.details is not None else None
            if family in _ALWAYS_THINK:
                self._plainly = False
        return self._thinks

    async def _stream(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any],
        think: bool,
        plainly: bool,
        gathering: Gathering,
        max_output_tokens: int,
        heard: Heard,
    ) -> Completion:
        begin = self._requests.generate if plainly else self._requests.chat
        stream = await begin(messages, schema=schema, think=think, most_tokens=max_output_tokens)
        prompt = "\n".join(message.content for message in messages)
        async with aclosing(stream) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                heard.begun = True
                text, thinking = written(piece)
                gathering.add(text=text, thinking=thinking)
                if piece.done:
                    completion = gathering.completion(
                        finish="length" if piece.done_reason == "length" else "stop",
                        prompt=prompt,
                        prompt_tokens=piece.prompt_eval_count,
                        output_tokens=piece.eval_count,
                    )
                    return self._noticed(completion, plainly=plainly)
                if gathering.is_flooded:
                    return gathering.completion(finish="length", prompt=prompt)
        raise self._boundary.broke_off()

    def _noticed(self, completion: Completion, *, plainly: bool) -> Completion:
        """Return the answer, and notice where the server does not keep the model to the schema."""
        text, thought = completion.text, completion.thinking
        if plainly and not text and thought.startswith("{"):
            # A parser that takes the beginning for thoughts, whatever it was told.
            completion = replace(completion, text=thought, thinking="")
        elif not text.lstrip().startswith("{") and (plainly or completion.finish == "stop"):
            self._plainly = self._plainly and not plainly
            if not self._strayed:
                self._strayed = True
                _log.warning(
                    "the model's server does not keep it to the schema: its answers are checked "
                    "only afterwards, and many will not hold",
                    server=self._where,
                    model=self._model,
                )
        return completion

    @contextmanager
    def _attempt(self, *, of_question: bool = True) -> Iterator[Heard]:
        with self._boundary.attempt() as heard, without_garbage(heard, where=self._where):
            try:
                yield heard
            except AskedToWait as asked:
                failed = self._boundary.refused(asked.status)
                raise Held(failed, seconds=asked.seconds, again=True) from None
            except ollama.ResponseError as error:
                # An error within a stream has no status.
                status, words = error.status_code, error.error
                if status <= 0:
                    secret = self._key.get_secret_value() if self._key is not None else ""
                    _log.warning(
                        "the model's server gave up on an answer",
                        server=self._where,
                        model=self._model,
                        said=shown_words(words, secret=secret),
                    )
                    raise self._boundary.gave_up() from None
                if status == httpx.codes.NOT_FOUND and not (of_question and "model" in words):
                    raise AttemptFailed(self._nowhere()) from None
                raise self._boundary.refused(status, words=words, of_question=of_question) from None

    def _nowhere(self) -> ModelUnavailable:
        return ModelUnavailable(
            f"There is no API of Ollama at {self._where} (HTTP status 404): KAUSA_MODEL_URL is its "
            "address without /v1 or /api; another server needs KAUSA_MODEL_KIND=openai."
        )

    def _missing(self) -> ModelMissing:
        return ModelMissing(
            f"The server at {self._where} does not have the model {self._model}: run "
            f"`ollama pull {self._model}` there, or name a model that it has."
        )


def _full_name(name: str) -> str:
    """Return the name as the server lists it, with its tag: `qwen`, `Qwen:latest` and
    `registry.ollama.ai/library/qwen` are one model.
    """
    short = name.lower().removeprefix(_REGISTRY).removeprefix(_NAMESPACE)
    return short if ":" in short.rsplit("/", 1)[-1] else f"{short}:latest"
