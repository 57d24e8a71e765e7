"""What a question costs, and what is kept of it: from memory, or asked, counted and remembered.

Whatever was paid for is kept by the question's digest. An answer that holds is said again. One that
does not hold is known not to, also where its repair came to nothing on the way. One that nobody
could hold against the evidence to its end, because the time was over or somebody interrupted, is
gone on with once: only its repair is paid for then. What nobody answered rests (`postponing.py`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from kausa.diagnosis.errors import (
    ModelDeadlineExceeded,
    ModelError,
    ModelInvalidAnswer,
    ModelRefusedQuestion,
    ModelUnavailable,
)
from kausa.diagnosis.model.answers import Answers, KnownAnswer
from kausa.diagnosis.model.asking import ModelNotRepaired, OnSentence, ask, ask_live
from kausa.diagnosis.model.breaker import ModelCircuitOpen
from kausa.diagnosis.model.budget import HourlyBudget, TokenLimits
from kausa.diagnosis.model.choosing import Choice
from kausa.diagnosis.model.clients import Opened
from kausa.diagnosis.model.metering import Meter, Replay, Resumed
from kausa.diagnosis.model.metrics import ModelMetrics
from kausa.diagnosis.model.postponing import Postponed
from kausa.diagnosis.model.protocol import Completion, LiveModel, ModelReply, ModelRequest
from kausa.resources.limits import THINKING
from kausa.resources.shortening import shorten

__all__ = ["Question", "Till"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question to one model."""

    choice: Choice
    request: ModelRequest
    opened: Opened
    digest: str | None = None
    """What is kept is kept by this; None: nothing is."""
    deadline_seconds: float
    on_sentence: OnSentence | None = None


class Till:
    """For one event loop."""

    def __init__(
        self,
        *,
        limits: TokenLimits,
        budget: HourlyBudget,
        answers: Answers,
        postponed: Postponed,
        redact: Callable[[str], str],
        patience_seconds: float,
    ) -> None:
        """`redact` takes secrets out of what a model thinks aloud. `patience_seconds`: who gives a
        model less cannot say that the question is too much for it.
        """
        self._limits = limits
        self._budget = budget
        self._answers = answers
        self._postponed = postponed
        self._redact = redact
        self._patience = patience_seconds
        self.metrics: ModelMetrics | None = None

    def in_vain(self, digest: str) -> ModelError | None:
        """Return what a question would be told now without being sent; None where it would be."""
        problem = self.nonsense(digest)
        return ModelInvalidAnswer(problem) if problem else self._postponed.error(digest)

    def nonsense(self, digest: str) -> str:
        """What was wrong with all that was answered to this; empty where it was not answered so."""
        known = self._answers.get(digest)
        return known.problem if known is not None and known.completion is None else ""

    async def known(self, question: Question) -> ModelReply | None:
        """Return the answer that was paid for, if there is one and it still holds."""
        known = self._answers.get(question.digest) if question.digest is not None else None
        if known is None or known.completion is None or known.unfinished:
            return None
        try:
            reply = await self._completed(Replay(question.choice.model, known.completion), question)
        except ModelError:
            # The evidence that it cites is another by now.
            self._answers.forget(question.digest or "")
            return None
        return replace(
            reply,
            thinking=known.completion.thinking,
            prompt_tokens=known.prompt_tokens,
            output_tokens=known.output_tokens,
            milliseconds=known.milliseconds,
            repaired=known.repaired,
        )

    async def pay(self, question: Question) -> ModelReply:
        """Return a checked answer that is paid for, and keep what it came to.

        Raises:
            ModelBudgetSpent: there are no tokens left.
            ModelError: no answer that holds.
        """
        choice, kept = question.choice, self._kept(question)
        reserved = self._budget.reserve(self._limits.worst(think=choice.thinks))
        # No more than is set aside for it, so that the hour holds as well.
        meter = Meter(question.opened, most=reserved.tokens, window=self._limits.context)
        started = time.monotonic()
        try:
            reply = await self._completed(Resumed(meter, kept) if kept else meter, question)
            reply = await self._shown(reply)
        except ModelError as error:
            told = self._in_vain(question, error, meter=meter, resumed=kept is not None)
            if told is error:
                raise
            raise told from error
        except asyncio.CancelledError:
            self._keep_unfinished(question, meter)
            raise
        finally:
            self._budget.settle(reserved, spent=meter.prompt + meter.output)
            if self.metrics is not None:
                self.metrics.spent(choice.role, prompt=meter.prompt, output=meter.output)
        if self.metrics is not None:
            self.metrics.answered(choice.role, seconds=time.monotonic() - started)
        self._postponed.answered(question.digest, model=choice.model)
        written = meter.last or kept
        if question.digest is not None and written is not None:
            self._answers.put(
                question.digest,
                KnownAnswer(
                    completion=replace(written, thinking=reply.thinking),
                    prompt_tokens=reply.prompt_tokens,
                    output_tokens=reply.output_tokens,
                    milliseconds=reply.milliseconds,
                    repaired=reply.repaired,
                ),
            )
        return reply

    async def _shown(self, reply: ModelReply) -> ModelReply:
        """With what it thought as a status may tell it."""
        if not reply.thinking:
            return reply
        # Redacted before it is cut: half a secret is still one.
        thinking = await asyncio.to_thread(self._redact, reply.thinking)
        return replace(reply, thinking=shorten(thinking, THINKING))

    # -- what is kept of what came to nothing ----------------------------------------------------

    def _kept(self, question: Question) -> Completion | None:
        """A whole answer that nobody came to the end of."""
        known = self._answers.get(question.digest) if question.digest is not None else None
        return known.completion if known is not None and known.unfinished else None

    def _keep_unfinished(self, question: Question, meter: Meter) -> None:
        if question.digest is not None and meter.last is not None:
            known = KnownAnswer(completion=meter.last, unfinished=True)
            self._answers.put(question.digest, known)

    def _in_vain(
        self, question: Question, error: ModelError, *, meter: Meter, resumed: bool
    ) -> ModelError:
        """Keep why there is no answer; returns what to tell of it."""
        digest, model = question.digest, question.choice.model
        if meter.answered:
            self._postponed.answered(digest, model=model)
        if digest is None:
            return error
        match error:
            case ModelNotRepaired() if not resumed:
                self._keep_unfinished(question, meter)
            case ModelInvalidAnswer() if meter.answered or resumed:
                self._answers.put(digest, KnownAnswer(problem=str(error)))
            case ModelDeadlineExceeded() if question.deadline_seconds >= self._patience:
                return self._postponed.late(digest, model=model, error=error)
            case ModelRefusedQuestion():
                return self._postponed.refused(digest, model=model, error=error)
            case ModelCircuitOpen():
                pass
            case ModelUnavailable() if meter.prompt:
                # It was read: so it is the server that failed, and not the way there.
                return self._postponed.failed(digest, model=model, error=error)
        return error

    async def _completed(self, model: LiveModel, question: Question) -> ModelReply:
        think = question.choice.thinks
        tokens = self._limits.for_question(think=think)
        if question.on_sentence is None:
            return await ask(
                model,
                question.request,
                deadline_seconds=question.deadline_seconds,
                tokens=tokens,
                think=think,
                counter=question.opened.counter,
            )
        return await ask_live(
            model,
            question.request,
            deadline_seconds=question.deadline_seconds,
            on_sentence=question.on_sentence,
            tokens=tokens,
            think=think,
            counter=question.opened.counter,
        )
