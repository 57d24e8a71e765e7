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
from hypothesis import given
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


def test_what_is_hidden_in_one_part_is_hidden_in_all_of_it() -> None:
    args = ("run", "--password", f"{FAKE} and {FAKE}", "--port", "80")
    told = f"started with {' '.join(args)} on db-0"

    found = REDACTOR.tree({"args": args, "text": told, "log": "port 80"})

    assert FAKE not in repr(found.value)
    assert found.value["log"] == "port 80"
    assert str(found.value["text"]).startswith("started with run --password [redacted:password:")
    assert str(found.value["text"]).endswith("] --port 80 on db-0")


def test_an_ordinary_word_is_hidden_where_it_is_a_secret_only() -> None:
    found = REDACTOR.tree({"password": "database", "text": "the database is down"}).value

    assert found["password"] != "database"
    assert found["text"] == "the database is down"


def test_an_argument_with_its_value_is_hidden_to_its_end() -> None:
    found = REDACTOR.tree(["run", f"--api-key={FAKE} x y", "--port=80"]).value

    assert found[1].startswith("--api-key=[redacted:api-key:")
    assert found[1].endswith("]")
    assert found[2] == "--port=80"


@pytest.mark.parametrize(
    "words",
    [
        ("curl", "-u", f"app:{FAKE}", "https://h"),
        ("mysql", "-u", "app", f"-p{FAKE}"),
        ("htpasswd", "-b", "/etc/passwords", "admin", FAKE),
        ("kubectl", "create", "secret", "generic", "x", "--from-literal", f"a={FAKE}"),
    ],
)
def test_arguments_are_read_as_the_command_that_they_are(words: tuple[str, ...]) -> None:
    found = REDACTOR.tree(words).value

    assert FAKE not in repr(found)
    assert found[0] == words[0]
    assert len(found) == len(words)


@pytest.mark.parametrize(("value", "hidden"), [(12345678, True), (80, False), (True, False)])
def test_a_number_under_a_name_of_a_password_is_hidden(value: object, hidden: bool) -> None:
    found = REDACTOR.tree({"password": value, "port": 12345678}).value

    assert (found["password"] != value) is hidden
    assert found["port"] == 12345678


@pytest.mark.parametrize("size", [9, 20, 30])
def test_the_beginning_of_what_was_hidden_is_hidden_too(size: int) -> None:
    token = "gh" + "p_" + FAKE * 3

    found = REDACTOR.tree({"args": ("--config", token), "text": f"args {token[:size]}; port 80"})

    assert token[:size] not in repr(found.value)
    assert str(found.value["text"]).endswith("]; port 80")
