"""The asynchronous side: what is sent, what comes back, and when nothing is sent at all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import msgspec
import pytest
from support.fake_workers import FakeWorkers, counted, opened

from kausa.memory.edge import keeper, messages
from kausa.memory.edge.client import EdgeStore
from kausa.memory.errors import (
    InvalidBackupError,
    InvalidRecordError,
    MemoryError_,
    MemoryUnavailableError,
)
from kausa.memory.filters import EVERYTHING
from kausa.memory.store import Health, HybridQuery, Point, Schema, SparseVector

NOTHING = SparseVector((), ())
ID = "00000000-0000-0000-0000-000000000001"


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeWorkers:
    # The pause after a first failure is waited out.
    monkeypatch.setattr(keeper, "PAUSES", replace(keeper.PAUSES, first_seconds=0.05))
    return FakeWorkers(tmp_path)


async def test_nothing_is_started_before_a_schema_is_known(workers: FakeWorkers) -> None:
    store = workers.store("pass")
    with pytest.raises(MemoryUnavailableError, match="before it was opened"):
        await counted(store, deadline_seconds=1)
    await store.close()
    assert workers.starts == 0


async def test_the_engines_refusal_keeps_its_reason(workers: FakeWorkers) -> None:
    refuses = 'if kind == "Own": answer = answered(reason="StoreLocked", message="somebody has it")'
    store = workers.store(refuses)
    with pytest.raises(MemoryUnavailableError, match="somebody has it") as refused:
        await opened(store)
    assert refused.value.reason == "StoreLocked"
    await store.close()


async def test_many_calls_at_once_share_one_start(workers: FakeWorkers) -> None:
    store = workers.store("answer = answered(1)")
    await asyncio.gather(*(opened(store) for _ in range(5)))
    counts = (counted(store) for _ in range(50))
    assert await asyncio.gather(*counts) == [1] * 50
    await store.close()
    assert workers.starts == 1


async def test_a_closed_store_says_so(workers: FakeWorkers) -> None:
    store = await opened(workers.store("pass"))
    await store.close()
    await store.close()
    with pytest.raises(MemoryUnavailableError) as closed:
        await store.flush(deadline_seconds=1)
    assert closed.value.reason == "Closed"


async def test_what_is_malformed_is_never_sent(workers: FakeWorkers) -> None:
    store = await opened(workers.store('if kind != "Open" and kind != "Own": os._exit(1)'))
    nan = Point(id=ID, dense=[1.0, float("nan")], sparse=NOTHING, payload={})
    with pytest.raises(InvalidRecordError, match="finite"):
        await store.upsert("failures", [nan], deadline_seconds=1)
    query = HybridQuery(where=EVERYTHING, dense=(1.0, float("inf")))
    with pytest.raises(InvalidRecordError, match="finite"):
        await store.candidates("failures", query, deadline_seconds=1)
    short = Point(id=ID, dense=[1.0], sparse=NOTHING, payload={})
    with pytest.raises(MemoryUnavailableError) as refused:
        await store.upsert("failures", [short], deadline_seconds=1)
    assert refused.value.reason == "DimensionMismatch"
    await store.upsert("failures", [], deadline_seconds=1)
    await store.close()
    assert workers.starts == 1


async def test_an_open_store_does_not_change_its_schema(workers: FakeWorkers) -> None:
    store = await opened(workers.store("pass"))
    with pytest.raises(MemoryUnavailableError) as refused:
        await store.open(Schema(model="other", dimensions=2), deadline_seconds=1)
    assert refused.value.reason == "ModelMismatch"
    await store.close()


async def test_opening_again_asks_nobody(workers: FakeWorkers) -> None:
    store = await opened(workers.store("answer = answered(id)"))
    for _ in range(9):
        await opened(store)
    assert await counted(store) == 3
    await store.close()


@pytest.mark.parametrize(
    ("kind", "error"),
    [("Record", InvalidRecordError), ("Backup", InvalidBackupError), ("Refused", MemoryError_)],
)
async def test_errors_cross_the_pipe_as_what_they_were(
    workers: FakeWorkers, kind: str, error: type[MemoryError_]
) -> None:
    refuses = f'if kind == "Count": answer = answered(kind="{kind}", message="so it is")'
    store = await opened(workers.store(refuses))
    with pytest.raises(error, match="so it is") as raised:
        await counted(store)
    assert type(raised.value) is error
    await store.close()


@pytest.mark.parametrize("reason", ["ModelMismatch", "SchemaMismatch", "StoreCorrupt"])
async def test_a_store_that_others_must_mend_is_let_go_of(
    workers: FakeWorkers, reason: str
) -> None:
    refuses = f'if kind == "Open": answer = answered(reason="{reason}", message="no")'
    store = workers.store(refuses)
    for starts in (1, 2):
        with pytest.raises(MemoryUnavailableError) as refused:
            await opened(store)
        assert refused.value.reason == reason
        assert store.worker_pid is None
        assert workers.starts == starts
    await store.close()


async def test_a_disk_that_is_full_is_asked_again_by_the_same_worker(workers: FakeWorkers) -> None:
    full = 'if kind == "Open": answer = answered(reason="StoreFull", message="no room")'
    store = workers.store(full)
    for _ in range(2):
        with pytest.raises(MemoryUnavailableError, match="no room"):
            await opened(store)
    await store.close()
    assert workers.starts == 1


async def test_a_generation_beside_leaves_the_worker_to_its_maker(workers: FakeWorkers) -> None:
    store = await opened(workers.store('if kind == "Count": answer = answered(1)'))
    beside = await store.make(Schema(model="next", dimensions=3), deadline_seconds=5)
    await beside.close()
    with pytest.raises(MemoryUnavailableError) as closed:
        await counted(beside)
    assert closed.value.reason == "Closed"
    assert await counted(store) == 1
    await store.close()


async def test_every_request_says_until_when_its_caller_waits(workers: FakeWorkers) -> None:
    told = 'if kind == "Count": answer = answered(round(request["expires_at"] - time.monotonic()))'
    store = await opened(workers.store(told))
    assert await counted(store, deadline_seconds=50) == 50
    await store.close()


async def test_what_was_too_much_is_told_with_its_number_and_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Mock()
    monkeypatch.setattr("kausa.memory.edge.client._logger", said)
    gone = [7]
    told: list[int] = []

    class FakeKeeper(keeper.WorkerKeeper):
        async def call(self, call: messages.Call, **_how: Any) -> msgspec.Raw:
            answer: Any = Health(backend="edge", version="1", schema=None, points={})
            if isinstance(call, messages.Trimmed):
                answer = gone.pop() if gone else 0
            return msgspec.Raw(msgspec.msgpack.encode(answer))

    fake = FakeKeeper(
        folder=tmp_path, most_points=1, hung_after_seconds=1, command=lambda _: ["false"]
    )
    store = EdgeStore(folder=tmp_path, most_points=1234, keeper=fake, on_trimmed=told.append)
    for _ in range(2):
        await store.health(deadline_seconds=1)
    assert told == [7]
    [line] = said.warning.mock_calls
    assert line.kwargs == {"passages": 7, "most": 1234, "setting": "KAUSA_MEMORY_MOST_POINTS"}
