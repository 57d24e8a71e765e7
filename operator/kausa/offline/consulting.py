"""A model's part in a diagnosis of files: asked about one answer, after the rules gave it.

Apart from the pipeline, because of many answers about one target only the first is worth the
minute that a model takes, and because the pipeline's CPU is measured without it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from kausa.diagnosis.consultation import Consultation
from kausa.diagnosis.decide import completed
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.recollection import Recollection
from kausa.diagnosis.remediation.dry_run import not_asked
from kausa.evidence.dossier import Dossier
from kausa.offline.answers import Answer
from kausa.offline.diagnosing import NO_CLUSTER
from kausa.resources.diagnosis import DecidedBy

__all__ = ["Consults", "consulted"]


class Consults(Protocol):
    """Asks a model where rules are not sure; never raises for a model that fails."""

    async def consult(
        self,
        dossier: Dossier,
        by_rules: Diagnosis,
        recollection: Recollection | None,
        *,
        question: str | None,
    ) -> Consultation:
        """The model's answer, or why there is none."""
        ...


async def consulted(answer: Answer, consultant: Consults, *, question: str | None = None) -> Answer:
    """Return the answer with what a model makes of it. `question` must be redacted."""
    consultation = await consultant.consult(
        answer.dossier, answer.diagnosis, None, question=question
    )
    diagnosis = consultation.diagnosis or answer.diagnosis
    if diagnosis.decided_by is DecidedBy.MODEL:
        diagnosis = not_asked(completed(answer.dossier, diagnosis), why=NO_CLUSTER)
    return replace(answer, diagnosis=diagnosis, consultation=consultation)
