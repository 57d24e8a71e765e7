"""The models of one server: choosing among them, asking one, and paying for it once.

Each model has a client, a breaker and a counter of tokens of its own: one that is too slow must not
keep the other from answering (`clients.py`).

A question goes this way: is the model there, is the answer known, is there budget, then the
question itself. What it used is counted from the completions, so that an answer that came to
nothing is paid for as well.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from kausa.diagnosis.errors import ModelError, ModelInvalidAnswer, ModelMissing
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.model.answers import Answers, KnownAnswer
from kausa.diagnosis.model.asking import OnSentence, ask, ask_live
from kausa.diagnosis.model.breaker import CircuitBreaker, ModelCircuitOpen
from kausa.diagnosis.model.budget import HourlyBudget, TokenLimits
from kausa.diagnosis.model.choosing import Choice, Complexity, Role, choose, complexity
from kausa.diagnosis.model.clients import MOST_FORCED, Clients, ModelClient, Opened
from kausa.diagnosis.model.metering import Meter, Replay
from kausa.diagnosis.model.metrics import ModelMetrics
from kausa.diagnosis.model.prompt import TokenCounter
from kausa.diagnosis.model.protocol import LiveModel, ModelReply, ModelRequest
from kausa.evidence.dossier import Dossier
from kausa.resources.limits import THINKING
from kausa.resources.shortening import shorten

__all__ = ["MOST_FORCED", "ModelClient", "Models", "Names"]

REACHABLE_WITHIN_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Which models there are, and where hard begins."""

    simple: str
    reasoning: str
    threshold: float = 0.7
    allowed: frozenset[str] = frozenset()
    """What else `spec.model` may name; empty: any."""

    def allows(self, model: str) -> bool:
        """Whether anybody may have this one asked."""
        return not self.allowed or model in {*self.allowed, self.simple, self.reasoning}


