"""Nobody says for ever that it waits, and no question is lost to whatever comes between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from support.diagnosing import Diagnosing
from support.fake_language_model import FakeLanguageModel
from support.fake_store import overloaded
from support.model_scenes import CONSULTED, KEY, UNSURE, WORSE, scene
from support.virtual_time import VirtualTimeLoop

from kausa.controller.sightings import ResourceKey
from kausa.diagnosis.errors import ModelDeadlineExceeded, ModelUnavailable
from kausa.evidence.dossier import EvidenceGap
from kausa.resources.condition import RESOLVED, ConditionStatus, set_condition
from kausa.resources.diagnosis import DecidedBy
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.telemetry.clock import utc_now

EVENT_LOOP = VirtualTimeLoop
HOUR = 3600.0


def write_fails_once(
    it: Diagnosing, name: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], bool]:
    """The next write of this resource fails; returns whether it has."""
    write = it.store.write_diagnosis
    failed: list[str] = []

    async def failing(*, namespace: str, name: str, status: Any) -> bool:
        if name == failing_name and not failed:
            failed.append(name)
            raise overloaded()
        return await write(namespace=namespace, name=name, status=status)

    failing_name = name
    monkeypatch.setattr(it.store, "write_diagnosis", failing)
    return lambda: bool(failed)


def is_over(it: Diagnosing, key: ResourceKey = KEY) -> None:
    """Its resource says that the failure is over."""
    known = it.store.resources[key]
    assert known.status is not None
    conditions = set_condition(
        known.status.conditions or (),
        type=RESOLVED,
        status=ConditionStatus.TRUE,
        reason="R",
        message="",
        now=utc_now(),
    )
    status = known.status.model_copy(update={"conditions": conditions})
    it.store.resources[key] = known.model_copy(update={"status": status})


def changed(resource: FailureDiagnosis, **spec: Any) -> FailureDiagnosis:
    """A person has changed it."""
    generation = (resource.metadata.generation or 1) + 1
    return resource.model_copy(
        update={
            "metadata": resource.metadata.model_copy(update={"generation": generation}),
            "spec": resource.spec.model_copy(update=spec),
        }
    )


# -- the API server is away for a moment ----------------------------------------------------------


async def test_who_needs_no_answer_any_more_says_so_though_a_write_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = scene(FakeLanguageModel(seconds=500))
    async with it.running():
        for name in ("a", "b"):
            await it.reconciler.reconcile(it.fails(name))
        await asyncio.sleep(10)
        failed = write_fails_once(it, "b", monkeypatch)
        it.looks.forget(("shop", "b"))
        await asyncio.sleep(60)
        assert failed()
        assert it.condition(CONSULTED, "b")[:2] == ("False", "NotNeeded")


async def test_who_was_pushed_out_is_offered_again_though_a_write_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = scene(FakeLanguageModel(seconds=50), queue_size=1)
    async with it.running():
        for name in ("a", "b"):
            await it.reconciler.reconcile(it.fails(name))
        await asyncio.sleep(10)
        failed = write_fails_once(it, "b", monkeypatch)
        await it.reconciler.reconcile(it.fails("c", question="why?"))
        await asyncio.sleep(1000)
        assert failed()
        assert it.condition(CONSULTED, "b")[:2] == ("True", "Answered")


async def test_who_waits_says_that_the_model_is_back_though_a_write_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = FakeLanguageModel(seconds=500, error=ModelUnavailable("nobody answers"))
    it = scene(model)
    async with it.running():
        for name in ("a", "b", "c"):
            await it.reconciler.reconcile(it.fails(name))
        await asyncio.sleep(20)
        failed = write_fails_once(it, "c", monkeypatch)
        model.error = None
        await asyncio.sleep(200)
        assert failed()
        assert it.condition(CONSULTED, "c")[:2] == ("False", "Queued")


# -- whose turn comes, or who comes again, in that very moment ------------------------------------


async def test_who_was_offered_again_meanwhile_is_not_said_to_be_over() -> None:
    it = scene(FakeLanguageModel(seconds=500))
    async with it.running():
        for name in ("a", "b"):
            await it.reconciler.reconcile(it.fails(name))
        await asyncio.sleep(10)
        it.gather_seconds, it.dossier = 5.0, WORSE
        look = asyncio.ensure_future(it.reconciler.look_again(("shop", "b")))
        await asyncio.sleep(1)
        it.looks.forget(("shop", "b"))
        await look
        await asyncio.sleep(60)
        assert it.consulting is not None
        assert it.consulting.waits(("shop", "b"))
        assert it.condition(CONSULTED, "b")[:2] == ("False", "Queued")


async def test_one_whose_turn_comes_while_it_is_being_resolved_says_that_it_is_over() -> None:
    model = FakeLanguageModel()
    it = scene(model)
    await it.reconciler.reconcile(it.fails())
    it.sightings.by_resource[KEY].resolved = True
    async with it.running():
        await asyncio.sleep(10)
        is_over(it)
        it.sightings.remove(KEY)
        it.looks.forget(KEY)
        await asyncio.sleep(10)
    assert it.condition(CONSULTED)[:2] == ("False", "NotNeeded")
    assert model.prompts == []


async def test_one_whose_turn_comes_when_it_says_that_it_is_over_keeps_nobody_waiting() -> None:
    model = FakeLanguageModel()
    it = scene(model)
    for name in ("checkout", "b"):
        await it.reconciler.reconcile(it.fails(name))
    it.sightings.by_resource[KEY].resolved = True
    is_over(it)
    async with it.running():
        await asyncio.sleep(10)
        assert it.condition(CONSULTED)[:2] == ("False", "NotNeeded")
        assert it.condition(CONSULTED, "b")[1] == "Answered"
        assert len(model.prompts) == 1
        assert it.consulting is not None
        assert not it.consulting.waits(KEY)


async def test_one_whose_turn_comes_while_it_is_being_resolved_in_vain_has_its_turn() -> None:
    it = scene(FakeLanguageModel())
    await it.reconciler.reconcile(it.fails())
    it.sightings.by_resource[KEY].resolved = True
    async with it.running():
        await asyncio.sleep(10)
        # It could not be written.
        it.sightings.by_resource[KEY].resolved = False
        await asyncio.sleep(10)
        assert it.condition(CONSULTED)[1] == "Answered"


async def test_one_that_is_suspended_when_its_turn_comes_does_not_say_that_it_waits() -> None:
    it = scene(FakeLanguageModel())
    await it.reconciler.reconcile(it.fails())
    it.store.resources[KEY] = changed(it.now(), suspend=True)
    async with it.running():
        await asyncio.sleep(10)
        await it.reconciler.reconcile(it.now())
        await asyncio.sleep(10)
    assert it.condition(CONSULTED)[1] == "NotNeeded"


# -- a person who asks ----------------------------------------------------------------------------


async def test_a_persons_question_is_answered_though_the_failure_is_over_before_its_turn() -> None:
    it = scene(FakeLanguageModel())
    await it.reconciler.reconcile(it.fails(question="why was that?"))
    is_over(it)
    it.sightings.remove(KEY)
    it.looks.forget(KEY)
    async with it.running():
        await asyncio.sleep(100)
        assert it.condition(CONSULTED)[1] == "Answered"


async def test_a_persons_question_about_what_is_over_is_answered_by_the_next_process() -> None:
    before = scene()
    await before.reconciler.reconcile(before.fails(question="why was that?"))
    is_over(before)
    it = scene(FakeLanguageModel())
    it.store.resources = before.store.resources
    async with it.running():
        await it.reconciler.reconcile(it.now())
        await asyncio.sleep(100)
        assert it.condition(CONSULTED)[1] == "Answered"


async def test_what_came_of_a_question_is_not_said_of_another_resource_of_the_same_name() -> None:
    model = FakeLanguageModel()
    model.errors = [ModelDeadlineExceeded("slow")]
    it = scene(model)
    async with it.running():
        await it.reconciler.reconcile(it.fails(question="why so slow?"))
        await asyncio.sleep(5)
        assert it.condition(CONSULTED)[1] == "DeadlineExceeded"
        del it.store.resources[KEY]
        it.sightings.remove(KEY)
        it.reconciler.deleted(KEY)
        await asyncio.sleep(5)
        await it.reconciler.reconcile(it.fails(question="why at night?"))
        await asyncio.sleep(5)
        assert it.condition(CONSULTED)[1] == "Answered"


# -- another process ------------------------------------------------------------------------------


async def test_who_finds_no_room_in_the_next_process_is_offered_again() -> None:
    before = scene()
    questions = {"a": "why?", "b": None, "c": None}
    for name, question in questions.items():
        await before.reconciler.reconcile(before.fails(name, question=question))
    it = scene(FakeLanguageModel(seconds=5), queue_size=1)
    for name, question in questions.items():
        it.fails(name, question=question)
    it.store.resources = before.store.resources
    async with it.running():
        for name in questions:
            await it.reconciler.reconcile(it.now(name))
        await asyncio.sleep(5)
        assert it.condition(CONSULTED, "b")[1] == "QueueFull"
        await asyncio.sleep(HOUR)
        assert [it.condition(CONSULTED, name)[1] for name in questions] == ["Answered"] * 3


async def test_a_look_that_is_killed_leaves_no_answer_about_what_has_changed_since(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = scene(FakeLanguageModel())
    async with before.running():
        await before.reconciler.reconcile(before.fails())
        await asyncio.sleep(10)
        assert before.condition(CONSULTED)[1] == "Answered"
    write, writes = before.store.write_diagnosis, before.store.writes

    async def killed(**given: Any) -> bool:
        if before.store.writes > writes:
            raise asyncio.CancelledError
        return await write(**given)

    monkeypatch.setattr(before.store, "write_diagnosis", killed)
    before.dossier = WORSE
    with pytest.raises(asyncio.CancelledError):
        await before.reconciler.look_again(KEY)
    assert before.condition(CONSULTED)[:2] == ("Unknown", "Gathering")

    it = scene(FakeLanguageModel(), WORSE)
    it.fails()
    it.store.resources = before.store.resources
    async with it.running():
        await it.reconciler.reconcile(it.now())
        await asyncio.sleep(10)
    status = it.now().status
    assert status is not None
    assert status.diagnosis is not None
    assert status.diagnosis.decided_by is DecidedBy.MODEL


# -- an answer that stands ------------------------------------------------------------------------


async def test_an_answer_that_stands_is_not_replaced_by_what_rules_said_before_all_was_read() -> (
    None
):
    it = scene(FakeLanguageModel())
    async with it.running():
        await it.reconciler.reconcile(it.fails())
        await asyncio.sleep(10)
        it.store.resources[KEY] = changed(it.now())
        it.dossier = replace(WORSE, gaps=(EvidenceGap(what="logs", why="no answer"),))
        asyncio.get_running_loop().call_later(1, setattr, it, "dossier", UNSURE)
        await it.reconciler.reconcile(it.now())
    assert it.condition(CONSULTED)[:2] == ("True", "Answered")
    status = it.now().status
    assert status is not None
    assert status.diagnosis is not None
    assert status.diagnosis.decided_by is DecidedBy.MODEL
    assert status.model is not None
