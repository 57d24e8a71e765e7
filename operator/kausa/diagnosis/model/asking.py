"""One question to a model: prompt, completion, check, at most one repair.

The same for every server. What comes back is checked against the evidence; an answer that does not
hold is told once what is wrong with it, in the same deadline, and then the rules' answer stands.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, replace
from typing import Final

from kausa.diagnosis.errors import ModelInvalidAnswer
from kausa.diagnosis.model.answer import answer_schema, check_answer
from kausa.diagnosis.model.prompt import TokenCounter, build_prompt
from kausa.diagnosis.model.prompt.fences import cut, one_line
from kausa.diagnosis.model.prompt.screening import screen
from kausa.diagnosis.model.prompt.template import REPAIR
from kausa.diagnosis.model.protocol import (
    Completion,
    LanguageModel,
    Message,
    ModelReply,
    ModelRequest,
)

__all__ = ["TokenBudget", "ask"]

LEAST_SECONDS_FOR_REPAIR: Final = 1.0
_MOST_REPEATED: Final = 1_500
"""Characters of a bad answer that are sent back with what is wrong."""
_MOST_SAID: Final = 300
_THOUGHT: Final = re.compile(r"\s*<think>(.*?)</think>\s*", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBudget:
    """How much one question may read and write, in tokens."""

    prompt: int = 6_000
    output: int = 900
    """Enough for a full answer in the schema; more is rambling."""
    thinking: int = 4_000
    """On top of `output`, for a model that thinks first."""

    def writable(self, *, think: bool) -> int:
        """How many tokens one completion may have."""
        return self.output + (self.thinking if think else 0)


async def ask(
    model: LanguageModel,
    request: ModelRequest,
    *,
    deadline_seconds: float,
    tokens: TokenBudget | None = None,
    think: bool = False,
    counter: TokenCounter | None = None,
) -> ModelReply:
    """Return a checked answer; raises `ModelError`, and `ModelInvalidAnswer` where none holds.

    `deadline_seconds` is for all of it. `counter` learns from what the model counts, so keep one
    for each model.
    """
    if not request.evidence:
        raise ModelInvalidAnswer("There is no evidence, so nothing could be cited.")
    # Looking through tens of kilobytes takes a tenth of a second, and others want the loop.
    asked = await asyncio.to_thread(
        _Asked,
        model=model,
        request=request,
        tokens=tokens or TokenBudget(),
        think=think,
        counter=counter or TokenCounter(),
        ends=time.monotonic() + deadline_seconds,
    )
    return await asked.answer()


class _Asked:
    """The one conversation, and what it took so far."""

    def __init__(
        self,
        *,
        model: LanguageModel,
        request: ModelRequest,
        tokens: TokenBudget,
        think: bool,
        counter: TokenCounter,
        ends: float,
    ) -> None:
        self._model = model
        self._screened = screen(request)
        self._tokens = tokens
        self._think = think
        self._counter = counter
        self._started = time.monotonic()
        self._ends = ends
        self._prompt = build_prompt(self._screened.request, budget=tokens.prompt, counter=counter)
        self._schema = answer_schema(self._prompt.evidence_ids)
        self._completions: list[Completion] = []

    async def answer(self) -> ModelReply:
        messages = (
            Message(role="system", content=self._prompt.system),
            Message(role="user", content=self._prompt.user),
        )
        written = await self._complete(messages)
        try:
            return await asyncio.to_thread(self._checked, written)
        except ModelInvalidAnswer as error:
            if self._ends - time.monotonic() < LEAST_SECONDS_FOR_REPAIR:
                raise
            problem = str(error)
        repair = REPAIR.format(
            problem=one_line(problem, limit=_MOST_SAID),
            target=one_line(self._screened.request.target, limit=_MOST_SAID),
        )
        # An empty turn is refused by some servers.
        said = cut(written.text, _MOST_REPEATED) or "{}"
        second = await self._complete(
            (
                *messages,
                Message(role="assistant", content=said),
                Message(role="user", content=repair),
            )
        )
        return await asyncio.to_thread(self._checked, second)

    async def _complete(self, messages: tuple[Message, ...]) -> Completion:
        completion = await self._model.complete(
            messages,
            schema=self._schema,
            deadline_seconds=max(self._ends - time.monotonic(), 0.0),
            think=self._think,
            max_output_tokens=self._tokens.writable(think=self._think),
        )
        thought = _THOUGHT.match(completion.text)
        if thought is not None:
            # Where the server leaves it to us to tell the two apart.
            completion = replace(
                completion,
                text=completion.text[thought.end() :],
                thinking=f"{completion.thinking}\n{thought[1]}".strip(),
            )
        self._completions.append(completion)
        text = "\n".join(message.content for message in messages)
        self._counter.learn(text=text, reported=completion.prompt_tokens)
        return completion

    def _checked(self, completion: Completion) -> ModelReply:
        if completion.finish == "length":
            raise ModelInvalidAnswer(
                f"The model {self._model.name} wrote "
                f"{self._tokens.writable(think=self._think)} tokens without coming to an end."
            )
        checked = check_answer(
            completion.text,
            screened=self._screened,
            evidence_ids=self._prompt.evidence_ids,
            system=self._prompt.system,
        )
        done = self._completions
        return ModelReply(
            answer=checked.answer,
            model=self._model.name,
            prompt_tokens=sum(each.prompt_tokens for each in done),
            output_tokens=sum(each.output_tokens for each in done),
            milliseconds=round((time.monotonic() - self._started) * 1000),
            thinking="\n".join(each.thinking for each in done if each.thinking),
            prompt_version=self._prompt.version,
            repaired=len(done) > 1,
            dropped=checked.dropped,
            suspicious=self._screened.suspicious,
        )
