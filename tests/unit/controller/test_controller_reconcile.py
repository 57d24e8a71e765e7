"""What is left for the memory when the answer comes to be another one, and who waits in a storm."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, cast

import pytest
from support.diagnosed import diagnosed
from support.diagnosing import Diagnosing
from support.dossiers import DEPLOYMENT, dossier
from support.fake_store import FakeStore
from support.objects import NOW
from support.pods import container, pod, terminated, waiting

from kausa.controller.looks import Looks
from kausa.controller.reconcile import Reconciler, Telemetry
from kausa.controller.remembering import Remembering
from kausa.controller.report import Report
from kausa.controller.sightings import Sightings
from kausa.controller.subjects import Subject
from kausa.diagnosis.consultation import Consultation
from kausa.diagnosis.decide import decide
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.recollection import Recollection
from kausa.evidence.dossier import Dossier
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

    def redact(self, text: str) -> str:
        return text

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


# -- in a storm ------------------------------------------------------------------------------------

PULLS = dossier(
    pod(
        container(
            waiting(
                "ImagePullBackOff",
                'Back-off pulling image "shop/api:2": ErrImagePull: failed to resolve reference '
                '"docker.io/shop/api:2": docker.io/shop/api:2: not found',
            ),
            image="shop/api:2",
        ),
        uid="a",
    )
)
NAMES = tuple(f"shop-{number}" for number in range(20))


async def reconcile_all(cluster: Diagnosing, tasks: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
    return [tasks.create_task(cluster.reconciler.reconcile(cluster.fails(name))) for name in NAMES]


async def settled(cluster: Diagnosing, *, writes: int) -> None:
    """So many have written something, and four gather."""
    async with asyncio.timeout(5):
        while cluster.store.writes < writes or cluster.gathered < 4:
            await asyncio.sleep(0.001)
    await asyncio.sleep(0.01)
    assert cluster.store.writes == writes


def told(cluster: Diagnosing) -> list[str]:
    """Who says a cause."""
    found = ((name, cluster.now(name).status) for name in NAMES)
    return [name for name, status in found if status is not None and status.diagnosis is not None]


async def test_who_waits_for_its_evidence_says_at_once_what_the_status_alone_tells() -> None:
    cluster = Diagnosing(PULLS, models=None)
    cluster.gather_seconds = 1000.0
    async with asyncio.TaskGroup() as tasks:
        running = await reconcile_all(cluster, tasks)
        await settled(cluster, writes=20)
        for task in running:
            task.cancel()
    names = told(cluster)
    assert len(names) == 16
    assert cluster.gathered == 4
    status, reason, message = cluster.condition("Diagnosed", names[0])
    assert (status, reason) == ("Unknown", "Gathering")
    assert "status alone" in message
    assert cluster.condition("EvidenceGathered", names[0])[0] == "Unknown"
    found = cluster.now(names[0]).status
    assert found is not None
    assert found.diagnosis is not None
    assert "does not exist" in found.diagnosis.summary
    assert set(found.diagnosis.citations) <= {each.id for each in found.evidence or ()}


async def test_of_a_crash_whose_log_was_not_read_nothing_is_said_before_it_is() -> None:
    cluster = Diagnosing(SEEN, models=None)
    cluster.gather_seconds = 1000.0
    async with asyncio.TaskGroup() as tasks:
        running = await reconcile_all(cluster, tasks)
        await settled(cluster, writes=4)
        for task in running:
            task.cancel()
    assert told(cluster) == []


ENDED_WELL = pod(container(waiting("CrashLoopBackOff"), last=terminated(0), restarts=9), uid="a")


@pytest.mark.parametrize("seen", [dossier(ENDED_WELL), dossier(ENDED_WELL, log="cache is warm\n")])
async def test_of_exit_code_0_nothing_is_said_before_events_tell_whether_it_was_ended(
    seen: Dossier,
) -> None:
    cluster = Diagnosing(seen, models=None)
    cluster.gather_seconds = 1000.0
    async with asyncio.TaskGroup() as tasks:
        running = await reconcile_all(cluster, tasks)
        await settled(cluster, writes=4)
        for task in running:
            task.cancel()
    assert cluster.most_glancing > 0
    assert told(cluster) == []


LOGGED = dossier(
    CRASHES,
    log="Traceback (most recent call last):\n"
    '  File "/app/main.py", line 3, in <module>\n'
    "KeyError: 'PAYMENTS_DB_DSN'\n",
)


async def test_of_a_crash_is_said_what_its_log_tells_before_the_evidence_around_it_is_read() -> (
    None
):
    cluster = Diagnosing(LOGGED, models=None)
    cluster.gather_seconds, cluster.find_seconds = 1000.0, 0.001
    async with asyncio.TaskGroup() as tasks:
        running = await reconcile_all(cluster, tasks)
        await settled(cluster, writes=20)
        for task in running:
            task.cancel()
    names = told(cluster)
    assert len(names) == 16
    assert cluster.most_glancing == 4
    status, reason, message = cluster.condition("Diagnosed", names[0])
    assert (status, reason) == ("Unknown", "Gathering")
    assert "its log" in message
    found = cluster.now(names[0]).status
    assert found is not None
    assert found.diagnosis is not None
    assert "PAYMENTS_DB_DSN" in found.diagnosis.summary


async def test_who_could_say_nothing_at_a_glance_has_its_evidence_read_before_who_could() -> None:
    cluster = Diagnosing(PULLS, models=None)
    silent = NAMES[1::4]
    cluster.at_a_glance = dict.fromkeys(silent, SEEN)
    cluster.gather_seconds = 0.05
    async with asyncio.TaskGroup() as tasks:
        await reconcile_all(cluster, tasks)
    # The first four began before there was a crowd.
    assert set(cluster.gathered_names[:4]) == set(NAMES[:4])
    assert set(cluster.gathered_names[4:8]) == set(silent) - set(NAMES[:4])
    assert len(cluster.gathered_names) == len(NAMES)


async def test_where_the_crowd_has_passed_meanwhile_all_of_the_evidence_is_read_at_once() -> None:
    cluster = Diagnosing(LOGGED, models=None)
    with ExitStack() as opening:
        opening.enter_context(cluster.sightings.openings.one())
        async with asyncio.TaskGroup() as tasks:
            running = await reconcile_all(cluster, tasks)
            await asyncio.sleep(0.01)
            for task in running[:-3]:
                task.cancel()
            await asyncio.sleep(0.01)
            gathered = cluster.gathered
            opening.close()
    assert cluster.most_glancing == 0
    assert cluster.gathered - gathered == 3


async def test_what_was_said_by_the_status_alone_gives_way_to_the_diagnosis() -> None:
    cluster = Diagnosing(PULLS, models=None)
    async with asyncio.TaskGroup() as tasks:
        await reconcile_all(cluster, tasks)
    for name in NAMES:
        assert cluster.condition("Diagnosed", name)[0] == "True"
        assert cluster.condition("EvidenceGathered", name)[0] == "True"


async def test_in_a_crowd_an_answer_is_written_once_with_what_memory_brings() -> None:
    cluster = Diagnosing(SEEN, models=None)
    async with asyncio.TaskGroup() as tasks:
        await reconcile_all(cluster, tasks)
    # The first four say that they are looked at; nobody writes what the next write says, too.
    assert cluster.store.writes <= 4 + len(NAMES) + 4
    for name in NAMES:
        assert cluster.condition("Diagnosed", name)[0] != "Unknown"
        assert cluster.condition("MemoryRecalled", name)[0] == "False"


async def test_one_alone_says_what_rules_found_before_memory_is_asked() -> None:
    cluster = Diagnosing(SEEN, models=None)
    await cluster.reconciler.reconcile(cluster.fails(NAMES[0]))
    assert cluster.store.writes == 3


async def test_whose_failures_they_are_is_asked_for_a_few_at_a_time() -> None:
    cluster = Diagnosing(SEEN, models=None)
    cluster.find_seconds = 0.001
    async with asyncio.TaskGroup() as tasks:
        await reconcile_all(cluster, tasks)
    assert cluster.most_finding == 4


async def test_a_process_that_starts_again_in_a_storm_does_not_say_again_that_it_looks() -> None:
    cluster = Diagnosing(SEEN, models=None)
    for name in NAMES:
        made = cluster.fails(name)
        report = Report(made, clock=lambda: NOW)
        begun = made.model_copy(update={"status": report.status()})
        cluster.store.resources["shop", name] = begun
    # A process that has just started has not seen yet what fails.
    cluster.sightings.by_resource.clear()
    cluster.gather_seconds = 1000.0
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(cluster.reconciler.reconcile(cluster.now(name))) for name in NAMES
        ]
        await settled(cluster, writes=4)
        for task in running:
            task.cancel()
