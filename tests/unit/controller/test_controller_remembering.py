from __future__ import annotations

from typing import Any, cast

import pytest
from support.diagnosed import NOON, diagnosed
from support.dossiers import dossier
from support.pods import container, pod, terminated, waiting

from kausa.controller.remembering import Remembering
from kausa.controller.sightings import Sightings
from kausa.diagnosis.decide import decide
from kausa.diagnosis.recollection import Recollection, Remembrance
from kausa.memory.records import FailureRecord
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.spec import Feedback, Verdict

CRASHES = pod(container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=2), uid="a")
SEEN = dossier(CRASHES)


class FakeRemembrance:
    """Keeps what it is told, and recalls nothing."""

    def __init__(self) -> None:
        self.records: list[FailureRecord] = []

    async def recall_and_remember(self, record: FailureRecord) -> Recollection:
        self.remember(record)
        return Recollection(record=record)

    def remember(self, record: FailureRecord) -> None:
        self.records.append(record)


async def remembered(resource: FailureDiagnosis) -> FailureRecord:
    kept = FakeRemembrance()
    remembering = Remembering(
        remembrance=cast(Remembrance, cast(Any, kept)), sightings=Sightings(), cluster="test"
    )
    await remembering.recall(resource, SEEN, decide(SEEN))
    remembering.decided(resource, SEEN, decide(SEEN))
    first, again = kept.records
    assert first == again
    return first


async def test_what_fails_is_open_and_bears_what_the_resource_knows() -> None:
    record = await remembered(diagnosed())
    assert (record.outcome, record.fingerprint, record.occurrences) == ("Open", "4f1c2a", 14)
    assert record.reference == "shop/checkout-oomkilled-4f1c2a"


async def test_a_failure_that_is_over_stays_so_when_somebody_asks_again() -> None:
    record = await remembered(diagnosed(resolved=True))
    assert record.outcome == "Resolved"
    assert record.resolved_at is not None
    assert record.resolved_at > NOON


@pytest.mark.parametrize("verdict", list(Verdict))
async def test_feedback_goes_with_it(verdict: Verdict) -> None:
    record = await remembered(diagnosed(feedback=Feedback(verdict=verdict, resolution="so")))
    assert (record.verdict, record.resolution) == (verdict.value, "so")


async def test_without_a_memory_or_a_failure_there_is_nothing_to_recall() -> None:
    without = Remembering(remembrance=None, sightings=Sightings(), cluster="test")
    assert await without.recall(diagnosed(), SEEN, decide(SEEN)) is None
    without.decided(diagnosed(), SEEN, decide(SEEN))
