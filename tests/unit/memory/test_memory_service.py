from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.fake_memory import FakeEmbedder, FakeVectorStore, fake_memory, unavailable
from support.records import NOON, RECORD

from kausa.memory.chunking.markdown import RunbookSource, runbook_chunks
from kausa.memory.chunking.tokens import ChunkSize, count_tokens, within_model
from kausa.memory.errors import InvalidRecordError, MemoryUnavailableError
from kausa.memory.filters import EVERYTHING, Filter, OneOf
from kausa.memory.opening import open_embedded_memory
from kausa.memory.records import FailureRecord, Verdict
from kausa.memory.rewards import Reward
from kausa.memory.store import Candidate, HybridQuery, Schema

LONG = "\n".join(f"ERROR attempt {n} failed: connection refused" for n in range(200))
SOURCE = RunbookSource(
    cluster="test", name="oom", source="ops/oom", title="Out of memory", changed_at=NOON
)
SECTIONS = "# See\nExit code 137.\n# Do\nRaise the limit.\n# Prevent\nMeasure.\n"


async def test_making_a_memory_starts_nothing(tmp_path: Path) -> None:
    memory = open_embedded_memory(folder=tmp_path / "memory", model_path=tmp_path / "model")
    assert not (tmp_path / "memory").exists()
    await memory.close()


async def test_a_missing_model_is_named_and_the_store_is_not_opened(tmp_path: Path) -> None:
    memory = open_embedded_memory(folder=tmp_path / "memory", model_path=tmp_path / "model")
    with pytest.raises(MemoryUnavailableError) as missing:
        await memory.start(deadline_seconds=20)
    assert missing.value.reason == "EmbedderMissing"
    assert not (tmp_path / "memory").exists()
    await memory.close()


async def test_the_store_is_opened_once_for_what_the_model_is() -> None:
    store = FakeVectorStore()
    memory = fake_memory(store)
    await asyncio.gather(*(memory.remember([RECORD], deadline_seconds=1) for _ in range(5)))
    assert store.calls["open"] == 1
    assert store.schema == Schema(model="fake", dimensions=4)


# -- being away ----------------------------------------------------------------------------------


async def test_an_embedder_that_never_answers_is_a_missed_deadline() -> None:
    embedder = FakeEmbedder()
    embedder.delay = 60
    memory = fake_memory(embedder=embedder)
    with pytest.raises(MemoryUnavailableError, match="took longer than") as missed:
        await memory.remember([RECORD], deadline_seconds=0.02)
    assert missed.value.reason == "DeadlineExceeded"


async def test_who_asks_again_at_once_is_answered_without_asking() -> None:
    store = FakeVectorStore()
    store.fail = unavailable()
    memory = fake_memory(store)
    for _ in range(3):
        with pytest.raises(MemoryUnavailableError) as away:
            await memory.remember([RECORD], deadline_seconds=1)
        assert away.value.reason == "StoreUnavailable"
    assert store.calls["open"] == 1
    assert memory.error is not None


async def test_who_is_patient_asks_and_finds_it_back() -> None:
    store = FakeVectorStore()
    store.fail = unavailable()
    memory = fake_memory(store)
    with pytest.raises(MemoryUnavailableError):
        await memory.start(deadline_seconds=1)
    store.fail = None
    await memory.start(deadline_seconds=1)
    assert memory.error is None
    assert await memory.remember([RECORD], deadline_seconds=1) == [RECORD.record_id]


async def test_a_closed_memory_says_so() -> None:
    embedder, store = FakeEmbedder(), FakeVectorStore()
    memory = fake_memory(store, embedder)
    await memory.close()
    await memory.close()
    with pytest.raises(MemoryUnavailableError) as closed:
        await memory.remember([RECORD], deadline_seconds=1)
    assert closed.value.reason == "Closed"
    assert (store.closed, embedder.closed) == (True, True)


# -- writing -------------------------------------------------------------------------------------


async def test_writing_twice_is_writing_once_and_embeds_once() -> None:
    store, embedder = FakeVectorStore(), FakeEmbedder()
    memory = fake_memory(store, embedder)
    assert await memory.remember_changed([RECORD], deadline_seconds=1) == 1
    texts = len(embedder.texts)
    assert await memory.remember_changed([RECORD, RECORD], deadline_seconds=1) == 0
    assert (len(embedder.texts), store.calls["upsert"], store.calls["set_payload"]) == (texts, 1, 0)
    assert await memory.count(deadline_seconds=1) == 1


