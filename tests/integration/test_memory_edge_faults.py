"""The embedded store when its process, its disk or its files fail."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.memory.faults import killed_operator, killed_worker
from support.edge_in_process import quick_folder
from support.store_contract import OTHER_SCHEMA, SCHEMA, SECONDS, count, point, write

from kausa.memory.edge.client import EdgeStore
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.filters import EVERYTHING
from kausa.memory.store import Schema

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder / "memory"


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of its own, in memory, that can be filled and made read-only."""
    with tempfile.TemporaryDirectory() as place:
        made = _mount("-t", "tmpfs", "-o", "size=1500m", "none", place)
        if made.returncode != 0:
            pytest.skip(f"nothing can be mounted here: {made.stderr.strip()}")
        yield Path(place)
        subprocess.run(["umount", "--lazy", place], check=True)


def _mount(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)


async def opened(folder: Path, schema: Schema = SCHEMA) -> EdgeStore:
    store = EdgeStore(folder=folder)
    await store.open(schema, deadline_seconds=SECONDS)
    return store


async def refused(folder: Path, schema: Schema = SCHEMA) -> MemoryUnavailableError:
    store = EdgeStore(folder=folder)
    with pytest.raises(MemoryUnavailableError) as raised:
        await store.open(schema, deadline_seconds=SECONDS)
    await store.close()
    return raised.value


async def test_killing_the_worker_loses_and_doubles_nothing(folder: Path) -> None:
    outcome = await killed_worker(folder, rounds=6, noise=random.Random(1))
    assert outcome.kills >= 3
    assert outcome.acknowledged > 100
    assert (outcome.lost, outcome.doubled, outcome.malformed) == (0, 0, 0)


async def test_killing_the_operator_loses_and_doubles_nothing(folder: Path) -> None:
    outcome = await killed_operator(folder, rounds=4, noise=random.Random(2))
    assert outcome.kills == 4
    assert (outcome.lost, outcome.doubled, outcome.malformed) == (0, 0, 0)
    assert outcome.kept > 0


async def test_a_full_disk_is_told_and_what_was_there_stays(small_disk: Path) -> None:
    store = await opened(small_disk / "memory")
    await write(store, [point(1)])
    statistics = os.statvfs(small_disk)
    free = statistics.f_bavail * statistics.f_frsize
    (small_disk / "ballast").write_bytes(bytes(free - 64 * 2**20))
    with pytest.raises(MemoryUnavailableError, match="kausa memory prune") as full:
        await write(store, [point(2)])
    assert full.value.reason == "StoreFull"
    assert await count(store) == 1
    (small_disk / "ballast").unlink()
    await write(store, [point(2)])
    assert await count(store) == 2
    await store.close()


async def test_a_full_disk_at_the_start_is_told(small_disk: Path) -> None:
    assert _mount("-o", "remount,size=8m", str(small_disk)).returncode == 0
    error = await refused(small_disk / "memory")
    assert error.reason == "StoreFull"


async def test_a_read_only_disk_is_told(small_disk: Path) -> None:
    store = await opened(small_disk / "memory")
    await store.close()
    assert _mount("-o", "remount,ro", str(small_disk)).returncode == 0
    error = await refused(small_disk / "memory")
    assert error.reason == "StoreReadOnly"
    assert "may write to" in str(error)


@pytest.mark.parametrize(
    "broken",
    [
        "failures/segments/*/vector_storage-dense/vectors/chunk_0.mmap",
        "failures/segments/*/payload_storage/page_0.dat",
        "failures/segments/*/segment.json",
        "runbooks/edge_config.json",
        "schema.json",
    ],
)
async def test_a_file_that_was_cut_off_is_a_damaged_store(folder: Path, broken: str) -> None:
    store = await opened(folder)
    await write(store, [point(number) for number in range(200)])
    await store.close()
    (path,) = (folder / "generations").glob(f"*/{broken}")
    os.truncate(path, 1)
    error = await _broken(folder)
    assert error.reason == "StoreCorrupt", error
    assert "kausa memory restore" in str(error)


async def _broken(folder: Path) -> MemoryUnavailableError:
    """What is said at the latest when it is read: some damage is not seen before."""
    store = EdgeStore(folder=folder)
    try:
        with pytest.raises(MemoryUnavailableError) as raised:
            await _read_all(store)
    finally:
        await store.close()
    return raised.value


async def _read_all(store: EdgeStore) -> None:
    await store.open(SCHEMA, deadline_seconds=SECONDS)
    await store.get(
        "failures",
        [point(number).id for number in range(200)],
        with_vectors=True,
        deadline_seconds=SECONDS,
    )


async def test_another_model_is_told_and_the_folder_is_free_for_who_mends_it(
    folder: Path,
) -> None:
    store = await opened(folder)
    await write(store, [point(1)])
    await store.close()
    other = EdgeStore(folder=folder)
    with pytest.raises(MemoryUnavailableError, match="kausa memory migrate") as mismatch:
        await other.open(OTHER_SCHEMA, deadline_seconds=SECONDS)
    assert mismatch.value.reason == "ModelMismatch"
    mender = await opened(folder)
    assert await count(mender) == 1
    await mender.close()
    await other.close()


async def test_a_second_process_is_told_who_has_the_folder(folder: Path) -> None:
    owner = await opened(folder)
    await write(owner, [point(1)])
    error = await refused(folder)
    assert error.reason == "StoreLocked"
    assert f"process {os.getpid()}" in str(error)
    assert await count(owner) == 1
    await owner.close()


async def test_a_stopped_worker_is_a_missed_deadline_and_then_replaced(folder: Path) -> None:
    store = EdgeStore(folder=folder, hung_after_seconds=0.2)
    await store.open(SCHEMA, deadline_seconds=SECONDS)
    await write(store, [point(1)])
    stopped = store.worker_pid
    assert stopped is not None
    os.kill(stopped, signal.SIGSTOP)
    with pytest.raises(MemoryUnavailableError) as missed:
        await store.count("failures", where=EVERYTHING, deadline_seconds=0.3)
    assert missed.value.reason == "DeadlineExceeded"
    assert await count(store) == 1
    assert store.worker_pid != stopped
    await store.close()


async def test_a_worker_killed_while_it_backs_up_leaves_no_backup(folder: Path) -> None:
    store = await opened(folder)
    await write(store, [point(number) for number in range(100)])
    target = folder.parent / "backup"
    backing_up = asyncio.create_task(store.backup(target, deadline_seconds=SECONDS))
    while not target.exists():
        await asyncio.sleep(0.001)
    assert store.worker_pid is not None
    os.kill(store.worker_pid, signal.SIGKILL)
    await backing_up  # the call that was cut off was sent once more
    await store.delete("failures", where=EVERYTHING, deadline_seconds=SECONDS)
    await store.restore(target, deadline_seconds=SECONDS)
    assert await count(store) == 100
    await store.close()
