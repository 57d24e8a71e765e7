"""What a model adds to a look: a place in its queue at first, its answer when the turn has come.

An answer stands for as long as what was asked does: the status holds a hash of it, so that neither
another look nor another process pays for it again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from kausa.controller.consulting import QUEUE_FULL, Consulting
from kausa.controller.report import Report
from kausa.controller.resting import Resting
from kausa.controller.sightings import ResourceKey, Sightings
from kausa.diagnosis.consultation import NO_MODEL, Consultant, Consultation
from kausa.diagnosis.consultation_queue import urgency_seconds
from kausa.diagnosis.decide import completed
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.recollection import Recollection
from kausa.evidence.dossier import Dossier
from kausa.resources.condition import MODEL_CONSULTED, find_condition
from kausa.resources.diagnosis import DecidedBy, DryRun
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.spec import Trigger
from kausa.telemetry.clock import utc_now
from kausa.telemetry.tracing import NO_TRACING, Tracer

__all__ = ["ModelHelp"]

HOUR: Final = timedelta(hours=1)
"""Of the tokens that may be used in one."""


class ModelHelp:
    """For one event loop."""

    def __init__(
        self,
        *,
        consultant: Consultant,
        consulting: Consulting | None,
        sightings: Sightings,
        redact: Callable[[str], str],
        tracer: Tracer = NO_TRACING,
        resting: Resting | None = None,
    ) -> None:
        """`consulting`: the model's queue; None where there is no model. `resting`: who is not
        offered now, as its last turn came to nothing.
        """
        self._resting = resting if resting is not None else Resting()
        self._consultant = consultant
        self._consulting = consulting
        self._sightings = sightings
        self._redact = redact
        self._tracer = tracer
        # As exact as a condition tells it.
        self._began = utc_now().replace(microsecond=0)
        self._remembered: set[ResourceKey] = set()
        """Whose tokens of an earlier process are counted; no more than it answered in an hour."""

    def stands(self, report: Report, dossier: Dossier, by_rules: Diagnosis) -> bool:
        """Whether the model was asked just this before, and its answer is in the status."""
        return bool(report.answered_digest) and report.answered_digest in self._digests(
            report, dossier, by_rules
        )

    def is_asking(self, key: ResourceKey) -> bool:
        """Whether the model is at this failure now."""
        return self._consulting is not None and self._consulting.is_asking(key)

    def waits(self, key: ResourceKey) -> bool:
        """Whether its turn is still to come."""
        return self._consulting is not None and self._consulting.waits(key)

    def owes(self, resource: FailureDiagnosis) -> bool:
        """Whether a person asked, and a model may still answer: that needs nothing that fails."""
        asked = resource.spec.question or resource.spec.trigger is not Trigger.AUTOMATIC
        if self._consulting is None or not asked:
            return False
        return Report(resource, clock=utc_now).says_it_waits

    def interrupt(self, key: ResourceKey) -> None:
        """What is asked about it is out of date."""
        if self._consulting is not None:
            self._consulting.interrupt(key)

    def forget(self, key: ResourceKey) -> None:
        """The resource is gone: what came of its questions is no other's."""
        self._resting.forget(key)

    def wait_on(self, report: Report) -> None:
        """An earlier process left it waiting for the model: it goes on waiting, in this one. What
        that process paid for its answer within the hour is paid in this one as well.
        """
        self._remember_spent(report)
        consulting = self._consulting
        if consulting is None or not report.awaits_model:
            return
        if self._resting.why(report.key, generation=_generation(report)) is not None:
            return
        question = report.resource.spec.question
        needed = self._consultant.spared(report.confidence, question=question) is None
        # Who had a place in the queue has it again: rules that are sure may only repeat words.
        if needed or report.had_its_place:
            consulting.offer(
                report.key,
                bonus_seconds=self._urgency(
                    report.key, determined=report.determined_before, asked=bool(question)
                ),
                waited_seconds=report.waited_seconds,
                says=_says(report),
            )

    def queue(self, report: Report, dossier: Dossier, by_rules: Diagnosis) -> Consultation:
        """Why there is no answer yet, or none at all; where there is to be one, it waits for it."""
        question = self._question(report)
        told = self._consultant.doubted(dossier, by_rules)
        spared = self._consultant.spared(told.confidence, question=question)
        if spared is not None or self._consulting is None:
            return Consultation(not_consulted=spared or NO_MODEL)
        if report.resolved and not question:
            return Consultation(not_consulted=("NotNeeded", "the failure is over"))
        nonsense = self._consultant.known_nonsense(
            dossier,
            by_rules,
            question=question,
            forced=report.resource.spec.model,
            refused=report.refused,
        )
        if nonsense is not None:
            return nonsense
        error = self._resting.why(
            report.key,
            generation=_generation(report),
            digests=self._digests(report, dossier, by_rules),
        )
        if error is not None:
            return Consultation(not_consulted=(error.reason, str(error)), error=error)
        urgency = self._urgency(report.key, determined=told.determined, asked=bool(question))
        why = self._consulting.offer(report.key, bonus_seconds=urgency)
        # Where there is no room, the next look offers it again.
        return Consultation(not_consulted=why, waits=why[0] != QUEUE_FULL)

    async def ask(
        self,
        report: Report,
        dossier: Dossier,
        by_rules: Diagnosis,
        recollection: Recollection | None,
        *,
        dry_run: Callable[[Diagnosis], Awaitable[Diagnosis]],
    ) -> Consultation:
        """The model's answer, or why there is none; `dry_run` has its patches checked."""
        with self._tracer.span("model") as span:
            consultation = await self._consultant.consult(
                dossier,
                by_rules,
                recollection,
                question=self._question(report),
                forced=report.resource.spec.model,
            )
            if consultation.unavailable is not None:
                span.failed(consultation.unavailable[0])
            span.tell(asked=consultation.reply is not None)
        self._note(consultation, report, dossier, by_rules)
        answer = consultation.diagnosis
        guessed = answer.fixes if answer is not None else ()
        if answer is not None and answer.decided_by is DecidedBy.MODEL:
            answer = await dry_run(completed(dossier, answer))
            # A rule's patch that is refused is told with why; a guess that is refused is none.
            own = {(each.title, each.command) for each in guessed}
            sound = tuple(
                each
                for each in answer.fixes
                if each.dry_run is not DryRun.FAILED or (each.title, each.command) not in own
            )
            consultation = replace(consultation, diagnosis=replace(answer, fixes=sound))
        return consultation

    def _note(
        self, consultation: Consultation, report: Report, dossier: Dossier, by_rules: Diagnosis
    ) -> None:
        """What came to nothing by itself rests. What no model can be asked now does not, and nor
        does what was answered with nonsense: that is known by its digest, and another is asked.
        """
        if consultation.error is None or consultation.digest:
            self._resting.forget(report.key)
        elif consultation.tried and not consultation.comes_again:
            self._resting.came_to_nothing(
                report.key,
                generation=_generation(report),
                digests=self._digests(report, dossier, by_rules),
                error=consultation.error,
            )

    def _digests(self, report: Report, dossier: Dossier, by_rules: Diagnosis) -> tuple[str, ...]:
        return self._consultant.digests(
            dossier,
            by_rules,
            question=self._question(report),
            forced=report.resource.spec.model,
        )

    def _remember_spent(self, report: Report) -> None:
        status, now = report.resource.status, utc_now()
        consulted = find_condition((status and status.conditions) or (), MODEL_CONSULTED)
        use = status.model if status is not None else None
        if use is None or consulted is None or report.key in self._remembered:
            return
        tokens = (use.prompt_tokens or 0) + (use.output_tokens or 0)
        at = consulted.last_transition_time
        # What was answered since is this process' own, and counted where it was asked.
        if tokens and now - HOUR < at < self._began:
            self._remembered.add(report.key)
            self._consultant.remember_spent(tokens, seconds_ago=(now - at).total_seconds())

    def _question(self, report: Report) -> str | None:
        question = report.resource.spec.question
        return self._redact(question) if question else None

    def _urgency(self, key: ResourceKey, *, determined: bool, asked: bool) -> float:
        sighting = self._sightings.by_resource.get(key)
        return urgency_seconds(
            asked_by_person=asked,
            determined=determined,
            failing=len(sighting.failing) if sighting is not None else 0,
        )


def _generation(report: Report) -> int:
    return report.resource.metadata.generation or 1


def _says(report: Report) -> str | None:
    """The word of the condition, as it stands in the cluster."""
    status = report.resource.status
    consulted = find_condition((status and status.conditions) or (), MODEL_CONSULTED)
    return consulted.reason if consulted is not None else None
