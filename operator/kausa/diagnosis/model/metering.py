"""What stands in for a client: one that counts what is used, and one that replays an answer.

Both speak the protocol of a model, so that asking and checking need not know of either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kausa.diagnosis.errors import ModelInvalidAnswer, ModelMissing, ModelUnavailable
from kausa.diagnosis.model.breaker import ModelCircuitOpen
from kausa.diagnosis.model.clients import Opened
from kausa.diagnosis.model.protocol import Completion, Message, OnText

__all__ = ["Meter", "Replay"]


class Meter:
    """Passes on to a client, and counts what it used, be it in vain."""

    def __init__(self, opened: Opened, *, most: int) -> None:
        self._opened = opened
        self._most = most
        self.prompt = 0
        self.output = 0
        self.last: Completion | None = None

    @property
    def name(self) -> str:
        """The model's."""
        return self._opened.client.name

    async def check(self, *, deadline_seconds: float) -> None:
        """Ask the client."""
        await self._opened.client.check(deadline_seconds=deadline_seconds)

    async def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any],
        deadline_seconds: float,
        think: bool,
        max_output_tokens: int,
        on_text: OnText | None = None,
    ) -> Completion:
        """Pass it on, unless it is a second question that the tokens leave no room for.

        Raises:
            ModelInvalidAnswer: there is none.
            ModelError: what the client raises.
        """
        text = "\n".join(each.content for each in messages)
        prompt = read = await asyncio.to_thread(self._opened.counter.count, text)
        if self.prompt + self.output + prompt + max_output_tokens > self._most and self.last:
            raise ModelInvalidAnswer(
                "The first answer does not hold, and the tokens of one diagnosis "
                f"({self._most:,}, KAUSA_MODEL_TOKENS_PER_DIAGNOSIS) leave no room for a second."
            )
        output = max_output_tokens
        heard = _Heard(on_text)
        try:
            completion = await self._opened.client.complete(
                messages,
                schema=schema,
                deadline_seconds=deadline_seconds,
                think=think,
                max_output_tokens=max_output_tokens,
                on_text=heard,
            )
            prompt, output = completion.prompt_tokens, completion.output_tokens
        except (ModelMissing, ModelCircuitOpen):
            prompt = output = 0
            raise
        except ModelUnavailable:
            # It may have read before it failed; that it wrote all it was allowed to is unlikely.
            output = 0
            raise
        finally:
            # Nobody knows what an answer that was cut off took: it is taken to be the worst.
            self.prompt += prompt + heard.broken * read
            self.output += output + heard.lost
        self.last = completion
        return completion

    async def close(self) -> None:
        """The client is somebody else's."""


class _Heard:
    """Listens to a stream for the attempts that broke off: the client sends those again itself."""

    def __init__(self, on_text: OnText | None) -> None:
        self._on_text = on_text
        self._pieces = 0
        self.broken = 0
        """Attempts that had begun to write."""
        self.lost = 0
        """The tokens that they wrote: a piece is one or more."""

    def __call__(self, piece: str | None) -> None:
        if piece is None:
            self.broken += bool(self._pieces)
            self.lost += self._pieces
            self._pieces = 0
        else:
            self._pieces += 1
        if self._on_text is not None:
            self._on_text(piece)


class Replay:
    """Says once more what a model wrote, for no tokens."""

    def __init__(self, name: str, completion: Completion) -> None:
        self.name = name
        self._completion: Completion | None = completion

    async def check(self, *, deadline_seconds: float) -> None:
        """It is always there."""

    async def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any],
        deadline_seconds: float,
        think: bool,
        max_output_tokens: int,
        on_text: OnText | None = None,
    ) -> Completion:
        """Say it, the first time.

        Raises:
            ModelInvalidAnswer: it does not hold, as somebody asks once more.
        """
        completion, self._completion = self._completion, None
        if completion is None:
            raise ModelInvalidAnswer("What was answered before does not hold any more.")
        if on_text is not None:
            on_text(None)
            on_text(completion.text)
        return replace(completion, prompt_tokens=0, output_tokens=0)

    async def close(self) -> None:
        """Nothing is open."""
