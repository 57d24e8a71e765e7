"""What memory adds to a diagnosis: the failures that are like it, and runbooks that speak of it.

Without memory the diagnosis goes on; `unavailable` says in one word and one sentence why. What is
remembered of this failure itself is left in the queue afterwards, so that it never finds itself and
nothing waits for a write.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kausa.detection.symptom import Symptom
from kausa.diagnosis.finding import Diagnosis
from kausa.evidence.dossier import Dossier
from kausa.memory.errors import MemoryError_, MemoryUnavailableError
from kausa.memory.ingest import Ingest
from kausa.memory.metrics import MemoryMetrics
from kausa.memory.records import MOST_LABELS, FailureRecord
from kausa.memory.texts import failure_text
from kausa.recall.recall import Recall
from kausa.recall.results import Scored
from kausa.recall.similar import SimilarFailure, SimilarFailures
from kausa.resources.evidence import EvidenceKind

__all__ = ["Recollection", "Remembrance", "failure_record"]

DEADLINE_SECONDS = 5.0
"""The facts are published by then; only the model waits."""
MOST_RUNBOOKS = 12
"""More than are shown: some exclude this failure, which only shows where they are held against it.
"""
_GENERATED = frozenset({"pod-template-hash", "controller-revision-hash", "pod-template-generation"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """Similar failures and passages of runbooks, or why there are none to be had."""

    record: FailureRecord | None = None
    """The failure that was asked about."""
    similar: tuple[SimilarFailure, ...] = ()
    runbooks: tuple[Scored, ...] = ()
    unavailable: tuple[str, str] | None = None
    """A word for the condition, and a sentence for a person."""


class Remembrance:
    """Recalls first and leaves the record for the ingest then."""

    def __init__(
        self,
        *,
        similar: SimilarFailures,
        recall: Recall,
        ingest: Ingest,
        metrics: MemoryMetrics,
        everywhere: tuple[str, ...] = (),
    ) -> None:
        """`everywhere`: namespaces whose runbooks apply in all others."""
        self._similar = similar
        self._recall = recall
        self._ingest = ingest
        self._metrics = metrics
        self._everywhere = everywhere

    async def recall_and_remember(self, record: FailureRecord) -> Recollection:
        """The failures like this one; this one is kept for the next."""
        started = time.monotonic()
        try:
            return await self._recall_both(record)
        finally:
            self._metrics.recalled(seconds=time.monotonic() - started)
            self._ingest.offer(record)

    def remember(self, record: FailureRecord) -> None:
        """Keep what became of it; nothing is recalled, and nothing waits."""
        self._ingest.offer(record)

    async def _recall_both(self, record: FailureRecord) -> Recollection:
        try:
            similar, runbooks = await asyncio.gather(
                self._similar.find(record, deadline_seconds=DEADLINE_SECONDS),
                self._recall.runbooks_for(
                    record,
                    everywhere=self._everywhere,
                    limit=MOST_RUNBOOKS,
                    deadline_seconds=DEADLINE_SECONDS,
                ),
            )
        except MemoryUnavailableError as error:
            self._metrics.fails(error.reason)
            return Recollection(record=record, unavailable=(error.reason, str(error)))
        except MemoryError_ as error:
            self._metrics.fails("MemoryFailed")
            return Recollection(record=record, unavailable=("MemoryFailed", str(error)))
        self._metrics.works()
        return Recollection(record=record, similar=similar, runbooks=runbooks.results)


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
    logs = [
        (each.source.field_path, each.text)
        for each in dossier.evidence
        if each.kind is EvidenceKind.LOG
    ]
    return FailureRecord(
        cluster=cluster,
        namespace=dossier.owner.namespace,
        owner_kind=dossier.owner.kind,
        owner_name=dossier.owner.name,
        container=symptom.container or None,
        category=str(diagnosis.category or symptom.category),
        reason=symptom.reason,
        fingerprint=fingerprint,
        exit_code=symptom.exit_code,
        image=(container.image or None) if container is not None else None,
        node=dossier.pod.spec.node_name or None,
        labels=_labels(dossier),
        first_seen=first_seen,
        last_seen=last_seen,
        occurrences=max(1, occurrences),
        cause=diagnosis.summary,
        reference=reference,
        text=failure_text(symptom.message, logs, container=symptom.container),
    )


def _labels(dossier: Dossier) -> tuple[str, ...]:
    """Of the owner, where it was read; what controllers write tells nothing."""
    manifest: Any = dossier.object(dossier.owner.kind, dossier.owner.name)
    labels = ((manifest or {}).get("metadata") or {}).get("labels") or {}
    chosen = [f"{key}={value}" for key, value in sorted(labels.items()) if key not in _GENERATED]
    return tuple(chosen[:MOST_LABELS])
