"""What memory adds to a diagnosis: this failure remembered, and the ones that are like it.

Without memory the diagnosis goes on; `unavailable` says in one word and one sentence why.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kausa.detection.symptom import Symptom
from kausa.diagnosis.finding import Diagnosis
from kausa.evidence.dossier import Dossier
from kausa.memory.errors import MemoryError_, MemoryUnavailableError
from kausa.memory.records import FailureRecord
from kausa.memory.service import FailureMemory
from kausa.recall.similar import SimilarFailure, SimilarFailures

__all__ = ["Recollection", "Remembrance", "failure_record"]

DEADLINE_SECONDS = 10.0
LONGEST_TEXT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """Similar failures, or why there are none to be had."""

    similar: tuple[SimilarFailure, ...] = ()
    unavailable: tuple[str, str] | None = None
    """A word for the condition, and a sentence for a person."""


class Remembrance:
    """Recalls first and remembers then, so that a failure never finds itself."""

    def __init__(self, *, memory: FailureMemory) -> None:
        self._memory = memory
        self._similar = SimilarFailures(memory=memory)

    async def recall_and_remember(self, record: FailureRecord) -> Recollection:
        """The failures like this one; this one is kept for the next."""
        try:
            similar = await self._similar.find(record, deadline_seconds=DEADLINE_SECONDS)
            await self._memory.remember(record, deadline_seconds=DEADLINE_SECONDS)
        except MemoryUnavailableError as error:
            return Recollection(unavailable=(error.reason, str(error)))
        except MemoryError_ as error:
            return Recollection(unavailable=("MemoryFailed", str(error)))
        return Recollection(similar=similar)


def failure_record(
    dossier: Dossier,
    symptom: Symptom,
    diagnosis: Diagnosis,
    *,
    cluster: str,
    fingerprint: str,
    occurrences: int,
    first_seen: datetime,
    last_seen: datetime,
    reference: str,
) -> FailureRecord:
    """The failure as memory keeps it; built from redacted parts only."""
    container = dossier.container(symptom.container)
    log = dossier.log(symptom.container)
    words = [symptom.message, log.decisive if log is not None else ""]
    return FailureRecord(
        cluster=cluster,
        namespace=dossier.owner.namespace,
        owner_kind=dossier.owner.kind,
        owner_name=dossier.owner.name,
        container=symptom.container or "",
        category=str(diagnosis.category or symptom.category),
        reason=symptom.reason,
        fingerprint=fingerprint,
        exit_code=symptom.exit_code,
        image=container.image if container is not None else "",
        node=dossier.pod.spec.node_name,
        first_seen=first_seen,
        last_seen=last_seen,
        occurrences=max(1, occurrences),
        cause=diagnosis.summary,
        reference=reference,
        text="\n".join(word for word in words if word)[:LONGEST_TEXT],
    )
