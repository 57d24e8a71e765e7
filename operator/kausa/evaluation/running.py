"""Runs cases through the pipeline, one after the other, and takes their CPU time.

A model is asked afterwards (`kausa.evaluation.consulting`), so that what it changes is told case by
case, and its minutes are in nobody's CPU time.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from kausa.cluster.snapshot import Snapshot, load_snapshot
from kausa.diagnosis.decide import decide
from kausa.diagnosis.finding import Diagnosis
from kausa.evaluation.cases import Case
from kausa.evaluation.echo import echo_of
from kausa.evaluation.scoring import scored_text, shortcomings, text_shortcomings
from kausa.evidence.dossier import Dossier
from kausa.evidence.redaction import Redactor
from kausa.offline.diagnosing import Answer, OfflineDiagnosis, moment_of
from kausa.offline.targets import Target, find_target

__all__ = ["Decides", "Result", "rescored", "run_case"]

Decides = Callable[[Dossier], Diagnosis]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One case, what was said, and what is wrong with it."""

    case: Case
    wrong: tuple[str, ...]
    """Empty where the answer is right."""
    fails: bool = False
    category: str | None = None
    text: str = ""
    confidence: int = 0
    rule: str = ""
    symptom: str = ""
    echo_passes: bool = False
    """Whether its words would have been enough of an echo."""
    cpu_milliseconds: float = 0.0
    error: str = ""
    """The traceback, where it raised."""
    answer: Answer | None = None
    """All that was found out; None where it raised."""

    @property
    def passes(self) -> bool:
        """Whether everything is right."""
        return not self.wrong


def run_case(case: Case, *, redactor: Redactor, decides: Decides = decide) -> Result:
    """Run one; a case that raises has failed, and says how."""
    started = time.process_time()
    try:
        snapshot = load_snapshot(case.folder)
        answer = asyncio.run(_diagnose(case, snapshot, redactor, decides))
    except Exception as error:
        return Result(
            case=case,
            wrong=(f"raised {type(error).__name__}: {error}",),
            cpu_milliseconds=_since(started),
            error=traceback.format_exc(),
        )
    milliseconds = _since(started)
    echo_passes = not text_shortcomings(case.expect, echo_of(snapshot))
    return _result(case, answer, echo_passes=echo_passes, cpu_milliseconds=milliseconds)


def rescored(result: Result, answer: Answer) -> Result:
    """The same case with another answer."""
    return _result(
        result.case,
        answer,
        echo_passes=result.echo_passes,
        cpu_milliseconds=result.cpu_milliseconds,
    )


async def _diagnose(case: Case, snapshot: Snapshot, redactor: Redactor, decides: Decides) -> Answer:
    """Only what a case's reader would have: the files, the target, the question, the time."""
    target = Target(kind=case.kind, name=case.name, namespace=case.namespace)
    pipeline = OfflineDiagnosis(
        snapshot,
        redactor=redactor,
        now=moment_of(snapshot, given=case.now),
        decides=decides,
    )
    answers = await pipeline.of_target(find_target(snapshot, target), question=case.question)
    return answers[0]


def _result(case: Case, answer: Answer, *, echo_passes: bool, cpu_milliseconds: float) -> Result:
    diagnosis, symptom = answer.diagnosis, answer.subject.symptom
    text = scored_text(diagnosis.summary, diagnosis.root_cause)
    category = str(diagnosis.category) if diagnosis.category is not None else None
    return Result(
        case=case,
        wrong=shortcomings(case.expect, fails=answer.fails, category=category, text=text),
        fails=answer.fails,
        category=category,
        text=text,
        confidence=diagnosis.confidence,
        symptom=f"{symptom.category} {symptom.reason}" if symptom is not None else "",
        echo_passes=echo_passes,
        cpu_milliseconds=cpu_milliseconds,
        answer=answer,
    )


def _since(started: float) -> float:
    return (time.process_time() - started) * 1000