async def test_what_is_not_embedded_is_written_over_without_a_vector() -> None:
    store, embedder = FakeVectorStore(), FakeEmbedder()
    memory = fake_memory(store, embedder)
    await memory.remember([RECORD], deadline_seconds=1)
    texts = len(embedder.texts)
    over = replace(
        RECORD, occurrences=99, outcome="Resolved", resolved_at=NOON, resolution="more memory"
    )
    await memory.remember([over], deadline_seconds=1)
    assert len(embedder.texts) == texts
    found = await memory.get(RECORD.record_id, deadline_seconds=1)
    assert isinstance(found, FailureRecord)
    assert (found.occurrences, found.outcome, found.resolution) == (99, "Resolved", "more memory")
    await memory.remember([RECORD], deadline_seconds=1)
    found = await memory.get(RECORD.record_id, deadline_seconds=1)
    assert isinstance(found, FailureRecord)
    assert (found.outcome, found.resolved_at, found.resolution) == ("Open", None, None)


async def test_a_shorter_text_leaves_no_passage_behind() -> None:
    store = FakeVectorStore()
    memory = fake_memory(store)
    await memory.remember([replace(RECORD, text=LONG)], deadline_seconds=1)
    assert len(store.points["failures"]) > 2
    await memory.remember([RECORD], deadline_seconds=1)
    assert [each["chunks"] for each in store.payloads()] == [1]


async def test_a_copy_of_the_resource_leaves_what_only_the_witness_knows() -> None:
    memory = fake_memory()
    seen = replace(RECORD, labels=("app=checkout",), category="CrashLoop")
    await memory.remember([seen], deadline_seconds=1)
    copy = replace(
        RECORD, image=None, node=None, labels=(), text="in short", category="OOMKilled",
        occurrences=15,
    )  # fmt: skip
    await memory.remember([copy], copied=True, deadline_seconds=1)
    found = await memory.get(RECORD.record_id, deadline_seconds=1)
    assert isinstance(found, FailureRecord)
    assert replace(found, model=None) == replace(seen, occurrences=15)


async def test_a_copy_with_another_cause_is_believed() -> None:
    memory = fake_memory()
    await memory.remember([RECORD], deadline_seconds=1)
    copy = replace(RECORD, node=None, text="in short", cause="something else")
    await memory.remember([copy], copied=True, deadline_seconds=1)
    found = await memory.get(RECORD.record_id, deadline_seconds=1)
    assert isinstance(found, FailureRecord)
    assert (found.cause, found.text, found.node) == ("something else", "in short", "node-1")


async def test_how_it_was_mended_is_not_forgotten_by_who_does_not_know() -> None:
    memory = fake_memory()
    over = replace(RECORD, outcome="Resolved", resolved_at=NOON, resolution="x", changed=("a: 1",))
    await memory.remember([over], deadline_seconds=1)
    await memory.remember(
        [replace(over, resolution=None, changed=())], copied=True, deadline_seconds=1
    )
    found = await memory.get(RECORD.record_id, deadline_seconds=1)
    assert isinstance(found, FailureRecord)
    assert (found.resolution, found.changed) == ("x", ("a: 1",))


async def test_records_are_forgotten_with_all_their_passages() -> None:
    store = FakeVectorStore()
    memory = fake_memory(store)
    other = replace(RECORD, owner_name="cart")
    await memory.remember([replace(RECORD, text=LONG), other], deadline_seconds=1)
    await memory.forget([RECORD.record_id], deadline_seconds=1)
    assert {each["owner_name"] for each in store.payloads()} == {"cart"}


async def test_what_is_not_there_cannot_be_changed() -> None:
    memory = fake_memory()
    assert not await memory.update(RECORD.record_id, {"outcome": "Dismissed"}, deadline_seconds=1)
    assert await memory.add_reward(RECORD.record_id, 1.0, deadline_seconds=1) is None


# -- rewards -------------------------------------------------------------------------------------


async def test_rewards_of_many_at_once_are_all_counted() -> None:
    memory = fake_memory()
    await memory.remember([replace(RECORD, text=LONG)], deadline_seconds=5)
    await asyncio.gather(
        *(memory.add_reward(RECORD.record_id, 0.5, deadline_seconds=5) for _ in range(20))
    )
    found = await memory.get(RECORD.record_id, deadline_seconds=1)
    assert isinstance(found, FailureRecord)
    assert (found.reward_sum, found.reward_count) == (10.0, 20)


