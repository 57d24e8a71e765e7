"""A wait doubles with each failure, and has an end however often something fails."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kausa.telemetry.doubling import Doubling


def test_each_wait_is_twice_the_one_before_up_to_the_longest() -> None:
    waits = Doubling(first_seconds=0.5, longest_seconds=3.0)

    assert [waits.seconds(times=times) for times in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_the_first_is_never_longer_than_the_longest() -> None:
    assert Doubling(first_seconds=60.0, longest_seconds=0.01).seconds(times=0) == 0.01


@given(st.integers(0, 10**9))
def test_no_number_of_failures_is_too_many(times: int) -> None:
    waits = Doubling(first_seconds=0.1, longest_seconds=30.0)

    assert 0.1 <= waits.seconds(times=times) <= waits.seconds(times=times + 1) <= 30.0
