from __future__ import annotations

import itertools

import pytest
from support.fake_memory import FakeEmbedder, FakeEncoder, FakeVectorStore, unavailable
from support.recording import HandClock

from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.readiness import Readiness


class Opening:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.store, self.embedder = FakeVectorStore(), FakeEmbedder()
        self.readiness = Readiness(
            embedder=self.embedder, store=self.store, encoder=FakeEncoder(), clock=self.clock
        )

    async def asked(self, *, patient: bool = False) -> str:
        """The reason of the error; empty where there is none."""
        try:
            await self.readiness.ready(deadline_seconds=1, patient=patient)
        except MemoryUnavailableError as error:
            return error.reason
        self.readiness.came_through()
        return ""

    @property
    def opens(self) -> int:
        return self.store.calls["open"]


async def test_a_store_that_is_away_is_asked_less_and_less_often() -> None:
    it = Opening()
    it.store.fail = unavailable("StoreLocked")
    asked = []
    for second in range(400):
        it.clock.now = float(second)
        before = it.opens
        assert await it.asked() == "StoreLocked"
        if it.opens > before:
            asked.append(second)
    pauses = [after - before for before, after in itertools.pairwise(asked)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]


async def test_who_is_patient_asks_at_once() -> None:
    it = Opening()
    it.store.fail = unavailable()
    await it.asked()
    assert await it.asked(patient=True) == "StoreUnavailable"
    assert it.opens == 2
    it.store.fail = None
    assert await it.asked(patient=True) == ""
    assert await it.asked() == ""


async def test_a_model_that_is_missing_is_told_by_its_own_reason() -> None:
    it = Opening()
    it.embedder.fail = unavailable("EmbedderMissing")
    assert await it.asked() == "EmbedderMissing"
    assert it.opens == 0


async def test_a_call_that_came_through_forgets_the_pauses() -> None:
    it = Opening()
    assert await it.asked() == ""
    for second in (10.0, 20.0):
        it.clock.now = second
        it.readiness.failed(unavailable())
        assert await it.asked() == "StoreUnavailable"
        it.clock.now = second + 1.0
        assert await it.asked() == ""


async def test_nothing_is_opened_after_closing() -> None:
    it = Opening()
    it.readiness.close()
    assert await it.asked(patient=True) == "Closed"


async def test_the_words_of_the_first_error_are_kept() -> None:
    it = Opening()
    it.store.fail = unavailable("StoreFull")
    await it.asked()
    with pytest.raises(MemoryUnavailableError, match="injected: StoreFull"):
        await it.readiness.ready(deadline_seconds=1)


@pytest.mark.parametrize(
    "reason",
    ["DeadlineExceeded", "EmbedderOverloaded", "EmbedderFailed", "StoreOverloaded", "StoreFull"],
)
async def test_the_trouble_of_one_caller_is_not_everybodys(reason: str) -> None:
    it = Opening()
    await it.asked()
    it.readiness.failed(unavailable(reason))
    assert it.readiness.error is None
    assert await it.asked() == ""


@pytest.mark.parametrize("embeds", [True, False])
async def test_deadlines_that_are_missed_in_a_row_are_a_part_that_is_gone(embeds: bool) -> None:
    it = Opening()
    await it.asked()
    for _ in range(2):
        it.readiness.failed(unavailable("DeadlineExceeded"), embeds=embeds)
    assert await it.asked() == ""
    for _ in range(2):
        it.readiness.failed(unavailable("DeadlineExceeded"), embeds=embeds)
    assert it.readiness.error is None
    it.readiness.failed(unavailable("DeadlineExceeded"), embeds=embeds)
    assert await it.asked() == "DeadlineExceeded"


async def test_an_embedder_that_is_away_is_not_back_because_the_store_answers() -> None:
    it = Opening()
    await it.asked()
    it.readiness.failed(unavailable("EmbedderUnavailable"))
    await it.readiness.ready(deadline_seconds=1, embeds=False)
    it.readiness.came_through(embeds=False)
    assert it.readiness.error is not None
    with pytest.raises(MemoryUnavailableError, match="EmbedderUnavailable"):
        await it.readiness.ready(deadline_seconds=1)
    it.readiness.worked("embedder")
    assert await it.asked() == ""


async def test_who_is_refused_within_the_pause_does_not_make_it_longer() -> None:
    it = Opening()
    await it.asked()
    it.readiness.failed(unavailable())
    for tenth in range(10):
        it.clock.now = tenth / 10
        with pytest.raises(MemoryUnavailableError) as refused:
            await it.readiness.ready(deadline_seconds=1)
        it.readiness.failed(refused.value)
    it.clock.now = 1.0
    assert await it.asked() == ""
