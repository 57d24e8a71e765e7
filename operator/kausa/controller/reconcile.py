"""One resource, from its target to a filled status: gather, decide, publish; then recall, ask.

Facts first: what the rules say is published before memory or a model is asked. Every step can be
repeated, so a kill in the middle costs nothing but the time: the next process sees that the status
is not complete and begins again.
"""

from __future__ import annotations

import asyncio
import time

from kausa.cluster.errors import ClusterError
from kausa.controller.identity import identify
from kausa.controller.report import Report
from kausa.controller.sighting_documents import failure_count, failure_part
from kausa.controller.sightings import Sightings
from kausa.controller.store import FailureDiagnosisStore
from kausa.controller.subjects import Subject, SubjectFinder
from kausa.detection.counting import FailureCount
from kausa.detection.symptom import Symptom
from kausa.diagnosis.consultation import Consultant, Consultation
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.recollection import Recollection, Remembrance, failure_record
from kausa.diagnosis.rules.engine import decide_by_rules
from kausa.evidence.dossier import Dossier
from kausa.evidence.gather import Gatherer
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.spec import Trigger
from kausa.resources.status import FailureDiagnosisStatus
from kausa.telemetry.clock import utc_now
from kausa.telemetry.logs import get_logger

__all__ = ["Reconciler"]

SECOND_LOOKS_AFTER_SECONDS = (2.0, 5.0)
"""Right around a restart the runtime has no log to give; a moment later it does."""
_logger = get_logger("kausa.controller.reconcile")


class Reconciler:
    """Brings one resource at a time to a complete status."""

    def __init__(
        self,
        *,
        store: FailureDiagnosisStore,
        subjects: SubjectFinder,
        sightings: Sightings,
        gatherer: Gatherer,
        remembrance: Remembrance | None,
        consultant: Consultant,
        cluster: str,
        concurrent: int,
    ) -> None:
        self._store = store
        self._subjects = subjects
        self._sightings = sightings
        self._gatherer = gatherer
        self._remembrance = remembrance
        self._consultant = consultant
        self._cluster = cluster
        self._turns = asyncio.Semaphore(concurrent)

    async def reconcile(self, resource: FailureDiagnosis) -> None:
        """Fill the status, unless it is complete for this generation already."""
        report = Report(resource, now=utc_now())
        if report.complete():
            return
        if resource.spec.suspend:
            if not report.diagnosed_before:
                report.suspended()
                await self._publish(report)
            return
        async with self._turns:
            await self._publish(report)
            subject = await self._subjects.find(resource)
            if subject is None:
                report.no_target()
                await self._publish(report)
                return
            await self._diagnose(report, subject)

    async def _diagnose(self, report: Report, subject: Subject) -> None:
        dossier, diagnosis = await self._decide(report, subject)
        for pause in SECOND_LOOKS_AFTER_SECONDS:
            if diagnosis.determined or not dossier.gaps:
                break
            await asyncio.sleep(pause)
            dossier, diagnosis = await self._decide(report, subject)
        await self._record_manual(report, dossier)
        await self._announce(report, subject, diagnosis)

        recollection = await self._recall(report, dossier, diagnosis)
        report.recalled(recollection)
        if self._consultant.has_model:
            await self._publish(report)
        consultation = await self._consultant.consult(
            dossier, diagnosis, recollection, question=report.resource.spec.question
        )
        report.consulted(consultation)
        await self._publish(report)
        self._say_degraded(report, recollection, consultation)

    async def _decide(self, report: Report, subject: Subject) -> tuple[Dossier, Diagnosis]:
        """Gather and decide by rules, and publish that at once."""
        started = time.monotonic()
        dossier = await self._gatherer.gather(
            owner=subject.owner, pod=subject.pod, symptom=subject.symptom
        )
        diagnosis = decide_by_rules(dossier)
        report.gathered(dossier, seconds=time.monotonic() - started)
        report.decided(diagnosis, detected_at=subject.detected_at)
        await self._publish(report)
        return dossier, diagnosis

    async def _recall(
        self, report: Report, dossier: Dossier, diagnosis: Diagnosis
    ) -> Recollection | None:
        """None where there is nothing to remember: no failure, or no memory."""
        if self._remembrance is None or dossier.symptom is None:
            return None
        meta = report.resource.metadata
        count, identity = self._known(report.resource, dossier, dossier.symptom)
        record = failure_record(
            dossier,
            dossier.symptom,
            diagnosis,
            cluster=self._cluster,
            fingerprint=identity,
            occurrences=count.occurrences,
            first_seen=count.first_seen,
            last_seen=count.last_seen,
            reference=f"{meta.namespace}/{meta.name}",
        )
        return await self._remembrance.recall_and_remember(record)

    def _known(
        self, resource: FailureDiagnosis, dossier: Dossier, symptom: Symptom
    ) -> tuple[FailureCount, str]:
        """How often it was seen and its identity: from the streams, from the status, or new."""
        meta = resource.metadata
        seen = self._sightings.by_resource.get((meta.namespace or "", meta.name))
        if seen is not None:
            return seen.count, seen.fingerprint
        if resource.status is not None and resource.status.failure is not None:
            failure = resource.status.failure
            return failure_count(failure), failure.fingerprint
        moment = symptom.last_seen or utc_now()
        count = FailureCount(first_seen=moment, last_seen=moment, occurrences=symptom.occurrences)
        return count, identify(
            cluster=self._cluster, owner=dossier.owner, symptom=symptom
        ).fingerprint

    async def _record_manual(self, report: Report, dossier: Dossier) -> None:
        """A person made this resource, so no stream writes what fails: it is written here."""
        resource, symptom = report.resource, dossier.symptom
        if resource.spec.trigger is not Trigger.MANUAL or symptom is None:
            return
        count, identity = self._known(resource, dossier, symptom)
        failure = failure_part(symptom, message=symptom.message, fingerprint=identity, count=count)
        await self._store.write_sighting(
            namespace=resource.metadata.namespace or "",
            name=resource.metadata.name,
            status=FailureDiagnosisStatus(failure=failure),
        )

    async def _publish(self, report: Report) -> None:
        meta = report.resource.metadata
        await self._store.write_diagnosis(
            namespace=meta.namespace or "", name=meta.name, status=report.status()
        )

    async def _announce(self, report: Report, subject: Subject, diagnosis: Diagnosis) -> None:
        meta = report.resource.metadata
        _logger.info(
            "Diagnosed",
            namespace=meta.namespace,
            name=meta.name,
            cause=diagnosis.summary,
            confidence=diagnosis.confidence,
            milliseconds=report.milliseconds_to_diagnosis,
        )
        try:
            await self._store.announce(
                name=meta.name,
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
        recollection: Recollection | None,
        consultation: Consultation,
    ) -> None:
        meta = report.resource.metadata
        said = [recollection.unavailable if recollection else None, consultation.unavailable]
        for reason, message in (each for each in said if each):
            _logger.warning(
                "Diagnosed without all help",
                namespace=meta.namespace,
                name=meta.name,
                reason=reason,
                why=message,
            )
