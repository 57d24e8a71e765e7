from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from support.fake_memory import FakeEmbedder, FakeVectorStore, fake_memory, unavailable
from support.records import NOON, RECORD
from support.virtual_time import VirtualTimeLoop

from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.filters import EVERYTHING
from kausa.memory.ingest import Ingest
from kausa.memory.metrics import MemoryMetrics
from kausa.memory.records import FailureRecord

RECORDS = [replace(RECORD, owner_name=f"w{number}") for number in range(100)]


class Ingesting:
    """An ingest over a store and an embedder that can be away."""

    def __init__(self, *, embedder: FakeEmbedder | None = None, **given: Any) -> None:
        self.store, self.embedder = FakeVectorStore(), embedder or FakeEmbedder()
        self.registry = CollectorRegistry()
        self.memory = fake_memory(self.store, self.embedder)
        self.ingest = Ingest(memory=self.memory, metrics=MemoryMetrics(self.registry), **given)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Ingest]:
        task = asyncio.ensure_future(self.ingest.run())
        try:
            yield self.ingest
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"kausa_memory_{name}", labels) or 0.0

    def owners(self) -> set[str]:
        return {each["owner_name"] for each in self.store.payloads()}


async def written(ingest: Ingest) -> None:
    """Return when nothing waits and nothing is in hand."""
    while len(ingest):
        await asyncio.sleep(0.01)


