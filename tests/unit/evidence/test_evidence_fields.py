"""Raw manifests may have any shape; quantities and selectors are read as Kubernetes reads them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.evidence.fields import at, flag, listed, moment, number, rows, strings, table, text
from kausa.evidence.quantity import in_words, parse_quantity
from kausa.evidence.selecting import (
    in_words as selector_in_words,
)
from kausa.evidence.selecting import (
    node_fits_term,
    selects,
    selects_plainly,
    untolerated,
)

ODD: list[Any] = [None, "words", 3, 2.5, True, [], ["a"], [None], {}, {"a": None}, [{"a": 1}]]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_wrong_shape_reads_as_nothing(odd: Any) -> None:
    assert at(odd, "spec", "x") is None
    assert text({"a": {"b": [odd]}}, "a", "b") == ""
    assert rows({"a": {"b": odd}}, "a", "b", "c") == ()
    assert all(isinstance(each, dict) for each in rows({"a": odd}, "a"))
    assert all(isinstance(each, str) for each in strings({"a": odd}, "a"))
    assert dict(table({"a": odd}, "a")) is not None
    assert number({"a": odd}, "a") in (None, 3)
    assert flag({"a": odd}, "a") is (odd is True)
    assert listed({"a": odd}, "a") is isinstance(odd, list)
    assert moment({"a": odd}, "a") is None


def test_a_time_is_read_with_its_zone_only() -> None:
    found = moment({"t": "2026-01-02T03:04:05Z"}, "t")
    assert found is not None
    assert found.isoformat() == "2026-01-02T03:04:05+00:00"
    assert moment({"t": "2026-01-02T03:04:05"}, "t") is None


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("250m", 0.25),
        ("1", 1.0),
        ("1.5Gi", 1.5 * 1024**3),
        ("100M", 1e8),
        ("1e3", 1000.0),
        (2, 2.0),
        (".5", 0.5),
        ("128Ki", 131072.0),
        ("5n", 5e-9),
    ],
)
def test_quantities_are_read(written: object, amount: float) -> None:
    assert parse_quantity(written) == pytest.approx(amount)


@pytest.mark.parametrize("written", ["", "much", "1GB", "1 Gi", None, True, [], "1e999", "--1"])
def test_what_is_no_quantity_is_none(written: object) -> None:
    assert parse_quantity(written) is None


@given(st.one_of(st.text(max_size=30), st.integers(), st.floats(), st.none()))
def test_no_text_at_all_breaks_the_reading_of_quantities(written: object) -> None:
    assert isinstance(parse_quantity(written), (float, type(None)))


@pytest.mark.parametrize(
    ("resource", "amount", "words"),
    [
        ("cpu", 0.25, "250m"),
        ("requests.cpu", 2.0, "2"),
        ("memory", 256 * 1024**2, "256Mi"),
        ("requests.storage", 1.5 * 1024**3, "1.5Gi"),
        ("pods", 10.0, "10"),
        ("nvidia.com/gpu", 1.0, "1"),
    ],
)
def test_amounts_are_written_as_people_write_them(resource: str, amount: float, words: str) -> None:
    assert in_words(resource, amount) == words


SELECTORS: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"matchLabels": {"app": "web"}}, True),
    ({"matchLabels": {"app": "api"}}, False),
    ({"matchLabels": {"app": "web", "tier": "x"}}, False),
    ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["a", "web"]}]}, True),
    ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False),
    ({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["x"]}]}, True),
    ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
    ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, True),
    ({"matchExpressions": [{"key": "app", "operator": "Wrong"}]}, False),
]


@pytest.mark.parametrize(("selector", "expected"), SELECTORS)
def test_a_label_selector_selects_as_kubernetes_does(
    selector: dict[str, Any], expected: bool
) -> None:
    assert selects(selector, {"app": "web"}) is expected


def test_the_empty_selector_of_a_service_selects_nobody() -> None:
    assert not selects_plainly({}, {"app": "web"})
    assert selects_plainly({"app": "web"}, {"app": "web", "x": "y"})


def node(labels: dict[str, str], *taints: dict[str, str]) -> dict[str, Any]:
    return {"metadata": {"name": "n1", "labels": labels}, "spec": {"taints": list(taints)}}


def test_node_terms_compare_labels_numbers_and_names() -> None:
    many = node({"cores": "16", "zone": "a"})

    def term(key: str, operator: str, *values: str) -> dict[str, Any]:
        return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}

    assert node_fits_term(term("cores", "Gt", "8"), many)
    assert not node_fits_term(term("cores", "Lt", "8"), many)
    assert not node_fits_term(term("zone", "Gt", "8"), many)
    assert not node_fits_term(term("zone", "In", "b"), many)
    assert not node_fits_term({}, many)
    fields = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}
    assert node_fits_term(fields, many)


GPU = {"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("toleration", "kept_off"),
    [
        (None, True),
        ({"operator": "Exists"}, False),
        ({"key": "dedicated", "operator": "Exists"}, False),
        ({"key": "dedicated", "value": "gpu"}, False),
        ({"key": "dedicated", "operator": "Equal", "value": "cpu"}, True),
        ({"key": "dedicated", "value": "gpu", "effect": "NoExecute"}, True),
        ({"key": "other", "operator": "Exists"}, True),
    ],
)
def test_taints_keep_off_who_does_not_tolerate_them(
    toleration: dict[str, str] | None, kept_off: bool
) -> None:
    pod = {"spec": {"tolerations": [toleration] if toleration else []}}
    assert bool(untolerated(pod, node({}, GPU))) is kept_off


def test_a_taint_that_only_prefers_keeps_nobody_off() -> None:
    soft = {"key": "a", "effect": "PreferNoSchedule"}
    assert not untolerated({"spec": {}}, node({}, soft))


def test_selectors_are_told_as_kubectl_tells_them() -> None:
    assert selector_in_words({"app": "web", "tier": "x"}) == "app=web,tier=x"
    expression = {"key": "zone", "operator": "In", "values": ["a", "b"]}
    assert selector_in_words({"matchExpressions": [expression]}) == "zone in (a, b)"
    assert selector_in_words({}) == "everything"
