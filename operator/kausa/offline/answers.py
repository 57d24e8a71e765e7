"""What is said of one subject of a snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kausa.diagnosis.finding import Diagnosis
from kausa.evidence.dossier import Dossier
from kausa.offline.subjects import Subject

if TYPE_CHECKING:
    # It brings the client of the model and all of HTTP, which nobody needs who asks no model.
    from kausa.diagnosis.consultation import Consultation

__all__ = ["Answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A diagnosis, and what it is of."""

    subject: Subject
    dossier: Dossier
    diagnosis: Diagnosis
    consultation: Consultation | None = None
    gather_seconds: float = 0.0
    said_above: str = ""
    """The summary of the failure that this one follows from; empty where nobody was asked."""

    @property
    def fails(self) -> bool:
        """Whether anything is wrong with it, as far as the files tell."""
        return self.subject.symptom is not None or self.diagnosis.category is not None