def in_virtual_time(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Pauses of minutes take no time."""

    def run() -> None:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(test())

    run.__name__ = test.__name__
    return run


@in_virtual_time
async def test_what_is_offered_is_written_in_batches() -> None:
    it = Ingesting(batch=32)
    async with it.running() as ingest:
        for record in RECORDS:
            ingest.offer(record)
        await written(ingest)
    assert len(it.owners()) == 100
    assert it.store.calls["upsert"] == 4
    assert it.metric("records_written_total") == 100
    assert it.metric("ingest_queued") == 0


@in_virtual_time
async def test_offering_never_waits_and_the_oldest_make_room() -> None:
    it = Ingesting(most=10)
    for record in RECORDS:
        it.ingest.offer(record)
    assert (len(it.ingest), it.ingest.lost) == (10, 90)
    assert it.metric("records_dropped_total", why="full") == 90
    async with it.running() as ingest:
        await written(ingest)
    assert it.owners() == {f"w{number}" for number in range(90, 100)}


@in_virtual_time
async def test_a_repeat_takes_the_place_of_its_earlier_self() -> None:
    it = Ingesting(most=10)
    for count in range(1, 1000):
        it.ingest.offer(replace(RECORD, occurrences=count))
    assert (len(it.ingest), it.ingest.lost) == (1, 0)
    async with it.running() as ingest:
        await written(ingest)
    assert [each["occurrences"] for each in it.store.payloads()] == [999]


def _outage(break_it: Callable[[Ingesting], None], mend: Callable[[Ingesting], None]) -> Any:
    @in_virtual_time
    async def test() -> None:
        it = Ingesting()
        async with it.running() as ingest:
            ingest.offer(RECORDS[0])
            await written(ingest)
            break_it(it)
            for record in RECORDS[1:50]:
                ingest.offer(record)
            await asyncio.sleep(600)
            assert len(ingest) == 49
            assert it.metric("available") == 0
            retries = it.metric("ingest_retries_total")
            assert 3 < retries < 60
            mend(it)
            await written(ingest)
        assert it.owners() == {f"w{number}" for number in range(50)}
        assert (it.ingest.lost, it.metric("available")) == (0, 1)

    return test


def _set(part: str, name: str, value: object) -> Callable[[Ingesting], None]:
    return lambda it: setattr(getattr(it, part), name, value)


test_a_store_that_is_away_for_minutes_loses_nothing = _outage(
    _set("store", "fail", unavailable()), _set("store", "fail", None)
)
test_a_store_that_is_full_loses_nothing = _outage(
    _set("store", "full", True), _set("store", "full", False)
)
test_an_embedder_that_is_away_loses_nothing = _outage(
    _set("embedder", "fail", unavailable("EmbedderUnavailable")), _set("embedder", "fail", None)
)
test_a_store_that_hangs_loses_nothing = _outage(
    _set("store", "delay", 1000.0), _set("store", "delay", 0.0)
)


@in_virtual_time
async def test_a_malformed_record_is_dropped_and_the_others_of_its_batch_are_not() -> None:
    it = Ingesting()
    bad: FailureRecord = replace(RECORD, occurrences=-5)
    async with it.running() as ingest:
        for record in (RECORDS[0], bad, RECORDS[1]):
            ingest.offer(record)
        await written(ingest)
    assert it.owners() == {"w0", "w1"}
    assert it.metric("records_dropped_total", why="malformed") == 1


@in_virtual_time
async def test_what_is_in_hand_when_it_is_cancelled_still_waits() -> None:
    it = Ingesting()
    it.store.delay = 5.0
    async with it.running() as ingest:
        for record in RECORDS[:3]:
            ingest.offer(record)
        await asyncio.sleep(1)
    assert len(it.ingest) == 3
    it.store.delay = 0.0
    async with it.running() as ingest:
        await written(ingest)
    assert it.owners() == {"w0", "w1", "w2"}


@in_virtual_time
async def test_a_later_self_is_not_undone_by_a_batch_that_failed() -> None:
    it = Ingesting()
    it.store.fail = unavailable()
    async with it.running() as ingest:
        ingest.offer(replace(RECORD, occurrences=1))
        await asyncio.sleep(0.06)
        ingest.offer(replace(RECORD, occurrences=2))
        await asyncio.sleep(5)
        it.store.fail = None
        await written(ingest)
    assert [each["occurrences"] for each in it.store.payloads()] == [2]


@in_virtual_time
async def test_a_copy_does_not_make_a_copy_of_what_the_witness_offered() -> None:
    it = Ingesting()
    it.ingest.offer(RECORD)
    it.ingest.offer(replace(RECORD, outcome="Resolved"), copied=True)
    async with it.running() as ingest:
        await written(ingest)
    assert [each["outcome"] for each in it.store.payloads()] == ["Resolved"]


@in_virtual_time
async def test_a_copy_takes_nothing_from_the_full_record_that_waits_or_comes_back() -> None:
    it = Ingesting()
    full = replace(RECORD, labels=("app=checkout",))
    copy = replace(
        RECORD, image=None, node=None, labels=(), text="short", outcome="Resolved", resolved_at=NOON
    )
    others = replace(full, owner_name="other"), replace(copy, owner_name="other")
    it.store.fail = unavailable()
    it.ingest.offer(full)
    it.ingest.offer(copy, copied=True)
    it.ingest.offer(others[0])
    async with it.running() as ingest:
        await asyncio.sleep(0.06)
        it.store.delay = 1.0
        await asyncio.sleep(0.8)
        assert len(ingest._in_hand) == 2
        ingest.offer(others[1], copied=True)
        await asyncio.sleep(5)
        it.store.fail, it.store.delay = None, 0.0
        await written(ingest)
    for found in it.store.payloads():
        assert (found["image"], found["node"]) == (RECORD.image, RECORD.node)
        assert (found["labels"], found["text"]) == (["app=checkout"], RECORD.text)
        assert found["outcome"] == "Resolved"


class Particular(FakeEmbedder):
    """Does not take some texts."""

    async def embed(self, texts: Sequence[str], **how: Any) -> list[list[float]]:
        if any("poison" in text for text in texts):
            raise unavailable("EmbedderFailed")
        return await super().embed(texts, **how)


@in_virtual_time
async def test_a_text_that_no_embedder_takes_is_left_out_alone() -> None:
    it = Ingesting(embedder=Particular())
    async with it.running() as ingest:
        for record in (*RECORDS[:20], replace(RECORDS[20], text="poison"), *RECORDS[21:60]):
            ingest.offer(record)
        await written(ingest)
    assert it.owners() == {f"w{number}" for number in range(60)} - {"w20"}
    assert it.metric("records_dropped_total", why="refused") == 1
    assert it.metric("records_written_total") == 59
    assert it.memory.error is None


@in_virtual_time
async def test_an_embedder_that_fails_with_every_text_costs_no_record() -> None:
    it = Ingesting()
    await it.memory.start(deadline_seconds=1)
    it.embedder.fail = unavailable("EmbedderFailed")
    async with it.running() as ingest:
        for record in RECORDS[:40]:
            ingest.offer(record)
        await asyncio.sleep(60)
        assert len(ingest) == 40
        it.embedder.fail = None
        await written(ingest)
    assert len(it.owners()) == 40


@in_virtual_time
async def test_a_diagnosis_does_not_wait_behind_the_bulk() -> None:
    it = Ingesting(batch=8)
    await it.memory.start(deadline_seconds=1)
    it.embedder.delay = 0.5
    loop = asyncio.get_running_loop()
    async with it.running() as ingest:
        for record in RECORDS:
            ingest.offer(record)
        await asyncio.sleep(1)
        started = loop.time()
        await it.memory.candidates(
            "failures", text="a", words="a", wheres=[EVERYTHING], limit=5, deadline_seconds=5
        )
        assert loop.time() - started < 1.0
        assert len(ingest) > 50


@in_virtual_time
async def test_while_it_is_away_a_question_is_answered_at_once() -> None:
    it = Ingesting()
    it.store.fail = unavailable()
    async with it.running() as ingest:
        ingest.offer(RECORD)
        await asyncio.sleep(30)
        with pytest.raises(MemoryUnavailableError) as away:
            await it.memory.candidates(
                "failures", text="a", words="a", wheres=[EVERYTHING], limit=5, deadline_seconds=5
            )
    assert away.value.reason == "StoreUnavailable"


@in_virtual_time
async def test_what_waits_when_it_is_to_end_is_still_written_where_that_takes_no_time() -> None:
    it = Ingesting(linger_seconds=10.0)
    await it.memory.start(deadline_seconds=1)
    async with it.running() as ingest:
        for record in RECORDS:
            ingest.offer(record)
        await asyncio.sleep(0.01)
    assert len(it.owners()) == 100
    assert len(it.ingest) == 0


@in_virtual_time
async def test_nobody_waits_at_the_end_for_a_memory_that_is_away() -> None:
    it = Ingesting()
    it.store.fail = unavailable()
    async with it.running() as ingest:
        ingest.offer(RECORD)
        await asyncio.sleep(100)
        started = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - started < 0.1
    assert len(it.ingest) == 1


@in_virtual_time
async def test_a_defect_of_ours_costs_one_record_and_not_the_operator() -> None:
    it = Ingesting()
    real = it.store.upsert

    async def upsert(collection: Any, points: Any, *, deadline_seconds: float) -> None:
        if any(each.payload["owner_name"] == "w1" for each in points):
            raise RuntimeError("a defect of ours")
        await real(collection, points, deadline_seconds=deadline_seconds)

    it.store.upsert = upsert  # type: ignore[method-assign]
    async with it.running() as ingest:
        for record in RECORDS[:3]:
            ingest.offer(record)
        await written(ingest)
    assert it.owners() == {"w0", "w2"}
    assert it.metric("records_dropped_total", why="malformed") == 1
