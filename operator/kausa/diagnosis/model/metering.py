"""What stands in for a client: one that counts what is used, and two that replay an answer.

All speak the protocol of a model, so that asking and checking need not know of either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kausa.diagnosis.errors import ModelInvalidAnswer, ModelMissing
from kausa.diagnosis.model.breaker import ModelCircuitOpen
from kausa.diagnosis.model.budget import ModelPromptTooLong
from kausa.diagnosis.model.clients import Opened
from kausa.diagnosis.model.protocol import Completion, Message, OnText

__all__ = ["Meter", "Replay", "Resumed"]

_LEAST_CHARACTERS_PER_TOKEN = 4
"""Of an answer: a server may send several tokens in one piece."""


class Meter:
    """Passes on to a client, counts what it used, be it in vain, and lets it use no more."""

    def __init__(self, opened: Opened, *, most: int, window: int) -> None:
        """`most`: tokens for all of it. `window`: what the model can hold at once."""
        self._opened = opened
        self._most = most
        self._window = window
        self.prompt = 0
        self.output = 0
        self.answered = False
        """Whether there was a whole answer, be it one that does not hold or is withheld."""
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
        """Pass it on, unless the tokens leave no room for it.

        Raises:
            ModelPromptTooLong: not even for the first question.
            ModelInvalidAnswer: not for a second one; the first answer stands as what it is.
            ModelError: what the client raises.
        """
        text = "\n".join(each.content for each in messages)
        read = await asyncio.to_thread(self._opened.counter.count, text)
        self._admit(read, max_output_tokens)
        attempts = _Attempts(
            read=read,
            most_written=max_output_tokens,
            left=self._most - self.prompt - self.output,
            on_text=on_text,
        )
        try:
            completion = await self._opened.client.complete(
                messages,
                schema=schema,
                deadline_seconds=deadline_seconds,
                think=think,
                max_output_tokens=max_output_tokens,
                on_text=attempts,
                attempts=attempts,
            )
        except (ModelMissing, ModelCircuitOpen):
            raise
        except ModelInvalidAnswer:
            self.answered = True
            attempts.cut_off()
            raise
        except BaseException:
            attempts.cut_off()
            raise
        else:
            self.prompt += completion.prompt_tokens
            self.output += completion.output_tokens
        finally:
            self.prompt += attempts.prompt
            self.output += attempts.output
        self.last, self.answered = completion, True
        return completion

    def _admit(self, read: int, most_written: int) -> None:
        whole = read + most_written
        left = self._most - self.prompt - self.output
        if whole <= min(left, self._window):
            return
        if self.last is not None:
            raise ModelInvalidAnswer(
                f"The first answer does not hold, and the {left:,} tokens that are left of this "
                f"diagnosis, in a window of {self._window:,}, leave no room for a second "
                "(KAUSA_MODEL_TOKENS_PER_DIAGNOSIS, KAUSA_MODEL_CONTEXT_TOKENS)."
            )
        raise ModelPromptTooLong(
            f"What is to be said of this failure comes to {read:,} tokens, and to {whole:,} with "
            f"its answer: more than the {self._most:,} of one diagnosis or the {self._window:,} of "
            "the model's window (KAUSA_MODEL_TOKENS_PER_DIAGNOSIS, KAUSA_MODEL_CONTEXT_TOKENS), so "
            "it was not asked."
        )

    async def close(self) -> None:
        """The client is somebody else's."""


class _Attempts:
    """What the attempts at one question took that came to nothing; follows each as it writes."""

    def __init__(self, *, read: int, most_written: int, left: int, on_text: OnText | None) -> None:
        self._read = read
        self._most_written = most_written
        self._left = left
        self._on_text = on_text
        self._under_way = False
        """Whether the server is being asked: a client says when an answer may begin, and what ends
        before, as a look whether the model can think, has read nothing."""
        self._pieces = 0
        self._characters = 0
        self.prompt = 0
        self.output = 0

    def __call__(self, piece: str | None) -> None:
        """Hear what is written."""
        if piece is None:
            self._under_way = True
            self._pieces = self._characters = 0
        else:
            self._pieces += 1
            self._characters += len(piece)
        if self._on_text is not None:
            self._on_text(piece)

    def failed(self, *, read: bool) -> None:
        """It is over; what it wrote is known, and what it read unless it was never read."""
        if read and self._under_way:
            self.prompt += self._read
            # A piece is a token or more.
            self.output += max(self._pieces, self._characters // _LEAST_CHARACTERS_PER_TOKEN)
        self._under_way = False
        self._pieces = self._characters = 0

    def may_repeat(self) -> bool:
        """Whether another fits, however much it may write."""
        another = self._read + self._most_written
        return self.prompt + self.output + another <= self._left

    def cut_off(self) -> None:
        """Nobody knows what an attempt took that was cut off: it is taken to be the worst."""
        if self._under_way:
            self.prompt += self._read
            self.output += self._most_written
        self._under_way = False


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


class Resumed:
    """Says once more what a model wrote, and passes on what it is asked then: the repair."""

    def __init__(self, meter: Meter, first: Completion) -> None:
        self._meter = meter
        self._first: Completion | None = first

    @property
    def name(self) -> str:
        """The model's."""
        return self._meter.name

    async def check(self, *, deadline_seconds: float) -> None:
        """Ask the client."""
        await self._meter.check(deadline_seconds=deadline_seconds)

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
        """Say it, the first time, with the tokens that it took; then ask. Raises as `Meter`."""
        first, self._first = self._first, None
        if first is None:
            return await self._meter.complete(
                messages,
                schema=schema,
                deadline_seconds=deadline_seconds,
                think=think,
                max_output_tokens=max_output_tokens,
                on_text=on_text,
            )
        if on_text is not None:
            on_text(None)
            on_text(first.text)
        return first

    async def close(self) -> None:
        """The client is somebody else's."""