async def test_rewards_of_two_processes_are_all_counted() -> None:
    store = FakeVectorStore()
    one, other = fake_memory(store), fake_memory(store)
    await one.remember([RECORD], deadline_seconds=5)
    await asyncio.gather(
        *(each.add_reward(RECORD.record_id, 1.0, deadline_seconds=5) for each in (one, other) * 2)
    )
    assert [(each["reward_sum"], each["reward_count"]) for each in store.payloads()] == [(4.0, 4)]


async def test_a_reward_is_on_every_passage() -> None:
    store = FakeVectorStore()
    memory = fake_memory(store)
    await memory.remember([replace(RECORD, text=LONG)], deadline_seconds=5)
    await memory.set_verdict(RECORD.record_id, "Partial", deadline_seconds=1)
    assert {each["reward_sum"] for each in store.payloads()} == {0.5}


async def test_a_verdict_counts_once_and_is_replaced_and_taken_back() -> None:
    memory = fake_memory()
    await memory.remember([RECORD], deadline_seconds=1)
    await memory.add_reward(RECORD.record_id, 1.0, deadline_seconds=1)
    steps: list[tuple[Verdict | None, float, int]] = [
        ("Helpful", 2.0, 2),
        ("Helpful", 2.0, 2),
        ("Wrong", 1.0, 2),
        (None, 1.0, 1),
    ]
    for verdict, total, count in steps:
        await memory.remember([replace(RECORD, verdict=verdict)], deadline_seconds=1)
        found = await memory.get(RECORD.record_id, deadline_seconds=1)
        assert isinstance(found, FailureRecord)
        assert (found.reward_sum, found.reward_count, found.verdict) == (total, count, verdict)


async def test_a_verdict_counts_once_also_where_the_record_is_new() -> None:
    memory = fake_memory()
    for _ in range(2):
        await memory.remember([replace(RECORD, verdict="Helpful")], deadline_seconds=1)
    assert await memory.set_verdict(RECORD.record_id, "Helpful", deadline_seconds=1) == Reward(
        sum=1.0, count=1, verdict="Helpful"
    )


async def test_a_repeat_of_the_failure_leaves_the_reward_alone() -> None:
    memory = fake_memory()
    await memory.remember([RECORD], deadline_seconds=1)
    await memory.add_reward(RECORD.record_id, 1.0, deadline_seconds=1)
    for changes in ({"occurrences": 50}, {"text": "another text"}):
        again: FailureRecord = replace(RECORD, **changes)
        await memory.remember([again], deadline_seconds=1)
        found = await memory.get(RECORD.record_id, deadline_seconds=1)
        assert isinstance(found, FailureRecord)
        assert (found.reward_sum, found.reward_count) == (1.0, 1)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
async def test_a_reward_beyond_its_bounds_is_refused(value: float) -> None:
    memory = fake_memory()
    await memory.remember([RECORD], deadline_seconds=1)
    with pytest.raises(InvalidRecordError, match="reward"):
        await memory.add_reward(RECORD.record_id, value, deadline_seconds=1)


# -- runbooks ------------------------------------------------------------------------------------


async def test_a_runbook_that_is_the_same_is_not_embedded_again() -> None:
    embedder = FakeEmbedder()
    memory = fake_memory(embedder=embedder)
    chunks = runbook_chunks(SECTIONS, of=SOURCE)
    assert await memory.upsert_runbook(chunks, deadline_seconds=1)
    texts = len(embedder.texts)
    later = runbook_chunks(SECTIONS, of=replace(SOURCE, changed_at=NOON + timedelta(days=1)))
    assert not await memory.upsert_runbook(later, deadline_seconds=1)
    assert len(embedder.texts) == texts


async def test_a_shorter_runbook_leaves_no_passage_behind_and_keeps_its_reward() -> None:
    store = FakeVectorStore()
    memory = fake_memory(store)
    chunks = runbook_chunks(SECTIONS, of=SOURCE)
    await memory.upsert_runbook(chunks, deadline_seconds=1)
    await memory.add_reward(chunks[0].record_id, 1.0, collection="runbooks", deadline_seconds=1)
    await memory.upsert_runbook(
        runbook_chunks("# See\nExit code 137.\n", of=SOURCE), deadline_seconds=1
    )
    (left,) = store.payloads("runbooks")
    assert (left["headings"], left["chunks"], left["reward_count"]) == (["See"], 1, 1)
    assert left["reward_revision"] == 2, "who counts at this moment finds that it was written"


async def test_a_runbook_of_which_a_passage_is_missing_is_written_again() -> None:
    store = FakeVectorStore()
    memory = fake_memory(store)
    chunks = runbook_chunks(SECTIONS, of=SOURCE)
    await memory.upsert_runbook(chunks, deadline_seconds=1)
    store.points["runbooks"].popitem()
    assert await memory.upsert_runbook(chunks, deadline_seconds=1)
    assert len(store.points["runbooks"]) == 3


