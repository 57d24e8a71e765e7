"""The audit of the memory: who did what, and never a text."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from unittest.mock import Mock

import pytest
from support.server_stores import local_stores
from support.store_contract import (
    OTHER_SCHEMA,
    SCHEMA,
    SECONDS,
    NewStore,
    StoreContract,
    id_of,
    point,
)

from kausa.memory.audit import AuditedStore, AuditEntry, AuditFile, acting_as, log_entry
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.filters import EVERYTHING, Filter, InvalidFilterError, OneOf, TimeRange
from kausa.memory.store import HybridQuery, VectorStore

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
SECRET = "the password is hunter2"


class TestAuditedStore(StoreContract):
    """Being watched changes nothing."""

    @pytest.fixture
    async def new_store(self) -> AsyncIterator[NewStore]:
        async with local_stores() as make:
            yield lambda: AuditedStore(make(), sinks=(log_entry,))


@pytest.fixture
async def entries() -> list[AuditEntry]:
    return []


@pytest.fixture
async def store(entries: list[AuditEntry], tmp_path: Path) -> AsyncIterator[VectorStore]:
    async with local_stores() as make:
        file = AuditFile(tmp_path / "audit.jsonl")
        store = AuditedStore(make(), sinks=(entries.append, file))
        await store.open(SCHEMA, deadline_seconds=SECONDS)
        yield store


async def test_who_searched_where_is_told_and_no_text_is(
    store: VectorStore, entries: list[AuditEntry], tmp_path: Path
) -> None:
    secret = point(1, cluster="c", namespace="shop", passage=SECRET, reason=SECRET)
    with acting_as("api:alice"):
        await store.upsert("failures", [secret], deadline_seconds=SECONDS)
        where = Filter(
            must=(OneOf("cluster", ("c",)), OneOf("reason", (SECRET,))),
            must_not=(OneOf("namespace", ("kube-system",)),),
        )
        query = HybridQuery(where=where, dense=tuple(secret.dense))
        assert len(await store.candidates("failures", query, deadline_seconds=SECONDS)) == 1
    await store.set_payload("failures", [id_of(1)], {"cause": SECRET}, deadline_seconds=SECONDS)
    opened, written, searched, changed = entries
    assert (opened.actor, opened.action) == ("operator", "open")
    assert (written.actor, written.action, written.count) == ("api:alice", "upsert", 1)
    assert searched.scope == {"cluster": ("c",)}
    assert searched.fields == ("cluster", "reason", "namespace")
    assert (searched.count, searched.outcome) == (1, "ok")
    assert (changed.actor, changed.action) == ("operator", "set_payload")
    await store.close()
    raw = (tmp_path / "audit.jsonl").read_text()
    assert "hunter2" not in raw
    assert [json.loads(line)["action"] for line in raw.splitlines()] == [
        each.action for each in entries
    ]


async def test_what_failed_is_told_with_its_reason(
    store: VectorStore, entries: list[AuditEntry]
) -> None:
    with pytest.raises(MemoryUnavailableError):
        await store.candidates(
            "failures", HybridQuery(where=EVERYTHING, dense=(1.0,)), deadline_seconds=SECONDS
        )
    assert entries[-1].outcome == "DimensionMismatch"
    with pytest.raises(InvalidFilterError):
        await store.count(
            "failures", where=Filter(must=(TimeRange("x"),)), deadline_seconds=SECONDS
        )
    assert entries[-1].outcome == "InvalidFilterError"


async def test_each_task_acts_as_whoever_started_it(
    store: VectorStore, entries: list[AuditEntry]
) -> None:
    async def ask(name: str) -> None:
        with acting_as(name):
            await asyncio.sleep(0)
            await store.count("failures", where=EVERYTHING, deadline_seconds=SECONDS)

    await asyncio.gather(ask("one"), ask("two"))
    assert sorted(each.actor for each in entries[1:]) == ["one", "two"]


def entry(number: int) -> AuditEntry:
    return AuditEntry(time="t", actor="a", action="count", count=number)


def test_files_are_rotated_by_size_and_only_so_many_are_kept(tmp_path: Path) -> None:
    file = AuditFile(tmp_path / "deep" / "audit.jsonl", most_bytes=200, kept=2)
    for number in range(40):
        file(entry(number))
    file.close()
    files = sorted(each.name for each in (tmp_path / "deep").iterdir())
    assert files == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]
    kept: list[int] = []
    for name in reversed(files):
        path = tmp_path / "deep" / name
        assert path.stat().st_size <= 200
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        kept += [json.loads(line)["count"] for line in path.read_text().splitlines()]
    assert kept == list(range(40 - len(kept), 40))


def test_an_audit_that_cannot_be_written_holds_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Mock()
    monkeypatch.setattr("kausa.memory.audit_file._logger", said)
    (tmp_path / "taken").write_text("")
    file = AuditFile(tmp_path / "taken" / "audit.jsonl")
    for number in range(3):
        file(entry(number))
    file.close()
    assert [call.args[0] for call in said.warning.mock_calls] == ["Could not write the audit file"]


def test_a_disk_that_hangs_holds_nothing_up_and_what_waits_is_bounded(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "audit.jsonl")  # nobody reads it: opening it waits
    file = AuditFile(tmp_path / "audit.jsonl", most_waiting=5)
    for number in range(20):
        file(entry(number))
    assert 20 - 5 - 1 <= file.left_out <= 20 - 5
    reader = os.open(tmp_path / "audit.jsonl", os.O_RDONLY | os.O_NONBLOCK)
    file.close()
    assert os.read(reader, 100_000).count(b"\n") == 20 - file.left_out
    os.close(reader)


async def test_a_generation_that_is_closed_leaves_the_audit_of_the_other_open(
    store: VectorStore, tmp_path: Path
) -> None:
    made = await store.make(OTHER_SCHEMA, deadline_seconds=SECONDS)
    await made.close()
    await store.count("failures", where=EVERYTHING, deadline_seconds=SECONDS)
    await store.close()
    lines = (tmp_path / "audit.jsonl").read_text().splitlines()
    assert [json.loads(line)["action"] for line in lines] == ["open", "make", "count"]
