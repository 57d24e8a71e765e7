"""The embedded store with its real worker: the contract, and what only a process can show."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest
from support.edge_in_process import copy_folder, in_process_store, made_folder, quick_folder
from support.store_contract import (
    SCHEMA,
    SECONDS,
    NewStore,
    StoreContract,
    count,
    point,
    write,
)

from kausa.memory.edge import messages, shard
from kausa.memory.edge.client import EdgeStore
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.filters import EVERYTHING
from kausa.memory.store import HybridQuery, Schema

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    with quick_folder() as folder:
        yield made_folder(folder / "memory", SCHEMA)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder


@pytest.fixture
async def store(made: Path, tmp_path: Path) -> AsyncIterator[EdgeStore]:
    store = EdgeStore(folder=copy_folder(made, tmp_path / "memory"))
    await store.open(SCHEMA, deadline_seconds=SECONDS)
    yield store
    await store.close()


class TestEdgeStoreWithItsWorker(StoreContract):
    @pytest.fixture
    async def new_store(self, made: Path, tmp_path: Path) -> AsyncIterator[NewStore]:
        folder = copy_folder(made, tmp_path / "memory")
        stores: list[EdgeStore] = []

        def make() -> EdgeStore:
            stores.append(EdgeStore(folder=folder))
            return stores[-1]

        yield make
        for store in stores:
            await store.close()


@pytest.fixture(scope="module")
def settled() -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch, quick_folder() as folder:
        patch.setattr(shard, "SETTLE_POINTS", 40)
        yield made_folder(folder / "memory", SCHEMA)


class TestEdgeStoreWhoseSegmentsAreSettled(StoreContract):
    """The same again where every write is followed by what happens once in 20,000 points."""

    @pytest.fixture
    async def new_store(
        self, settled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[NewStore]:
        folder = copy_folder(settled, tmp_path / "memory")
        stores: list[EdgeStore] = []
        upsert = shard.Shard.upsert

        def upsert_and_settle(self: shard.Shard, points: Sequence[messages.PackedPoint]) -> None:
            upsert(self, points)
            self.settle()

        monkeypatch.setattr(shard, "SETTLE_POINTS", 40)
        monkeypatch.setattr(shard.Shard, "upsert", upsert_and_settle)

        def make() -> EdgeStore:
            stores.append(in_process_store(folder))
            return stores[-1]

        yield make
        for store in stores:
            await store.close()


def runs(pid: int) -> bool:
    """Whether the process does anything; an orphan that nobody reaps counts as gone."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


async def test_a_killed_operator_takes_its_worker_along_and_the_next_one_may_begin_at_once(
    tmp_path: Path,
) -> None:
    script = textwrap.dedent(
        """
        import asyncio, sys
        from pathlib import Path
        from kausa.memory.edge.client import EdgeStore
        from support.store_contract import SCHEMA, SECONDS, point, write

        async def main():
            store = EdgeStore(folder=Path(sys.argv[1]))
            await store.open(SCHEMA, deadline_seconds=SECONDS)
            await write(store, [point(number) for number in range(100)])
            print(store.worker_pid, flush=True)
            await asyncio.sleep(60)

        asyncio.run(main())
        """
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen(  # noqa: ASYNC220 - starting it takes no time
        [sys.executable, "-c", script, str(tmp_path / "memory")],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    worker = int(await asyncio.to_thread(process.stdout.readline))
    process.kill()
    heir = EdgeStore(folder=tmp_path / "memory")
    began = time.monotonic()
    await heir.open(SCHEMA, deadline_seconds=SECONDS)
    print(f"reopened {time.monotonic() - began:.2f} s after the kill")
    assert await count(heir) == 100
    await heir.close()
    process.wait()
    process.stdout.close()
    assert not runs(worker)


async def test_closing_ends_the_worker_and_frees_the_folder(
    store: EdgeStore, tmp_path: Path
) -> None:
    worker = store.worker_pid
    assert worker is not None
    await store.close()
    assert not runs(worker)
    heir = EdgeStore(folder=tmp_path / "memory")
    await heir.open(SCHEMA, deadline_seconds=SECONDS)
    await heir.close()


async def test_signals_for_the_process_group_do_not_take_the_store_away(store: EdgeStore) -> None:
    await write(store, [point(1)])
    worker = store.worker_pid
    assert worker is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(worker, number)
    await asyncio.sleep(0.1)
    assert await count(store) == 1
    assert store.worker_pid == worker


async def test_generations_outlive_the_worker_that_made_them(store: EdgeStore) -> None:
    other = Schema(model="other", dimensions=8)
    beside = await store.make(other, deadline_seconds=SECONDS)
    await write(beside, [point(1)])
    await write(store, [point(2), point(3)])
    assert store.worker_pid is not None
    os.kill(store.worker_pid, signal.SIGKILL)
    assert [await count(beside), await count(store)] == [1, 2]
    await store.activate(other, deadline_seconds=SECONDS)
    os.kill(store.worker_pid, signal.SIGKILL)
    assert await count(store) == 1


async def test_a_missed_deadline_is_told_and_leaves_the_store_usable(store: EdgeStore) -> None:
    with pytest.raises(MemoryUnavailableError) as missed:
        await store.count("failures", where=EVERYTHING, deadline_seconds=1e-6)
    assert missed.value.reason == "DeadlineExceeded"
    assert await count(store) == 0


async def test_the_event_loop_stays_free_while_much_goes_in_and_out(tmp_path: Path) -> None:
    """Batches of the largest size, with vectors of a large model and long payloads."""
    schema = Schema(model="large", dimensions=1024)
    store = EdgeStore(folder=tmp_path / "memory")
    await store.open(schema, deadline_seconds=SECONDS)
    text = "a line of a log as long as lines of logs are\n" * 90
    points = [point(number, schema=schema, cluster="c", passage=text) for number in range(500)]
    held: list[float] = []

    async def tick() -> None:
        while True:
            # The CPU time of this process alone: on a busy machine the clock says nothing.
            began = time.process_time()
            await asyncio.sleep(0.001)
            held.append(time.process_time() - began)

    ticking = asyncio.create_task(tick())
    for _ in range(3):
        await write(store, points)
        found = await everything_in_large_pages(store)
        assert len(found) == 500
        query = HybridQuery(where=EVERYTHING, dense=tuple(points[0].dense), candidates=256)
        assert len(await store.candidates("failures", query, deadline_seconds=SECONDS)) == 256
    ticking.cancel()
    await store.close()
    print(f"event loop held for {max(held) * 1e3:.1f} ms at most")
    assert max(held) < 0.05


async def everything_in_large_pages(store: EdgeStore) -> list[object]:
    page = await store.scroll(
        "failures", where=EVERYTHING, limit=500, with_vectors=True, deadline_seconds=SECONDS
    )
    return [*page.points]
