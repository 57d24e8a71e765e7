"""What all stores have in common: names, indexes, and what is refused before anything is asked."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.store_contract import point

from kausa.memory.errors import InvalidRecordError
from kausa.memory.filters import EVERYTHING, Absent, Filter, InvalidFilterError, OneOf
from kausa.memory.schema import (
    INDEXED_FIELDS,
    MOST_PAYLOAD_BYTES,
    canonical_id,
    check_filter,
    check_point,
    packed_payload,
    slug,
    within,
)
from kausa.memory.store import Schema

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(st.text(max_size=300), st.integers(1, 8192))
def test_a_slug_is_a_name_for_any_folder_and_collection(model: str, dimensions: int) -> None:
    model = model.encode(errors="replace").decode()
    name = slug(Schema(model=model, dimensions=dimensions))
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*__\d+__v2", name)
    assert len(name) < 80


def test_schemas_that_differ_have_slugs_that_differ() -> None:
    schemas = [
        Schema(model="all/MiniLM", dimensions=384),
        Schema(model="all-MiniLM", dimensions=384),
        Schema(model="all-minilm", dimensions=384),
        Schema(model="all-minilm", dimensions=385),
        Schema(model="all-minilm", dimensions=384, version=3),
    ]
    assert len({slug(each) for each in schemas}) == len(schemas)


def test_only_the_cluster_keeps_tenants_apart_and_every_field_has_one_index() -> None:
    assert [field.name for field in INDEXED_FIELDS if field.tenant] == ["cluster"]
    assert len({field.name for field in INDEXED_FIELDS}) == len(INDEXED_FIELDS)


def test_every_indexed_field_can_be_filtered_by_and_no_other() -> None:
    for field in INDEXED_FIELDS:
        check_filter(Filter(must=(Absent(field.name),)))
    check_filter(EVERYTHING)
    with pytest.raises(InvalidFilterError, match="there are cluster, namespace"):
        check_filter(Filter(must=(OneOf("first_seen", ("x",)),)))


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=4))
def test_any_json_is_a_payload(payload: dict[str, object]) -> None:
    assert packed_payload({"": None, **payload})


def test_a_payload_may_be_as_large_as_is_said_and_no_larger() -> None:
    around = len(packed_payload({"passage": "x" * 60_000})) - 60_000
    packed_payload({"passage": "x" * (MOST_PAYLOAD_BYTES - around)})
    with pytest.raises(InvalidRecordError, match="65537 bytes"):
        packed_payload({"passage": "x" * (MOST_PAYLOAD_BYTES - around + 1)})


def test_a_payload_that_holds_itself_is_refused() -> None:
    payload: dict[str, object] = {}
    payload["itself"] = payload
    with pytest.raises(InvalidRecordError):
        packed_payload(payload)


@given(st.uuids())
def test_ids_are_written_in_one_way(id_: object) -> None:
    assert canonical_id(str(id_).upper()) == str(id_)
    check_point(point(1), dimensions=8)


@pytest.mark.parametrize(("limit", "used"), [(-1, 1), (0, 1), (7, 7), (10, 10), (11, 10)])
def test_a_limit_is_brought_within_bounds(limit: int, used: int) -> None:
    assert within(limit, 10) == used
