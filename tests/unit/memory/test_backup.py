"""Backups over a real store (local mode of the server backend)."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.server_stores import local_stores
from support.store_contract import SCHEMA, SECONDS, count, everything, id_of, point, write

from kausa.memory.backup import _digest, _id_of, _is_same, _key_of, back_up, put_back
from kausa.memory.errors import InvalidBackupError, MemoryUnavailableError
from kausa.memory.filters import EVERYTHING
from kausa.memory.server.store import ServerStore
from kausa.memory.store import StoredPoint

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
async def store() -> AsyncIterator[ServerStore]:
    async with local_stores() as make:
        store = make()
        await store.open(SCHEMA, deadline_seconds=SECONDS)
        await write(store, [point(number) for number in range(450)])
        yield store


@pytest.fixture
async def scratch() -> AsyncIterator[ServerStore]:
    async with local_stores() as make:
        yield make()


async def test_a_checked_backup_comes_back(
    store: ServerStore, scratch: ServerStore, tmp_path: Path
) -> None:
    report = await back_up(store, tmp_path / "b", scratch=scratch, deadline_seconds=SECONDS)
    assert report.checked
    assert dict(report.points) == {"failures": 450, "runbooks": 0}
    assert len(await everything(scratch)) == 450
    await store.delete("failures", where=EVERYTHING, deadline_seconds=SECONDS)
    done = await put_back(store, tmp_path / "b", deadline_seconds=SECONDS)
    assert done.points["failures"] == await count(store) == 450


async def test_a_backup_that_lacks_a_point_is_not_kept(
    store: ServerStore, scratch: ServerStore, tmp_path: Path
) -> None:
    restore = scratch.restore

    async def lossy(source: Path, *, deadline_seconds: float) -> None:
        await restore(source, deadline_seconds=deadline_seconds)
        await scratch.open(SCHEMA, deadline_seconds=deadline_seconds)
        await scratch.delete("failures", ids=[id_of(7)], deadline_seconds=deadline_seconds)

    scratch.restore = lossy  # type: ignore[method-assign]
    with pytest.raises(InvalidBackupError, match=id_of(7)):
        await back_up(store, tmp_path / "b", scratch=scratch, deadline_seconds=SECONDS)
    assert os.listdir(tmp_path) == []


async def test_a_check_without_room_names_the_disk_of_the_backup_and_what_to_do(
    store: ServerStore, scratch: ServerStore, tmp_path: Path
) -> None:
    async def full(source: Path, *, deadline_seconds: float) -> None:
        raise MemoryUnavailableError("the memory's disk is full", reason="StoreFull")

    scratch.restore = full  # type: ignore[method-assign]
    with pytest.raises(MemoryUnavailableError, match="--no-check") as refused:
        await back_up(
            store,
            tmp_path / "b",
            scratch=scratch,
            scratch_is_beside=True,
            deadline_seconds=SECONDS,
        )
    assert refused.value.reason == "StoreFull"
    assert f"the disk of {tmp_path} has" in str(refused.value)
    assert "memory's disk" not in str(refused.value)
    assert os.listdir(tmp_path) == []
    with pytest.raises(MemoryUnavailableError, match="memory's disk"):
        await back_up(store, tmp_path / "b", scratch=scratch, deadline_seconds=SECONDS)


@pytest.mark.parametrize("error", [InvalidBackupError, MemoryUnavailableError])
async def test_what_is_said_of_the_folder_that_it_is_made_in_is_said_of_the_one_asked_for(
    store: ServerStore, tmp_path: Path, error: type[Exception]
) -> None:
    async def full(target: Path, *, deadline_seconds: float) -> None:
        how = {"reason": "StoreFull"} if error is MemoryUnavailableError else {}
        raise error(f"{target / 'failures'} cannot be written", **how)

    store.backup = full  # type: ignore[method-assign]
    with pytest.raises(error) as refused:
        await back_up(store, tmp_path / "b", deadline_seconds=SECONDS)
    assert str(refused.value) == f"{tmp_path / 'b' / 'failures'} cannot be written"


async def test_what_is_written_and_deleted_meanwhile_is_not_a_loss(
    store: ServerStore, scratch: ServerStore, tmp_path: Path
) -> None:
    backup = store.backup

    async def busy(target: Path, *, deadline_seconds: float) -> None:
        await store.delete("failures", ids=[id_of(3)], deadline_seconds=SECONDS)
        await backup(target, deadline_seconds=deadline_seconds)
        await write(store, [point(1000), point(1, cluster="changed")])

    store.backup = busy  # type: ignore[method-assign]
    report = await back_up(store, tmp_path / "b", scratch=scratch, deadline_seconds=SECONDS)
    assert report.checked


async def test_a_folder_that_is_there_is_left_alone(store: ServerStore, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    with pytest.raises(InvalidBackupError, match="there already"):
        await back_up(store, tmp_path, deadline_seconds=SECONDS)
    assert os.listdir(tmp_path) == ["precious"]


async def test_a_backup_that_failed_leaves_nothing(store: ServerStore, tmp_path: Path) -> None:
    async def away(target: Path, *, deadline_seconds: float) -> None:
        os.mkdir(target)
        (target / "part").write_text("x")
        raise MemoryUnavailableError("away", reason="StoreUnavailable")

    store.backup = away  # type: ignore[method-assign]
    with pytest.raises(MemoryUnavailableError):
        await back_up(store, tmp_path / "b", deadline_seconds=SECONDS)
    assert os.listdir(tmp_path) == []


async def test_a_vector_that_came_back_otherwise_is_a_loss(
    store: ServerStore, scratch: ServerStore, tmp_path: Path
) -> None:
    restore = scratch.restore

    async def damaging(source: Path, *, deadline_seconds: float) -> None:
        await restore(source, deadline_seconds=deadline_seconds)
        await scratch.open(SCHEMA, deadline_seconds=deadline_seconds)
        [other] = [point(7)]
        turned = msgspec.structs.replace(other, dense=tuple(reversed(other.dense)))
        await write(scratch, [turned])

    scratch.restore = damaging  # type: ignore[method-assign]
    with pytest.raises(InvalidBackupError, match=id_of(7)):
        await back_up(store, tmp_path / "b", scratch=scratch, deadline_seconds=SECONDS)


async def test_folders_of_others_beside_the_backup_are_left_alone(
    store: ServerStore, tmp_path: Path
) -> None:
    (tmp_path / "b.half").mkdir()
    (tmp_path / "b.half" / "precious").write_text("x")
    old = tmp_path / ".kausa-backup-killed"
    old.mkdir()
    os.utime(old, (0, 0))
    await back_up(store, tmp_path / "b", deadline_seconds=SECONDS)
    assert sorted(os.listdir(tmp_path)) == ["b", "b.half"]
    assert os.listdir(tmp_path / "b.half") == ["precious"]


def stored(number: int) -> StoredPoint:
    one = point(number)
    return StoredPoint(id=one.id, payload=one.payload, dense=tuple(one.dense), sparse=one.sparse)


def test_of_each_point_a_check_holds_little() -> None:
    """The backup's Pod has to hold that of all, while a memory may have millions."""
    for number in range(50):
        assert len(_key_of(stored(number).id)) == 16
        assert len(_digest(stored(number))) == 44


