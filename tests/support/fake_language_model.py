"""A language model in this process that answers what it is told to, and models made of such."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kausa.diagnosis.errors import ModelError
from kausa.diagnosis.model.answers import Answers
from kausa.diagnosis.model.breaker import CircuitBreaker
from kausa.diagnosis.model.budget import HourlyBudget, TokenLimits
from kausa.diagnosis.model.models import Models, Names
from kausa.diagnosis.model.protocol import Attempts, Completion, Message, OnText

__all__ = ["ANSWER", "FakeLanguageModel", "models_of"]

ANSWER: Mapping[str, Any] = {
    "category": "CrashLoop",
    "summary": "the container exits with code 1",
    "rootCause": "The program exits with code 1 on every start.",
    "explanation": "Its last state was exit code 1.",
    "confidence": 99,
    "citations": ["E1"],
    "remediation": [],
}


class FakeLanguageModel:
    """Answers after `seconds`; `errors` are raised first, one a question."""

    def __init__(
        self,
        name: str = "fake",
        *,
        error: ModelError | None = None,
        seconds: float = 0.0,
        answer: Mapping[str, Any] = ANSWER,
        **fields: Any,
    ) -> None:
        self.name = name
        self.breaker = CircuitBreaker()
        self.error = error
        """What `check` raises."""
        self.errors: list[ModelError] = []
        self.texts: list[str] = []
        """Said before the answer, one a question."""
        self.answer = {**answer, **fields}
        self.thinking = ""
        self.seconds = seconds
        self.prompt_tokens, self.output_tokens = 1000, 100
        self.prompts: list[str] = []
        self.thought: list[bool] = []
        self.checks = 0
        self.asking = 0
        self.most_at_once = 0
        self.closed = False

    async def check(self, *, deadline_seconds: float) -> None:
        self.checks += 1
        if self.error is not None:
            raise self.error

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
        if on_text is not None:
            on_text(None)
        self.prompts.append(messages[1].content)
        self.thought.append(think)
        self.asking += 1
        self.most_at_once = max(self.most_at_once, self.asking)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.asking -= 1
        if self.errors:
            raise self.errors.pop(0)
        return Completion(
            text=self.texts.pop(0) if self.texts else json.dumps(self.answer),
            thinking=self.thinking,
            prompt_tokens=self.prompt_tokens,
            output_tokens=self.output_tokens,
        )

    async def close(self) -> None:
        self.closed = True


def models_of(
    simple: FakeLanguageModel,
    reasoning: FakeLanguageModel | None = None,
    *,
    connect: Callable[[str, bool], FakeLanguageModel] | None = None,
    tokens_per_hour: int | None = None,
    threshold: float = 0.7,
    redact: Callable[[str], str] = lambda text: text,
    clock: Callable[[], float] | None = None,
    answers: Answers | None = None,
) -> Models:
    """The models of a server that has these; `connect` makes what `spec.model` names."""
    known = {each.name: each for each in (simple, reasoning) if each is not None}

    def client(name: str, configured: bool) -> FakeLanguageModel:
        if configured or connect is None:
            return known[name]
        return connect(name, configured)

    budget = (
        HourlyBudget(tokens=tokens_per_hour)
        if clock is None
        else HourlyBudget(tokens=tokens_per_hour, clock=clock)
    )
    return Models(
        names=Names(
            simple=simple.name,
            reasoning=reasoning.name if reasoning is not None else simple.name,
            threshold=threshold,
        ),
        connect=client,
        limits=TokenLimits(),
        budget=budget,
        redact=redact,
        timeout_seconds=60,
        answers=answers,
    )