class Models:
    """For one event loop."""

    def __init__(
        self,
        *,
        names: Names,
        connect: Callable[[str, bool], ModelClient],
        limits: TokenLimits,
        budget: HourlyBudget,
        redact: Callable[[str], str],
        timeout_seconds: float = 120.0,
        answers: Answers | None = None,
        make_counter: Callable[[], TokenCounter] = TokenCounter,
    ) -> None:
        """`connect` makes the client of a model; told whether the settings name it, or only a
        resource. `redact` takes secrets out of what a model thinks aloud.
        """
        self.names = names
        self.budget = budget
        self.limits = limits
        self._redact = redact
        self._timeout_seconds = timeout_seconds
        self.answers = answers if answers is not None else Answers()
        self._metrics: ModelMetrics | None = None
        self._clients = Clients(
            configured=(names.simple, names.reasoning), connect=connect, make_counter=make_counter
        )

    def observe(self, metrics: ModelMetrics) -> None:
        """Tell these from now on what happens."""
        self._metrics = metrics
        metrics.observe_budget(lambda: self.budget.left)
        metrics.observe_circuit(Role.SIMPLE, self.client(self.names.simple).breaker)
        metrics.observe_circuit(Role.REASONING, self.client(self.names.reasoning).breaker)

    # -- which one -------------------------------------------------------------------------------

    def choose(
        self,
        dossier: Dossier,
        by_rules: Diagnosis,
        *,
        question: str | None = None,
        forced: str | None = None,
    ) -> Choice:
        """Return which model fits this failure; `forced` is the one that `spec.model` names."""
        judged = complexity(dossier, by_rules, question=question)
        return self.choice_for(judged, forced=forced)

    def choice_for(self, judged: Complexity, *, forced: str | None = None) -> Choice:
        """The same for what was judged already."""
        return choose(
            judged,
            simple=self.names.simple,
            reasoning=self.names.reasoning,
            threshold=self.names.threshold,
            forced=forced,
        )

    async def available(
        self, choice: Choice, *, deadline_seconds: float = REACHABLE_WITHIN_SECONDS
    ) -> Choice:
        """Return the choice where its model is there; the simple model where the reasoning one is
        missing or fails, which `why` says then.

        Raises:
            ModelError: nobody can be asked now.
        """
        if not self.names.allows(choice.model):
            raise ModelMissing(
                f"spec.model names {choice.model}, which KAUSA_MODEL_ALLOWED does not list, so it "
                "is not asked: name one that it lists, or none."
            )
        await self._clients.trim()
        try:
            await self.client(choice.model).check(deadline_seconds=deadline_seconds)
        except (ModelMissing, ModelCircuitOpen) as error:
            instead = self.instead_of(choice)
            if instead is None:
                raise
            await self.client(instead.model).check(deadline_seconds=deadline_seconds)
            word = "is missing" if isinstance(error, ModelMissing) else "fails"
            why = f"{choice.model} {word}, so {instead.model} was asked; {choice.why}"
            return replace(instead, why=why)
        return choice

    def instead_of(self, choice: Choice) -> Choice | None:
        """Return who is asked where the chosen model is missing or fails; None: nobody is."""
        simple = self.names.simple
        if choice.role is not Role.REASONING or choice.model == simple:
            return None
        return replace(choice, model=simple, role=Role.SIMPLE, thinks=False)

    async def check(self, *, deadline_seconds: float = REACHABLE_WITHIN_SECONDS) -> None:
        """Raise the `ModelError` that says why the simple model would not answer now."""
        await self.client(self.names.simple).check(deadline_seconds=deadline_seconds)

    async def ready(self) -> None:
        """Raise the `ModelError` that says why no question can be asked now.

        Costs nothing: the simple model is there, and there is budget for any question.
        """
        self.budget.settle(self.budget.reserve(self.limits.most), spent=0)
        await self.check()

    # -- asking ----------------------------------------------------------------------------------

    async def ask(
        self,
        choice: Choice,
        request: ModelRequest,
        *,
        digest: str | None = None,
        deadline_seconds: float | None = None,
        on_sentence: OnSentence | None = None,
    ) -> ModelReply:
        """Return a checked answer, from memory where `digest` is known.

        `thinking` in it is redacted, and short enough for a status. `on_sentence` hears what holds
        as it is written.

        Raises:
            ModelBudgetSpent: there are no tokens left.
            ModelError: no answer that holds.
        """
        request = replace(request, complexity=choice.complexity.reasons)
        opened = self._clients.open(choice.model)
        opened.users += 1
        result = "cancelled"
        try:
            known = await self._known(choice, request, digest, on_sentence=on_sentence)
            if known is not None:
                result = "cached"
                return known
            reply = await self._pay(
                choice,
                request,
                opened,
                digest=digest,
                deadline_seconds=deadline_seconds or self._timeout_seconds,
                on_sentence=on_sentence,
            )
            result = "answered"
            return reply
        except ModelError as error:
            result = "cached" if isinstance(error, _KnownNonsense) else error.reason
            raise
        finally:
            opened.users -= 1
            if self._metrics is not None:
                self._metrics.asked(choice.role, result)

    def nonsense(self, digest: str) -> str:
        """What was wrong with all that was answered to this; empty where it was not answered so."""
        known = self.answers.get(digest)
        return known.problem if known is not None and known.completion is None else ""

    async def _known(
        self,
        choice: Choice,
        request: ModelRequest,
        digest: str | None,
        *,
        on_sentence: OnSentence | None,
    ) -> ModelReply | None:
        known = self.answers.get(digest) if digest is not None else None
        if known is None or digest is None:
            return None
        if known.completion is None:
            raise _KnownNonsense(known.problem)
        try:
            reply = await self._completed(
                Replay(choice.model, known.completion),
                choice,
                request,
                seconds=self._timeout_seconds,
                on_sentence=on_sentence,
            )
        except ModelError:
            # The evidence that it cites is another by now.
            self.answers.forget(digest)
            return None
        return replace(
            reply,
            thinking=known.completion.thinking,
            prompt_tokens=known.prompt_tokens,
            output_tokens=known.output_tokens,
            milliseconds=known.milliseconds,
            repaired=known.repaired,
        )

    async def _pay(
        self,
        choice: Choice,
        request: ModelRequest,
        opened: Opened,
        *,
        digest: str | None,
        deadline_seconds: float,
        on_sentence: OnSentence | None,
    ) -> ModelReply:
        reserved = self.budget.reserve(self.limits.worst(think=choice.thinks))
        # No more than is set aside for it, so that the hour holds as well.
        meter = Meter(opened, most=reserved.tokens, window=self.limits.context)
        started = time.monotonic()
        try:
            reply = await self._completed(
                meter, choice, request, seconds=deadline_seconds, on_sentence=on_sentence
            )
        except ModelInvalidAnswer as error:
            if digest is not None and meter.answered:
                self.answers.put(digest, KnownAnswer(problem=str(error)))
            raise
        finally:
            self.budget.settle(reserved, spent=meter.prompt + meter.output)
            if self._metrics is not None:
                self._metrics.spent(choice.role, prompt=meter.prompt, output=meter.output)
        if self._metrics is not None:
            self._metrics.answered(choice.role, seconds=time.monotonic() - started)
        # Redacted before it is cut: half a secret is still one.
        thinking = await asyncio.to_thread(self._redact, reply.thinking) if reply.thinking else ""
        reply = replace(reply, thinking=shorten(thinking, THINKING))
        if digest is not None and meter.last is not None:
            self.answers.put(
                digest,
                KnownAnswer(
                    completion=replace(meter.last, thinking=reply.thinking),
                    prompt_tokens=reply.prompt_tokens,
                    output_tokens=reply.output_tokens,
                    milliseconds=reply.milliseconds,
                    repaired=reply.repaired,
                ),
            )
        return reply

    async def _completed(
        self,
        model: LiveModel,
        choice: Choice,
        request: ModelRequest,
        *,
        seconds: float,
        on_sentence: OnSentence | None,
    ) -> ModelReply:
        tokens = self.limits.for_question(think=choice.thinks)
        counter = self._clients.open(choice.model).counter
        if on_sentence is None:
            return await ask(
                model,
                request,
                deadline_seconds=seconds,
                tokens=tokens,
                think=choice.thinks,
                counter=counter,
            )
        return await ask_live(
            model,
            request,
            deadline_seconds=seconds,
            on_sentence=on_sentence,
            tokens=tokens,
            think=choice.thinks,
            counter=counter,
        )

    # -- clients ---------------------------------------------------------------------------------

    def client(self, name: str) -> ModelClient:
        """Return the client of a model; nothing is asked yet."""
        return self._clients.open(name).client

    def counter(self, name: str) -> TokenCounter:
        """Return who counts for this model."""
        return self._clients.open(name).counter

    def breakers(self) -> Mapping[str, CircuitBreaker]:
        """Return the breaker of each model that is open, by its name."""
        return self._clients.breakers()

    async def close(self) -> None:
        """Let all connections go."""
        await self._clients.close()


class _KnownNonsense(ModelInvalidAnswer):
    """The same question came to nothing before."""
