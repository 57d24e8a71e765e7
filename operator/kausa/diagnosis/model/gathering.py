"""Putting a completion together from a stream, and stopping one that has no end.

A server is told how much the model may write, and most keep to it. One that doesn't would fill the
memory and the time of whoever listens, so pieces and characters are counted here, too: a piece is a
token or more, and no token has more than a few characters.
"""

from __future__ import annotations

import re
import time
from typing import Final, Literal

from kausa.diagnosis.model.protocol import Completion, OnText

__all__ = ["Gathering", "estimated_tokens", "split_thinking"]

_CHARACTERS_PER_TOKEN: Final = 3
"""What logs and YAML come to; prose has four."""
_LONGEST_TOKEN: Final = 16
"""On average over a text; single tokens can be longer."""
_SLACK: Final = 16
_MOST_COUNTED: Final = 10_000_000
"""No window holds more tokens: a server that tells of more cannot count, and would spend the budget
of every hour."""
_BEGINS, _ENDS = "<think>", "</think>"
_THOUGHT: Final = re.compile(r"\s*<think>(.*?)(?:</think>|\Z)", re.DOTALL)


class Gathering:
    """What has come of one completion; `on_text` hears of it as it comes."""

    def __init__(self, *, max_output_tokens: int, on_text: OnText | None = None) -> None:
        self._started = time.monotonic()
        self._on_text = on_text
        self._held: str | None = ""
        """What may be the beginning of a thought in tags; None once the answer has begun."""
        if on_text is not None:
            on_text(None)
        self._most_pieces = max_output_tokens + _SLACK
        self._most_characters = self._most_pieces * _LONGEST_TOKEN
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._pieces = 0
        self._characters = 0

    @property
    def is_flooded(self) -> bool:
        """Whether more came than the model was allowed to write."""
        return self._pieces > self._most_pieces or self._characters > self._most_characters

    def add(self, *, text: str, thinking: str) -> None:
        """Take one piece of the stream."""
        if text or thinking:
            self._pieces += 1
            self._characters += len(text) + len(thinking)
            self._text.append(text)
            self._thinking.append(thinking)
            if self._on_text is not None:
                self._on_text(self._answered(text))

    def _answered(self, text: str) -> str:
        """What of it is known to be the answer: a thought in tags is not."""
        if self._held is None or not text:
            return text
        held = (self._held + text).lstrip()
        if held.startswith(_BEGINS):
            _, ended, answer = held.partition(_ENDS)
            # Of a thought its last characters are enough to see its end.
            self._held = None if ended else _BEGINS + held[len(_BEGINS) :][-len(_ENDS) :]
            return answer.lstrip()
        if _BEGINS.startswith(held):
            self._held = held
            return ""
        self._held = None
        return held

    def completion(
        self,
        *,
        finish: Literal["stop", "length"],
        prompt: str,
        prompt_tokens: int | None = None,
        output_tokens: int | None = None,
    ) -> Completion:
        """What it comes to; tokens that the server did not count are estimated, never free."""
        text, thought = split_thinking("".join(self._text)[: self._most_characters])
        thinking = ("".join(self._thinking) + thought)[: self._most_characters]
        if not prompt_tokens or not 0 < prompt_tokens <= _MOST_COUNTED:
            prompt_tokens = estimated_tokens(prompt)
        if not output_tokens or not 0 < output_tokens <= _MOST_COUNTED:
            output_tokens = max(self._pieces, estimated_tokens(text + thinking))
        return Completion(
            text=text,
            thinking=thinking.strip(),
            prompt_tokens=prompt_tokens,
            output_tokens=output_tokens,
            milliseconds=round((time.monotonic() - self._started) * 1000),
            finish=finish,
        )


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has."""
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


def split_thinking(text: str) -> tuple[str, str]:
    """Tell the answer from the thinking that a server left in front of it, in tags."""
    thought = _THOUGHT.match(text)
    return (text[thought.end() :].lstrip(), thought[1].strip()) if thought else (text, "")
