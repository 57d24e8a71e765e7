"""Asking the model: only where rules are not sure, and only where there is one to ask.

The model never overrules rules that are surer than it, and an answer without valid citations never
gets here (`kausa.diagnosis.model` checks it). Without an answer the rules' diagnosis stands.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from kausa.diagnosis.errors import ModelError
from kausa.diagnosis.finding import Diagnosis, Finding, Fix
from kausa.diagnosis.model.asking import ask
from kausa.diagnosis.model.protocol import LanguageModel, ModelReply
from kausa.diagnosis.model.requesting import request_from
from kausa.diagnosis.recollection import Recollection
from kausa.diagnosis.rules.engine import LEAST_CONFIDENCE
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category
from kausa.resources.diagnosis import DecidedBy

__all__ = ["Consultant", "Consultation"]

NO_MODEL = ("Disabled", "no model is configured (KAUSA_MODEL_URL)")
REACHABLE_WITHIN_SECONDS = 2.0
MOST_CONFIDENT_MODEL = 85
"""What the model says is never held to be surer than this: its claims are checked, not proven."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consultation:
    """The model's answer as a diagnosis, or why there is none."""

    diagnosis: Diagnosis | None = None
    reply: ModelReply | None = None
    not_consulted: tuple[str, str] = NO_MODEL

    @property
    def unavailable(self) -> tuple[str, str] | None:
        """What was wrong with the model; None where it answered or was not needed."""
        quiet = self.reply is not None or self.not_consulted[0] in {"Disabled", "NotNeeded"}
        return None if quiet else self.not_consulted


class Consultant:
    """Decides whether to ask, asks, and turns the answer into a diagnosis."""

    def __init__(
        self, *, model: LanguageModel | None, below_confidence: int, timeout_seconds: float
    ) -> None:
        self._model = model
        self._below_confidence = below_confidence
        self._timeout_seconds = timeout_seconds
        # A local model answers one question at a time anyway; asked two, it is slow at both.
        self._turn = asyncio.Semaphore(1)

    @property
    def has_model(self) -> bool:
        """Whether there is a model to ask, so that the answer may take a while."""
        return self._model is not None

    async def consult(
        self,
        dossier: Dossier,
        by_rules: Diagnosis,
        recollection: Recollection | None,
        *,
        question: str | None,
    ) -> Consultation:
        """One structured call at most."""
        if self._model is None:
            unheard = ", so the question was not considered" if question else ""
            reason, message = NO_MODEL
            return Consultation(not_consulted=(reason, message + unheard))
        if by_rules.confidence >= self._below_confidence and not question:
            return Consultation(
                not_consulted=("NotNeeded", f"rules are {by_rules.confidence} % sure")
            )
        request = request_from(dossier, by_rules, recollection, question=question)
        try:
            async with self._turn:
                await self._model.check(deadline_seconds=REACHABLE_WITHIN_SECONDS)
                reply = await ask(self._model, request, deadline_seconds=self._timeout_seconds)
        except ModelError as error:
            return Consultation(not_consulted=(error.reason, str(error)))
        return Consultation(reply=reply, diagnosis=_diagnosis(reply, by_rules))


def _diagnosis(reply: ModelReply, by_rules: Diagnosis) -> Diagnosis:
    """Whoever is surer decides; the other's cause becomes an alternative."""
    by_model = _by_model(reply)
    if by_rules.determined and by_rules.confidence >= by_model.confidence:
        heard = reply.answer.determined and by_model.confidence >= LEAST_CONFIDENCE
        second = _as_finding(by_model) if heard else ()
        return replace(by_rules, alternatives=(*second, *by_rules.alternatives))
    if by_model.confidence < LEAST_CONFIDENCE or not reply.answer.determined:
        return by_rules
    first = _as_finding(by_rules) if by_rules.determined else ()
    return replace(by_model, alternatives=(*first, *by_rules.alternatives))


def _by_model(reply: ModelReply) -> Diagnosis:
    answer = reply.answer
    return Diagnosis(
        category=answer.category,
        summary=answer.summary,
        root_cause=answer.root_cause,
        explanation=answer.explanation,
        confidence=min(answer.confidence, MOST_CONFIDENT_MODEL),
        decided_by=DecidedBy.MODEL,
        citations=answer.citations,
        fixes=tuple(
            Fix(
                title=fix.title,
                rationale=fix.rationale,
                command=fix.command,
                patch=fix.patch,
                risk=fix.risk,
                citations=answer.citations,
            )
            for fix in answer.remediation
        ),
    )


def _as_finding(diagnosis: Diagnosis) -> tuple[Finding, ...]:
    finding = Finding(
        rule=f"decided-by-{diagnosis.decided_by.lower()}",
        category=diagnosis.category or Category.OTHER,
        summary=diagnosis.summary,
        root_cause=diagnosis.root_cause,
        explanation=diagnosis.explanation,
        confidence=diagnosis.confidence,
        citations=diagnosis.citations,
    )
    return (finding,)
