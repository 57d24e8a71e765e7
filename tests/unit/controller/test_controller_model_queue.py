"""Who waits for a model: who needs no answer any more, who was there before, who finds no room."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from support.fake_language_model import FakeLanguageModel
from support.model_scenes import CONSULTED, KEY, scene
from support.virtual_time import VirtualTimeLoop

from kausa.resources.condition import RESOLVED, ConditionStatus, set_condition
from kausa.resources.status import FailureDiagnosisStatus
from kausa.telemetry.clock import utc_now

EVENT_LOOP = VirtualTimeLoop


# -- whoever needs no answer any more ------------------------------------------------------------


async def test_what_is_over_or_gone_meanwhile_stops_the_model() -> None:
    model = FakeLanguageModel(seconds=50)
    it = scene(model)
    async with it.running():
        for name in ("a", "b"):
            await it.reconciler.reconcile(it.fails(name))
        await asyncio.sleep(10)
        assert model.asking == 1
        it.looks.forget(("shop", "b"))
        it.looks.forget(("shop", "a"))
        await asyncio.sleep(1)
        assert model.asking == 0
        await asyncio.sleep(100)
        assert it.condition(CONSULTED, "a")[:2] == ("False", "NotNeeded")
        assert it.condition(CONSULTED, "b")[:2] == ("False", "NotNeeded")
    assert len(model.prompts) == 1


async def test_one_that_is_resolved_when_its_turn_comes_is_left_out() -> None:
    model = FakeLanguageModel()
    it = scene(model)
    await it.reconciler.reconcile(it.fails())
    it.sightings.by_resource[KEY].resolved = True
    async with it.running():
        await asyncio.sleep(10)
    assert model.prompts == []


async def test_a_changed_question_stops_what_is_asked_and_asks_anew() -> None:
    model = FakeLanguageModel(seconds=50)
    it = scene(model)
    async with it.running():
        resource = it.fails()
        await it.reconciler.reconcile(resource)
        await asyncio.sleep(10)
        changed = it.now().model_copy(
            update={
                "metadata": resource.metadata.model_copy(update={"generation": 2}),
                "spec": resource.spec.model_copy(update={"question": "why at night?"}),
            }
        )
        it.store.resources[KEY] = changed
        async with asyncio.timeout(5):
            await it.reconciler.reconcile(changed)
        await asyncio.sleep(60)
    assert len(model.prompts) == 2
    assert "why at night?" in model.prompts[1]
    assert "why at night?" not in model.prompts[0]


async def test_between_two_crashes_it_goes_on_waiting() -> None:
    model = FakeLanguageModel()
    it = scene(model)
    await it.reconciler.reconcile(it.fails())
    it.sightings.by_resource[KEY].failing.clear()
    await it.reconciler.look_again(KEY)
    async with it.running():
        await asyncio.sleep(10)
    assert it.condition(CONSULTED)[1] == "Answered"


async def test_a_look_never_waits_for_the_model() -> None:
    it = scene(FakeLanguageModel(seconds=50))
    async with it.running():
        await it.reconciler.reconcile(it.fails())
        await asyncio.sleep(10)
        async with asyncio.timeout(1):
            await it.reconciler.look_again(KEY)


@pytest.mark.parametrize("concurrent", [1, 2])
async def test_a_look_that_was_under_way_when_the_turn_came_brings_no_second_turn(
    concurrent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = scene(FakeLanguageModel(seconds=20), concurrent=concurrent)
    turns: list[str] = []
    take_turn = it.reconciler.take_turn

    async def counted(key: tuple[str, str]) -> None:
        turns.append(key[1])
        await take_turn(key)

    monkeypatch.setattr(it.reconciler, "take_turn", counted)
    async with it.running():
        for name in ("a", "b", "c"):
            await it.reconciler.reconcile(it.fails(name))
        await asyncio.sleep(38 if concurrent == 1 else 18)
        # The evidence of `c` is being read when one of the others is done.
        it.gather_seconds = 6.0
        look = asyncio.ensure_future(it.reconciler.look_again(("shop", "c")))
        await asyncio.sleep(4)
        assert it.queue is not None
        assert it.queue.is_asking(("shop", "c"))
        await asyncio.sleep(200)
        await look
        assert it.condition(CONSULTED, "c")[1] == "Answered"
    assert turns == ["a", "b", "c"]


async def test_nobody_asks_about_what_is_over_unless_a_person_does() -> None:
    model = FakeLanguageModel()
    it = scene(model)
    for name, question in (("over", None), ("asked", "why was that?")):
        resource = it.fails(name, question=question)
        conditions = set_condition(
            (), type=RESOLVED, status=ConditionStatus.TRUE, reason="R", message="", now=utc_now()
        )
        status = FailureDiagnosisStatus(conditions=conditions)
        it.store.resources["shop", name] = resource.model_copy(update={"status": status})
        it.sightings.remove(("shop", name))
        await it.reconciler.reconcile(it.now(name))
    async with it.running():
        await asyncio.sleep(5)
    assert it.condition(CONSULTED, "over") == ("False", "NotNeeded", "the failure is over")
    assert it.condition(CONSULTED, "asked")[1] == "Answered"


# -- a restart, and a full queue -----------------------------------------------------------------


async def test_what_an_earlier_process_left_waiting_goes_on_waiting_in_this_one() -> None:
    before = scene()
    await before.reconciler.reconcile(before.fails())
    assert before.condition(CONSULTED)[1] == "Queued"
    model = FakeLanguageModel()
    it = scene(model)
    it.fails()
    it.store.resources = before.store.resources
    async with it.running():
        await it.reconciler.reconcile(it.now())
        await asyncio.sleep(5)
    assert len(model.prompts) == 1
    assert it.condition(CONSULTED)[1] == "Answered"


async def test_another_process_goes_on_in_the_order_of_this_one() -> None:
    before = scene()
    for name in ("first", "second"):
        await before.reconciler.reconcile(before.fails(name))
    # The condition tells since when each waits.
    for name, ago in (("first", 500), ("second", 300)):
        known = before.now(name)
        assert known.status is not None
        since = utc_now() - timedelta(seconds=ago)
        conditions = tuple(
            each.model_copy(update={"last_transition_time": since})
            for each in known.status.conditions or ()
        )
        status = known.status.model_copy(update={"conditions": conditions})
        before.store.resources["shop", name] = known.model_copy(update={"status": status})
    it = scene()
    for name in ("second", "first", "new"):
        it.fails(name)
    it.store.resources |= before.store.resources
    for name in ("new", "second", "first"):
        await it.reconciler.reconcile(it.now(name))
    assert it.queue is not None
    assert [name for _, name in it.queue.in_order()] == ["first", "second", "new"]


async def test_who_finds_no_room_says_so_and_is_offered_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kausa.controller.looks.TICK_SECONDS", 30.0)
    model = FakeLanguageModel(seconds=1)
    it = scene(model, queue_size=2)
    async with it.running():
        for name in ("a", "b", "c", "d", "e"):
            await it.reconciler.reconcile(it.fails(name))
        await asyncio.sleep(0.5)
        reasons = [it.condition(CONSULTED, name)[1] for name in "abcde"]
        assert "QueueFull" in reasons
        await asyncio.sleep(600)
        assert [it.condition(CONSULTED, name)[1] for name in "abcde"] == ["Answered"] * 5


async def test_one_that_was_pushed_out_by_a_more_urgent_one_is_told() -> None:
    it = scene(FakeLanguageModel(seconds=100), queue_size=1)
    async with it.running():
        for name in ("asked", "waits"):
            await it.reconciler.reconcile(it.fails(name))
            await asyncio.sleep(1)
        await it.reconciler.reconcile(it.fails("urgent", question="why?"))
        await asyncio.sleep(1)
        assert it.condition(CONSULTED, "waits")[1] == "QueueFull"
        assert it.condition(CONSULTED, "urgent")[1] == "Queued"
