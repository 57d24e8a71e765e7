"""Which changes of nodes are told as an explanation."""

from __future__ import annotations

import pytest

from kausa.evidence.changes.aspects import bears_on
from kausa.resources.category import Category


@pytest.mark.parametrize("category", list(Category))
def test_that_a_node_is_new_explains_nothing(category: Category) -> None:
    assert bears_on("Node/n1", category) is None


@pytest.mark.parametrize("category", [Category.NODE, Category.EVICTION, Category.NETWORK])
def test_a_taint_of_a_node_may_explain_what_nodes_do(category: Category) -> None:
    assert bears_on("Node/n1 spec.taints[key]", category) is not None


def test_a_taint_of_a_node_explains_no_crash() -> None:
    assert bears_on("Node/n1 spec.taints[key]", Category.CRASH_LOOP) is None
