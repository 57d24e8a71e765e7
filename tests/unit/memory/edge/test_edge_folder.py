"""What lies in the store's folder, and what is said where it cannot be used."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
import qdrant_edge as edge
from support.edge_in_process import copy_folder, in_process_store
from support.store_contract import OTHER_SCHEMA, SCHEMA, SECONDS, count, point, write

from kausa.memory.backup import back_up
from kausa.memory.edge import copying, failures
from kausa.memory.edge.folder import StoreFolder
from kausa.memory.errors import MemoryError_, MemoryUnavailableError, UnavailableReason
from kausa.memory.schema import INDEXED_FIELDS
from kausa.memory.store import Schema

OLD = Schema(model="tiny-8", dimensions=8, version=1)


def refused(folder: Path, schema: Schema = SCHEMA) -> MemoryUnavailableError:
    with pytest.raises(MemoryUnavailableError) as raised:
        _open_and_close(folder, schema)
    return raised.value


def _open_and_close(folder: Path, schema: Schema) -> None:
    opened = StoreFolder(folder, wait_seconds=0)
    try:
        opened.open(schema)
    finally:
        opened.close()


def generation(folder: Path) -> Path:
    (found,) = (folder / "generations").iterdir()
    return found


def write_old_layout(folder: Path) -> None:
    (folder / "current" / "shard").mkdir(parents=True)
    described = {"model": "tiny-8", "dimensions": 8, "version": 1}
    (folder / "current" / "schema.json").write_text(json.dumps(described))


def test_an_open_folder_is_refused_to_everyone_else(folder: Path) -> None:
    owner = StoreFolder(folder)
    error = refused(folder)
    owner.close()
    assert error.reason == "StoreLocked"
    assert "in use by process" in str(error)
    assert str(folder) in str(error)
    StoreFolder(folder, wait_seconds=0).close()


def test_a_store_of_the_old_layout_says_how_it_is_made_anew(quick: Path) -> None:
    write_old_layout(quick)
    error = refused(quick)
    assert error.reason == "SchemaMismatch"
    assert "kausa memory sync --rebuild" in str(error)
    assert (quick / "current" / "schema.json").exists()


async def test_a_store_of_the_old_layout_can_be_replaced(folder: Path) -> None:
    (folder / "active").unlink()
    write_old_layout(folder)
    store = in_process_store(folder)
    listed = await store.generations(deadline_seconds=SECONDS)
    assert {each.schema: each.active for each in listed} == {SCHEMA: False, OLD: True}
    filled = await store.make(SCHEMA, deadline_seconds=SECONDS)
    await write(filled, [point(1)])
    await store.activate(SCHEMA, deadline_seconds=SECONDS)
    await store.drop(OLD, deadline_seconds=SECONDS)
    await store.open(SCHEMA, deadline_seconds=SECONDS)
    assert await count(store) == 1
    assert not (folder / "current").exists()
    await store.close()


@pytest.mark.parametrize(
    "broken",
    [
        "schema.json",
        "failures/edge_config.json",
        "runbooks/segments/*/segment.json",
        "failures/segments/*/payload_index/config.json",
    ],
)
async def test_a_file_that_cannot_be_read_is_a_damaged_store_and_stays_as_it_is(
    folder: Path, broken: str
) -> None:
    (path,) = generation(folder).glob(broken)
    path.write_text("{")
    error = refused(folder)
    assert error.reason == "StoreCorrupt"
    assert "kausa memory restore" in str(error)
    assert "kausa memory sync --rebuild" in str(error)
    assert path.read_text() == "{"


@pytest.mark.parametrize("name", ["no-such-generation", "../elsewhere", "\udcff"])
def test_an_active_generation_that_is_not_there_is_damage(folder: Path, name: str) -> None:
    (folder / "active").write_bytes(name.encode(errors="surrogateescape"))
    assert refused(folder).reason == "StoreCorrupt"


def test_a_collection_that_is_not_there_is_damage_and_not_made_anew(folder: Path) -> None:
    gone = generation(folder) / "runbooks"
    gone.rename(folder / "elsewhere")
    assert refused(folder).reason == "StoreCorrupt"
    assert not gone.exists()


@pytest.mark.slow
async def test_a_damaged_store_is_mended_by_a_backup(folder: Path, quick: Path) -> None:
    store = in_process_store(folder)
    await store.open(SCHEMA, deadline_seconds=SECONDS)
    await write(store, [point(1)])
    await store.backup(quick / "backup", deadline_seconds=SECONDS)
    await store.close()
    (generation(folder) / "failures" / "edge_config.json").write_text("{")
    mended = in_process_store(folder)
    with pytest.raises(MemoryUnavailableError):
        await mended.open(SCHEMA, deadline_seconds=SECONDS)
    await mended.restore(quick / "backup", deadline_seconds=SECONDS)
    await mended.open(SCHEMA, deadline_seconds=SECONDS)
    assert await count(mended) == 1
    await mended.close()


def test_what_was_never_finished_is_garbage(folder: Path) -> None:
    unfinished = folder / "new" / "half"
    unfinished.mkdir(parents=True)
    (unfinished / "schema.json").write_text("{")
    store = StoreFolder(folder)
    store.open(SCHEMA)
    store.close()
    assert not (folder / "new").exists()


def test_a_generation_that_a_restore_replaced_is_removed_after_a_kill(folder: Path) -> None:
    active = generation(folder)
    copy_folder(active, active.with_name(active.name.replace(".1", ".2")))
    store = StoreFolder(folder)
    assert [each.schema for each in store.listed()] == [SCHEMA]
    store.close()
    assert generation(folder) == active


@pytest.mark.slow
def test_a_generation_of_another_model_is_not_removed(folder: Path) -> None:
    store = StoreFolder(folder)
    store.make(OTHER_SCHEMA)
    store.close()
    store = StoreFolder(folder)
    assert [each.schema for each in store.listed()] == [SCHEMA, OTHER_SCHEMA]
    store.close()


@pytest.mark.slow
def test_two_models_whose_names_look_alike_have_a_folder_each(folder: Path) -> None:
    store = StoreFolder(folder)
    for model in ("Tiny_8", "tiny 8"):
        store.make(Schema(model=model, dimensions=8))
    assert len(store.listed()) == 3
    with pytest.raises(MemoryError_, match="in use"):
        store.drop(SCHEMA)
    store.close()


async def test_nothing_is_written_where_the_disk_is_nearly_full(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = in_process_store(folder)
    await store.open(SCHEMA, deadline_seconds=SECONDS)
    await write(store, [point(1)])
    monkeypatch.setattr(failures, "RESERVE_BYTES", 2**62)
    for change in (
        write(store, [point(2)]),
        store.set_payload("failures", [point(1).id], {"node": "n"}, deadline_seconds=SECONDS),
        store.make(OTHER_SCHEMA, deadline_seconds=SECONDS),
    ):
        with pytest.raises(MemoryUnavailableError, match="MiB left") as full:
            await change
        assert full.value.reason == "StoreFull"
    # It can still be read, and made smaller.
    assert await count(store) == 1
    await store.delete("failures", ids=[point(1).id], deadline_seconds=SECONDS)
    assert await count(store) == 0
    await store.close()


async def test_a_full_disk_of_a_backup_is_told_from_that_of_the_memory(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = in_process_store(folder)
    await store.open(SCHEMA, deadline_seconds=SECONDS)
    target = tmp_path / "backups" / "b"

    def fills_up(_source: Path, made: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(made / "segment"))

    async def refused() -> str:
        with pytest.raises(MemoryUnavailableError) as full:
            await back_up(store, target, deadline_seconds=SECONDS)
        assert full.value.reason == "StoreFull"
        return str(full.value)

    monkeypatch.setattr(copying, "copy_tree", fills_up)
    advice = "Make room there, or name a folder on another disk"
    assert await refused() == (
        f"the backup in {target} cannot be written: No space left on device. {advice}"
    )
    monkeypatch.setattr(failures, "RESERVE_BYTES", 2**62)
    said = await refused()
    assert said.startswith(f"the disk of the backup in {target} has ")
    assert said.endswith(advice)
    await store.close()


def test_a_folder_that_cannot_be_made_is_a_reason_and_not_a_crash(quick: Path) -> None:
    (quick / "file").write_text("")
    error = refused(quick / "file" / "memory")
    assert error.reason == "StoreUnavailable"
    assert "cannot be used" in str(error)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (OSError(28, "No space left on device"), "StoreFull"),
        (OSError(122, "Disk quota exceeded"), "StoreFull"),
        (OSError(30, "Read-only file system"), "StoreReadOnly"),
        (OSError(13, "Permission denied"), "StoreReadOnly"),
        (
            Exception("Service internal error: IO: No space left on device (os error 28)"),
            "StoreFull",
        ),
        (Exception("Read-only file system (os error 30)"), "StoreReadOnly"),
        (Exception("File too large (os error 27)"), "StoreFull"),
        (Exception("elements range 384..415 is out of bounds"), "StoreCorrupt"),
        (Exception("Wrong input"), "StoreUnavailable"),
        (OSError("no number"), "StoreUnavailable"),
    ],
    ids=str,
)
def test_errors_of_the_disk_are_told_apart(words: Exception, reason: UnavailableReason) -> None:
    assert failures.reason_of(words) == reason
    assert failures.unavailable("writing", words).reason == reason


def test_an_index_that_a_later_kausa_needs_is_made_when_it_opens(folder: Path) -> None:
    path = generation(folder) / "failures"
    shard = edge.EdgeShard.load(str(path))
    shard.update(edge.UpdateOperation.delete_field_index("outcome"))
    shard.flush()
    shard.close()
    store = StoreFolder(folder)
    store.open(SCHEMA)
    store.close()
    shard = edge.EdgeShard.load(str(path))
    assert set(shard.info().payload_schema) == {field.name for field in INDEXED_FIELDS}
    shard.close()
