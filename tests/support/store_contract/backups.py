"""A backup brings back what was there, and what is none touches nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.store_contract.fixtures import Fixtures
from support.store_contract.shorthand import (
    OTHER_SCHEMA,
    SCHEMA,
    SECONDS,
    NewStore,
    count,
    everything,
    id_of,
    ids,
    names_in,
    point,
    search,
    vector,
    write,
)

from kausa.memory.errors import InvalidBackupError
from kausa.memory.filters import EVERYTHING, OneOf
from kausa.memory.store import HybridQuery, VectorStore

__all__ = ["Backups"]


class Backups(Fixtures):
    """Part of `StoreContract`."""

    async def test_a_backup_brings_back_exactly_what_was_there(
        self, store: VectorStore, tmp_path: Path
    ) -> None:
        await write(store, [point(number) for number in range(30)])
        await store.upsert("runbooks", [point(77)], deadline_seconds=SECONDS)
        before = [await everything(store), await everything(store, "runbooks")]
        await store.backup(tmp_path / "backup", deadline_seconds=SECONDS)

        await store.delete("failures", ids=[id_of(3)], deadline_seconds=SECONDS)
        await store.delete("runbooks", where=EVERYTHING, deadline_seconds=SECONDS)
        await write(store, [point(1, cluster="c", reason="Changed"), point(50)])
        await store.restore(tmp_path / "backup", deadline_seconds=SECONDS)

        assert [await everything(store), await everything(store, "runbooks")] == before
        assert await ids(store, OneOf("reason", ("Changed",))) == set()
        query = HybridQuery(where=EVERYTHING, dense=vector(3), candidates=1)
        assert set(await search(store, query)) == {id_of(3)}
        await write(store, [point(60)])
        assert await count(store) == 31
        assert len(await store.generations(deadline_seconds=SECONDS)) == 1

    async def test_a_backup_goes_into_a_store_that_is_empty_or_of_another_model(
        self, new_store: NewStore, tmp_path: Path
    ) -> None:
        first = new_store()
        await first.open(SCHEMA, deadline_seconds=SECONDS)
        await write(first, [point(number) for number in range(5)])
        await first.backup(tmp_path / "backup", deadline_seconds=SECONDS)
        await first.make(OTHER_SCHEMA, deadline_seconds=SECONDS)
        await first.activate(OTHER_SCHEMA, deadline_seconds=SECONDS)
        await first.drop(SCHEMA, deadline_seconds=SECONDS)
        await first.close()
        second = new_store()
        await second.restore(tmp_path / "backup", deadline_seconds=SECONDS)
        await second.open(SCHEMA, deadline_seconds=SECONDS)
        assert await ids(second) == {id_of(number) for number in range(5)}
        await second.close()

    async def test_what_is_no_backup_touches_nothing(
        self, store: VectorStore, tmp_path: Path
    ) -> None:
        await write(store, [point(1)])
        (tmp_path / "empty").mkdir()
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "backup.json").write_text("{}")
        for source in ("empty", "other", "absent"):
            with pytest.raises(InvalidBackupError):
                await store.restore(tmp_path / source, deadline_seconds=SECONDS)
        assert await ids(store) == {id_of(1)}

    async def test_a_damaged_backup_touches_nothing(
        self, store: VectorStore, tmp_path: Path
    ) -> None:
        await write(store, [point(number) for number in range(30)])
        target = tmp_path / "backup"
        await store.backup(target, deadline_seconds=SECONDS)
        largest = max(
            (path for path in target.rglob("*") if path.is_file()),
            key=lambda path: path.stat().st_blocks,
        )
        content = largest.read_bytes()
        largest.write_bytes(content[: len(content) // 2])
        await write(store, [point(50)])
        with pytest.raises(InvalidBackupError):
            await store.restore(target, deadline_seconds=SECONDS)
        assert await count(store) == 31

    async def test_a_backup_is_not_written_over_something_else(
        self, store: VectorStore, tmp_path: Path
    ) -> None:
        target = tmp_path / "taken"
        target.mkdir()
        (target / "precious").write_text("x")
        with pytest.raises(InvalidBackupError):
            await store.backup(target, deadline_seconds=SECONDS)
        assert names_in(target) == ["precious"]
