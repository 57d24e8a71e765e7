"""The real engine, in this process: what the worker does, without the worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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


@pytest.fixture
def shard(folder: Path, record: Make) -> Iterator[Shard]:
    shard = Shard(folder, schema=SCHEMA, wait_seconds=0)
    for cluster in ("test", "other"):
        shard.delete(ids=[], where=RecordFilter(cluster=cluster))
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
        with pytest.raises(MemoryUnavailableError, match="rebuilt") as refused:
            Shard(tmp_path, schema=SCHEMA, wait_seconds=0)
        assert refused.value.reason == "StoreUnavailable"
        assert (tmp_path / "current" / name).read_text() == "{"


def test_a_folder_that_cannot_be_made_is_a_reason_and_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MemoryUnavailableError, match="cannot be used"):
        Shard(tmp_path / "file" / "memory", schema=SCHEMA)
