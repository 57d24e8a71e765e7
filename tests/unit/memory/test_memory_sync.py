from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from support.fake_memory import FakeEmbedder, FakeVectorStore, fake_memory, unavailable
from support.records import NOON, RECORD

from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.records import FailureOutcome, FailureRecord, RolloutRecord
from kausa.memory.service import FailureMemory
from kausa.memory.store import Schema
from kausa.memory.sync import SyncReport, rebuild_failures, sync_failures

RECORDS = [replace(RECORD, owner_name=f"w{number}", image=None, node=None) for number in range(70)]

ROLLOUT = RolloutRecord(
    cluster="test",
    namespace="shop",
    owner_kind="Deployment",
    owner_name="checkout",
    revision="2",
    outcome="SUCCEEDED",
    images=("shop/api:2",),
    first_seen=NOON,
    last_seen=NOON,
)


async def told(records: Sequence[FailureRecord]) -> AsyncIterator[FailureRecord]:
    for record in records:
        yield record


async def dismissed(record: FailureRecord) -> FailureOutcome:
    return "Dismissed" if record.owner_name == "w1" else "Superseded"


async def sync(
    memory: FailureMemory, records: Sequence[FailureRecord], *, namespace: str | None = None
) -> SyncReport:
    return await sync_failures(
        memory, told(records), cluster="test", namespace=namespace, ended=dismissed
    )


async def test_a_lost_memory_is_filled_from_the_resources() -> None:
    store = FakeVectorStore()
    report = await sync(fake_memory(store), RECORDS)
    assert (report.read, report.written, report.unchanged) == (70, 70, 0)
    assert len(store.points["failures"]) == 70


async def test_only_what_is_newer_is_written() -> None:
    store, embedder = FakeVectorStore(), FakeEmbedder()
    memory = fake_memory(store, embedder)
    await sync(memory, RECORDS)
    texts = len(embedder.texts)
    newer = [
        replace(RECORDS[0], occurrences=99),
        replace(RECORDS[1], outcome="Resolved", resolved_at=NOON),
        *RECORDS[2:],
    ]
    report = await sync(memory, newer)
    assert (report.written, report.unchanged, report.ended) == (2, 68, 0)
    assert len(embedder.texts) == texts
    assert (await sync(memory, newer)).written == 0


async def test_what_was_open_and_has_no_resource_has_ended() -> None:
    store = FakeVectorStore()
    memory = fake_memory(store)
    over = replace(RECORDS[3], outcome="Resolved", resolved_at=NOON)
    await sync(memory, [*RECORDS[:3], over])
    report = await sync(memory, RECORDS[:1])
    assert report.ended == 2
    outcomes = {each["owner_name"]: each["outcome"] for each in store.payloads()}
    assert outcomes == {"w0": "Open", "w1": "Dismissed", "w2": "Superseded", "w3": "Resolved"}


async def test_others_clusters_and_namespaces_are_left_alone() -> None:
    store = FakeVectorStore()
    memory = fake_memory(store)
    others = [
        replace(RECORD, namespace="theirs"),
        replace(RECORD, cluster="elsewhere"),
    ]
    await memory.remember(others, deadline_seconds=1)
    assert (await sync(memory, [], namespace="shop")).ended == 0
    assert {each["outcome"] for each in store.payloads()} == {"Open"}


async def test_a_malformed_record_does_not_stop_the_others() -> None:
    store = FakeVectorStore()
    bad = replace(RECORD, occurrences=-1)
    report = await sync(fake_memory(store), [*RECORDS[:5], bad, *RECORDS[5:9]])
    assert (report.written, report.malformed) == (9, 1)


async def test_a_walk_that_broke_off_goes_on_where_it_was() -> None:
    store = FakeVectorStore()
    memory = fake_memory(store)

    async def breaking() -> AsyncIterator[FailureRecord]:
        for number, record in enumerate(RECORDS):
            if number == 40:
                store.fail = unavailable()
            yield record

    with pytest.raises(MemoryUnavailableError):
        await sync_failures(memory, breaking(), cluster="test", namespace=None, ended=dismissed)
    assert len(store.points["failures"]) == 32
    store.fail = None
    await memory.start(deadline_seconds=1)
    assert (await sync(memory, RECORDS)).written == 38


async def test_from_scratch_embeds_everything_anew() -> None:
    store, embedder = FakeVectorStore(), FakeEmbedder()
    memory = fake_memory(store, embedder)
    await sync(memory, RECORDS[:4])
    texts = len(embedder.texts)
    report = await rebuild_failures(
        memory, told(RECORDS[:4]), cluster="test", namespace=None, ended=dismissed
    )
    assert (report.written, len(embedder.texts)) == (4, texts + 4)


