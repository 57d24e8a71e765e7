"""`kausa memory`, as a person types it, with a server over real HTTP (the shim)."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.counting_embedder import CountingEmbedder
from support.qdrant_shim import QdrantShim, running_shim
from support.store_contract import SCHEMA, SECONDS, count, id_of, point, write

from kausa.commands import memory_upkeep
from kausa.commands.memory import memory
from kausa.memory.audit import this_user
from kausa.memory.filters import EVERYTHING
from kausa.memory.schema import INDEXED_FIELDS
from kausa.memory.server import ServerSettings, connect
from kausa.memory.server.store import ServerStore
from kausa.memory.sync import SyncReport
from kausa.settings import Settings

Kausa = Callable[..., Awaitable[Result]]
FILTERED = ("cluster", "outcome", "last_seen", "record_id")


@pytest.fixture
async def shim(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[QdrantShim]:
    async with running_shim() as shim:
        for name in [name for name in os.environ if name.startswith("KAUSA_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("KAUSA_MEMORY_STORE", "server")
        monkeypatch.setenv("KAUSA_MEMORY_URL", shim.url)
        monkeypatch.setenv("KAUSA_CLUSTER_NAME", "c")
        # Most of the time goes into making them all, which others look at.
        few = [each for each in INDEXED_FIELDS if each.name in FILTERED]
        monkeypatch.setattr("kausa.memory.server.layout.INDEXED_FIELDS", few)
        yield shim


@pytest.fixture
async def store(shim: QdrantShim) -> AsyncIterator[ServerStore]:
    store = connect(ServerSettings(url=shim.url))
    await store.open(SCHEMA, deadline_seconds=SECONDS)
    await write(store, [point(number, cluster="c", passage=str(number)) for number in range(30)])
    yield store
    await store.close()


@pytest.fixture
def kausa() -> Kausa:
    async def run(*words: str, typed: str = "") -> Result:
        # In a thread, because the command runs a loop of its own and the shim is in ours.
        return await asyncio.to_thread(CliRunner().invoke, memory, words, input=typed)

    return run


async def test_the_status_says_which_model_and_how_much(store: ServerStore, kausa: Kausa) -> None:
    told = await kausa("status")
    assert told.exit_code == 0, told.output
    assert "server 1.19.2" in told.output
    assert (
        "tiny-8, 8 dimensions, layout 2: 30 passages of failures and rollouts, 0 of" in told.output
    )
    document = json.loads((await kausa("status", "-o", "json")).output)
    assert document["generations"][0]["points"]["failures"] == 30


async def test_a_memory_that_is_not_made_yet_is_no_error(shim: QdrantShim, kausa: Kausa) -> None:
    told = await kausa("status")
    assert told.exit_code == 0
    assert "Nothing is kept yet" in told.output
    assert (await kausa("prune")).exit_code == 1


@pytest.mark.slow
async def test_a_backup_is_checked_and_put_back_and_leaves_nothing_beside(
    shim: QdrantShim, store: ServerStore, kausa: Kausa, tmp_path: Path
) -> None:
    folder = str(tmp_path / "backup")
    told = await kausa("backup", folder)
    assert told.exit_code == 0, told.output
    assert "30 passages of failures and rollouts, 0 of runbooks" in told.output
    assert "checked by putting it back" in told.output
    assert len(shim.added) == 2
    assert not any(each.snapshots for each in shim.added.values())
    await store.delete("failures", where=EVERYTHING, deadline_seconds=SECONDS)
    declined = await kausa("restore", folder, typed="n\n")
    assert declined.exit_code == 1
    assert await count(store) == 0
    told = await kausa("restore", folder, "--yes")
    assert told.exit_code == 0, told.output
    assert await count(store) == 30
    again = await kausa("backup", folder)
    assert again.exit_code == 2
    assert "there already" in again.output


async def test_pruning_counts_first_and_keeps_other_clusters(
    store: ServerStore, kausa: Kausa
) -> None:
    old: dict[str, Any] = {"outcome": "Open", "last_seen": "2020-01-01T00:00:00Z"}
    new: dict[str, Any] = {"outcome": "Open", "last_seen": datetime.now(UTC).isoformat()}
    await write(
        store,
        [
            point(100, cluster="c", record_id=id_of(100), **old),
            point(101, cluster="other", record_id=id_of(101), **old),
            point(102, cluster="c", record_id=id_of(102), **new),
        ],
    )
    told = await kausa("prune", "--dry-run")
    assert "1 passages would be forgotten: 1 Open" in told.output
    assert await count(store) == 33
    done = await kausa("prune")
    assert done.exit_code == 0, done.output
    assert await count(store) == 32
    await kausa("prune", "--all-clusters")
    assert await count(store) == 31


@pytest.mark.slow
async def test_a_migration_tells_how_far_it_is(
    store: ServerStore, kausa: Kausa, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_upkeep, "choose_embedder", lambda _choice: CountingEmbedder())
    told = await kausa("migrate")
    assert told.exit_code == 0, told.output
    assert "walk 1: 30/30 (100 %), 30 embedded" in told.output
    assert "30 passages are of new, 6 dimensions, layout 2 now" in told.output
    assert "there is nothing to do" in (await kausa("migrate")).output


async def test_what_a_command_does_with_the_memory_is_audited_and_its_scratch_is_not(
    store: ServerStore, kausa: Kausa, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = tmp_path / "audit.jsonl"
    monkeypatch.setenv("KAUSA_MEMORY_AUDIT", "file")
    monkeypatch.setenv("KAUSA_MEMORY_AUDIT_PATH", str(told))
    backup = await kausa("backup", str(tmp_path / "backup"))
    assert backup.exit_code == 0, backup.output
    entries = [json.loads(line) for line in told.read_text().splitlines()]
    assert {each["actor"] for each in entries} == {f"kausa memory ({this_user()})"}
    actions = [each["action"] for each in entries]
    assert actions.count("backup") == 1
    assert "restore" not in actions, "the backup is put back beside to be checked"


async def test_a_server_that_is_away_is_said_with_its_reason(
    shim: QdrantShim, kausa: Kausa, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_upkeep, "SHORT_SECONDS", 0.3)
    await shim.stop()
    told = await kausa("status")
    assert told.exit_code == 1
    assert "kausa memory status: StoreUnavailable: " in told.output


async def test_a_setting_that_cannot_be_used_is_said(
    shim: QdrantShim, kausa: Kausa, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAUSA_MEMORY_URL")
    told = await kausa("status")
    assert told.exit_code == 2
    assert "KAUSA_MEMORY_URL" in told.output


async def test_a_backup_beside_the_original_would_be_lost_with_it(
    tmp_path: Path, kausa: Kausa, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAUSA_MEMORY_STORE", "embedded")
    monkeypatch.setenv("KAUSA_MEMORY_PATH", str(tmp_path / "memory"))
    result = await kausa("backup", str(tmp_path / "memory" / "inside"))
    assert result.exit_code != 0
    assert "inside of the memory's own folder" in result.output
    assert not (tmp_path / "memory").exists()


def test_the_same_result_of_a_sync_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def synced(*, progress: Callable[[SyncReport], None], **_: object) -> SyncReport:
        progress(SyncReport(read=1))
        progress(SyncReport(read=2))
        return SyncReport(read=2)

    monkeypatch.setattr("kausa.controller.memory_sync.sync_by_command", synced)
    monkeypatch.setattr("kausa.commands.run.credentials_of", lambda *_, **__: None)
    said: list[str] = []
    upkeep = memory_upkeep.Upkeep(
        settings=Settings.from_environment(), say=said.append, warn=said.append
    )
    upkeep.sync(rebuild=False, kubeconfig=None, context=None)
    assert said == [str(SyncReport(read=1)), str(SyncReport(read=2))]


def test_only_what_a_killed_check_left_long_ago_is_removed() -> None:
    now = 1_800_000_000.0
    old, new = (f"kausa-check-{int(now - age):08x}-0123abcd" for age in (90_000, 60))
    names = [f"{old}_failures__m__8__v1", f"{old}_runbooks__m__8__v1", f"{new}_failures__m__8__v1"]
    names += ["kausa_failures__m__8__v1", "kausa-check-mine_failures", f"my-{old}_failures"]
    assert memory_upkeep.old_scratch(names, now=now) == {old}
