"""One question to a model: prompt, completion, check, at most one repair.

The same for every server. What comes back is checked against the evidence; an answer that does not
hold is told once what is wrong with it, in the same deadline, and then the rules' answer stands.

A person who waits may follow it (`ask_live`): each sentence is shown once it is written and holds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from kausa.diagnosis.errors import ModelError, ModelInvalidAnswer
from kausa.diagnosis.model.answer import answer_schema, check_answer
from kausa.diagnosis.model.answer.live import LiveAnswer, OnSentence
from kausa.diagnosis.model.answer.support import Corpus
from kausa.diagnosis.model.gathering import split_thinking
from kausa.diagnosis.model.prompt import TokenCounter, build_prompt
from kausa.diagnosis.model.prompt.fences import cut, one_line
from kausa.diagnosis.model.prompt.screening import screen
from kausa.diagnosis.model.prompt.shapes import is_target
from kausa.diagnosis.model.prompt.template import REPAIR
from kausa.diagnosis.model.protocol import (
    Completion,
    LanguageModel,
    LiveModel,
    Message,
    ModelReply,
    ModelRequest,
)

__all__ = ["ModelNotRepaired", "OnSentence", "TokenBudget", "ask", "ask_live"]

LEAST_SECONDS_FOR_REPAIR: Final = 1.0
_MOST_REPEATED: Final = 1_500
"""Characters of a bad answer that are sent back with what is wrong."""
_MOST_SAID: Final = 300


class ModelNotRepaired(ModelInvalidAnswer):
    """The answer does not hold, and there was no time left to have it repaired."""


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
    asked = await _asked(
        model.name,
        request,
        deadline_seconds=deadline_seconds,
        tokens=tokens,
        think=think,
        counter=counter,
    )

    async def complete(messages: tuple[Message, ...], limits: _Limits) -> Completion:
        return await model.complete(
            messages,
            schema=limits.schema,
            deadline_seconds=limits.seconds,
            think=think,
            max_output_tokens=limits.tokens,
        )

    return await asked.answer(complete)


async def ask_live(
    model: LiveModel,
    request: ModelRequest,
    *,
    deadline_seconds: float,
    on_sentence: OnSentence,
    tokens: TokenBudget | None = None,
    think: bool = False,
    counter: TokenCounter | None = None,
) -> ModelReply:
    """As `ask`; `on_sentence` hears each sentence that holds as soon as it is written.

    What it hears may be less than the answer, and is void where it begins again (`again`) or where
    this raises in the end.
    """
    asked = await _asked(
        model.name,
        request,
        deadline_seconds=deadline_seconds,
        tokens=tokens,
        think=think,
        counter=counter,
    )

    live = asked.live(on_sentence)

    async def complete(messages: tuple[Message, ...], limits: _Limits) -> Completion:
        return await model.complete(
            messages,
            schema=limits.schema,
            deadline_seconds=limits.seconds,
            think=think,
            max_output_tokens=limits.tokens,
            on_text=live.hear,
        )

    return await asked.answer(complete)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    schema: dict[str, Any]
    seconds: float
    tokens: int


_Complete = Callable[[tuple[Message, ...], _Limits], Awaitable[Completion]]


async def _asked(
    name: str,
    request: ModelRequest,
    *,
    deadline_seconds: float,
    tokens: TokenBudget | None,
    think: bool,
    counter: TokenCounter | None,
) -> _Asked:
    if not request.evidence:
        raise ModelInvalidAnswer("There is no evidence, so nothing could be cited.")
    # Looking through tens of kilobytes takes a tenth of a second, and others want the loop.
    return await asyncio.to_thread(
        _Asked,
        name=name,
        request=request,
        tokens=tokens or TokenBudget(),
        think=think,
        counter=counter or TokenCounter(),
        ends=time.monotonic() + deadline_seconds,
    )


class _Asked:
    """The one conversation, and what it took so far."""

    def __init__(
        self,
        *,
        name: str,
        request: ModelRequest,
        tokens: TokenBudget,
        think: bool,
        counter: TokenCounter,
        ends: float,
    ) -> None:
        self._name = name
        self._screened = screen(request)
        self._tokens = tokens
        self._think = think
        self._counter = counter
        self._started = time.monotonic()
        self._ends = ends
        self._prompt = build_prompt(self._screened.request, budget=tokens.prompt, counter=counter)
        self._schema = answer_schema(
            self._prompt.evidence_ids,
            [each.text for each in self._prompt.lines],
            brief=request.brief,
        )
        self._completions: list[Completion] = []

    def live(self, on_sentence: OnSentence) -> LiveAnswer:
        """Follow what is written."""
        corpus = Corpus(self._screened, evidence_ids=self._prompt.evidence_ids)
        return LiveAnswer(corpus, request=self._screened.request, on_sentence=on_sentence)

    async def answer(self, complete: _Complete) -> ModelReply:
        messages = (
            Message(role="system", content=self._prompt.system),
            Message(role="user", content=self._prompt.user),
        )
        written = await self._complete(complete, messages)
        try:
            return await asyncio.to_thread(self._checked, written)
        except ModelInvalidAnswer as error:
            if self._ends - time.monotonic() < LEAST_SECONDS_FOR_REPAIR:
                raise ModelNotRepaired(str(error), detail=error.detail) from error
            refuted, problem = error, _problem(error)
        target = one_line(self._screened.request.target, limit=_MOST_SAID)
        repair = REPAIR.format(
            problem=one_line(problem, limit=_MOST_SAID),
            # Outside of the fences stands what has the shape of a name, and nothing else.
            target=target if is_target(target) else "the target",
        )
        # An empty turn is refused by some servers.
        said = cut(written.text, _MOST_REPEATED) or "{}"
        repairing = (
            *messages,
            Message(role="assistant", content=said),
            Message(role="user", content=repair),
        )
        try:
            second = await self._complete(complete, repairing)
        except ModelInvalidAnswer:
            raise
        except ModelError as error:
            # A whole answer came, and it does not hold: that stays so, whatever was in the way now.
            raise ModelInvalidAnswer(
                f"{str(refuted).rstrip('.')}. Its repair came to nothing: {error}",
                detail=refuted.detail,
            ) from error
        return await asyncio.to_thread(self._checked, second)

    async def _complete(self, complete: _Complete, messages: tuple[Message, ...]) -> Completion:
        limits = _Limits(
            schema=self._schema,
            seconds=max(self._ends - time.monotonic(), 0.0),
            tokens=self._tokens.writable(think=self._think),
        )
        completion = await complete(messages, limits)
        text, thought = split_thinking(completion.text)
        if text != completion.text:
            # Where the server leaves it to us to tell the two apart.
            thinking = f"{completion.thinking}\n{thought}".strip()
            completion = replace(completion, text=text, thinking=thinking)
        self._completions.append(completion)
        # To answer in a schema Ollama reads the thoughts once more, and counts them as prompt.
        if not completion.thinking:
            text = "\n".join(message.content for message in messages)
            self._counter.learn(text=text, reported=completion.prompt_tokens)
        return completion

    def _checked(self, completion: Completion) -> ModelReply:
        if completion.finish == "length":
            raise ModelInvalidAnswer(
                f"The model {self._name} wrote "
                f"{self._tokens.writable(think=self._think)} tokens without coming to an end."
            )
        checked = check_answer(
            completion.text,
            screened=self._screened,
            evidence_ids=self._prompt.evidence_ids,
            system=self._prompt.system,
            lines=self._prompt.lines,
        )
        done = self._completions
        return ModelReply(
            answer=checked.answer,
            model=self._name,
            prompt_tokens=sum(each.prompt_tokens for each in done),
            output_tokens=sum(each.output_tokens for each in done),
            milliseconds=round((time.monotonic() - self._started) * 1000),
            thinking="\n".join(each.thinking for each in done if each.thinking),
            prompt_version=self._prompt.version,
            repaired=len(done) > 1,
            dropped=checked.dropped,
            suspicious=self._screened.suspicious,
        )


def _problem(error: ModelInvalidAnswer) -> str:
    """Return what the model is told of its answer: what is wrong, without how we say that it is.

    The 0.5B repeated `The evidence does not bear the cause that the model named` as a cause.
    """
    return error.detail or str(error)
