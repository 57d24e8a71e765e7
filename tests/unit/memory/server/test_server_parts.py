"""The pure parts of the server backend: settings, names, layout, filters, refusals, waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qdrant_client import models
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.conversions.conversion import RestToGrpc
from qdrant_client.http.exceptions import ResponseHandlingException
from support.store_contract import CONDITIONS, point

from kausa.errors import SettingsError
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.filters import Filter, OneOf, Range, TimeRange
from kausa.memory.schema import INDEXED_FIELDS
from kausa.memory.server.calls import Backoff
from kausa.memory.server.connecting import connect
from kausa.memory.server.filtering import matches_nothing, translated
from kausa.memory.server.layout import LIMITS, creation, index_of, plan_for, search_params
from kausa.memory.server.naming import Names
from kausa.memory.server.passages import batches
from kausa.memory.server.refusals import (
    AlreadyThereError,
    NotThereError,
    RequestRefusedError,
    from_status,
    refusal_of,
)
from kausa.memory.server.settings import ServerSettings, Tuning
from kausa.memory.server.versions import OLDEST, PLACEMENT
from kausa.memory.store import Schema
from kausa.telemetry.doubling import Doubling

SCHEMA = Schema(model="BAAI/bge-small-en-v1.5", dimensions=384)
URL = "http://localhost:6333"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"url": "qdrant:6333"}, "http"),
        ({"prefix": "Über"}, "prefix"),
        ({"prefix": ""}, "prefix"),
        ({"prefix": "x" * 41}, "prefix"),
        ({"client_certificate": Path("x")}, "key"),
        ({"client_key": Path("x")}, "certificate"),
        ({"grpc": True, "verify": False}, "gRPC"),
        ({"replication_factor": 0}, "at least 1"),
        ({"write_consistency_factor": 2}, "lower"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        ServerSettings(**{"url": URL, **wrong})


def test_names_tell_generations_apart_and_know_their_own() -> None:
    names = Names("kausa")
    assert names.alias("failures") == "kausa_failures"
    first = names.of("failures", SCHEMA)
    assert first.startswith("kausa_failures__baai-bge-small-en-v1-5-")
    assert first.endswith("__384__v2")
    twin = Schema(model="baai/bge_small-en-v1.5", dimensions=384)
    assert names.of("failures", twin) != first
    restored = names.restored(SCHEMA)
    assert restored != names.restored(SCHEMA)
    for name in (first, restored["failures"]):
        assert names.belongs(name, collection="failures", schema=SCHEMA)
        assert not names.belongs(name, collection="failures", schema=twin)
        assert not names.belongs(name, collection="runbooks", schema=SCHEMA)
        assert names.collection(name) == "failures"
        assert Names("other").collection(name) is None
        assert Names("kausa_failures").collection(name) is None


@pytest.mark.parametrize("version", [OLDEST, PLACEMENT])
@pytest.mark.parametrize("points", [0, 10**7])
def test_a_collection_can_be_said_in_rest_and_in_grpc(version: Any, points: int) -> None:
    tuning = Tuning()
    plan = plan_for(points, dimensions=384, tuning=tuning)
    made = creation(SCHEMA, collection="failures", plan=plan, tuning=tuning, version=version)
    assert plan.quantized == plan.on_disk == (points > 0)
    dense = RestToGrpc.convert_vectors_config(made["vectors_config"]).params_map.map["dense"]
    assert dense.size == 384
    assert dense.HasField("memory") == (version >= PLACEMENT)
    sparse = RestToGrpc.convert_sparse_vector_config(made["sparse_vectors_config"]).map["sparse"]
    assert sparse.modifier == 1
    strict = RestToGrpc.convert_strict_mode_config(made["strict_mode_config"])
    assert strict.enabled
    assert not strict.unindexed_filtering_retrieve
    assert made["metadata"]["kausa"]["model"] == SCHEMA.model
    if plan.quantized:
        RestToGrpc.convert_quantization_config(made["quantization_config"])
    else:
        assert made["quantization_config"] is None
    # What an older server does not know is not said to it.
    text = models.CreateCollection(
        vectors=made["vectors_config"], quantization_config=made["quantization_config"]
    ).model_dump_json(exclude_none=True)
    assert ("memory" in text) == (version >= PLACEMENT)


def test_size_decides_only_where_nobody_has_decided() -> None:
    for points in (0, 10**9):
        none = plan_for(
            points, dimensions=384, tuning=Tuning(quantization="none", vectors="memory")
        )
        assert not none.quantized
        assert not none.on_disk
        both = plan_for(
            points, dimensions=384, tuning=Tuning(quantization="scalar", vectors="disk")
        )
        assert both.quantized
        assert both.on_disk
    unquantized = plan_for(10**9, dimensions=384, tuning=Tuning(quantization="none"))
    assert not unquantized.on_disk


def test_our_own_searches_keep_within_our_own_limits() -> None:
    params = search_params(exact=False, tuning=Tuning())
    assert params.hnsw_ef is not None
    assert LIMITS.search_max_hnsw_ef is not None
    assert params.hnsw_ef <= LIMITS.search_max_hnsw_ef
    assert LIMITS.search_allow_exact


def test_the_tenant_is_indexed_first_and_as_such() -> None:
    first = index_of(INDEXED_FIELDS[0])
    assert isinstance(first, models.KeywordIndexParams)
    assert first.is_tenant


def test_every_filter_can_be_said_in_grpc_too() -> None:
    for condition in CONDITIONS:
        where = Filter(must=(condition,), must_not=(OneOf("kind", ("x",)),))
        found = translated(where)
        assert found is not None
        assert RestToGrpc.convert_filter(found).must_not


def test_moments_are_said_in_utc() -> None:
    east = datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=9)))
    found = translated(Filter(must=(TimeRange("last_seen", after=east),)))
    assert found is not None
    assert isinstance(found.must, list)
    (condition,) = found.must
    assert isinstance(condition, models.FieldCondition)
    assert isinstance(condition.range, models.DatetimeRange)
    assert condition.range.gte == datetime(2026, 3, 1, tzinfo=UTC)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.integers(-(10**6), 10**6))
def test_bounds_between_whole_numbers_mean_what_they_say(
    least: float, most: float, number: int
) -> None:
    where = Filter(must=(Range("exit_code", least, most),))
    found = translated(where)
    assert found is not None
    assert isinstance(found.must, list)
    (condition,) = found.must
    assert isinstance(condition, models.FieldCondition)
    assert isinstance(condition.range, models.Range)
    assert condition.range.gte is not None
    assert condition.range.lte is not None
    inside = condition.range.gte <= number <= condition.range.lte
    assert inside == (least <= number <= most)
    assert not (inside and matches_nothing(where))


@given(st.integers(0, 1000), st.floats(0, 1), st.one_of(st.none(), st.floats(0, 1e6)))
def test_a_wait_is_never_shorter_than_asked_nor_longer_than_its_bound(
    repetition: int, chance: float, after: float | None
) -> None:
    backoff = Backoff(bounds=Doubling(first_seconds=0.1, longest_seconds=10))
    wait = backoff.wait(repetition, after_seconds=after, chance=chance)
    assert (after or 0) <= wait <= (after or 0) + min(10, 0.1 * 2 ** min(repetition, 7))


@pytest.mark.parametrize(
    ("status", "body", "expected", "passing"),
    [
        (400, "Wrong input", RequestRefusedError, False),
        (413, "Payload too large", RequestRefusedError, False),
        (404, "Collection not found", NotThereError, False),
        (409, "Collection exists", AlreadyThereError, False),
        (400, "Wrong input: Collection `x` already exists!", AlreadyThereError, False),
        (408, "Timeout", MemoryUnavailableError, True),
        (503, "starting", MemoryUnavailableError, True),
        (418, "teapot", MemoryUnavailableError, False),
    ],
)
def test_statuses_are_told_apart(
    status: int, body: str, expected: type[Exception], passing: bool
) -> None:
    found = from_status(status, body, retry_after=None, doing="x", at="y", writes=False)
    assert type(found.error) is expected
    assert found.passing is passing


@pytest.mark.parametrize(
    ("code", "details", "reason", "passing"),
    [
        (grpc.StatusCode.UNAVAILABLE, "connection refused", "StoreUnavailable", True),
        (grpc.StatusCode.UNAVAILABLE, "CERTIFICATE_VERIFY_FAILED", "StoreUnauthorized", False),
        (grpc.StatusCode.UNAUTHENTICATED, "key", "StoreUnauthorized", False),
        (grpc.StatusCode.PERMISSION_DENIED, "Write access", "StoreReadOnly", False),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "rate", "StoreOverloaded", True),
        (grpc.StatusCode.INTERNAL, "No space left on device", "StoreFull", False),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "late", "StoreUnavailable", True),
    ],
)
def test_grpc_says_the_same_as_rest(
    code: grpc.StatusCode, details: str, reason: str, passing: bool
) -> None:
    trailing = grpc.aio.Metadata(("retry-after", "3"))
    error = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, details=details)
    found = refusal_of(error, doing="x", at="y", writes=False)
    assert isinstance(found.error, MemoryUnavailableError)
    assert found.error.reason == reason
    assert found.passing is passing
    if reason == "StoreOverloaded":
        assert found.after_seconds == 3


def test_what_the_client_makes_of_errors_is_understood() -> None:
    busy = refusal_of(ResourceExhaustedResponse("rate", 7), doing="x", at="y", writes=True)
    assert (busy.passing, busy.after_seconds) == (True, 7)
    gone = ResponseHandlingException(httpx.ConnectError("refused"))
    assert refusal_of(gone, doing="x", at="y", writes=True).passing
    strange = ResponseHandlingException(ValueError("no JSON"))
    told = refusal_of(strange, doing="x", at="y", writes=True)
    assert not told.passing
    assert "address" in str(told.error)


def test_large_payloads_are_sent_in_several_requests() -> None:
    points = [point(number, passage="x" * 60_000) for number in range(300)]
    parts = list(batches(points))
    assert [each for part in parts for each in part] == points
    assert len(parts) == 3
    assert list(batches([])) == []


async def test_no_address_key_or_password_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    store = connect(ServerSettings(url="http://user:hunter2@127.0.0.1:1/"))
    with pytest.raises(MemoryUnavailableError) as refused:
        await store.health(deadline_seconds=0.2)
    assert "hunter2" not in str(refused.value)
    assert "127.0.0.1:1" in str(refused.value)
    await store.close()
    assert "hunter2" not in capsys.readouterr().out
