"""One resource, from its target to a filled status: gather, decide, publish; then recall, ask.

Facts first: what the rules say is published before memory or a model is asked. Every step can be
repeated, so a kill in the middle costs nothing but the time: the next process sees that the status
is not complete and begins again.

A model takes its time, so a look ends with a place in its queue (`consulting.py`). When the turn
has come it is looked at once more, and the model is asked about what is there then. An answer
stands for as long as what it was asked about does.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from kausa.cluster.errors import ClusterError
from kausa.controller.consulting import OVER, QUEUE_FULL, Why
from kausa.controller.errors import DiagnosisFailedError
from kausa.controller.first_glance import FirstGlances
from kausa.controller.keyed_locks import KeyedLocks
from kausa.controller.looks import Looks
from kausa.controller.manual_sightings import ManualSightings
from kausa.controller.model_help import ModelHelp
from kausa.controller.publishing import Publisher
from kausa.controller.reading_turns import ReadingTurns
from kausa.controller.remembering import Remembering
from kausa.controller.report import Report, kept_diagnosis
from kausa.controller.shortcomings import Shortcomings
from kausa.controller.sightings import Sightings
from kausa.controller.store import FailureDiagnosisStore
from kausa.controller.subjects import Subject, SubjectFinder
from kausa.controller.turns_taken import TurnsTaken
from kausa.controller.why_it_waits import WhyItWaits
from kausa.diagnosis.consultation_queue import NotNow
from kausa.diagnosis.decide import decide
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.recollection import Recollection
from kausa.diagnosis.remediation.dry_run import DryRuns
from kausa.evidence.dossier import Dossier
from kausa.evidence.gather import Gatherer
from kausa.resources.diagnosis import DecidedBy
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.telemetry.clock import utc_now
from kausa.telemetry.following import following, traced
from kausa.telemetry.logs import get_logger
from kausa.telemetry.metrics import Metrics
from kausa.telemetry.tracing import NO_TRACING, Tracer

__all__ = ["Reconciler", "Telemetry"]

BEING_RESOLVED_SECONDS = 1.0
SECOND_LOOKS_AFTER_SECONDS = (2.0, 5.0)
"""Right around a restart the runtime has no log to give; a moment later it does."""
EVIDENCE_MISSING = (
    "EvidenceMissing",
    "evidence of an earlier look cannot be read any more, and there is nothing better to ask about",
)
_logger = get_logger("kausa.controller.reconcile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """Who is told of each look."""

    metrics: Metrics
    tracer: Tracer = NO_TRACING


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decided:
    """What rules say of what was gathered."""

    dossier: Dossier
    diagnosis: Diagnosis
    kept: bool = False
    """Whether an earlier answer is about the same, and stands."""
    published: bool = True


class Reconciler:
    """Brings resources to a complete status, a few at a time, each by one task at a time."""

    def __init__(
        self,
        *,
        store: FailureDiagnosisStore,
        subjects: SubjectFinder,
        gatherer: Gatherer,
        remembering: Remembering,
        model: ModelHelp,
        looks: Looks,
        sightings: Sightings,
        telemetry: Telemetry,
        concurrent: int,
        dry_runs: DryRuns | None = None,
    ) -> None:
        self._store = store
        self._subjects = subjects
        self._gatherer = gatherer
        self._remembering = remembering
        self._model = model
        self._looks = looks
        self._sightings = sightings
        self._metrics, self._tracer = telemetry.metrics, telemetry.tracer
        self._publisher = Publisher(store=store, tracer=telemetry.tracer)
        self._glances = FirstGlances(
            gatherer=gatherer,
            publisher=self._publisher,
            sightings=sightings,
            concurrent=concurrent,
            crowded=lambda: self._crowded,
        )
        self._manual = ManualSightings(store=store, remembering=remembering)
        self._dry_runs = dry_runs
        self._shortcomings = Shortcomings(redact=gatherer.redact)
        self._waits = WhyItWaits(store=store, publisher=self._publisher, model=model, looks=looks)
        # Held while facts are read and published, never while a model thinks.
        self._turns = ReadingTurns(concurrent=concurrent)
        # A process that has just started finds all that is not complete at once, and whose failure
        # it is takes a list of Pods for each: so many lists would keep the API server from
        # answering even the renewal of the Lease.
        self._finding = asyncio.Semaphore(concurrent)
        self._concurrent = concurrent
        self._looking = 0
        """Looks that have begun, and are not waiting for a model."""
        self._locks = KeyedLocks()
        self._turns_taken = TurnsTaken()

    async def reconcile(self, resource: FailureDiagnosis, *, again: bool = False) -> None:
        """Fill the status; one that is complete for this generation only where asked `again`.

        Raises:
            ClusterError: something could not be written; worth another try.
            DiagnosisFailedError: a defect of ours; the status says so, and the log has the details.
        """
        key = resource.metadata.namespace or "", resource.metadata.name
        if self._turns_taken.is_outdated(key, generation=resource.metadata.generation):
            self._model.interrupt(key)
        await self._locked(resource, again=again, turn=False)

    async def take_turn(self, key: tuple[str, str]) -> None:
        """It is this failure's turn: look at it once more, and ask the model.

        Raises:
            NotNow: it cannot be asked about now; the turn is to come again.
            ClusterError: something could not be read or written.
        """
        resource = await self._store.get(namespace=key[0], name=key[1])
        sighting = self._sightings.by_resource.get(key)
        if resource is None:
            return
        if sighting is not None and sighting.resolved and not resource.spec.question:
            if Report(resource, clock=utc_now).resolved:
                await self.tell_waiting(key, OVER)
                return
            # That it is over is being written; once it is, whoever does so takes it out.
            raise NotNow(pause_seconds=BEING_RESOLVED_SECONDS)
        try:
            with self._turns_taken.about(key, generation=resource.metadata.generation or 1):
                await self._locked(resource, again=True, turn=True)
        except DiagnosisFailedError:
            # It is in the log and the status; the next look begins anew.
            self._looks.looked(key, missing=True)

    def deleted(self, key: tuple[str, str]) -> None:
        """The resource is gone; one of the same name may come, and is another."""
        self._looks.forget(key)
        self._model.forget(key)

    async def tell_waiting(self, key: tuple[str, str], why: Why) -> None:
        """Say in a resource that waits for the model why it does; raises ClusterError."""
        async with self._locks.hold(key):
            await self._waits.tell(key, why)

    async def _locked(self, resource: FailureDiagnosis, *, again: bool, turn: bool) -> None:
        key = resource.metadata.namespace or "", resource.metadata.name
        async with self._locks.hold(key) as waited:
            if again or waited:
                # Somebody else may have written it meanwhile.
                fresh = await self._store.get(namespace=key[0], name=key[1])
                if fresh is None:
                    self._looks.forget(key)
                    return
                resource = fresh
            with following("/".join(key)):
                await self._reconcile(resource, again=again, turn=turn)

    async def _reconcile(self, resource: FailureDiagnosis, *, again: bool, turn: bool) -> None:
        report = Report(resource, clock=utc_now)
        if report.complete() and not again:
            self._model.wait_on(report)
            return
        if resource.spec.suspend:
            self._looks.forget(report.key)
            if not report.diagnosed_before:
                report.suspended()
                await self._publisher.publish(report)
            elif report.says_it_waits:
                report.waits(OVER)
                await self._publisher.publish(report)
            return
        with self._tracer.span("diagnosis", again=again, turn=turn) as span, traced(span.trace_id):
            await self._look(report, again=again, turn=turn)

    async def _look(self, report: Report, *, again: bool, turn: bool) -> None:
        self._looking += not turn
        try:
            await self._diagnose(report, again=again, turn=turn)
        except (ClusterError, NotNow):
            raise
        except Exception as error:
            _logger.exception("Could not diagnose", name="/".join(report.key))
            report.failed(error)
            await self._publisher.publish(report)
            raise DiagnosisFailedError("/".join(report.key)) from error
        finally:
            self._looking -= not turn

    async def look_again(self, key: tuple[str, str]) -> None:
        """Diagnose a resource again, if it is there and its workload still fails, or a person who
        asked waits for an answer.
        """
        namespace, name = key
        resource = await self._store.get(namespace=namespace, name=name)
        if resource is None:
            self._looks.forget(key)
        elif not self._sightings.still_fails(key) and not self._model.owes(resource):
            self._looks.rest(key)
        elif self._model.is_asking(key):
            # It would wait for the model, and keep others from being looked at.
            self._looks.later(key)
        else:
            await self.reconcile(resource, again=True)

    async def _diagnose(self, report: Report, *, again: bool, turn: bool) -> None:
        if not report.diagnosed_before and not await self._begin(report):
            return
        started = time.monotonic()
        async with self._finding:
            subject = await self._subjects.find(report.resource)
        if subject is None:
            self._looks.forget(report.key)
            report.no_target()
            await self._publisher.publish(report)
            return
        decided = await self._decide_with_second_looks(report, subject, again=again, turn=turn)
        if decided is None:
            return
        dossier, diagnosis = decided.dossier, decided.diagnosis
        if decided.kept:
            await self._keep(report, decided)
            return
        if not again:
            # The first answer does not wait for the API server to look at its patches.
            diagnosis = await self._with_dry_runs(diagnosis)
            report.checked(diagnosis)
        await self._manual.record(report.resource, dossier)
        if not turn:
            await self._publisher.announce(report, subject, diagnosis)
        recalling = self._recall(report, dossier, diagnosis)
        recollection = await (
            recalling
            if decided.published
            else self._publisher.publish_unless_soon(report, recalling)
        )
        if turn:
            # What memory found is there while the model thinks.
            await self._publisher.publish(report)
            consultation = await self._model.ask(
                report, dossier, diagnosis, recollection, dry_run=self._with_dry_runs
            )
        else:
            consultation = self._model.queue(report, dossier, diagnosis)
        report.consulted(consultation)
        if not await self._publisher.publish(report):
            return
        final = consultation.diagnosis or diagnosis
        if not turn or final.decided_by is DecidedBy.MODEL:
            self._metrics.diagnosed(final.decided_by, seconds=time.monotonic() - started)
        if final.summary != diagnosis.summary:
            # The memory was left what rules said.
            self._remembering.decided(report.resource, dossier, final)
            await self._publisher.announce(report, subject, final)
        degraded = self._shortcomings.say(report, dossier, recollection, consultation)
        unknown = not final.determined and not consultation.waits
        outside = consultation.not_consulted[0] == QUEUE_FULL
        missing = degraded or unknown or outside
        self._looks.looked(report.key, missing=missing, waits=consultation.waits)
        if turn and consultation.comes_again:
            raise NotNow(consultation.error)

    @property
    def _crowded(self) -> bool:
        """Whether some wait until others were looked at."""
        return self._looking > self._concurrent

    async def _begin(self, report: Report) -> bool:
        """Say that it is looked at; where others come first, what a glance tells, or nothing yet.
        False where the resource is gone.

        In a storm hundreds wait for their evidence: nobody should wait for what is known already,
        nor the API server be kept busy with what tells nothing.
        """
        seen = self._sightings.by_resource.get(report.key)
        if not self._crowded or (seen is None and not report.begun_before):
            return await self._publisher.publish(report)
        if seen is None:
            return True
        return await self._glances.tell(report, seen)

    async def _keep(self, report: Report, decided: _Decided) -> None:
        """The answer stands; what memory recalls may be more than it was."""
        # Without what rules said of it before all that it rests on was read.
        report = Report(report.resource, clock=utc_now)
        report.kept()
        stands = kept_diagnosis(report.resource, decided.diagnosis)
        recollection = await self._recall(report, decided.dossier, stands)
        if await self._publisher.publish(report):
            lost = recollection is not None and recollection.unavailable is not None
            missing = lost or bool(decided.dossier.gaps) or not stands.determined
            self._looks.looked(report.key, missing=missing)

    async def _decide_with_second_looks(
        self, report: Report, subject: Subject, *, again: bool, turn: bool
    ) -> _Decided | None:
        """What rules say; None where the resource is gone, or where an earlier answer is better."""
        # The model stands still in a turn, and there were looks enough before it.
        for pause in (0.0, *(SECOND_LOOKS_AFTER_SECONDS if not turn else ())):
            await asyncio.sleep(pause)
            await self._glances.over()
            async with self._turns.turn(nothing_known=not report.says_something):
                started = time.monotonic()
                dossier = await self._gather(report, subject)
                with self._tracer.span("rules") as span:
                    diagnosis = decide(dossier)
                    span.tell(determined=diagnosis.determined, confidence=diagnosis.confidence)
                if self._model.stands(report, dossier, diagnosis):
                    return _Decided(dossier=dossier, diagnosis=diagnosis, kept=True)
                if again and report.determined_before and dossier.gaps and not diagnosis.determined:
                    self._looks.looked(report.key, missing=True)
                    if turn:
                        report.waits(EVIDENCE_MISSING)
                        await self._publisher.publish(report)
                    return None
                if again:
                    diagnosis = await self._with_dry_runs(diagnosis)
                report.gathered(dossier, seconds=time.monotonic() - started)
                report.decided(diagnosis, detected_at=subject.detected_at)
                done = diagnosis.determined or not dossier.gaps
                # In a crowd it is written with what memory brings, unless that takes a while.
                published = not (done and self._crowded)
                if published and not await self._publisher.publish(report):
                    return None
            if done:
                break
        return _Decided(dossier=dossier, diagnosis=diagnosis, published=published)

    async def _gather(self, report: Report, subject: Subject) -> Dossier:
        with self._tracer.span("gather") as span:
            dossier = await self._gatherer.gather(
                owner=subject.owner,
                pod=subject.pod,
                symptom=subject.symptom,
                shown_by=subject.shown_by,
                question=report.resource.spec.question,
            )
            span.tell(evidence=len(dossier.evidence), gaps=len(dossier.gaps))
            return dossier

    async def _recall(
        self, report: Report, dossier: Dossier, diagnosis: Diagnosis
    ) -> Recollection | None:
        started = time.monotonic()
        with self._tracer.span("recall") as span:
            recollection = await self._remembering.recall(report.resource, dossier, diagnosis)
            if recollection is not None:
                span.tell(similar=len(recollection.similar), runbooks=len(recollection.runbooks))
                if recollection.unavailable is not None:
                    span.failed(recollection.unavailable[0])
        report.recalled(recollection, seconds=time.monotonic() - started)
        return recollection

    async def _with_dry_runs(self, diagnosis: Diagnosis) -> Diagnosis:
        """What the API server says of its patches, where it is asked."""
        return diagnosis if self._dry_runs is None else await self._dry_runs.check(diagnosis)
