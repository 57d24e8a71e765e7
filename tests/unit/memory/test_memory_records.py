from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.records import NOON, RECORD

from kausa.memory.errors import InvalidRecordError
from kausa.memory.points import from_payload, passages, payload_of, point_ids
from kausa.memory.records import FailureRecord, RolloutRecord, RunbookChunk, clip

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)
instants = st.datetimes(
    min_value=datetime(1970, 1, 1),
    max_value=datetime(9999, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-8)), timezone(timedelta(hours=5.5))]),
)
rewards = st.floats(0, 100, allow_nan=False)
records = st.builds(
    FailureRecord,
    **{name: names for name in ("cluster", "namespace", "owner_kind", "owner_name")},
    **{name: names for name in ("category", "reason", "fingerprint", "reference")},
    **{name: st.none() | names for name in ("container", "node", "image", "resolution")},
    **{name: names for name in ("cause", "text")},
    outcome=st.sampled_from(["Open", "Resolved", "Superseded", "Dismissed"]),
    exit_code=st.none() | st.integers(-(2**31), 2**31),
    first_seen=instants,
    last_seen=instants,
    resolved_at=st.none() | instants,
    occurrences=st.integers(0, 2**53),
    labels=st.lists(names, max_size=3).map(tuple),
    changed=st.lists(names, max_size=3).map(tuple),
    verdict=st.sampled_from([None, "Helpful", "Partial", "Wrong"]),
    reward_sum=rewards,
    reward_count=st.integers(0, 1000),
)
ROLLOUT = RolloutRecord(
    cluster="test",
    namespace="shop",
    owner_kind="Deployment",
    owner_name="checkout",
    revision="7",
    outcome="SUCCEEDED",
    images=("registry/checkout:4",),
    changed=("containers[api].resources.limits[memory]: 256Mi -> 512Mi",),
    first_seen=NOON,
    last_seen=NOON + timedelta(seconds=42),
    duration_seconds=42.0,
)
CHUNK = RunbookChunk(
    cluster="test",
    name="oom",
    source="builtin/oom",
    title="Out of memory",
    headings=("What to do",),
    text="Raise the limit.",
    reasons=("OOMKilled",),
    position=0,
    count=1,
    last_seen=NOON,
)


@settings(deadline=None, max_examples=60)
@given(records)
def test_a_record_comes_back_from_json_as_it_went(record: FailureRecord) -> None:
    assert from_payload(json.loads(json.dumps(payload_of(record)))) == record


@pytest.mark.parametrize("record", [RECORD, ROLLOUT, CHUNK])
def test_every_kind_comes_back_from_any_of_its_points(record: Any) -> None:
    for passage in passages(record):
        assert from_payload(json.loads(json.dumps(passage.payload))) == record


@settings(deadline=None, max_examples=20)
@given(records, st.sampled_from(["text", "cause", "image", "resolution"]))
def test_long_or_odd_texts_are_cut_and_never_refused(record: FailureRecord, name: str) -> None:
    changes: dict[str, Any] = {name: "\udc80line\n" * 2000}
    long = replace(record, **changes)
    assert clip(clip(long)) == clip(long)
    assert all(from_payload(each.payload) == clip(long) for each in passages(long))


def test_a_long_text_has_several_points_with_the_whole_payload_each() -> None:
    long = replace(RECORD, text="\n".join(f"ERROR attempt {n} failed: refused" for n in range(200)))
    found = passages(long)
    assert len(found) > 2
    assert [each.id for each in found] == list(point_ids(long.record_id, len(found)))
    for number, each in enumerate(found):
        assert (each.payload["chunk"], each.payload["chunks"]) == (number, len(found))
        assert each.payload["passage"] == each.text
        assert each.payload["namespace"] == "shop"
        assert each.text.startswith("OOMKilled OOMKilled: container api reached")


