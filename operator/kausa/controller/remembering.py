"""From a resource and its dossier to a record of memory, and back to what is like it."""

from __future__ import annotations

from dataclasses import replace

from kausa.controller.identity import identify
from kausa.controller.sighting_documents import count_of
from kausa.controller.sightings import Sightings
from kausa.detection.counting import FailureCount
from kausa.detection.symptom import Symptom
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.recollection import Recollection, Remembrance, failure_record
from kausa.evidence.dossier import Dossier
from kausa.learning.feedback import with_feedback
from kausa.learning.outcomes import outcome_of
from kausa.memory.records import FailureRecord
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.telemetry.clock import utc_now

__all__ = ["Remembering"]


class Remembering:
    """Knows how often a failure was seen, and has it remembered so."""

    def __init__(
        self, *, remembrance: Remembrance | None, sightings: Sightings, cluster: str
    ) -> None:
        self._remembrance = remembrance
        self._sightings = sightings
        self._cluster = cluster

    async def recall(
        self, resource: FailureDiagnosis, dossier: Dossier, diagnosis: Diagnosis
    ) -> Recollection | None:
        """What is like it; None where there is nothing to remember: no failure, or no memory.

        It is left for the memory to be kept, which nobody waits for.
        """
        if self._remembrance is None or dossier.symptom is None:
            return None
        record = self._record(resource, dossier, dossier.symptom, diagnosis)
        return await self._remembrance.recall_and_remember(record)

    def decided(self, resource: FailureDiagnosis, dossier: Dossier, diagnosis: Diagnosis) -> None:
        """The answer came to be another one: it is what is kept."""
        if self._remembrance is not None and dossier.symptom is not None:
            self._remembrance.remember(self._record(resource, dossier, dossier.symptom, diagnosis))

    def _record(
        self,
        resource: FailureDiagnosis,
        dossier: Dossier,
        symptom: Symptom,
        diagnosis: Diagnosis,
    ) -> FailureRecord:
        meta = resource.metadata
        count, fingerprint = self.known(resource, dossier, symptom)
        record = failure_record(
            dossier,
            symptom,
            diagnosis,
            cluster=self._cluster,
            fingerprint=fingerprint,
            occurrences=count.occurrences,
            first_seen=count.first_seen,
            last_seen=count.last_seen,
            reference=f"{meta.namespace}/{meta.name}",
        )
        if (meta.namespace or "", meta.name) not in self._sightings.by_resource:
            # Nothing fails now: somebody wants to know of a failure that may be over.
            over = resource.status.resolution if resource.status is not None else None
            outcome = outcome_of(resource)
            record = replace(
                record,
                outcome=outcome,
                resolved_at=over.time if over is not None and outcome == "Resolved" else None,
            )
        return with_feedback(record, resource.spec.feedback)

    def known(
        self, resource: FailureDiagnosis, dossier: Dossier, symptom: Symptom
    ) -> tuple[FailureCount, str]:
        """How often it was seen and its fingerprint: from the streams, from the status, or new."""
        meta = resource.metadata
        seen = self._sightings.by_resource.get((meta.namespace or "", meta.name))
        if seen is not None:
            return seen.count, seen.fingerprint
        if resource.status is not None and resource.status.failure is not None:
            failure = resource.status.failure
            return count_of(failure), failure.fingerprint
        moment = symptom.last_seen or utc_now()
        count = FailureCount(first_seen=moment, last_seen=moment, occurrences=symptom.occurrences)
        identity = identify(cluster=self._cluster, owner=dossier.owner, symptom=symptom)
        return count, identity.fingerprint
