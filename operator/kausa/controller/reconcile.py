"""One resource, from its target to a filled status: gather, decide, publish; then recall, ask.

Facts first: what the rules say is published before memory or a model is asked. Every step can be
repeated, so a kill in the middle costs nothing but the time: the next process sees that the status
is not complete and begins again.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from kausa.cluster.errors import ClusterError
from kausa.controller.errors import DiagnosisFailedError
from kausa.controller.keyed_locks import KeyedLocks
from kausa.controller.looks import Looks
from kausa.controller.remembering import Remembering
from kausa.controller.report import Report
from kausa.controller.sighting_documents import failure_part
from kausa.controller.sightings import Sightings
from kausa.controller.store import FailureDiagnosisStore
from kausa.controller.subjects import Subject, SubjectFinder
from kausa.diagnosis.consultation import Consultant, Consultation
from kausa.diagnosis.decide import completed, decide
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.recollection import Recollection
from kausa.diagnosis.remediation.dry_run import DryRuns
from kausa.evidence.dossier import Dossier
from kausa.evidence.gather import Gatherer
from kausa.resources.diagnosis import DecidedBy
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.spec import Trigger
from kausa.resources.status import FailureDiagnosisStatus
from kausa.telemetry.clock import utc_now
from kausa.telemetry.logs import get_logger
from kausa.telemetry.metrics import Metrics

__all__ = ["Reconciler"]

SECOND_LOOKS_AFTER_SECONDS = (2.0, 5.0)
"""Right around a restart the runtime has no log to give; a moment later it does."""
_logger = get_logger("kausa.controller.reconcile")


class Reconciler:
    """Brings resources to a complete status, a few at a time, each by one task at a time."""

    def __init__(
        self,
        *,
        store: FailureDiagnosisStore,
        subjects: SubjectFinder,
        gatherer: Gatherer,
        remembering: Remembering,
        consultant: Consultant,
        looks: Looks,
        sightings: Sightings,
        metrics: Metrics,
        concurrent: int,
        dry_runs: DryRuns | None = None,
    ) -> None:
        self._store = store
        self._subjects = subjects
        self._gatherer = gatherer
        self._remembering = remembering
        self._consultant = consultant
        self._looks = looks
        self._sightings = sightings
        self._metrics = metrics
        self._dry_runs = dry_runs
        # Held while facts are read and published, never while a model thinks.
        self._turns = asyncio.Semaphore(concurrent)
        self._locks = KeyedLocks()
        self._said_permissions: set[str] = set()

    async def reconcile(self, resource: FailureDiagnosis, *, again: bool = False) -> None:
        """Fill the status; one that is complete for this generation only where asked `again`.

        Raises:
            ClusterError: something could not be written; worth another try.
            DiagnosisFailedError: a defect of ours; the status says so, and the log has the details.
        """
        key = resource.metadata.namespace or "", resource.metadata.name
        async with self._locks.hold(key) as waited:
            if again or waited:
                # Somebody else may have written it meanwhile.
                fresh = await self._store.get(namespace=key[0], name=key[1])
                if fresh is None:
                    self._looks.forget(key)
                    return
                resource = fresh
            await self._reconcile(resource, again=again)

    async def _reconcile(self, resource: FailureDiagnosis, *, again: bool) -> None:
        report = Report(resource, now=utc_now())
        if report.complete() and not again:
            return
        if resource.spec.suspend:
            self._looks.forget(report.key)
            if not report.diagnosed_before:
                report.suspended()
                await self._publish(report)
            return
        try:
            await self._diagnose(report, again=again)
        except ClusterError:
            raise
        except Exception as error:
            _logger.exception("Could not diagnose", name="/".join(report.key))
            report.failed(error)
            await self._publish(report)
            raise DiagnosisFailedError("/".join(report.key)) from error

    async def look_again(self, key: tuple[str, str]) -> None:
        """Diagnose a resource again, if it is there and its workload still fails."""
        namespace, name = key
        resource = await self._store.get(namespace=namespace, name=name)
        if resource is None or not self._sightings.still_fails(key):
            self._looks.forget(key)
        else:
            await self.reconcile(resource, again=True)

    async def _diagnose(self, report: Report, *, again: bool) -> None:
        if not report.diagnosed_before and not await self._publish(report):
            return
        started = time.monotonic()
        subject = await self._subjects.find(report.resource)
        if subject is None:
            self._looks.forget(report.key)
            report.no_target()
            await self._publish(report)
            return
        decided = await self._decide_with_second_looks(report, subject, again=again)
        if decided is None:
            return
        dossier, diagnosis = decided
        if not again:
            # The first answer does not wait for the API server to look at its patches.
            diagnosis = await self._with_dry_runs(diagnosis)
            report.checked(diagnosis)
        await self._record_manual(report, dossier)
        await self._announce(report, subject, diagnosis)
        recollection, consultation = await self._ask_for_help(report, dossier, diagnosis)
        if not await self._publish(report):
            return
        final = consultation.diagnosis or diagnosis
        self._metrics.diagnosed(final.decided_by, seconds=time.monotonic() - started)
        if final.summary != diagnosis.summary:
            # The memory was left what rules said.
            self._remembering.decided(report.resource, dossier, final)
            await self._announce(report, subject, final)
        degraded = self._say_degraded(report, dossier, recollection, consultation)
        self._looks.looked(report.key, missing=degraded or not final.determined)

    async def _decide_with_second_looks(
        self, report: Report, subject: Subject, *, again: bool
    ) -> tuple[Dossier, Diagnosis] | None:
        """What rules say; None where the resource is gone, or where an earlier answer is better."""
        for pause in (0.0, *SECOND_LOOKS_AFTER_SECONDS):
            await asyncio.sleep(pause)
            await self._sightings.openings.over()
            async with self._turns:
                started = time.monotonic()
                dossier = await self._gatherer.gather(
                    owner=subject.owner,
                    pod=subject.pod,
                    symptom=subject.symptom,
                    shown_by=subject.shown_by,
                    question=report.resource.spec.question,
                )
                diagnosis = decide(dossier)
                if again and report.determined_before and dossier.gaps and not diagnosis.determined:
                    self._looks.looked(report.key, missing=True)
                    return None
                if again:
                    diagnosis = await self._with_dry_runs(diagnosis)
                report.gathered(dossier, seconds=time.monotonic() - started)
                report.decided(diagnosis, detected_at=subject.detected_at)
                if not await self._publish(report):
                    return None
            if diagnosis.determined or not dossier.gaps:
                break
        return dossier, diagnosis

    async def _ask_for_help(
        self, report: Report, dossier: Dossier, diagnosis: Diagnosis
    ) -> tuple[Recollection | None, Consultation]:
        """Memory, then the model."""
        started = time.monotonic()
        recollection = await self._remembering.recall(report.resource, dossier, diagnosis)
        report.recalled(recollection, seconds=time.monotonic() - started)
        if self._consultant.has_model:
            await self._publish(report)
        question = report.resource.spec.question
        consultation = await self._consultant.consult(
            dossier,
            diagnosis,
            recollection,
            question=self._gatherer.redact(question) if question else None,
        )
        answer = consultation.diagnosis
        if answer is not None and answer.decided_by is DecidedBy.MODEL:
            answer = await self._with_dry_runs(completed(dossier, answer))
            consultation = replace(consultation, diagnosis=answer)
        report.consulted(consultation)
        return recollection, consultation

    async def _with_dry_runs(self, diagnosis: Diagnosis) -> Diagnosis:
        """What the API server says of its patches, where it is asked."""
        return diagnosis if self._dry_runs is None else await self._dry_runs.check(diagnosis)

    async def _record_manual(self, report: Report, dossier: Dossier) -> None:
        """A person made this resource, so no stream writes what fails: it is written here."""
        resource, symptom = report.resource, dossier.symptom
        if resource.spec.trigger is not Trigger.MANUAL or symptom is None:
            return
        count, fingerprint = self._remembering.known(resource, dossier, symptom)
        failure = failure_part(
            symptom, message=symptom.message, fingerprint=fingerprint, count=count
        )
        namespace, name = report.key
        await self._store.write_sighting(
            namespace=namespace, name=name, status=FailureDiagnosisStatus(failure=failure)
        )

    async def _publish(self, report: Report) -> bool:
        """Write what is known now; False where the resource is gone."""
        namespace, name = report.key
        return await self._store.write_diagnosis(
            namespace=namespace, name=name, status=report.status()
        )

    async def _announce(self, report: Report, subject: Subject, diagnosis: Diagnosis) -> None:
        namespace, name = report.key
        _logger.info(
            "Diagnosed",
            namespace=namespace,
            name=name,
            cause=diagnosis.summary,
            confidence=diagnosis.confidence,
            milliseconds=report.milliseconds_to_diagnosis,
        )
        try:
            await self._store.announce(
                name=name,
                owner=subject.owner,
                summary=diagnosis.summary,
                version=report.version(),
                now=utc_now(),
            )
        except ClusterError as error:
            _logger.warning("Could not write an Event on the target", why=str(error))

    def _say_degraded(
        self,
        report: Report,
        dossier: Dossier,
        recollection: Recollection | None,
        consultation: Consultation,
    ) -> bool:
        """Log what was missing; whether anything was."""
        for gap in dossier.gaps:
            if gap.permission and gap.permission not in self._said_permissions:
                self._said_permissions.add(gap.permission)
                _logger.warning(
                    "Evidence is missing for want of a permission",
                    what=gap.what,
                    grant=gap.permission,
                )
        said = [recollection.unavailable if recollection else None, consultation.unavailable]
        for reason, message in (each for each in said if each):
            _logger.warning(
                "Diagnosed without all help",
                name="/".join(report.key),
                reason=reason,
                why=self._gatherer.redact(message),
            )
        return bool(dossier.gaps) or any(said)
