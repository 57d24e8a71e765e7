"""Questions that come to nothing: asked again, later each time, and never at others' cost."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from support.diagnosing import Diagnosing
from support.fake_language_model import FakeLanguageModel
from support.model_scenes import CONSULTED, KEY, WORSE, scene
from support.virtual_time import VirtualTimeLoop

from kausa.controller.consulting import QUEUED
from kausa.diagnosis.errors import (
    ModelDeadlineExceeded,
    ModelError,
    ModelProtocolError,
    ModelRefusedQuestion,
    ModelUnavailable,
)
from kausa.resources.condition import RESOLVED, ConditionStatus, set_condition
from kausa.resources.spec import Trigger
from kausa.resources.status import FailureDiagnosisStatus
from kausa.telemetry.clock import utc_now

EVENT_LOOP = VirtualTimeLoop
HOUR = 3600.0
TOO_LONG = "This model's maximum context length is 4096 tokens."


class Noting(FakeLanguageModel):
    """Notes when it was asked."""

    def __init__(self, *errors: ModelError, seconds: float = 0.0) -> None:
        super().__init__(seconds=seconds)
        self.errors = list(errors)
        self.at: list[float] = []

    async def complete(self, *args: object, **given: object) -> object:  # type: ignore[override]
        self.at.append(asyncio.get_running_loop().time())
        return await super().complete(*args, **given)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    # Hours pass: fewer turns of the loop.
    monkeypatch.setattr("kausa.controller.looks.TICK_SECONDS", 60.0)


@pytest.mark.parametrize("fails", [True, False])
async def test_a_question_that_is_never_answered_in_time_is_paid_for_ever_more_seldom(
    fails: bool,
) -> None:
    model = Noting(*[ModelDeadlineExceeded("slow")] * 1000, seconds=60)
    it = scene(model)
    it.fails(question="why so slow?")
    if not fails:
        it.sightings.remove(KEY)
    async with it.running():
        await it.reconciler.reconcile(it.now())
        await asyncio.sleep(24 * HOUR)
        assert it.condition(CONSULTED)[:2] == ("False", "DeadlineExceeded")
    pauses = [after - before for before, after in pairwise(model.at)]
    assert 5 < len(model.at) < 20
    assert max(pauses) > 3 * HOUR
    # But for the ticks of the loop.
    assert all(after > before - 61 for before, after in pairwise(pauses))


async def test_it_is_no_more_often_where_kubernetes_repeats_the_failure_all_the_time() -> None:
    model = Noting(*[ModelDeadlineExceeded("slow")] * 1000, seconds=60)
    it = scene(model)
    symptom = it.dossier.symptom
    assert symptom is not None
    async with it.running():
        await it.reconciler.reconcile(it.fails())
        for _ in range(6 * 60):
            await asyncio.sleep(60)
            it.looks.seen(KEY, symptom)
            # A restart, or whoever writes the resource.
            await it.reconciler.reconcile(it.now())
    assert 5 < len(model.at) < 13


async def test_an_answer_that_comes_in_time_at_last_is_told_and_nothing_rests_any_more() -> None:
    model = Noting(*[ModelDeadlineExceeded("slow")] * 4)
    it = scene(model)
    async with it.running():
        await it.reconciler.reconcile(it.fails())
        await asyncio.sleep(HOUR)
        assert it.condition(CONSULTED)[1] == "Answered"
        it.dossier = WORSE
        await it.reconciler.look_again(KEY)
        await asyncio.sleep(5)
    assert len(model.at) == 6


async def test_what_changed_meanwhile_is_asked_about_within_minutes() -> None:
    model = Noting(*[ModelDeadlineExceeded("slow")] * 9, seconds=60)
    it = scene(model)
    async with it.running():
        await it.reconciler.reconcile(it.fails())
        await asyncio.sleep(8 * HOUR)
        model.errors = []
        asked, it.dossier = len(model.at), WORSE
        await asyncio.sleep(max(0.0, model.at[-1] + 700 - asyncio.get_running_loop().time()))
        await it.reconciler.look_again(KEY)
        await asyncio.sleep(100)
        assert len(model.at) == asked + 1
        assert it.condition(CONSULTED)[1] == "Answered"


# -- a person who asked --------------------------------------------------------------------------


def asks_about_what_works(it: Diagnosing, **spec: Any) -> None:
    it.fails(**spec)
    it.sightings.remove(KEY)


@pytest.mark.parametrize("spec", [{"question": "why so slow?"}, {"trigger": Trigger.ANNOTATION}])
@pytest.mark.parametrize(
    "errors",
    [
        [ModelDeadlineExceeded("slow")],
        [ModelDeadlineExceeded("slow")] * 3,
        [ModelUnavailable("HTTP 500")] * 3,
        [ModelProtocolError("cut")] * 4,
    ],
    ids=["late", "late thrice", "failed", "failed often"],
)
async def test_a_person_who_asks_about_what_works_has_an_answer_though_one_was_in_vain(
    errors: list[ModelError], spec: dict[str, Any]
) -> None:
    model = Noting(*errors)
    it = scene(model)
    asks_about_what_works(it, **spec)
    async with it.running():
        await it.reconciler.reconcile(it.now())
        await asyncio.sleep(2 * HOUR)
        assert it.condition(CONSULTED)[1] == "Answered"
        gathered = it.gathered
        await asyncio.sleep(3 * HOUR)
        assert it.gathered == gathered
    assert len(model.at) == len(errors) + 1


async def test_a_failure_that_nothing_shows_and_nobody_asked_about_rests() -> None:
    model = Noting(ModelDeadlineExceeded("slow"))
    it = scene(model)
    asks_about_what_works(it)
    async with it.running():
        await it.reconciler.reconcile(it.now())
        await asyncio.sleep(2 * HOUR)
    assert len(model.at) == 1


async def test_a_question_about_what_is_over_has_its_turn() -> None:
    model = Noting()
    it = scene(model)
    it.fails(question="why was that?")
    it.sightings.by_resource[KEY].resolved = True
    it.sightings.by_resource[KEY].failing.clear()
    over = set_condition(
        (), type=RESOLVED, status=ConditionStatus.TRUE, reason="R", message="", now=utc_now()
    )
    status = FailureDiagnosisStatus(conditions=over)
    it.store.resources[KEY] = it.now().model_copy(update={"status": status})
    async with it.running():
        await it.reconciler.reconcile(it.now())
        await asyncio.sleep(5)
        assert it.condition(CONSULTED)[1] == "Answered"


# -- a question that the server refuses ----------------------------------------------------------


async def test_a_question_that_is_refused_keeps_nobody_else_and_is_not_asked_again() -> None:
    model = Noting(ModelRefusedQuestion(TOO_LONG))
    it = scene(model)
    async with it.running():
        for name in ("a", "b", "c"):
            await it.reconciler.reconcile(it.fails(name))
        await asyncio.sleep(5)
        assert it.gate.why is None
        assert it.condition(CONSULTED, "a")[:2] == ("False", "Refused")
        assert TOO_LONG in it.condition(CONSULTED, "a")[2]
        assert [it.condition(CONSULTED, name)[1] for name in "bc"] == ["Answered"] * 2
        for _ in range(5):
            await asyncio.sleep(HOUR)
            await it.reconciler.look_again(("shop", "a"))
            assert it.condition(CONSULTED, "a")[1] == "Refused"
        assert len(model.at) == 3
        it.dossier = WORSE
        await it.reconciler.look_again(("shop", "a"))
        await asyncio.sleep(5)
        assert it.condition(CONSULTED, "a")[1] == "Answered"


async def test_the_other_question_of_a_person_is_asked_at_once() -> None:
    model = Noting(ModelRefusedQuestion(TOO_LONG))
    it = scene(model)
    async with it.running():
        await it.reconciler.reconcile(it.fails(question="long"))
        await asyncio.sleep(5)
        assert it.condition(CONSULTED)[1] == "Refused"
        known = it.now()
        changed = known.model_copy(
            update={
                "metadata": known.metadata.model_copy(update={"generation": 2}),
                "spec": known.spec.model_copy(update={"question": "short"}),
            }
        )
        it.store.resources[KEY] = changed
        await it.reconciler.reconcile(changed)
        await asyncio.sleep(5)
        assert it.condition(CONSULTED)[1] == "Answered"


# -- what is said meanwhile ----------------------------------------------------------------------


async def test_those_who_wait_say_that_they_do_once_the_model_is_back() -> None:
    model = FakeLanguageModel(seconds=50, error=ModelUnavailable("nobody answers"))
    it = scene(model)
    async with it.running():
        for name in ("a", "b", "c", "d"):
            await it.reconciler.reconcile(it.fails(name))
        await asyncio.sleep(20)
        assert it.condition(CONSULTED, "d")[1] == "Unavailable"
        model.error = None
        await asyncio.sleep(48)
        assert it.condition(CONSULTED, "d")[:2] == ("False", "Queued")
        assert "first" in it.condition(CONSULTED, "d")[2]


async def test_what_came_of_a_turn_is_not_overwritten_with_news_from_before_it() -> None:
    model = Noting(ModelDeadlineExceeded("slow"), seconds=30)
    it = scene(model)
    async with it.running():
        await it.reconciler.reconcile(it.fails())
        await asyncio.sleep(10)
        # It waited when this was sent on its way, and waits for its turn to end by now.
        await it.reconciler.tell_waiting(KEY, (QUEUED, "the model is asked next"))
        assert it.condition(CONSULTED)[1] == "DeadlineExceeded"
