"""The models of one server: choosing among them, asking one, and paying for it once.

Each model has a client, a breaker and a counter of tokens of its own: one that is too slow must not
keep the other from answering (`clients.py`).

A question goes this way: is the model there, is the answer known, or that there is none, is there
budget, then the question itself. What it used is counted from the completions, so that an answer
that came to nothing is paid for as well (`paying.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from kausa.diagnosis.errors import ModelError, ModelMissing
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.model.answers import Answers
from kausa.diagnosis.model.asking import OnSentence
from kausa.diagnosis.model.breaker import CircuitBreaker, ModelCircuitOpen
from kausa.diagnosis.model.budget import HourlyBudget, TokenLimits
from kausa.diagnosis.model.choosing import Choice, Complexity, Role, choose, complexity
from kausa.diagnosis.model.clients import MOST_FORCED, Clients, ModelClient
from kausa.diagnosis.model.metrics import ModelMetrics
from kausa.diagnosis.model.paying import Question, Till
from kausa.diagnosis.model.postponing import Postponed
from kausa.diagnosis.model.prompt import TokenCounter
from kausa.diagnosis.model.protocol import ModelReply, ModelRequest
from kausa.evidence.dossier import Dossier

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
        self._timeout_seconds = timeout_seconds
        self.answers = answers if answers is not None else Answers()
        self._metrics: ModelMetrics | None = None
        self._till = Till(
            limits=limits,
            budget=budget,
            answers=self.answers,
            postponed=Postponed(),
            redact=redact,
            patience_seconds=timeout_seconds,
        )
        self._clients = Clients(
            configured=(names.simple, names.reasoning), connect=connect, make_counter=make_counter
        )

    def observe(self, metrics: ModelMetrics) -> None:
        """Tell these from now on what happens."""
        self._metrics = self._till.metrics = metrics
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
        opened = self._clients.open(choice.model)
        question = Question(
            choice=choice,
            request=replace(request, complexity=choice.complexity.reasons),
            opened=opened,
            digest=digest,
            deadline_seconds=deadline_seconds or self._timeout_seconds,
            on_sentence=on_sentence,
        )
        opened.users += 1
        result = "cancelled"
        try:
            in_vain = self.in_vain(digest) if digest is not None else None
            if in_vain is not None:
                result = "cached"
                raise in_vain
            known = await self._till.known(question)
            if known is not None:
                result = "cached"
                return known
            reply = await self._till.pay(question)
            result = "answered"
            return reply
        except ModelError as error:
            result = "cached" if result == "cached" else error.reason
            raise
        finally:
            opened.users -= 1
            if self._metrics is not None:
                self._metrics.asked(choice.role, result)

    def in_vain(self, digest: str) -> ModelError | None:
        """Return why this question would not be sent now, as it came to nothing before; None where
        it would be.

        It is a `ModelInvalidAnswer` for good; a `ModelDeadlineExceeded` or a `ModelRefusedQuestion`
        says how long that is so.
        """
        return self._till.in_vain(digest)

    def nonsense(self, digest: str) -> str:
        """What was wrong with all that was answered to this; empty where it was not answered so."""
        return self._till.nonsense(digest)

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
