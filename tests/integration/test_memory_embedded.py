"""The embedded memory with its real parts: the model in this process, Edge in its worker."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.records import RECORD

from kausa.memory.edge.client import EdgeStore
from kausa.memory.embedding import InProcessEmbedder
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.service import FailureMemory, open_embedded_memory
from kausa.memory.store import Point, RecordFilter
from kausa.recall.similar import SimilarFailures

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

EVERYTHING = RecordFilter(cluster="test")
OPEN_SECONDS = 20.0
CALL_SECONDS = 10.0

OOM = replace(RECORD, fingerprint="oom-checkout")
OOM_ELSEWHERE = replace(
    OOM,
    owner_name="reports",
    fingerprint="oom-reports",
    cause="container worker reached its memory limit of 1Gi",
    text="java.lang.OutOfMemoryError: Java heap space",
    reference="shop/reports-oomkilled-aa01bc",
    outcome="Resolved",
    resolution="resources.limits.memory: 1Gi -> 2Gi",
)
IMAGE = replace(
    OOM,
    owner_name="mailer",
    fingerprint="image-mailer",
    category="ImagePull",
    reason="ImagePullBackOff",
    exit_code=None,
    cause="tag 2.4.1 does not exist in registry/mailer",
    text='Failed to pull image "registry/mailer:2.4.1": not found',
    reference="shop/mailer-imagepull-90ab17",
)


def numbered(number: int) -> Point:
    """A cheap point for the tests in which only survival matters."""
    vector = [0.0] * 8
    vector[number % 8] = 1.0
    record = replace(OOM, owner_name=f"owner-{number}", fingerprint=f"print-{number}")
    return Point(record=record, vector=vector)


async def write(store: EdgeStore, points: list[Point]) -> None:
    await store.ensure_schema(model="tiny", dimensions=8, deadline_seconds=OPEN_SECONDS)
    await store.upsert(points, deadline_seconds=CALL_SECONDS)


def runs(pid: int) -> bool:
    """Whether the process does anything; an orphan that nobody reaps counts as gone."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


@pytest.fixture
async def memory(tmp_path: Path, embedding_model_path: Path) -> AsyncIterator[FailureMemory]:
    memory = open_embedded_memory(folder=tmp_path / "memory", model_path=embedding_model_path)
    yield memory
    await memory.close()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EdgeStore]:
    store = EdgeStore(folder=tmp_path / "memory")
    yield store
    await store.close()


async def test_a_remembered_failure_is_found_by_one_like_it(memory: FailureMemory) -> None:
    for record in (OOM, OOM_ELSEWHERE, IMAGE):
        assert await memory.remember(record, deadline_seconds=OPEN_SECONDS) == record.point_id

    similar = await SimilarFailures(memory=memory).find(OOM, deadline_seconds=CALL_SECONDS)

    assert [found.reference for found in similar] == ["shop/reports-oomkilled-aa01bc"]
    assert similar[0].resolution == "resources.limits.memory: 1Gi -> 2Gi"
    assert similar[0].outcome == "Resolved"
    assert 50 <= similar[0].score_percent <= 99
    assert await memory.get(OOM.point_id, deadline_seconds=CALL_SECONDS) == OOM


async def test_a_started_memory_can_be_asked_before_anything_is_remembered(
    memory: FailureMemory,
) -> None:
    await memory.start(deadline_seconds=OPEN_SECONDS)
    assert await memory.count(deadline_seconds=CALL_SECONDS) == 0
    assert await memory.get(OOM.point_id, deadline_seconds=CALL_SECONDS) is None
    assert await SimilarFailures(memory=memory).find(OOM, deadline_seconds=CALL_SECONDS) == ()


async def test_remembering_twice_is_remembering_once_with_the_later_words(
    memory: FailureMemory,
) -> None:
    await memory.remember(OOM, deadline_seconds=OPEN_SECONDS)
    later = replace(OOM, occurrences=15, outcome="Resolved", reason="CrashLoopBackOff")
    await memory.remember(later, deadline_seconds=CALL_SECONDS)

    assert await memory.count(deadline_seconds=CALL_SECONDS) == 1
    assert await memory.get(OOM.point_id, deadline_seconds=CALL_SECONDS) == later


