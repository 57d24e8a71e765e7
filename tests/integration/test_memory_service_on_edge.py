"""The memory service on the real embedded store; only the vectors are made up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.fake_memory import FakeEmbedder
from support.records import NOON, RECORD

from kausa.memory.chunking.markdown import RunbookSource, runbook_chunks
from kausa.memory.edge.client import EdgeStore
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.filters import EVERYTHING, Filter, OneOf
from kausa.memory.migration import migrate
from kausa.memory.records import FailureOutcome, FailureRecord
from kausa.memory.service import FailureMemory
from kausa.memory.sync import rebuild_failures, sync_failures

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

SECONDS = 30.0
LONG = "\n".join(f"ERROR attempt {n} failed: connection refused" for n in range(120))


def memory_of(folder: Path, *, model: str = "tiny", dimensions: int = 8) -> FailureMemory:
    return FailureMemory(
        embedder=FakeEmbedder(model=model, dimensions=dimensions), store=EdgeStore(folder=folder)
    )


@pytest.fixture
async def memory(tmp_path: Path) -> AsyncIterator[FailureMemory]:
    memory = memory_of(tmp_path / "memory")
    yield memory
    await memory.close()


async def told(count: int) -> AsyncIterator[FailureRecord]:
    for number in range(count):
        yield replace(RECORD, owner_name=f"w{number}")


async def ended(record: FailureRecord) -> FailureOutcome:
    return "Superseded"


async def read(memory: FailureMemory) -> FailureRecord:
    found = await memory.get(RECORD.record_id, deadline_seconds=SECONDS)
    assert isinstance(found, FailureRecord)
    return found


async def test_a_record_comes_back_as_it_went_and_changes_in_its_place(
    memory: FailureMemory,
) -> None:
    full = replace(RECORD, labels=("app=checkout",), text=LONG)
    await memory.remember([full], deadline_seconds=SECONDS)
    assert await read(memory) == replace(full, model="tiny")
    over = replace(full, outcome="Resolved", resolved_at=NOON, resolution="x", changed=("a",))
    await memory.remember([over], deadline_seconds=SECONDS)
    assert await read(memory) == replace(over, model="tiny")
    await memory.remember([full], deadline_seconds=SECONDS)
    assert await read(memory) == replace(full, model="tiny")
    assert await memory.remember_changed([full], deadline_seconds=SECONDS) == 0
    assert await memory.count(deadline_seconds=SECONDS) == 1


async def test_rewards_are_compared_and_set_on_every_passage(memory: FailureMemory) -> None:
    await memory.remember([replace(RECORD, text=LONG)], deadline_seconds=SECONDS)
    await asyncio.gather(
        *(memory.add_reward(RECORD.record_id, 1.0, deadline_seconds=SECONDS) for _ in range(10))
    )
    for verdict, total, count in (("Wrong", 10.0, 11), ("Helpful", 11.0, 11), (None, 10.0, 10)):
        await memory.set_verdict(RECORD.record_id, verdict, deadline_seconds=SECONDS)  # type: ignore[arg-type]
        where = Filter(must=(OneOf("reward_count", (count,)),))
        found = await memory.store.count("failures", where=where, deadline_seconds=SECONDS)
        assert found > 1
        assert found == await memory.store.count(
            "failures", where=EVERYTHING, deadline_seconds=SECONDS
        )
        record = await read(memory)
        assert (record.reward_sum, record.verdict) == (total, verdict)


async def test_a_runbook_is_replaced_as_a_set(memory: FailureMemory) -> None:
    source = RunbookSource(
        cluster="test", name="oom", source="ops/oom", title="Out of memory", changed_at=NOON
    )
    long = "".join(f"# Step {n}\nDo {n}.\n" for n in range(250))
    assert await memory.upsert_runbook(runbook_chunks(long, of=source), deadline_seconds=SECONDS)
    short = runbook_chunks("# Step 1\nDo 1.\n", of=source)
    assert await memory.upsert_runbook(short, deadline_seconds=SECONDS)
    assert not await memory.upsert_runbook(short, deadline_seconds=SECONDS)
    count = await memory.store.count("runbooks", where=EVERYTHING, deadline_seconds=SECONDS)
    assert count == 1
    found = await memory.candidates(
        "runbooks", text="step", words="step", wheres=[EVERYTHING], limit=5,
        deadline_seconds=SECONDS,
    )  # fmt: skip
    assert [each.payload["headings"] for each in found] == [["Step 1"]]
    await memory.remove_runbook(cluster="test", source="ops/oom", deadline_seconds=SECONDS)
    assert await memory.runbook_sources(cluster="test", deadline_seconds=SECONDS) == {}


@pytest.mark.parametrize("way", ["rebuild", "migrate"])
async def test_another_model_is_refused_until_the_memory_is_made_anew(
    tmp_path: Path, way: str
) -> None:
    old = memory_of(tmp_path)
    gone = replace(RECORD, owner_name="gone", outcome="Resolved", resolved_at=NOON)
    await old.remember([RECORD, gone], deadline_seconds=SECONDS)
    await old.add_reward(gone.record_id, 1.0, deadline_seconds=SECONDS)
    await old.close()
    memory = memory_of(tmp_path, model="other", dimensions=4)
    try:
        with pytest.raises(MemoryUnavailableError) as refused:
            await memory.start(deadline_seconds=SECONDS)
        assert refused.value.reason in ("ModelMismatch", "DimensionMismatch")
        assert "kausa memory migrate" in str(refused.value)
        if way == "migrate":
            await migrate(memory.store, embedder=memory.embedder)
        else:
            await rebuild_failures(memory, told(5), cluster="test", namespace=None, ended=ended)
        await memory.start(deadline_seconds=SECONDS)
        schemas = {
            each.schema.model for each in await memory.store.generations(deadline_seconds=SECONDS)
        }
        assert schemas == {"other"}
        report = await sync_failures(memory, told(5), cluster="test", namespace=None, ended=ended)
        kept = await memory.get(gone.record_id, deadline_seconds=SECONDS)
        # What no resource tells any more, and what people said of it, is brought over.
        assert isinstance(kept, FailureRecord)
        assert kept.reward_count == 1
        if way == "migrate":
            assert report.ended == 1
        else:
            assert report.unchanged == 5
    finally:
        await memory.close()


async def test_a_second_process_is_told_who_holds_the_memory(
    memory: FailureMemory, tmp_path: Path
) -> None:
    await memory.start(deadline_seconds=SECONDS)
    second = memory_of(tmp_path / "memory")
    with pytest.raises(MemoryUnavailableError) as locked:
        await second.start(deadline_seconds=SECONDS)
    assert locked.value.reason == "StoreLocked"
    await second.close()
