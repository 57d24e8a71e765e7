"""What fails in a resource that a person made: no stream writes it, so whoever looks does."""

from __future__ import annotations

from kausa.controller.remembering import Remembering
from kausa.controller.sighting_documents import failure_part
from kausa.controller.store import FailureDiagnosisStore
from kausa.evidence.dossier import Dossier
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.spec import Trigger
from kausa.resources.status import FailureDiagnosisStatus

__all__ = ["ManualSightings"]


class ManualSightings:
    """Holds nothing itself."""

    def __init__(self, *, store: FailureDiagnosisStore, remembering: Remembering) -> None:
        self._store = store
        self._remembering = remembering

    async def record(self, resource: FailureDiagnosis, dossier: Dossier) -> None:
        """Write what fails, where a person made the resource; raises ClusterError."""
        symptom = dossier.symptom
        if resource.spec.trigger is not Trigger.MANUAL or symptom is None:
            return
        count, fingerprint = self._remembering.known(resource, dossier, symptom)
        failure = failure_part(
            symptom, message=symptom.message, fingerprint=fingerprint, count=count
        )
        await self._store.write_sighting(
            namespace=resource.metadata.namespace or "",
            name=resource.metadata.name,
            status=FailureDiagnosisStatus(failure=failure),
        )
