"""Asking the model: only where rules are not sure, and only where there is one to ask.

The model never overrules rules that are surer than it, and an answer without valid citations never
gets here (`kausa.diagnosis.model` checks it). Without an answer the rules' diagnosis stands.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Final

from kausa.diagnosis.errors import (
    ModelError,
    ModelInvalidAnswer,
    ModelMissing,
    ModelUnavailable,
)
from kausa.diagnosis.finding import Diagnosis, Finding, Fix
from kausa.diagnosis.model.answers import digest_of, essence
from kausa.diagnosis.model.budget import ModelBudgetSpent
from kausa.diagnosis.model.choosing import Choice, Role
from kausa.diagnosis.model.models import REACHABLE_WITHIN_SECONDS, Models
from kausa.diagnosis.model.prompt.screening import screen
from kausa.diagnosis.model.protocol import ModelReply
from kausa.diagnosis.model.requesting import request_from
from kausa.diagnosis.recollection import Recollection
from kausa.diagnosis.rules.engine import LEAST_CONFIDENCE
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category
from kausa.resources.diagnosis import DecidedBy

__all__ = ["NO_MODEL", "REACHABLE_WITHIN_SECONDS", "Consultant", "Consultation"]

NO_MODEL = ("Disabled", "no model is configured (KAUSA_MODEL_URL)")
MOST_CONFIDENT_MODEL: Final = 85
"""What the model says is never held to be surer than this: its claims are checked, not proven."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consultation:
    """The model's answer as a diagnosis, or why there is none."""

    diagnosis: Diagnosis | None = None
    reply: ModelReply | None = None
    choice: Choice | None = None
    """Who was asked, or was to be."""
    digest: str = ""
    """Of the question: while it is the same, the answer is."""
    suspicious: tuple[str, ...] = ()
    """Where text was seen that reads like an instruction to a model."""
    not_consulted: tuple[str, str] = NO_MODEL
    error: ModelError | None = None
    """What came in the way, where the model was asked in vain."""
    waits: bool = False
    """Whether its turn is still to come."""

    @property
    def unavailable(self) -> tuple[str, str] | None:
        """What was wrong with the model; None where it answered or was not needed."""
        return None if self.error is None else self.not_consulted

    @property
    def comes_again(self) -> bool:
        """Whether no failure can be asked about now, so that this one's turn is to come again.

        Where only the model that `spec.model` names does not answer, others can.
        """
        if isinstance(self.error, ModelBudgetSpent):
            return True
        forced = self.choice is not None and self.choice.role is Role.FORCED
        return isinstance(self.error, ModelUnavailable | ModelMissing) and not forced


