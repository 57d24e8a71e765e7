"""Workers that die, hang, answer late or are asked too much."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from support.fake_workers import TINY, FakeWorkers, counted, opened

from kausa.memory.edge import failures, keeper, messages
from kausa.memory.edge.process import MAX_WAITING, WorkerGoneError, WorkerProcess
from kausa.memory.errors import MemoryUnavailableError


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeWorkers:
    # The pause after a first failure is waited out.
    monkeypatch.setattr(keeper, "PAUSES", replace(keeper.PAUSES, first_seconds=0.05))
    return FakeWorkers(tmp_path)


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
    monkeypatch.setattr(keeper, "PAUSES", replace(keeper.PAUSES, first_seconds=0.1))
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


async def test_a_caller_that_leaves_during_the_start_does_not_undo_it(workers: FakeWorkers) -> None:
    store = workers.store('time.sleep(0.1 if kind == "Own" else 0)')
    with pytest.raises(MemoryUnavailableError) as missed:
        await store.open(TINY, deadline_seconds=0.05)
    assert missed.value.reason == "DeadlineExceeded"
    await opened(store)
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
