"""Failures as the memory keeps them, made of the recorded cases by the pipeline without a cluster.

Each case gives what fails in it, diagnosed by the rules. A question's right answers are named by
the case's id. So that there is something to be found wrongly, every case is in the memory twice: as
it was recorded, and as another workload of another namespace had it, with other names and older.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from kausa.cluster.snapshot import load_snapshot
from kausa.evaluation.cases import Case, find_cases, read_case
from kausa.evidence.redaction import Redactor
from kausa.memory.records import FailureRecord
from kausa.offline.diagnosing import Answer, OfflineDiagnosis, moment_of

__all__ = ["CLUSTER", "CaseFailure", "recorded_failures"]

CLUSTER = "bench"
LONGEST_TEXT = 2000
KEY = b"the recall bench hides nothing real"
ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFailure:
    """One record, and the case that it comes from."""

    case: str
    record: FailureRecord


async def recorded_failures(folder: Path, *, now: datetime) -> list[CaseFailure]:
    """Every failure of every case, and its like elsewhere; seen within the last two days."""
    redactor = Redactor(key=KEY)
    found: list[CaseFailure] = []
    for path in find_cases((folder,)):
        case = read_case(path)
        for number, answer in enumerate(await _answers(case, redactor)):
            record = _record(case, answer, number=number, now=now)
            if record is not None:
                found.append(CaseFailure(case=case.id, record=record))
    return [*found, *_elsewhere(found)]


async def _answers(case: Case, redactor: Redactor) -> tuple[Answer, ...]:
    snapshot = load_snapshot(case.folder)
    pipeline = OfflineDiagnosis(
        snapshot, redactor=redactor, now=moment_of(snapshot, given=case.now)
    )
    return await pipeline.of_all()


def _record(case: Case, answer: Answer, *, number: int, now: datetime) -> FailureRecord | None:
    symptom, dossier = answer.subject.symptom, answer.dossier
    if symptom is None:
        return None
    container = dossier.container(symptom.container)
    log = dossier.log(symptom.container)
    words = (symptom.message, log.decisive if log is not None else "")
    seen = now - timedelta(minutes=13 * (number + 1))
    identity = f"{case.id}/{number}".encode()
    return FailureRecord(
        cluster=CLUSTER,
        namespace=dossier.owner.namespace or "default",
        owner_kind=dossier.owner.kind,
        owner_name=dossier.owner.name,
        container=symptom.container or None,
        category=str(answer.diagnosis.category or symptom.category),
        reason=symptom.reason,
        fingerprint=hashlib.blake2b(identity, digest_size=8).hexdigest(),
        exit_code=symptom.exit_code,
        image=(container.image or None) if container is not None else None,
        node=dossier.pod.spec.node_name or None,
        first_seen=seen - timedelta(hours=1),
        last_seen=seen,
        occurrences=3,
        cause=answer.diagnosis.summary,
        reference=f"{dossier.owner.namespace or 'default'}/{case.id}-{number}",
        text="\n".join(word for word in words if word)[:LONGEST_TEXT],
    )


def _elsewhere(failures: Iterable[CaseFailure]) -> Iterator[CaseFailure]:
    for failure in failures:
        record = failure.record
        name = f"other-{record.owner_name}"
        print_ = hashlib.blake2b(f"{record.fingerprint}/2".encode(), digest_size=8).hexdigest()
        yield CaseFailure(
            case=failure.case,
            record=replace(
                record,
                namespace=ELSEWHERE,
                owner_name=name,
                fingerprint=print_,
                reference=f"{ELSEWHERE}/{name}-{print_}",
                last_seen=record.last_seen - timedelta(days=1),
                cause=record.cause.replace(record.owner_name, name),
            ),
        )
