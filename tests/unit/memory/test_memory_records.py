from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kausa.memory.errors import InvalidRecordError
from kausa.memory.records import FailureRecord, clip, from_payload, to_payload

Make = Callable[..., FailureRecord]

names = st.text(st.characters(codec="utf-8"), max_size=60)
instants = st.datetimes(
    min_value=datetime(1970, 1, 1),
    max_value=datetime(9999, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-8)), timezone(timedelta(hours=5.5))]),
)
records = st.builds(
    FailureRecord,
    **{name: names for name in ("cluster", "namespace", "owner_kind", "owner_name", "container")},
    **{name: names for name in ("category", "reason", "fingerprint", "node", "outcome")},
    **{name: names for name in ("image", "cause", "resolution", "reference", "text")},
    exit_code=st.none() | st.integers(-(2**31), 2**31),
    first_seen=instants,
    last_seen=instants,
    occurrences=st.integers(1, 2**53),
)


@settings(deadline=None)
@given(records)
def test_a_record_comes_back_from_json_as_it_went(record: FailureRecord) -> None:
    assert from_payload(json.loads(json.dumps(to_payload(record)))) == record


@settings(deadline=None)
@given(records, st.sampled_from(["text", "cause", "image", "resolution"]))
def test_long_or_odd_texts_are_cut_and_never_refused(record: FailureRecord, name: str) -> None:
    changes: dict[str, Any] = {name: "\udc80line\n" * 2000}
    long = replace(record, **changes)
    assert from_payload(to_payload(long)) == clip(long)
    assert clip(clip(long)) == clip(long)


@pytest.mark.parametrize(
    "changes",
    [
        {"occurrences": 2, "last_seen": datetime(2027, 1, 1, tzinfo=UTC)},
        {"reason": "CrashLoopBackOff"},
        {"outcome": "Resolved", "resolution": "memory: 256Mi -> 512Mi"},
        {"cause": "another sentence", "text": "another line", "node": "node-2"},
    ],
)
def test_a_repeat_of_a_failure_is_the_same_point(record: Make, changes: dict[str, Any]) -> None:
    assert record(**changes).point_id == record().point_id


@pytest.mark.parametrize(
    "name",
    ["cluster", "namespace", "owner_kind", "owner_name", "container", "fingerprint"],
)
def test_another_identity_is_another_point(record: Make, name: str) -> None:
    assert record(**{name: "other"}).point_id != record().point_id


def test_a_point_keeps_its_id_over_releases(record: Make) -> None:
    assert record().point_id == "eac04d3d-945a-5bd8-8a0c-c3e3247ba34f"


def test_likeness_is_not_about_whose_failure_it_is(record: Make) -> None:
    elsewhere = record(owner_name="cart", namespace="eu", node="n9", cluster="b", image="x")
    assert elsewhere.embedding_text == record().embedding_text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "version 2"),
        ({"version": None}, "version None"),
        ({"occurrences": 0}, "occurrences"),
        ({"occurrences": "many"}, "occurrences"),
        ({"last_seen": "2026-03-01T12:00:00"}, "last_seen"),
        ({"exit_code": 1.5}, "exit_code"),
        ({"text": "x" * 5000}, "text"),
    ],
)
def test_a_malformed_payload_is_refused_by_name(
    record: Make, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidRecordError, match=said):
        from_payload(to_payload(record()) | change)


def test_a_missing_field_is_refused_and_an_unknown_one_is_not(record: Make) -> None:
    payload = to_payload(record())
    assert from_payload(payload | {"added_by_a_later_release": 1}) == record()
    del payload["cause"]
    with pytest.raises(InvalidRecordError, match="cause"):
        from_payload(payload)


def test_a_time_without_a_zone_never_reaches_a_store(record: Make) -> None:
    with pytest.raises(InvalidRecordError, match="last_seen"):
        to_payload(record(last_seen=datetime(2026, 3, 1)))
