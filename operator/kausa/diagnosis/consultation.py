"""Asking the model: only where rules are not sure, and only where there is one to ask.

The model never overrules rules that are surer than it, and an answer without valid citations never
gets here (`kausa.diagnosis.model` checks it). Without an answer the rules' diagnosis stands.

Rules that only repeat a program's words (`kausa.diagnosis.model.doubting`) do not keep it from
being asked, and are no finding to it: it would repeat them as well.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from kausa.diagnosis.errors import (
    ModelError,
    ModelInvalidAnswer,
    ModelMissing,
    ModelUnavailable,
)
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.model.answers import digest_of, essence
from kausa.diagnosis.model.breaker import ModelCircuitOpen
from kausa.diagnosis.model.budget import ModelBudgetSpent
from kausa.diagnosis.model.choosing import Choice, Role
from kausa.diagnosis.model.deciding import decided, is_simple
from kausa.diagnosis.model.doubting import doubted, in_question, only_repeats
from kausa.diagnosis.model.models import REACHABLE_WITHIN_SECONDS, Models
from kausa.diagnosis.model.prompt.screening import screen
from kausa.diagnosis.model.protocol import ModelReply
from kausa.diagnosis.model.requesting import request_from
from kausa.diagnosis.recollection import Recollection
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category

__all__ = ["NO_MODEL", "REACHABLE_WITHIN_SECONDS", "Consultant", "Consultation"]

_NOBODY_ASKED = (ModelBudgetSpent, ModelCircuitOpen, ModelMissing)
NO_MODEL = ("Disabled", "no model is configured (KAUSA_MODEL_URL)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Consultation:
    """The model's answer as a diagnosis, or why there is none."""

    diagnosis: Diagnosis | None = None
    reply: ModelReply | None = None
    choice: Choice | None = None
    """Who was asked, or was to be."""
    digest: str = ""
    """Of a question that was answered, be it with nonsense: while it is the same, the answer is.
    Empty where there was no whole answer, as the next one may hold."""
    suspicious: tuple[str, ...] = ()
    """Where text was seen that reads like an instruction to a model."""
    not_consulted: tuple[str, str] = NO_MODEL
    error: ModelError | None = None
    """What came in the way, where the model was asked in vain."""
    tried: bool = False
    """Whether this one question came to nothing, be it refused, though a model was there."""
    waits: bool = False
    """Whether its turn is still to come."""
    doubted: bool = False
    """Whether rules only repeat what the program said."""

    @property
    def unavailable(self) -> tuple[str, str] | None:
        """What was wrong with the model; None where it answered or was not needed."""
        return None if self.error is None else self.not_consulted

    @property
    def comes_again(self) -> bool:
        """Whether no failure can be asked about now, so that this one's turn is to come again.

        Where the server refused only this question, it would again; where only the model that
        `spec.model` names does not answer, others can.
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

    def remember_spent(self, tokens: int, *, seconds_ago: float) -> None:
        """An earlier process used so many tokens so long ago: they count in this hour as well."""
        if self._models is not None:
            self._models.budget.remember(tokens, seconds_ago=seconds_ago)

    def spared(self, confidence: int, *, question: str | None) -> tuple[str, str] | None:
        """Why nobody is asked about a diagnosis of this confidence; None where somebody is."""
        if self._models is None:
            unheard = ", so the question was not considered" if question else ""
            reason, message = NO_MODEL
            return reason, message + unheard
        if confidence >= self._below_confidence and not question:
            return "NotNeeded", f"rules are {confidence} % sure"
        return None

    def doubted(self, dossier: Dossier, by_rules: Diagnosis) -> Diagnosis:
        """The rules' diagnosis as it is decided upon whether somebody is asked (`spared`)."""
        return doubted(dossier, by_rules)

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
        by_rules = doubted(dossier, by_rules)
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
        by_rules = doubted(dossier, by_rules)
        chosen = self._models.choose(dossier, by_rules, question=question, forced=forced)
        content = essence(dossier, by_rules, question=question)
        for choice in (chosen, self._models.instead_of(chosen)):
            if choice is None:
                continue
            digest = digest_of(content, choice)
            of_status = refused[1] if digest == refused[0] else ""
            problem = self._models.nonsense(digest) or of_status
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
        told = doubted(dossier, by_rules)
        spared = self.spared(told.confidence, question=question)
        if spared is not None or self._models is None:
            return Consultation(not_consulted=spared or NO_MODEL)
        choice = self._models.choose(dossier, told, question=question, forced=forced)
        request = request_from(dossier, told, recollection, question=question)
        repeats = only_repeats(dossier, by_rules)
        if repeats and not question:
            evidence = in_question(request.evidence) or request.evidence
            request = replace(request, evidence=evidence, brief=True)
        digest, suspicious = "", tuple[str, ...]()
        try:
            choice = await self._models.available(choice)
            digest = digest_of(essence(dossier, told, question=question), choice)
            reply = await self._models.ask(choice, request, digest=digest)
        except ModelError as error:
            # An answer that holds says so itself; nonsense may come of it.
            suspicious = (await asyncio.to_thread(screen, request)).suspicious
            return Consultation(
                not_consulted=(error.reason, str(error)),
                choice=choice,
                digest=digest if digest and self._models.nonsense(digest) else "",
                suspicious=suspicious,
                error=error,
                # Nothing was asked where there was no model, or no budget.
                tried=bool(digest) and not isinstance(error, _NOBODY_ASKED),
                doubted=repeats,
            )
        simple = is_simple(choice.model, simple=self._models.names.simple)
        return Consultation(
            reply=reply,
            diagnosis=decided(
                reply,
                by_rules,
                question=question,
                # Whoever can write a line to the log would choose the cause.
                repeats=repeats and not reply.suspicious,
                simple=simple,
                shown=_shown(dossier) if simple else None,
            ),
            choice=choice,
            digest=digest,
            suspicious=reply.suspicious,
            doubted=repeats,
        )


def _shown(dossier: Dossier) -> Category | None:
    return dossier.symptom.category if dossier.symptom is not None else None
