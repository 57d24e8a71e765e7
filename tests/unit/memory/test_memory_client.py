"""The asynchronous side against workers that fail on purpose."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from kausa.memory.edge import client
from kausa.memory.edge.client import EdgeStore
from kausa.memory.errors import InvalidRecordError, MemoryUnavailableError
from kausa.memory.records import FailureRecord
from kausa.memory.store import Point, RecordFilter

Make = Callable[..., FailureRecord]
PACKAGES = str(Path(msgspec.__file__).parents[1])

# Answers each call as the test says: {name of the call: expression}; notes every start in a file.
# It has the frames written out, because the product's own modules take longer to import than most
# of these tests take.
FAKE_WORKER = """
import os, sys, time
sys.path.insert(0, sys.argv[3])
import msgspec
with open(sys.argv[1], "a") as starts:
    starts.write("x")
starts = os.path.getsize(sys.argv[1])
def read(length):
    data = b""
    while len(data) < length:
        chunk = os.read(0, length - len(data))
        if not chunk:
            raise SystemExit
        data += chunk
    return data
def answered(result=None, *, reason=None, message=""):
    return {"id": id, "result": result, "reason": reason, "message": message}
def frame(answer):
    body = msgspec.msgpack.encode(answer)
    return len(body).to_bytes(4, "big") + body
while True:
    request = msgspec.msgpack.decode(read(int.from_bytes(read(4), "big")))
    id, kind = request["id"], request["call"]["type"]
    answer = answered()
    exec(sys.argv[2])
    os.write(1, frame(answer))