def test_a_digest_tells_payload_words_and_vector_apart_and_bears_what_a_store_rounds() -> None:
    one = stored(1)
    assert one.dense is not None
    assert _is_same(_digest(one), _digest(one))
    rounded = tuple(value * (1 + 1e-6) for value in one.dense)
    assert _is_same(_digest(one), _digest(msgspec.structs.replace(one, dense=rounded)))
    others = (
        msgspec.structs.replace(one, dense=None),
        msgspec.structs.replace(one, dense=tuple(0.0 for _ in one.dense)),
        msgspec.structs.replace(one, dense=tuple(reversed(one.dense))),
        msgspec.structs.replace(one, dense=tuple(float("nan") for _ in one.dense)),
        msgspec.structs.replace(one, sparse=None),
        msgspec.structs.replace(one, payload=stored(2).payload),
    )
    for other in others:
        assert not _is_same(_digest(one), _digest(other))
    assert not _is_same(_digest(others[0]), _digest(others[1]))
    assert not _is_same(_digest(one), None)


@given(st.one_of(st.uuids().map(str), st.text()))
def test_the_name_of_a_point_can_be_read_back_from_its_key(id_: str) -> None:
    assert _id_of(_key_of(id_)) == id_


def test_no_other_point_has_the_key_of_one() -> None:
    ids = ["3a" + "0" * 30, ":" * 15, ":" * 16, "", "\0"]
    assert len({_key_of(each) for each in ids}) == len(ids)
