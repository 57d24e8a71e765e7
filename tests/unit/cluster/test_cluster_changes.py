"""Any line gives a change, an error of ours, or nothing; and what exists is known exactly."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.cluster.changes import Change, ChangeReader, ChangeType
from kausa.cluster.errors import ApiError, GoneError
from kausa.cluster.objects import Event, Meta, Pod
from kausa.cluster.tally import WatchTally

# A line with NaN in it is no JSON, so it is no error either: it is skipped like any other garbage.
NUMBERS = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=12,
)
FIELDS = ("metadata", "spec", "status", "uid", "resourceVersion", "code", "reason", "message")
OBJECTS = JSON | st.dictionaries(
    st.sampled_from(FIELDS),
    JSON | st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3),
    max_size=4,
)


class Strict(msgspec.Struct):
    """A kind of which a field may not be missing."""

    spec: dict[str, str]
    metadata: Meta = Meta()


def reader(kind: Any = Pod) -> ChangeReader[Any]:
    return ChangeReader(kind=kind, name="pods", tally=WatchTally(), on_line=lambda: None)


def read(found: ChangeReader[Any], some: bytes) -> Change[Any] | None:
    """What one line of a watch gives."""
    found.failure = None
    changes = list(found.read_lines([some]))
    if found.failure is not None:
        raise found.failure
    assert len(changes) <= 1
    return changes[0] if changes else None


def line(type_: Any, document: Any) -> bytes:
    return json.dumps({"type": type_, "object": document}).encode()


@given(st.sampled_from(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR", "", 7]), OBJECTS)
def test_no_object_of_any_shape_gets_beyond_the_reader(type_: Any, document: Any) -> None:
    for kind in (Pod, Event, Strict):
        found = reader(kind)
        try:
            change = read(found, line(type_, document))
        except ApiError:
            assert type_ == "ERROR"
            continue
        assert type_ != "ERROR"
        if change is not None:
            assert change.uid
            assert (change.uid in found.known) is (change.type is ChangeType.SEEN)


@given(st.binary(max_size=40))
def test_no_bytes_get_beyond_the_reader(some: bytes) -> None:
    found = reader()
    assert read(found, some) is None
    assert found.known == set()


@given(st.lists(OBJECTS, max_size=4))
def test_no_page_gets_beyond_the_reader(documents: list[Any]) -> None:
    found = reader()
    items = [msgspec.Raw(json.dumps(each).encode()) for each in documents]
    seen = {change.uid for change in found.read_page(items, set())}
    assert seen <= found.known


@given(
    st.lists(
        st.tuples(st.sampled_from(["ADDED", "MODIFIED", "DELETED"]), st.sampled_from("abc")),
        max_size=12,
    )
)
def test_what_exists_is_what_was_seen_last(changes: list[tuple[str, str]]) -> None:
    found = reader()
    exists: dict[str, bool] = {}
    for type_, uid in changes:
        read(found, line(type_, {"metadata": {"uid": uid}}))
        exists[uid] = type_ != "DELETED"
    assert found.known == {uid for uid, there in exists.items() if there}


def test_a_bookmark_of_a_kind_whose_fields_may_not_be_missing_is_read() -> None:
    found = reader(Strict)
    assert read(found, line("BOOKMARK", {"metadata": {"resourceVersion": "7"}})) is None
    assert found.version == "7"
    assert found.heard
    assert found.tally.undecodable == 0


@pytest.mark.parametrize("kind", [Pod, Event, Strict])
def test_an_error_is_an_error_even_where_it_looks_like_an_object(kind: Any) -> None:
    status = {"kind": "Status", "metadata": {}, "status": "Failure", "code": 410}
    with pytest.raises(GoneError):
        read(reader(kind), line("ERROR", status | {"message": "too old", "reason": "Expired"}))


def test_the_deletion_of_what_cannot_be_read_is_delivered_without_it() -> None:
    found = reader()
    found.known.add("x")
    document = {"metadata": {"uid": "x", "resourceVersion": "9"}, "status": []}
    change = read(found, line("DELETED", document))
    assert change is not None
    assert (change.type, change.uid, change.object) == (ChangeType.DELETED, "x", None)
    assert (found.known, found.version) == (set(), "9")


def test_what_is_in_a_list_and_cannot_be_read_is_not_missing() -> None:
    found, missing = reader(), {"x", "y"}
    item = msgspec.Raw(b'{"metadata":{"uid":"x"},"status":7}')
    assert list(found.read_page([item], missing)) == []
    assert missing == {"y"}
    assert found.known == {"x"}


def test_the_first_line_is_told_and_the_others_are_not() -> None:
    told = []
    found = ChangeReader(kind=Pod, name="pods", tally=WatchTally(), on_line=lambda: told.append(1))
    for _ in range(3):
        read(found, line("ADDED", {"metadata": {"uid": "x"}}))
    read(found, b"junk")
    assert len(told) == 1