"""


class FakeWorkers:
    """Makes stores whose worker runs a line of Python for every call."""

    def __init__(self, folder: Path) -> None:
        self._starts = folder / "starts"

    def store(self, behaviour: str) -> EdgeStore:
        command = [
            sys.executable,
            "-I",
            "-S",
            "-c",
            FAKE_WORKER,
            str(self._starts),
            behaviour,
            PACKAGES,
        ]
        return EdgeStore(folder=self._starts, command=lambda _: command)

    @property
    def starts(self) -> int:
        return len(self._starts.read_text()) if self._starts.exists() else 0


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeWorkers:
    # The pause after a first failure is waited out.
    monkeypatch.setattr(client, "FIRST_PAUSE_SECONDS", 0.05)
    return FakeWorkers(tmp_path)


async def opened(store: EdgeStore) -> EdgeStore:
    await store.ensure_schema(model="tiny", dimensions=2, deadline_seconds=5)
    return store


async def test_nothing_is_started_before_a_schema_is_known(workers: FakeWorkers) -> None:
    store = workers.store("pass")
    with pytest.raises(MemoryUnavailableError, match="before its schema"):
        await store.count(where=None, deadline_seconds=1)
    await store.close()
    assert workers.starts == 0


async def test_a_call_that_a_death_cut_off_is_asked_again(workers: FakeWorkers) -> None:
    dies_once = 'if kind == "Count":\n answer = answered(7)\n'
    dies_once += " if starts == 1: os._exit(1)"
    store = await opened(workers.store(dies_once))
    assert await store.count(where=None, deadline_seconds=5) == 7
    await store.close()
    assert workers.starts == 2


async def test_a_call_that_kills_every_worker_is_an_error(workers: FakeWorkers) -> None:
    store = await opened(workers.store('if kind == "Count": os._exit(1)'))
    with pytest.raises(MemoryUnavailableError) as failed:
        await store.count(where=None, deadline_seconds=5)
    assert failed.value.reason == "StoreUnavailable"
    await store.close()
    assert workers.starts == 2


async def test_a_worker_that_cannot_start_is_not_started_in_a_loop(
    workers: FakeWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "FIRST_PAUSE_SECONDS", 0.1)
    store = workers.store("os._exit(1)")
    for _ in range(12):
        with pytest.raises(MemoryUnavailableError, match="ended at once"):
            await opened(store)
        await asyncio.sleep(0.01)
    await store.close()
    assert workers.starts <= 4


async def test_garbage_on_the_pipe_ends_the_worker_and_not_the_operator(
    workers: FakeWorkers,
) -> None:
    garbage = 'if kind == "Count" and starts == 1: os.write(1, b"\\xff" * 64)'
    store = await opened(workers.store(garbage + "\nanswer = answered(3)"))
    assert await store.count(where=None, deadline_seconds=5) == 3
    await store.close()


async def test_a_pipe_that_breaks_before_its_process_ends_is_enough(workers: FakeWorkers) -> None:
    deaf = "if starts == 1:\n os.write(1, frame(answer))\n os.close(0)\n time.sleep(0.15)"
    store = await opened(workers.store(deaf + "\nanswer = answered(4)"))
    await asyncio.sleep(0.05)
    assert await store.count(where=None, deadline_seconds=5) == 4
    await store.close()
    assert workers.starts == 2


async def test_a_late_answer_is_not_taken_for_the_next_one(workers: FakeWorkers) -> None:
    late = "time.sleep(0.12 if id == 2 else 0)\n"
    late += "answer = answered(id)"
    store = await opened(workers.store(late))
    with pytest.raises(MemoryUnavailableError) as missed:
        await store.count(where=None, deadline_seconds=0.05)
    assert missed.value.reason == "DeadlineExceeded"
    assert await store.count(where=None, deadline_seconds=5) == 3
    await store.close()
    assert workers.starts == 1


async def test_the_engines_refusal_keeps_its_reason(workers: FakeWorkers) -> None:
    refuses = 'answer = answered(reason="StoreLocked", message="somebody has it")'
    store = workers.store(refuses)
    with pytest.raises(MemoryUnavailableError, match="somebody has it") as refused:
        await opened(store)
    assert refused.value.reason == "StoreLocked"
    await store.close()


async def test_a_caller_that_leaves_during_the_start_does_not_undo_it(workers: FakeWorkers) -> None:
    store = workers.store('time.sleep(0.1 if kind == "Open" else 0)')
    with pytest.raises(MemoryUnavailableError) as missed:
        await store.ensure_schema(model="tiny", dimensions=2, deadline_seconds=0.05)
    assert missed.value.reason == "DeadlineExceeded"
    await opened(store)
    await store.close()
    assert workers.starts == 1


async def test_many_calls_at_once_share_one_start(workers: FakeWorkers) -> None:
    store = workers.store("answer = answered(1)")
    await asyncio.gather(*(opened(store) for _ in range(5)))
    counts = (store.count(where=None, deadline_seconds=5) for _ in range(50))
    assert await asyncio.gather(*counts) == [1] * 50
    await store.close()
    assert workers.starts == 1


async def test_closing_during_the_start_leaves_no_process(workers: FakeWorkers) -> None:
    store = workers.store("time.sleep(30)")
    with pytest.raises(MemoryUnavailableError):
        await store.ensure_schema(model="tiny", dimensions=2, deadline_seconds=0.15)
    began = time.monotonic()
    await store.close()
    assert time.monotonic() - began < 2
    assert store.worker_pid is None


async def test_a_closed_store_says_so(workers: FakeWorkers) -> None:
    store = await opened(workers.store("pass"))
    await store.close()
    await store.close()
    with pytest.raises(MemoryUnavailableError) as closed:
        await store.flush(deadline_seconds=1)
    assert closed.value.reason == "Closed"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
async def test_a_vector_that_is_not_finite_is_never_sent(
    workers: FakeWorkers, record: Make, value: float
) -> None:
    store = workers.store("pass")
    with pytest.raises(InvalidRecordError, match="finite"):
        await store.upsert([Point(record=record(), vector=[1.0, value])], deadline_seconds=1)
    with pytest.raises(InvalidRecordError, match="finite"):
        await store.search(
            [value],
            where=RecordFilter(cluster="test"),
            limit=1,
            minimum_score=0,
            deadline_seconds=1,
        )
    assert workers.starts == 0


async def test_a_vector_of_another_length_is_never_sent(workers: FakeWorkers, record: Make) -> None:
    store = await opened(workers.store("pass"))
    with pytest.raises(MemoryUnavailableError) as refused:
        await store.upsert([Point(record=record(), vector=[1.0])], deadline_seconds=1)
    assert refused.value.reason == "DimensionMismatch"
    await store.close()


async def test_an_open_store_does_not_change_its_schema(workers: FakeWorkers) -> None:
    store = await opened(workers.store("pass"))
    with pytest.raises(MemoryUnavailableError) as refused:
        await store.ensure_schema(model="other", dimensions=2, deadline_seconds=1)
    assert refused.value.reason == "ModelMismatch"
    await store.close()
