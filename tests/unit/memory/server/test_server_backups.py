"""Backups of a server's memory beyond what every store promises: over HTTP, to the shim."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.qdrant_shim import Fault, QdrantShim, running_shim
from support.store_contract import OTHER_SCHEMA, SCHEMA, SECONDS, count, everything, point, write

from kausa.memory.errors import InvalidBackupError, MemoryUnavailableError
from kausa.memory.filters import EVERYTHING
from kausa.memory.server import ServerSettings, connect
from kausa.memory.server.backups import MANIFEST
from kausa.memory.server.store import ServerStore


@pytest.fixture
async def shim() -> AsyncIterator[QdrantShim]:
    async with running_shim() as found:
        yield found


@pytest.fixture
async def store(shim: QdrantShim) -> AsyncIterator[ServerStore]:
    store = connect(ServerSettings(url=shim.url))
    await store.open(SCHEMA, deadline_seconds=SECONDS)
    await write(store, [point(number) for number in range(250)])
    yield store
    await store.close()


@pytest.mark.slow
async def test_both_ways_of_packing_bring_everything_back(
    shim: QdrantShim, store: ServerStore, tmp_path: Path
) -> None:
    before = await everything(store)
    scrolling = connect(ServerSettings(url=shim.url, backups="scroll"))
    await scrolling.open(SCHEMA, deadline_seconds=SECONDS)
    await scrolling.backup(tmp_path / "scroll", deadline_seconds=SECONDS)
    await store.backup(tmp_path / "snapshot", deadline_seconds=SECONDS)
    assert not any(each.snapshots for each in shim.added.values())
    for kind in ("scroll", "snapshot"):
        await store.delete("failures", where=EVERYTHING, deadline_seconds=SECONDS)
        await store.restore(tmp_path / kind, deadline_seconds=SECONDS)
        after = await everything(store)
        assert [(each.id, each.payload, each.sparse) for each in after] == [
            (each.id, each.payload, each.sparse) for each in before
        ]
        assert len(shim.added) == 2
        assert all("cluster" in each.indexes for each in shim.added.values())
    await scrolling.close()


async def test_a_restore_that_fails_half_way_leaves_the_memory_as_it_was(
    shim: QdrantShim, store: ServerStore, tmp_path: Path
) -> None:
    await store.backup(tmp_path / "b", deadline_seconds=SECONDS)
    await write(store, [point(1000)])
    shim.faults.append(Fault(path="POST .*runbooks.*/upload$", status=403))
    with pytest.raises(MemoryUnavailableError):
        await store.restore(tmp_path / "b", deadline_seconds=SECONDS)
    assert await count(store) == 251
    assert len(shim.added) == 2


async def test_fewer_points_than_the_manifest_says_are_no_backup(
    store: ServerStore, tmp_path: Path
) -> None:
    await store.backup(tmp_path / "b", deadline_seconds=SECONDS)
    manifest = tmp_path / "b" / MANIFEST
    document = json.loads(manifest.read_text())
    document["files"]["failures"]["points"] = 251
    manifest.write_text(json.dumps(document))
    with pytest.raises(InvalidBackupError, match="251"):
        await store.restore(tmp_path / "b", deadline_seconds=SECONDS)
    assert await count(store) == 250


async def test_a_snapshot_that_arrives_damaged_is_no_backup(
    shim: QdrantShim, store: ServerStore, tmp_path: Path
) -> None:
    shim.faults.append(Fault(path="GET .*snapshots/", status=200, body="something else"))
    with pytest.raises(MemoryUnavailableError, match="did not arrive"):
        await store.backup(tmp_path / "b", deadline_seconds=SECONDS)
    assert MANIFEST not in os.listdir(tmp_path / "b")


async def test_a_full_disk_here_is_not_taken_for_a_server_that_is_none(
    store: ServerStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def full(path: Path, mode: str = "r", **how: Any) -> Any:
        if path.suffix == ".snapshot" and "w" in mode:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return opened(path, mode, **how)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(InvalidBackupError) as refused:
        await store.backup(tmp_path / "b", deadline_seconds=SECONDS)
    assert str(refused.value) == (
        f"{tmp_path / 'b'} cannot be written: No space left on device. Make room there, or name a "
        "folder on another disk"
    )


async def test_a_backup_of_another_model_does_not_go_into_an_open_memory(
    store: ServerStore, tmp_path: Path
) -> None:
    await store.backup(tmp_path / "b", deadline_seconds=SECONDS)
    await store.make(OTHER_SCHEMA, deadline_seconds=SECONDS)
    await store.activate(OTHER_SCHEMA, deadline_seconds=SECONDS)
    with pytest.raises(InvalidBackupError, match="tiny-8"):
        await store.restore(tmp_path / "b", deadline_seconds=SECONDS)


async def test_a_manifest_that_leads_outside_of_its_folder_is_refused(
    store: ServerStore, tmp_path: Path
) -> None:
    await store.backup(tmp_path / "b", deadline_seconds=SECONDS)
    manifest = tmp_path / "b" / MANIFEST
    document = json.loads(manifest.read_text())
    document["files"]["failures"]["name"] = "../secret"
    manifest.write_text(json.dumps(document))
    with pytest.raises(InvalidBackupError, match="outside"):
        await store.restore(tmp_path / "b", deadline_seconds=SECONDS)