def test_what_is_not_known_is_left_out_of_the_payload() -> None:
    bare = replace(RECORD, container=None, node=None, image=None, exit_code=None, text="", cause="")
    payload = payload_of(bare)
    absent = {"container", "node", "image", "exit_code", "text", "cause", "labels", "resolved_at"}
    assert not absent & payload.keys()
    assert None not in payload.values()
    assert "" not in payload.values()


def test_moments_are_kept_in_utc() -> None:
    elsewhere = RECORD.last_seen.astimezone(timezone(timedelta(hours=5.5)))
    payload = passages(replace(RECORD, last_seen=elsewhere))[0].payload
    assert payload["last_seen"] == "2026-03-01T12:05:00Z"


def test_filters_find_the_same_keys_in_every_kind() -> None:
    kinds = {}
    for record in (RECORD, ROLLOUT, CHUNK):
        payload = passages(record)[0].payload
        kinds[payload["kind"]] = payload
        assert {"cluster", "record_id", "chunk", "chunks", "last_seen", "version"} <= payload.keys()
    assert kinds["failure"]["owner"] == kinds["rollout"]["owner"] == "Deployment/checkout"
    assert kinds["rollout"]["outcome"] == "SUCCEEDED"
    assert "namespace" not in kinds["runbook"]


@pytest.mark.parametrize(
    "changes",
    [
        {"occurrences": 2, "last_seen": datetime(2027, 1, 1, tzinfo=UTC)},
        {"reason": "CrashLoopBackOff"},
        {"outcome": "Resolved", "resolution": "memory: 256Mi -> 512Mi"},
        {"cause": "another sentence", "text": "another line", "node": "node-2"},
    ],
)
def test_a_repeat_of_a_failure_is_the_same_record(changes: dict[str, Any]) -> None:
    assert replace(RECORD, **changes).record_id == RECORD.record_id


@pytest.mark.parametrize(
    "name", ["cluster", "namespace", "owner_kind", "owner_name", "container", "fingerprint"]
)
def test_another_identity_is_another_record(name: str) -> None:
    changes: dict[str, Any] = {name: "other"}
    assert replace(RECORD, **changes).record_id != RECORD.record_id


def test_a_rollout_keeps_its_point_when_it_ends() -> None:
    assert replace(ROLLOUT, outcome="STARTED").record_id == ROLLOUT.record_id
    assert replace(ROLLOUT, revision="8").record_id != ROLLOUT.record_id


def test_a_record_keeps_its_ids_over_releases() -> None:
    assert RECORD.record_id == "eac04d3d-945a-5bd8-8a0c-c3e3247ba34f"
    assert point_ids(RECORD.record_id, 1) == ("9eafebdb-294f-5574-89f4-5756db890c31",)


def test_likeness_is_not_about_whose_failure_it_is() -> None:
    elsewhere = replace(
        RECORD, owner_name="cart", namespace="eu", node="n9", cluster="b", image="x"
    )
    assert elsewhere.embedding_text == RECORD.embedding_text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "version 2"),
        ({"version": None}, "version None"),
        ({"kind": "other"}, "other"),
        ({"kind": None}, "None"),
        ({"occurrences": -1}, "occurrences"),
        ({"occurrences": "many"}, "occurrences"),
        ({"last_seen": "2026-03-01T12:00:00"}, "last_seen"),
        ({"exit_code": 1.5}, "exit_code"),
        ({"outcome": "open"}, "outcome"),
        ({"text": "x" * 9000}, "text"),
        ({"reference": None}, "reference"),
    ],
)
def test_a_malformed_payload_is_refused_by_name(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRecordError, match=said):
        from_payload(payload_of(RECORD) | change)


def test_an_unknown_field_is_not_refused() -> None:
    assert from_payload(payload_of(RECORD) | {"added_by_a_later_release": 1}) == RECORD


def test_a_time_without_a_zone_never_reaches_a_store() -> None:
    with pytest.raises(InvalidRecordError, match="last_seen"):
        passages(replace(RECORD, last_seen=datetime(2026, 3, 1)))
