"""What is left for the memory when the answer comes to be another one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from support.diagnosed import diagnosed
from support.dossiers import DEPLOYMENT, dossier
from support.fake_store import FakeStore
from support.pods import container, pod, terminated, waiting

from kausa.controller.looks import Looks
from kausa.controller.reconcile import Reconciler, Telemetry
from kausa.controller.remembering import Remembering
from kausa.controller.sightings import Sightings
from kausa.controller.subjects import Subject
from kausa.diagnosis.consultation import Consultation
from kausa.diagnosis.decide import decide
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.recollection import Recollection
from kausa.memory.records import FailureRecord
from kausa.telemetry.metrics import Metrics

CRASHES = pod(container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=2), uid="a")
SEEN = dossier(CRASHES)
BY_RULES = decide(SEEN)


class FakeRemembrance:
    """Keeps what it is told, and recalls nothing."""

    def __init__(self) -> None:
        self.records: list[FailureRecord] = []

    async def recall_and_remember(self, record: FailureRecord) -> Recollection:
        self.remember(record)
        return Recollection(record=record)

    def remember(self, record: FailureRecord) -> None:
        self.records.append(record)


class Answers:
    """Finds, gathers and answers what it was told, at once."""

    def __init__(self, answer: Diagnosis | None) -> None:
        self.answer = answer

    async def find(self, *_: Any) -> Subject:
        return Subject(owner=DEPLOYMENT, shown_by=SEEN.shown_by, pod=CRASHES, symptom=SEEN.symptom)

    async def gather(self, **_: Any) -> Any:
        return SEEN

    def stands(self, *_: Any) -> bool:
        return False

    def queue(self, *_: Any) -> Consultation:
        return Consultation(diagnosis=self.answer)


async def remembered(answer: Diagnosis | None) -> list[FailureRecord]:
    kept, store, sightings = FakeRemembrance(), FakeStore(), Sightings()
    resource = diagnosed(diagnosis=None)
    store.resources[resource.metadata.namespace or "", resource.metadata.name] = resource
    answers = cast(Any, Answers(answer))
    reconciler = Reconciler(
        store=cast(Any, store),
        subjects=answers,
        gatherer=answers,
        remembering=Remembering(remembrance=cast(Any, kept), sightings=sightings, cluster="test"),
        model=answers,
        looks=Looks(refresh_seconds=600),
        sightings=sightings,
        telemetry=Telemetry(metrics=Metrics()),
        concurrent=1,
    )
    await reconciler.reconcile(resource)
    return kept.records


async def test_the_answer_of_the_model_reaches_the_memory() -> None:
    by_rules, by_model = await remembered(replace(BY_RULES, summary="the disk is full"))
    assert by_rules.cause == BY_RULES.summary
    assert by_model.cause == "the disk is full"
    assert by_model.record_id == by_rules.record_id


@pytest.mark.parametrize("answer", [None, BY_RULES])
async def test_an_answer_that_stands_is_remembered_once(answer: Diagnosis | None) -> None:
    (record,) = await remembered(answer)
    assert record.cause == BY_RULES.summary