class Consultant:
    """Decides whether to ask, asks, and turns the answer into a diagnosis."""

    def __init__(self, *, models: Models | None, below_confidence: int) -> None:
        """`below_confidence`: percent; rules that are as sure as this are not doubted."""
        self._models = models
        self._below_confidence = below_confidence

    @property
    def has_model(self) -> bool:
        """Whether there is a model to ask, so that the answer may take a while."""
        return self._models is not None

    def spared(self, confidence: int, *, question: str | None) -> tuple[str, str] | None:
        """Why nobody is asked about a diagnosis of this confidence; None where somebody is."""
        if self._models is None:
            unheard = ", so the question was not considered" if question else ""
            reason, message = NO_MODEL
            return reason, message + unheard
        if confidence >= self._below_confidence and not question:
            return "NotNeeded", f"rules are {confidence} % sure"
        return None

    def digests(
        self,
        dossier: Dossier,
        by_rules: Diagnosis,
        *,
        question: str | None = None,
        forced: str | None = None,
    ) -> tuple[str, ...]:
        """Return what the question is known by: asked of the model that was chosen, and of the one
        that stands in for it; none where there is no model.

        Either's answer stands: who was asked in another's stead is not asked again and again.
        """
        if self._models is None:
            return ()
        choice = self._models.choose(dossier, by_rules, question=question, forced=forced)
        instead = self._models.instead_of(choice)
        content = essence(dossier, by_rules, question=question)
        return tuple(digest_of(content, each) for each in (choice, instead) if each is not None)

    def known_nonsense(
        self,
        dossier: Dossier,
        by_rules: Diagnosis,
        *,
        question: str | None = None,
        forced: str | None = None,
        refused: tuple[str, str] = ("", ""),
    ) -> Consultation | None:
        """Where the model was asked just this before and nothing it said holds: that; else None.

        `refused`: the digest and the message of an answer that the status says did not hold.
        """
        if self._models is None:
            return None
        chosen = self._models.choose(dossier, by_rules, question=question, forced=forced)
        content = essence(dossier, by_rules, question=question)
        for choice in (chosen, self._models.instead_of(chosen)):
            if choice is None:
                continue
            digest = digest_of(content, choice)
            known = self._models.answers.get(digest)
            problem = refused[1] if digest == refused[0] else ""
            if known is not None and known.completion is None:
                problem = known.problem
            if problem:
                error = ModelInvalidAnswer(problem)
                return Consultation(
                    not_consulted=(error.reason, problem),
                    choice=choice,
                    digest=digest,
                    error=error,
                )
        return None

    async def consult(
        self,
        dossier: Dossier,
        by_rules: Diagnosis,
        recollection: Recollection | None,
        *,
        question: str | None,
        forced: str | None = None,
    ) -> Consultation:
        """One structured question at most; `forced` names the model, whatever the settings say."""
        spared = self.spared(by_rules.confidence, question=question)
        if spared is not None or self._models is None:
            return Consultation(not_consulted=spared or NO_MODEL)
        choice = self._models.choose(dossier, by_rules, question=question, forced=forced)
        request = request_from(dossier, by_rules, recollection, question=question)
        digest, suspicious = "", tuple[str, ...]()
        try:
            choice = await self._models.available(choice)
            digest = digest_of(essence(dossier, by_rules, question=question), choice)
            reply = await self._models.ask(choice, request, digest=digest)
        except ModelError as error:
            # An answer that holds says so itself; nonsense may come of it.
            suspicious = (await asyncio.to_thread(screen, request)).suspicious
            return Consultation(
                not_consulted=(error.reason, str(error)),
                choice=choice,
                digest=digest,
                suspicious=suspicious,
                error=error,
            )
        return Consultation(
            reply=reply,
            diagnosis=_diagnosis(reply, by_rules, question=question),
            choice=choice,
            digest=digest,
            suspicious=reply.suspicious,
        )


def _diagnosis(reply: ModelReply, by_rules: Diagnosis, *, question: str | None) -> Diagnosis:
    """Whoever is surer decides; the other's cause becomes an alternative."""
    by_model = _by_model(reply)
    if by_rules.determined and by_rules.confidence >= by_model.confidence:
        heard = reply.answer.determined and by_model.confidence >= LEAST_CONFIDENCE
        second = _as_finding(by_model) if heard else ()
        told = _told(by_rules, by_model) if question and heard else by_rules
        return replace(told, alternatives=(*second, *by_rules.alternatives))
    if by_model.confidence < LEAST_CONFIDENCE or not reply.answer.determined:
        return by_rules
    first = _as_finding(by_rules) if by_rules.determined else ()
    return replace(by_model, alternatives=(*first, *by_rules.alternatives))


def _told(by_rules: Diagnosis, by_model: Diagnosis) -> Diagnosis:
    """The rules' answer, with what the model says to the question: a person waits for that."""
    if not by_model.explanation:
        return by_rules
    return replace(
        by_rules,
        explanation=f"{by_rules.explanation}\n\nThe model, to the question: "
        f"{by_model.explanation}".strip(),
        citations=tuple(dict.fromkeys((*by_rules.citations, *by_model.citations))),
    )


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
