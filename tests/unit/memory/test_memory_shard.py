"""The real engine, in this process: what the worker does, without the worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.records import NOON

from kausa.memory.edge.shard import Schema, Shard
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.records import FailureRecord, to_payload
from kausa.memory.store import RecordFilter

Make = Callable[..., FailureRecord]
SCHEMA = Schema(model="tiny", dimensions=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store made once: making one costs several fsyncs."""
    folder = tmp_path_factory.mktemp("memory")
    Shard(folder, schema=SCHEMA).close()
    return folder


def empty(folder: Path, **options: int) -> Shard:
    shard = Shard(folder, schema=SCHEMA, wait_seconds=0, **options)
    for cluster in ("test", "other"):
        shard.delete(ids=[], where=RecordFilter(cluster=cluster))
    return shard


@pytest.fixture
def shard(folder: Path, record: Make) -> Iterator[Shard]:
    shard = empty(folder)
    shard.upsert(
        [
            (found.point_id, vector, to_payload(found))
            for found, vector in (
                (record(fingerprint="a"), [1.0, 0.0]),
                (record(fingerprint="b", namespace="eu"), [1.0, 1.0]),
                (record(fingerprint="c"), [-1.0, 0.0]),
                (record(fingerprint="d", cluster="other"), [1.0, 0.0]),
            )
        ]
    )
    yield shard
    shard.close()


def prints(shard: Shard, where: RecordFilter, *, minimum: float = -2.0, limit: int = 9) -> str:
    found = shard.search([2.0, 0.0], where=where, limit=limit, minimum_score=minimum)
    return "".join(payload["fingerprint"] for _, payload in found)


def test_the_most_alike_come_first_and_other_clusters_never(shard: Shard) -> None:
    assert prints(shard, RecordFilter(cluster="test")) == "abc"
    assert prints(shard, RecordFilter(cluster="test"), limit=1) == "a"
    assert prints(shard, RecordFilter(cluster="test"), minimum=0.5) == "ab"
    assert prints(shard, RecordFilter(cluster="test", namespace="eu")) == "b"
    assert prints(shard, RecordFilter(cluster="test", exclude_fingerprint="a")) == "bc"
    assert prints(shard, RecordFilter(cluster="nowhere")) == ""


def test_counting_deleting_and_reading_agree(shard: Shard, record: Make) -> None:
    assert shard.count(None) == 4
    where = RecordFilter(cluster="test", exclude_fingerprint="a")
    assert shard.count(where) == 2
    shard.delete(ids=[record(fingerprint="d", cluster="other").point_id], where=where)
    assert shard.count(None) == 1
    assert shard.get(record(fingerprint="b", namespace="eu").point_id) is None
    assert shard.get(record(fingerprint="a").point_id) == to_payload(record(fingerprint="a"))


def test_flushing_makes_a_shard_clean(shard: Shard) -> None:
    assert shard.dirty
    shard.flush()
    assert not shard.dirty


def numbered(record: Make, *numbers: int) -> list[tuple[str, list[float], dict[str, Any]]]:
    """Points of their own, the higher the number the later seen."""
    payload = to_payload(record())
    return [
        (
            f"{number:032x}",
            [1.0, float(number)],
            payload | {"last_seen": (NOON + timedelta(minutes=number)).isoformat()},
        )
        for number in numbers
    ]


def test_where_there_are_too_many_the_oldest_go(folder: Path, record: Make) -> None:
    shard = empty(folder, most_records=10)
    late_first = numbered(record, *reversed(range(1500)))
    shard.upsert(late_first)
    shard.flush()
    shard.trim()
    assert shard.dirty
    assert shard.count(None) == 10
    kept = [shard.get(id_) is not None for id_, _, _ in late_first]
    assert kept == [True] * 10 + [False] * 1490
    shard.close()


def test_records_are_counted_at_the_start_and_then_once_in_a_thousand(
    folder: Path, record: Make
) -> None:
    shard = empty(folder, most_records=3)
    counted = []
    for first in range(0, 1200, 100):
        shard.upsert(numbered(record, *range(first, first + 100)))
        shard.trim()
        counted.append(shard.count(None))
    assert counted == [3, *range(103, 1000, 100), 3, 103]
    shard.close()


def test_a_store_that_is_not_too_full_keeps_all(shard: Shard) -> None:
    shard.flush()
    shard.trim()
    assert shard.count(None) == 4
    assert not shard.dirty


def test_an_open_folder_is_refused_to_everyone_else(shard: Shard, folder: Path) -> None:
    with pytest.raises(MemoryUnavailableError, match="is in use by process") as refused:
        Shard(folder, schema=SCHEMA, wait_seconds=0.1)
    assert refused.value.reason == "StoreLocked"


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (Schema(model="tiny", dimensions=3), "DimensionMismatch"),
        (Schema(model="big", dimensions=2), "ModelMismatch"),
        (Schema(model="tiny", dimensions=2, version=9), "SchemaMismatch"),
    ],
)
def test_another_schema_is_refused_and_the_folder_is_free_again(
    folder: Path, wanted: Schema, reason: str
) -> None:
    with pytest.raises(MemoryUnavailableError, match="tiny") as refused:
        Shard(folder, schema=wanted, wait_seconds=0)
    assert refused.value.reason == reason
    Shard(folder, schema=SCHEMA, wait_seconds=0).close()


def test_a_store_that_was_never_finished_is_made_anew_and_damage_is_kept(tmp_path: Path) -> None:
    (tmp_path / "new" / "shard" / "segments").mkdir(parents=True)
    (tmp_path / "new" / "schema.json").write_text("{")
    shard = Shard(tmp_path, schema=SCHEMA)
    assert shard.count(None) == 0
    shard.close()

    for name in ("shard/edge_config.json", "schema.json"):
        (tmp_path / "current" / name).write_text("{")
        with pytest.raises(MemoryUnavailableError, match="begins anew") as refused:
            Shard(tmp_path, schema=SCHEMA, wait_seconds=0)
        assert refused.value.reason == "StoreUnavailable"
        assert (tmp_path / "current" / name).read_text() == "{"


def test_a_folder_that_cannot_be_made_is_a_reason_and_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MemoryUnavailableError, match="cannot be used"):
        Shard(tmp_path / "file" / "memory", schema=SCHEMA)