async def test_a_runbook_is_removed_and_no_other() -> None:
    memory = fake_memory()
    other = replace(SOURCE, source="ops/other", name="other")
    for of in (SOURCE, other, replace(SOURCE, cluster="elsewhere")):
        await memory.upsert_runbook(runbook_chunks(SECTIONS, of=of), deadline_seconds=1)
    await memory.remove_runbook(cluster="test", source="ops/oom", deadline_seconds=1)
    await memory.remove_runbook(cluster="test", source="ops/oom", deadline_seconds=1)
    assert set(await memory.runbook_sources(cluster="test", deadline_seconds=1)) == {"ops/other"}
    assert set(await memory.runbook_sources(cluster="elsewhere", deadline_seconds=1)) == {"ops/oom"}


async def test_half_a_runbook_is_refused() -> None:
    memory = fake_memory()
    chunks = runbook_chunks(SECTIONS, of=SOURCE)
    for broken in (chunks[:2], chunks[::-1], ()):
        with pytest.raises(InvalidRecordError):
            await memory.upsert_runbook(broken, deadline_seconds=1)


# -- finding -------------------------------------------------------------------------------------


async def test_candidates_of_several_filters_are_each_there_once() -> None:
    memory = fake_memory()
    records = [replace(RECORD, namespace=each) for each in ("a", "b", "c")]
    await memory.remember(records, deadline_seconds=1)
    wheres = [Filter(must=(OneOf("namespace", names),)) for names in (("a",), ("a", "b"))]
    found = await memory.candidates(
        "failures", text="oom", words="memory", wheres=wheres, limit=9, deadline_seconds=1
    )
    assert sorted(each.payload["namespace"] for each in found) == ["a", "b"]


async def test_filters_are_asked_at_once_and_the_better_score_of_a_point_counts() -> None:
    store = FakeVectorStore()
    memory = fake_memory(store)
    scores = {"a": (0.9, None), "b": (0.4, 3.0), "c": (None, 1.0)}
    asked: list[str] = []
    all_asked = asyncio.Event()

    async def candidates(_of: str, query: HybridQuery, **_how: object) -> list[Candidate]:
        (condition,) = query.where.must
        assert isinstance(condition, OneOf)
        asked.append(name := str(condition.values[0]))
        if len(asked) == len(scores):
            all_asked.set()
        await all_asked.wait()
        return [Candidate(id="x", payload={}, dense=scores[name][0], sparse=scores[name][1])]

    store.candidates = candidates  # type: ignore[assignment]
    (found,) = await memory.candidates(
        "failures",
        text="oom",
        words="memory",
        wheres=[Filter(must=(OneOf("namespace", (each,)),)) for each in scores],
        limit=9,
        deadline_seconds=1,
    )
    assert (found.dense, found.sparse) == (0.9, 3.0)


async def test_records_are_counted_and_walked_once_whatever_their_passages() -> None:
    memory = fake_memory()
    records = [replace(RECORD, owner_name=f"w{n}", text=LONG) for n in range(5)]
    await memory.remember(records, deadline_seconds=5)
    assert await memory.count(deadline_seconds=1) == 5
    assert await memory.facet(
        "failures", "namespace", where=EVERYTHING, deadline_seconds=1
    ) == {"shop": 5}  # fmt: skip
    walked = [
        each.record_id
        async for each in memory.walk("failures", where=EVERYTHING, page=2, deadline_seconds=1)
    ]
    assert sorted(walked) == sorted(each.record_id for each in records)


async def test_passages_are_no_longer_than_the_model_reads() -> None:
    store, embedder = FakeVectorStore(), FakeEmbedder()
    memory = fake_memory(store, embedder)
    assert (await memory.passage_size()).tokens == 512
    embedder.max_tokens = 256  # type: ignore[attr-defined]
    assert await memory.passage_size() == ChunkSize(tokens=240, overlap=50)
    await memory.remember([replace(RECORD, text=LONG)], deadline_seconds=1)
    assert max(count_tokens(text) for text in embedder.texts) <= 240


async def test_passages_are_as_short_as_they_are_set() -> None:
    assert within_model(ChunkSize(tokens=100), reads=256) == ChunkSize(tokens=100)
    assert within_model(ChunkSize(), reads=0) == ChunkSize()
    assert within_model(ChunkSize(), reads=40) == ChunkSize(tokens=38, overlap=19)
