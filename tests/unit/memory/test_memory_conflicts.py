"""Several who write the same record, in whatever order: nothing that is known is undone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from support.fake_memory import FakeVectorStore, fake_memory
from support.records import NOON, RECORD
from support.rollouts import after

from kausa.memory.records import FailureRecord, RolloutRecord
from kausa.memory.service import FailureMemory

LATER = replace(
    RECORD,
    occurrences=20,
    last_seen=NOON + timedelta(hours=1),
    outcome="Resolved",
    resolved_at=NOON + timedelta(hours=2),
    resolution="limit raised",
    changed=("limit 256Mi -> 512Mi",),
)
ROLLOUT = RolloutRecord(
    cluster="test",
    namespace="shop",
    owner_kind="Deployment",
    owner_name="checkout",
    revision="2",
    outcome="SUCCEEDED",
    images=("shop/api:2",),
    changed=("image: shop/api:1 -> shop/api:2",),
    first_seen=after(0),
    last_seen=after(10),
)


async def kept(memory: FailureMemory, record_id: str = RECORD.record_id) -> FailureRecord:
    found = await memory.get(record_id, deadline_seconds=1)
    assert isinstance(found, FailureRecord)
    return found


async def test_an_older_copy_undoes_nothing_and_brings_its_verdict() -> None:
    memory = fake_memory()
    await memory.remember([LATER], deadline_seconds=1)
    copy = replace(RECORD, image=None, node=None, text="short", verdict="Helpful")
    await memory.remember([copy], copied=True, deadline_seconds=1)
    found = await kept(memory)
    counted = replace(LATER, verdict="Helpful", reward_sum=1.0, reward_count=1)
    assert replace(found, model=None) == counted


@pytest.mark.parametrize("seconds", [1, 7200])
async def test_a_copy_of_a_relapse_is_believed(seconds: int) -> None:
    memory = fake_memory()
    await memory.remember([LATER], deadline_seconds=1)
    assert LATER.resolved_at is not None
    relapse = replace(
        RECORD, occurrences=21, last_seen=LATER.resolved_at + timedelta(seconds=seconds)
    )
    await memory.remember([relapse], copied=True, deadline_seconds=1)
    found = await kept(memory)
    assert (found.outcome, found.resolved_at, found.occurrences) == ("Open", None, 21)


async def test_the_last_words_of_a_resource_end_its_failure_however_old_they_are() -> None:
    memory = fake_memory()
    seen_again = replace(RECORD, occurrences=20, last_seen=NOON + timedelta(hours=1))
    await memory.remember([seen_again], deadline_seconds=1)
    last_words = replace(RECORD, outcome="Superseded")
    await memory.remember([last_words], copied=True, deadline_seconds=1)
    assert replace(await kept(memory), model=None) == replace(seen_again, outcome="Superseded")


async def test_a_recovery_is_written_over_a_sighting_that_its_resource_does_not_know() -> None:
    memory = fake_memory()
    seen_again = replace(RECORD, occurrences=20, last_seen=NOON + timedelta(minutes=9))
    await memory.remember([seen_again], deadline_seconds=1)
    over = replace(RECORD, outcome="Resolved", resolved_at=NOON + timedelta(minutes=10))
    await memory.remember([over], copied=True, deadline_seconds=1)
    found = await kept(memory)
    assert (found.outcome, found.occurrences) == ("Resolved", 20)
    assert found.last_seen == seen_again.last_seen


async def test_what_a_rollout_changed_is_not_forgotten_by_who_has_just_started() -> None:
    memory = fake_memory()
    await memory.remember([ROLLOUT], deadline_seconds=1)
    texts = len(memory.embedder.texts)  # type: ignore[attr-defined]
    await memory.remember([replace(ROLLOUT, changed=())], deadline_seconds=1)
    found = await memory.get(ROLLOUT.record_id, deadline_seconds=1)
    assert isinstance(found, RolloutRecord)
    assert found.changed == ROLLOUT.changed
    assert len(memory.embedder.texts) == texts  # type: ignore[attr-defined]


@pytest.mark.parametrize("again", [{"occurrences": 99}, {"verdict": "Helpful"}])
async def test_what_is_deleted_between_reading_and_changing_is_written_whole(
    again: dict[str, Any],
) -> None:
    store = FakeVectorStore()
    memory = fake_memory(store)
    await memory.remember([RECORD], deadline_seconds=1)
    real = store.set_payload

    async def set_payload(*of: Any, **how: Any) -> bool:
        store.points["failures"].clear()
        return await real(*of, **how)

    store.set_payload = set_payload  # type: ignore[method-assign]
    changed: FailureRecord = replace(RECORD, **again)
    await memory.remember([changed], deadline_seconds=1)
    store.set_payload = real  # type: ignore[method-assign]
    found = await kept(memory)
    assert (found.occurrences, found.verdict) == (changed.occurrences, changed.verdict)


async def test_two_changes_of_a_reward_that_come_to_the_same_count_are_both_counted() -> None:
    store = FakeVectorStore()
    memory, other = fake_memory(store), fake_memory(store)
    await memory.remember([replace(RECORD, verdict="Helpful")], deadline_seconds=1)
    real = store.get
    reads: list[object] = []

    async def get(*of: Any, **how: Any) -> Any:
        found = await real(*of, **how)
        reads.append(found)
        if len(reads) == 1:
            # Another process swaps its verdict: one less, one more.
            await other.set_verdict(RECORD.record_id, "Wrong", deadline_seconds=1)
        return found

    await other.start(deadline_seconds=1)
    store.get = get  # type: ignore[method-assign]
    await memory.add_reward(RECORD.record_id, 1.0, deadline_seconds=1)
    store.get = real  # type: ignore[method-assign]
    found = await kept(memory)
    assert (found.reward_sum, found.reward_count, found.verdict) == (1.0, 2, "Wrong")


async def test_a_verdict_does_not_wait_while_other_records_are_embedded() -> None:
    memory = fake_memory()
    await memory.remember([RECORD], deadline_seconds=1)
    embedding = asyncio.Event()

    async def embed(new: Any) -> dict[str, list[float]]:
        embedding.set()
        await asyncio.Event().wait()
        return {}

    others = [replace(RECORD, owner_name=f"w{number}") for number in range(200)]
    bulk = asyncio.ensure_future(memory.write_batch(others, embed=embed, deadline_seconds=60))
    await embedding.wait()
    counted = await memory.set_verdict(RECORD.record_id, "Helpful", deadline_seconds=1)
    assert counted is not None
    bulk.cancel()
    await asyncio.gather(bulk, return_exceptions=True)
    assert not memory._locks
