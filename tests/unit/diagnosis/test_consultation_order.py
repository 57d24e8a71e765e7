"""Whoever waits is found by its key, and comes out by its rank."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.diagnosis.consultation_order import Order, Waiting

STEPS = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(-3, 3)), max_size=40)


@given(STEPS)
def test_it_is_as_a_sorted_list_of_those_that_wait(steps: list[tuple[str, int]]) -> None:
    order: Order[str] = Order()
    expected: dict[str, tuple[float, int]] = {}
    for number, (key, rank) in enumerate(steps):
        if rank == 3:
            taken = order.take(key)
            assert (taken is not None) == (expected.pop(key, None) is not None)
        elif rank == -3 and expected:
            last = order.take_last()
            assert last.rank == max(expected.values())
            del expected[last.key]
        else:
            expected[key] = (float(rank), number)
            order.put(Waiting(key=key, since=0.0, rank=(float(rank), number)))
        keys = sorted(expected, key=expected.__getitem__)
        assert [each.key for each in order] == keys
        assert (len(order), key in order) == (len(keys), key in expected)
        assert [order.place(each) for each in keys] == list(range(len(keys)))
        assert (order.place(key) is None) == (order.get(key) is None) == (key not in expected)


def test_where_nobody_waits_nobody_is_last() -> None:
    with pytest.raises(IndexError):
        Order[str]().take_last()
