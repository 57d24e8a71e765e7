"""What names a place or a version stays; what is new in every run of the same failure goes."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.diagnosis.model.lasting import lasting


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ledger peer 10.0.0.5:5432 said goodbye", "ledger peer 10.9.1.7:6379 said goodbye"),
        ("dial tcp 10.0.0.5:5432: refused", "dial tcp 10.0.0.9:5432: refused"),
        ("dial tcp 10.0.0.5:5432: refused", "dial tcp 10.0.0.5:5433: refused"),
        ("cannot reach redis:6379", "cannot reach redis:6380"),
        ("cannot reach orders-db.shop.svc:5432", "cannot reach orders-db.shop.svc:6432"),
        ("listen tcp :8080: bind: in use", "listen tcp :9090: bind: in use"),
        ("port=5432 is closed", "port=5433 is closed"),
        ("store format 41 read by build 42", "store format 17 read by build 99"),
        ("store format 41 read by build 42", "store format 41 read by build 43"),
        ("the schema is at 17", "the schema is at 18"),
        ("this build expects 18 or later", "this build expects 19 or later"),
        ("schema version 20240115093000 is too old", "schema version 20240301093000 is too old"),
        ("class file version 61.0", "class file version 65.0"),
        ("requires Python 3.11", "requires Python 3.12"),
        ("server is v15.3", "server is v14.9"),
        ("plugin 1.2.3 does not fit", "plugin 1.3.0 does not fit"),
        ('{"schemaVersion": 12}', '{"schemaVersion": 13}'),
    ],
)
def test_another_address_port_or_version_is_another_failure(one: str, other: str) -> None:
    assert lasting(one) != lasting(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("failed once", "failed 3 times"),
        ("gave up after 1 second", "gave up after 5 seconds"),
        ("gave up after 1 attempt", "gave up after 12 attempts"),
        ("attempt 3/10 of request 4711 failed", "attempt 4/10 of request 4712 failed"),
        ("worker 17 died, pid 812", "worker 3 died, pid 99"),
        ("[17] order 5512 was not processed", "[18] order 5513 was not processed"),
        ("tcp 10.244.0.7:45678->10.0.0.5:443: reset", "tcp 10.244.1.9:33111->10.0.0.5:443: reset"),
        ("peer 10.244.0.7:51234 left", "peer 10.244.3.1:40001 left"),
        ("client 10.244.0.7 left", "client 10.244.3.1 left"),
        ("dial tcp 54.187.174.169:443: timeout", "dial tcp 54.187.205.235:443: timeout"),
        ("took:1234 to fail", "took:4321 to fail"),
        ("trace 4bf92f3577b34da6 failed", "trace 00f067aa0ba902b7 failed"),
        ("expired on Nov 17 03:04:05", "expired on Dec 1 23:59:01"),
        ("at 03:04:05.123 it broke", "at 13:44:35.9 it broke"),
        ("expected 1024 bytes, got 317", "expected 2048 bytes, got 5"),
        ("conflict at resourceVersion: 12345", "conflict at resourceVersion: 12399"),
        ('{"level":30,"segment":41}', '{"level":30,"segment":42}'),
        ("used 512Mi, load 0.93", "used 498Mi, load 1.07"),
        ("goroutine 1 at 0xc000012345", "goroutine 19 at 0xc000054321"),
    ],
)  # fmt: skip
def test_what_is_new_in_every_run_is_no_other_failure(one: str, other: str) -> None:
    assert lasting(one) == lasting(other)


def test_the_pod_that_says_it_is_no_part_of_it() -> None:
    said = "{} gives up on redis:6379"
    assert lasting(said.format("import-6srpn"), pod="import-6srpn") == lasting(
        said.format("import-x2x4z"), pod="import-x2x4z"
    )


VOLATILE = st.fixed_dictionaries(
    {
        "time": st.datetimes(min_value=datetime(2000, 1, 1)).map(
            lambda each: f"{each:%Y-%m-%dT%H:%M:%S}Z"
        ),
        "took": st.integers(1, 90_000).map(lambda each: f"{each}ms"),
        "times": st.integers(1, 500).map(lambda each: "once" if each == 1 else f"{each} times"),
        "pid": st.integers(1, 4_000_000),
        "source": st.tuples(
            st.ip_addresses(v=4), st.integers(32_768, 60_999)
        ).map(lambda each: f"{each[0]}:{each[1]}"),
        "id": st.uuids(),
    }
)  # fmt: skip
LINE = (
    "{time} [{pid}] request {id} from {source} failed {times}: dial tcp {source}->10.0.0.5:5432: "
    "refused after {took}, store format 41"
)


@given(one=VOLATILE, other=VOLATILE)
def test_two_runs_of_one_failure_are_the_same_whatever_is_new_in_them(
    one: dict[str, object], other: dict[str, object]
) -> None:
    assert lasting(LINE.format(**one)) == lasting(LINE.format(**other))
    moved = LINE.replace("format 41", "format 42")
    assert lasting(LINE.format(**one)) != lasting(moved.format(**one))


@given(st.text(max_size=300))
def test_nothing_that_a_program_writes_raises(text: str) -> None:
    assert len(lasting(text)) <= 512
