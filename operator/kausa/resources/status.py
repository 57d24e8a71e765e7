"""The status of a FailureDiagnosis, written by two field managers through server-side apply.

`kausa-streams` owns `failure`, `resolution` and the condition Resolved: it writes them within a
second and for every repeat. `kausa-diagnosis` owns all the rest, `target` included. Every field is
optional, so each manager builds a status of its own fields alone; what it leaves out of a later
one, it gives up.
"""

from __future__ import annotations

from typing import Annotated

from kausa.resources import limits
from kausa.resources.condition import Conditions
from kausa.resources.diagnosis import Diagnosis, ModelUse, Timings
from kausa.resources.evidence import Change, Evidence, EvidenceGap, Redaction
from kausa.resources.failure import Failure
from kausa.resources.fields import Count, Int64, Items, Line
from kausa.resources.part import Part
from kausa.resources.recollection import Resolution, RunbookPassage, SimilarFailure

__all__ = ["FailureDiagnosisStatus"]


class FailureDiagnosisStatus(Part):
    """What the operator found out; written by the operator only."""

    observed_generation: Int64 | None = None
    """The metadata.generation that this status was written for."""

    conditions: Conditions | None = None
    """How far the diagnosis has come: Diagnosed, EvidenceGathered, MemoryRecalled, ModelConsulted
    and Resolved, which is True once nothing of the target has failed for a while. SuspiciousText is
    True where text was seen that reads like an instruction to a model."""

    target: Annotated[str, Line(limits.PATH)] | None = None
    """The target as kind/name, for tables."""

    failure: Failure | None = None
    """What failed."""

    evidence: Annotated[tuple[Evidence, ...], Items(limits.EVIDENCE)] | None = None
    """The facts that the diagnosis rests on, redacted."""

    evidence_gaps: Annotated[tuple[EvidenceGap, ...], Items(limits.GAPS)] | None = None
    """What could not be read, and why."""

    changes: Annotated[tuple[Change, ...], Items(limits.CHANGES)] | None = None
    """What differs from the last revision that worked, and what was changed around it before it
    began to fail; the likeliest to matter first."""

    diagnosis: Diagnosis | None = None
    """Why it failed and what to do."""

    similar: Annotated[tuple[SimilarFailure, ...], Items(limits.SIMILAR)] | None = None
    """Failures of the past that resemble this one, the closest first."""

    similar_count: Count | None = None
    """How many similar failures are remembered."""

    runbooks: Annotated[tuple[RunbookPassage, ...], Items(limits.RUNBOOKS)] | None = None
    """Passages of runbooks that speak of failures like this one, the best first."""

    model: ModelUse | None = None
    """Which language model was asked; left out where none was."""

    redactions: (
        Annotated[tuple[Redaction, ...], Items(limits.REDACTIONS, kind="map", keys=("kind",))]
        | None
    ) = None
    """How many secrets were taken out of the evidence, by kind."""

    resolution: Resolution | None = None
    """When the failure went away, as long as it has not come back."""

    timings: Timings | None = None
    """How long each step took."""
