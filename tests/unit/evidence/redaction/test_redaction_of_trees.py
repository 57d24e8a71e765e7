"""A tree keeps its shape, and what stands beside a string decides about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from support.fake_secrets import FAKE

from kausa.evidence.redaction import WITHHELD, Redactor

REDACTOR = Redactor(key=b"one key for one cluster")
NOW = datetime(2024, 5, 1, tzinfo=UTC)


class Kind(StrEnum):
    LOG = "password=kept"


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    text: str
    kind: Kind = Kind.LOG
    time: datetime | None = NOW
    count: int = 3
    parts: tuple[str, ...] = ()


class Variable(msgspec.Struct, frozen=True):
    name: str
    value: str | msgspec.UnsetType = msgspec.UNSET


class Change(msgspec.Struct, frozen=True):
    path: str
    before: str | None
    after: str | None


class Pair(NamedTuple):
    left: str
    right: str


class Model(BaseModel):
    text: str
    children: list[Item] = []


def test_a_dataclass_is_rebuilt_with_clean_strings() -> None:
    item = Item(text=f"password={FAKE}", parts=("fine", f"token={FAKE}"))

    found = REDACTOR.tree(item)

    assert FAKE not in repr(found.value)
    assert found.value.kind is Kind.LOG
    assert found.value.time is NOW
    assert found.value.parts[0] == "fine"
    assert found.counts == {"password": 1, "token": 1}


def test_what_holds_no_secret_is_returned_as_it_is() -> None:
    tree = {"items": [Item(text="fine")], "pair": Pair("a", "b"), "n": 1.5, "none": None}

    found = REDACTOR.tree(tree)

    assert found.value is tree
    assert not found.counts


def test_the_value_beside_a_sensitive_name_is_hidden() -> None:
    found = REDACTOR.tree((Variable("DB_PASSWORD", "swordfish"), Variable("PORT", "8080")))

    assert found.value[0].value.startswith("[redacted:password:")  # type: ignore[union-attr]
    assert found.value[1] == Variable("PORT", "8080")


@pytest.mark.parametrize("value", ["", "$(PW)", "${PW}", "true", "<none>"])
def test_an_empty_value_or_a_reference_stays(value: str) -> None:
    variable = Variable("DB_PASSWORD", value)

    assert REDACTOR.tree(variable).value is variable


def test_a_variable_without_a_value_stays() -> None:
    variable = Variable("DB_PASSWORD")

    assert REDACTOR.tree(variable).value is variable


def test_both_sides_of_a_change_are_hidden_and_differ() -> None:
    change = Change("spec.containers[api].env[DB_PASSWORD].value", "swordfish", "halibut")

    found = REDACTOR.tree(change).value

    assert found.path == change.path
    assert "swordfish" not in repr(found)
    assert "halibut" not in repr(found)
    assert found.before != found.after


def test_a_change_of_a_reference_stays() -> None:
    change = Change("spec.volumes[creds].secret.secretName", "db-credentials", "db-credentials-2")

    assert REDACTOR.tree(change).value is change


def test_a_sensitive_key_of_a_mapping_hides_its_value() -> None:
    tree = {"password": "swordfish", "user": "app", "secret": {"secretName": "db"}, "token": None}

    found = REDACTOR.tree(tree)

    assert list(found.value) == list(tree)
    assert "swordfish" not in repr(found.value)
    assert found.value["user"] == "app"
    assert found.value["secret"] is tree["secret"]


def test_a_list_under_a_sensitive_key_is_hidden_item_by_item() -> None:
    found = REDACTOR.tree({"passwords": ["swordfish", "halibut"]})

    assert "swordfish" not in repr(found.value)
    assert len(found.value["passwords"]) == 2


def test_the_argument_behind_a_sensitive_flag_is_hidden() -> None:
    args = ("run", "--password", "swordfish", "--token-ttl", "5m", "--api-key", "--verbose")

    found = REDACTOR.tree(args)

    assert found.value[2].startswith("[redacted:password:")
    assert (*found.value[:2], *found.value[3:]) == (*args[:2], *args[3:])


def test_a_header_is_hidden_by_its_name() -> None:
    found = REDACTOR.tree({"name": "Authorization", "value": "swordfish"})

    assert "swordfish" not in repr(found.value)


def test_models_mappings_bytes_sets_and_named_tuples_are_walked() -> None:
    line = f"password={FAKE}"
    tree: dict[str, Any] = {
        "model": Model(text=line, children=[Item(text=line)]),
        "proxy": MappingProxyType({"a": line}),
        "bytes": line.encode(),
        "set": frozenset({line}),
        "named": Pair(line, "fine"),
        "list": [[line]],
    }

    found = REDACTOR.tree(tree).value

    assert FAKE not in repr(found)
    assert isinstance(found["named"], Pair)
    assert isinstance(found["proxy"], Mapping)
    assert isinstance(found["model"], Model)


def test_a_deep_tree_and_a_cycle_are_withheld() -> None:
    deep: list[Any] = [FAKE]
    for _ in range(200):
        deep = [deep]
    cycle: dict[str, Any] = {}
    cycle["again"] = cycle

    assert FAKE not in repr(REDACTOR.tree(deep).value)
    assert REDACTOR.tree(cycle).value == {"again": WITHHELD}
    assert REDACTOR.tree(cycle).counts == {"withheld": 1}


def test_an_unknown_object_is_withheld() -> None:
    class Unknown:
        secret = FAKE

    found = REDACTOR.tree({"a": Unknown(), "b": "fine"})

    assert found.value == {"a": WITHHELD, "b": "fine"}


def test_an_object_that_can_not_be_rebuilt_is_withheld() -> None:
    @dataclasses.dataclass(frozen=True)
    class Strict:
        text: str

        def __post_init__(self) -> None:
            if "redacted" in self.text:
                raise ValueError(self.text)

    found: list[object] = list(REDACTOR.tree([Strict(f"password={FAKE}")]).value)
    assert found == [WITHHELD]


@settings(max_examples=50, deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.text() | st.just(f"token={FAKE}"),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
        max_leaves=20,
    )
)
def test_any_tree_is_clean_and_stays_so(tree: object) -> None:
    once = REDACTOR.tree(tree)

    assert FAKE not in repr(once.value)
    assert REDACTOR.tree(once.value).value == once.value
