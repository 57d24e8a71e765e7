"""The asynchronous side against workers that fail on purpose."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import msgspec
import pytest

from kausa.memory.edge import failures, keeper, messages
from kausa.memory.edge.client import EdgeStore
from kausa.memory.edge.process import MAX_WAITING, WorkerGoneError, WorkerProcess
from kausa.memory.errors import (
    InvalidBackupError,
    InvalidRecordError,
    MemoryError_,
    MemoryUnavailableError,
)
from kausa.memory.filters import EVERYTHING
from kausa.memory.store import Health, HybridQuery, Point, Schema, SparseVector

TINY = Schema(model="tiny", dimensions=2)
NOTHING = SparseVector((), ())
ID = "00000000-0000-0000-0000-000000000001"
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
def answered(result=None, *, kind=None, reason=None, message=""):
    failure = {"kind": kind or "Unavailable", "reason": reason, "message": message}
    return {"id": id, "result": result, "failure": failure if message else None}
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

    def store(self, behaviour: str, *, hung_after_seconds: float = 30) -> EdgeStore:
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
        return EdgeStore(
            folder=self._starts.parent,
            command=lambda _: command,
            hung_after_seconds=hung_after_seconds,
        )

    @property
    def starts(self) -> int:
        return len(self._starts.read_text()) if self._starts.exists() else 0


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeWorkers:
    # The pause after a first failure is waited out.
    monkeypatch.setattr(keeper, "FIRST_PAUSE_SECONDS", 0.05)
    return FakeWorkers(tmp_path)


async def opened(store: EdgeStore) -> EdgeStore:
    await store.open(TINY, deadline_seconds=5)
    return store


async def counted(store: EdgeStore, *, deadline_seconds: float = 5) -> int:
    return await store.count("failures", where=EVERYTHING, deadline_seconds=deadline_seconds)


async def test_nothing_is_started_before_a_schema_is_known(workers: FakeWorkers) -> None:
    store = workers.store("pass")
    with pytest.raises(MemoryUnavailableError, match="before it was opened"):
        await counted(store, deadline_seconds=1)
    await store.close()
    assert workers.starts == 0


async def test_a_call_that_a_death_cut_off_is_asked_again(workers: FakeWorkers) -> None:
    dies_once = 'if kind == "Count":\n answer = answered(7)\n'
    dies_once += " if starts == 1: os._exit(1)"
    store = await opened(workers.store(dies_once))
    assert await counted(store) == 7
    await store.close()
    assert workers.starts == 2


async def test_a_call_that_kills_every_worker_is_an_error(workers: FakeWorkers) -> None:
    store = await opened(workers.store('if kind == "Count": os._exit(1)'))
    with pytest.raises(MemoryUnavailableError) as failed:
        await counted(store)
    assert failed.value.reason == "StoreUnavailable"
    await store.close()
    assert workers.starts == 2


async def test_a_worker_that_cannot_start_is_not_started_in_a_loop(
    workers: FakeWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "FIRST_PAUSE_SECONDS", 0.1)
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
    assert await counted(store) == 3
    await store.close()


async def test_a_pipe_that_breaks_before_its_process_ends_is_enough(workers: FakeWorkers) -> None:
    deaf = "if starts == 1:\n os.write(1, frame(answer))\n os.close(0)\n time.sleep(0.15)"
    store = await opened(workers.store(deaf + "\nanswer = answered(4)"))
    await asyncio.sleep(0.05)
    assert await counted(store) == 4
    await store.close()
    assert workers.starts == 2


async def test_a_late_answer_is_not_taken_for_the_next_one(workers: FakeWorkers) -> None:
    late = "time.sleep(0.12 if id == 3 else 0)\n"
    late += "answer = answered(id)"
    store = await opened(workers.store(late))
    with pytest.raises(MemoryUnavailableError) as missed:
        await counted(store, deadline_seconds=0.05)
    assert missed.value.reason == "DeadlineExceeded"
    assert await counted(store) == 4
    await store.close()
    assert workers.starts == 1


async def test_the_engines_refusal_keeps_its_reason(workers: FakeWorkers) -> None:
    refuses = 'if kind == "Own": answer = answered(reason="StoreLocked", message="somebody has it")'
    store = workers.store(refuses)
    with pytest.raises(MemoryUnavailableError, match="somebody has it") as refused:
        await opened(store)
    assert refused.value.reason == "StoreLocked"
    await store.close()


async def test_a_caller_that_leaves_during_the_start_does_not_undo_it(workers: FakeWorkers) -> None:
    store = workers.store('time.sleep(0.1 if kind == "Own" else 0)')
    with pytest.raises(MemoryUnavailableError) as missed:
        await store.open(TINY, deadline_seconds=0.05)
    assert missed.value.reason == "DeadlineExceeded"
    await opened(store)
    await store.close()
    assert workers.starts == 1


async def test_many_calls_at_once_share_one_start(workers: FakeWorkers) -> None:
    store = workers.store("answer = answered(1)")
    await asyncio.gather(*(opened(store) for _ in range(5)))
    counts = (counted(store) for _ in range(50))
    assert await asyncio.gather(*counts) == [1] * 50
    await store.close()
    assert workers.starts == 1


async def test_closing_during_the_start_leaves_no_process(workers: FakeWorkers) -> None:
    store = workers.store("time.sleep(30)")
    with pytest.raises(MemoryUnavailableError):
        await store.open(TINY, deadline_seconds=0.15)
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


async def test_an_engine_that_crashes_twice_means_a_damaged_store(workers: FakeWorkers) -> None:
    store = await opened(workers.store('if kind == "Count": os.kill(os.getpid(), 7)'))
    with pytest.raises(MemoryUnavailableError, match="restore") as refused:
        await counted(store)
    assert refused.value.reason == "StoreCorrupt"
    await store.close()


async def test_an_engine_that_crashes_on_a_full_disk_means_a_full_store(
    workers: FakeWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "RESERVE_BYTES", 2**62)
    store = await opened(workers.store('if kind == "Count": os.kill(os.getpid(), 7)'))
    with pytest.raises(MemoryUnavailableError, match="MiB left") as refused:
        await counted(store)
    assert refused.value.reason == "StoreFull"
    await store.close()


async def test_a_long_call_is_not_taken_for_a_hang(workers: FakeWorkers) -> None:
    slow = 'if kind == "Flush": time.sleep(0.2)\nif kind == "Count": answer = answered(5)'
    store = await opened(workers.store(slow, hung_after_seconds=0.05))
    flushing = asyncio.create_task(store.flush(deadline_seconds=5))
    await asyncio.sleep(0.1)
    with pytest.raises(MemoryUnavailableError):
        await counted(store, deadline_seconds=0.02)
    await flushing
    assert await counted(store) == 5
    await store.close()
    assert workers.starts == 1


async def test_a_call_that_takes_too_long_is_taken_for_a_hang(workers: FakeWorkers) -> None:
    hangs = 'if kind == "Count" and starts == 1: time.sleep(30)\nanswer = answered(5)'
    store = await opened(workers.store(hangs, hung_after_seconds=0.05))
    with pytest.raises(MemoryUnavailableError) as missed:
        await counted(store, deadline_seconds=0.1)
    assert missed.value.reason == "DeadlineExceeded"
    assert await counted(store) == 5
    await store.close()
    assert workers.starts == 2


async def test_a_generation_beside_leaves_the_worker_to_its_maker(workers: FakeWorkers) -> None:
    store = await opened(workers.store('if kind == "Count": answer = answered(1)'))
    beside = await store.make(Schema(model="next", dimensions=3), deadline_seconds=5)
    await beside.close()
    with pytest.raises(MemoryUnavailableError) as closed:
        await counted(beside)
    assert closed.value.reason == "Closed"
    assert await counted(store) == 1
    await store.close()


async def test_more_calls_than_may_wait_are_an_overload(workers: FakeWorkers) -> None:
    store = await opened(
        workers.store('if kind == "Count" and id == 3: time.sleep(0.2)\nanswer = answered(1)')
    )
    calls = (counted(store, deadline_seconds=0.04) for _ in range(300))
    answers = await asyncio.gather(*calls, return_exceptions=True)
    reasons = {each.reason for each in answers if isinstance(each, MemoryUnavailableError)}
    assert "StoreOverloaded" in reasons
    await store.close()


async def test_a_worker_that_is_stuck_is_not_sent_what_nobody_waits_for() -> None:
    """Six hundred callers that gave up had left all their requests in the pipe's buffer."""
    worker = await WorkerProcess.start(
        [sys.executable, "-I", "-S", "-c", "import time; time.sleep(30)"]
    )
    large = messages.SetPayload("failures", [], {"x": "y" * 60_000}, None)

    async def give_up() -> str:
        try:
            async with asyncio.timeout(0.01):
                await worker.call(messages.Request(id=0, call=large))
        except TimeoutError:
            return "gave up"
        except MemoryUnavailableError as error:
            return error.reason
        return "answered"

    for _ in range(3):
        outcomes = await asyncio.gather(*(give_up() for _ in range(MAX_WAITING)))
        assert set(outcomes) <= {"gave up", "StoreOverloaded"}
    assert worker.unsent_bytes < 200_000
    small = messages.Request(id=0, call=messages.Flush())
    assert worker.silent_seconds > 0
    worker.kill()
    with pytest.raises(WorkerGoneError):
        await worker.call(small)
    await worker.stop(grace_seconds=1)


async def test_calls_whose_callers_left_count_until_they_are_answered() -> None:
    worker = await WorkerProcess.start(
        [sys.executable, "-I", "-S", "-c", "import time; time.sleep(30)"]
    )
    request = messages.Request(id=0, call=messages.Flush())
    for _ in range(MAX_WAITING):
        calling = asyncio.create_task(worker.call(request))
        await asyncio.sleep(0)
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
    with pytest.raises(MemoryUnavailableError) as refused:
        await worker.call(request)
    assert refused.value.reason == "StoreOverloaded"
    worker.kill()
    await worker.stop(grace_seconds=1)


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