async def test_a_memory_of_another_model_is_rebuilt_beside_it_and_switched_to() -> None:
    old = Schema(model="older", dimensions=4)
    store = FakeVectorStore(schema=old)
    memory = fake_memory(store)
    with pytest.raises(MemoryUnavailableError) as mismatch:
        await sync(memory, RECORDS[:4])
    assert mismatch.value.reason == "ModelMismatch"
    await rebuild_failures(
        memory, told(RECORDS[:4]), cluster="test", namespace=None, ended=dismissed
    )
    assert store.schema == Schema(model="fake", dimensions=4)
    assert store.beside == {}
    assert len(store.points["failures"]) == 4
    assert (await sync(memory, RECORDS[:4])).unchanged == 4


@pytest.mark.parametrize("namespace", [None, "shop"])
async def test_another_model_costs_no_other_cluster_and_no_other_kind_its_records(
    namespace: str | None,
) -> None:
    store = FakeVectorStore()
    old = fake_memory(store, FakeEmbedder(model="older"))
    others = [replace(RECORD, cluster="elsewhere"), replace(RECORD, namespace="theirs")]
    await old.remember([*others, ROLLOUT, RECORD], deadline_seconds=1)
    await old.add_reward(RECORD.record_id, 1.0, deadline_seconds=1)
    memory = fake_memory(store)
    newer = replace(RECORD, occurrences=99)
    report = await rebuild_failures(
        memory, told([newer]), cluster="test", namespace=namespace, ended=dismissed
    )
    assert report.written == 1
    assert store.schema == Schema(model="fake", dimensions=4)
    assert store.beside == {}
    found = {str(each["record_id"]): each for each in store.payloads()}
    ids = {each.record_id for each in (*others, RECORD)}
    assert found.keys() == {ROLLOUT.record_id, *ids}
    ours = found[RECORD.record_id]
    assert (ours["occurrences"], ours["reward_count"], ours["model"]) == (99, 1, "fake")
    assert found[others[0].record_id]["outcome"] == "Open"


async def test_a_memory_of_which_nothing_can_be_read_is_made_anew() -> None:
    store = FakeVectorStore(schema=Schema(model="older", dimensions=4, version=1))
    memory = fake_memory(store)
    report = await rebuild_failures(
        memory, told(RECORDS[:4]), cluster="test", namespace=None, ended=dismissed
    )
    assert report.written == 4
    assert store.schema == Schema(model="fake", dimensions=4)
    assert store.beside == {}


async def test_a_failure_that_opened_during_the_walk_is_not_ended() -> None:
    store = FakeVectorStore()
    memory = fake_memory(store)
    gone = replace(RECORD, owner_name="gone")
    await memory.remember([gone], deadline_seconds=1)

    async def meanwhile() -> AsyncIterator[FailureRecord]:
        yield RECORD
        await memory.remember([replace(RECORD, owner_name="new")], deadline_seconds=1)

    report = await sync_failures(
        memory, meanwhile(), cluster="test", namespace=None, ended=dismissed
    )
    assert report.ended == 1
    outcomes = {each["owner_name"]: each["outcome"] for each in store.payloads()}
    assert outcomes == {"checkout": "Open", "gone": "Superseded", "new": "Open"}


async def test_a_failure_that_opens_again_while_its_target_is_looked_for_is_not_ended() -> None:
    store = FakeVectorStore()
    memory = fake_memory(store)
    await memory.remember([RECORD], deadline_seconds=1)

    async def ended(record: FailureRecord) -> FailureOutcome:
        await memory.remember([replace(record, occurrences=15)], deadline_seconds=1)
        return "Superseded"

    report = await sync_failures(memory, told([]), cluster="test", namespace=None, ended=ended)
    assert report.ended == 0
    assert [each["outcome"] for each in store.payloads()] == ["Open"]


async def test_a_text_that_the_embedder_does_not_take_does_not_stop_the_others() -> None:
    class Particular(FakeEmbedder):
        async def embed(self, texts: Sequence[str], **how: Any) -> list[list[float]]:
            if any("poison" in text for text in texts):
                raise unavailable("EmbedderFailed")
            return await super().embed(texts, **how)

    bad = replace(RECORDS[5], text="poison")
    memory = fake_memory(embedder=Particular())
    report = await sync(memory, [*RECORDS[:5], bad, *RECORDS[6:9]])
    assert (report.written, report.refused, report.unchanged) == (8, 1, 0)
    assert str(report).endswith("1 refused")


async def test_progress_is_told_as_it_is_made() -> None:
    told_: list[int] = []
    await sync_failures(
        fake_memory(),
        told(RECORDS),
        cluster="test",
        namespace=None,
        ended=dismissed,
        progress=lambda report: told_.append(report.read),
    )
    assert told_ == [32, 64, 70]