async def test_another_clusters_failures_are_not_recalled(memory: FailureMemory) -> None:
    await memory.remember(replace(OOM_ELSEWHERE, cluster="other"), deadline_seconds=OPEN_SECONDS)
    find = SimilarFailures(memory=memory).find
    assert await find(OOM, minimum_score=-1.0, deadline_seconds=CALL_SECONDS) == ()


async def test_what_was_remembered_is_there_after_a_restart(
    tmp_path: Path, embedding_model_path: Path
) -> None:
    for round_ in range(2):
        memory = open_embedded_memory(folder=tmp_path, model_path=embedding_model_path)
        if round_ == 0:
            await memory.remember(OOM, deadline_seconds=OPEN_SECONDS)
        similar = await SimilarFailures(memory=memory).find(
            replace(OOM_ELSEWHERE), deadline_seconds=OPEN_SECONDS
        )
        await memory.close()
        assert [found.reference for found in similar] == [OOM.reference]


async def test_a_killed_worker_loses_no_acknowledged_point(store: EdgeStore) -> None:
    await write(store, [numbered(0)])
    acknowledged = 1
    for round_ in range(8):
        victim = store.worker_pid
        assert victim is not None
        loop = asyncio.get_running_loop()
        loop.call_later(0.03 + 0.01 * round_, os.kill, victim, signal.SIGKILL)
        after = 0
        while after < 20:
            await store.upsert([numbered(acknowledged)], deadline_seconds=CALL_SECONDS)
            acknowledged += 1
            after += store.worker_pid != victim
        found = await store.count(where=EVERYTHING, deadline_seconds=CALL_SECONDS)
        print(f"killed worker {victim}: acknowledged={acknowledged} found={found}")
        assert found == acknowledged


async def test_a_killed_owner_frees_the_folder_and_loses_nothing(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import asyncio, sys
        sys.path[:0] = sys.argv[2:]
        from pathlib import Path
        from test_memory_embedded import EdgeStore, numbered, write

        async def main():
            store = EdgeStore(folder=Path(sys.argv[1]))
            await write(store, [numbered(number) for number in range(100)])
            print("ready", store.worker_pid, flush=True)
            await asyncio.sleep(60)

        asyncio.run(main())
    """)
    for _ in range(3):
        owner = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", script, str(tmp_path / "memory")),
            *(str(folder) for folder in Path(__file__).parents[:2]),
            stdout=subprocess.PIPE,
        )
        assert owner.stdout is not None
        ready = await asyncio.wait_for(owner.stdout.readline(), timeout=30)
        assert ready.startswith(b"ready")
        owner.kill()
        began = time.monotonic()
        await owner.wait()
        heir = EdgeStore(folder=tmp_path / "memory")
        await heir.ensure_schema(model="tiny", dimensions=8, deadline_seconds=OPEN_SECONDS)
        seconds = time.monotonic() - began
        assert await heir.count(where=EVERYTHING, deadline_seconds=CALL_SECONDS) == 100
        await heir.close()
        print(f"reopened {seconds:.2f} s after the kill")
        assert seconds < 5
        assert not runs(int(ready.split()[1]))


async def test_a_second_owner_is_told_who_has_the_folder(store: EdgeStore, tmp_path: Path) -> None:
    await write(store, [numbered(1)])
    second = EdgeStore(folder=tmp_path / "memory")
    with pytest.raises(MemoryUnavailableError) as refused:
        await second.ensure_schema(model="tiny", dimensions=8, deadline_seconds=OPEN_SECONDS)
    await second.close()
    assert refused.value.reason == "StoreLocked"
    assert f"process {os.getpid()}" in str(refused.value)
    assert str(tmp_path / "memory") in str(refused.value)
    assert await store.count(where=EVERYTHING, deadline_seconds=CALL_SECONDS) == 1


@pytest.mark.parametrize(
    ("model", "dimensions", "reason"),
    [("tiny", 16, "DimensionMismatch"), ("other", 8, "ModelMismatch")],
)
async def test_a_store_of_another_model_is_refused(
    tmp_path: Path, model: str, dimensions: int, reason: str
) -> None:
    first = EdgeStore(folder=tmp_path)
    await write(first, [numbered(1)])
    await first.close()
    second = EdgeStore(folder=tmp_path)
    with pytest.raises(MemoryUnavailableError, match="tiny") as refused:
        await second.ensure_schema(
            model=model, dimensions=dimensions, deadline_seconds=OPEN_SECONDS
        )
    assert refused.value.reason == reason
    # The refusal leaves the store as it was, and the right model is still welcome.
    await second.ensure_schema(model="tiny", dimensions=8, deadline_seconds=OPEN_SECONDS)
    assert await second.count(where=EVERYTHING, deadline_seconds=CALL_SECONDS) == 1
    await second.close()


async def test_without_a_model_the_memory_says_what_to_do(tmp_path: Path) -> None:
    memory = open_embedded_memory(folder=tmp_path / "memory", model_path=tmp_path / "nowhere")
    with pytest.raises(MemoryUnavailableError, match="make embedded-models") as refused:
        await memory.remember(OOM, deadline_seconds=OPEN_SECONDS)
    await memory.close()
    assert refused.value.reason == "EmbedderMissing"
    assert not (tmp_path / "memory").exists()


async def test_a_stopped_worker_is_a_missed_deadline_and_then_replaced(tmp_path: Path) -> None:
    store = EdgeStore(folder=tmp_path, hung_after_seconds=0.2)
    await write(store, [numbered(1)])
    stopped = store.worker_pid
    assert stopped is not None
    os.kill(stopped, signal.SIGSTOP)
    with pytest.raises(MemoryUnavailableError) as missed:
        await store.count(where=None, deadline_seconds=0.3)
    assert missed.value.reason == "DeadlineExceeded"
    assert await store.count(where=None, deadline_seconds=CALL_SECONDS) == 1
    assert store.worker_pid != stopped
    await store.close()


async def test_signals_for_the_process_group_do_not_take_the_store_away(store: EdgeStore) -> None:
    await write(store, [numbered(1)])
    worker = store.worker_pid
    assert worker is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(worker, number)
    await asyncio.sleep(0.1)
    assert await store.count(where=None, deadline_seconds=CALL_SECONDS) == 1
    assert store.worker_pid == worker


async def test_deleted_records_are_gone(store: EdgeStore) -> None:
    points = [numbered(number) for number in range(10)]
    await write(store, points)
    await store.delete(ids=[points[0].record.point_id], deadline_seconds=CALL_SECONDS)
    assert await store.count(where=None, deadline_seconds=CALL_SECONDS) == 9
    await store.delete(where=EVERYTHING, deadline_seconds=CALL_SECONDS)
    assert await store.count(where=None, deadline_seconds=CALL_SECONDS) == 0


async def test_the_event_loop_stays_free_while_the_memory_works(
    memory: FailureMemory, embedding_model_path: Path
) -> None:
    await memory.remember(OOM, deadline_seconds=OPEN_SECONDS)
    lags: list[float] = []

    async def tick() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.002)
            lags.append(time.perf_counter() - began - 0.002)

    ticking = asyncio.create_task(tick())
    similar = SimilarFailures(memory=memory)
    began = time.perf_counter()
    for number in range(50):
        record = replace(OOM, owner_name=f"o{number}", fingerprint=f"f{number}")
        await memory.remember(record, deadline_seconds=CALL_SECONDS)
    remembered = time.perf_counter()
    for _ in range(50):
        await similar.find(OOM, deadline_seconds=CALL_SECONDS)
    found = time.perf_counter()
    ticking.cancel()
    lags.sort()
    print(
        f"remember {(remembered - began) * 20:.1f} ms, find {(found - remembered) * 20:.1f} ms, "
        f"loop lag p99 {lags[int(len(lags) * 0.99)] * 1000:.1f} ms, worst {lags[-1] * 1000:.1f} ms"
    )
    assert lags[int(len(lags) * 0.99)] < 0.05
    assert lags[-1] < 0.5


async def test_the_embedder_can_be_used_alone(embedding_model_path: Path) -> None:
    embedder = InProcessEmbedder(model_path=embedding_model_path)
    assert (embedder.model, embedder.dimensions) == ("", 0)
    assert len(await embedder.embed(["a", "b"], deadline_seconds=OPEN_SECONDS)) == 2
    assert (embedder.model, embedder.dimensions) == ("all-MiniLM-L6-v2-int8", 384)
    await embedder.close()
    with pytest.raises(MemoryUnavailableError) as refused:
        await embedder.embed(["a"], deadline_seconds=OPEN_SECONDS)
    assert refused.value.reason == "Closed"
