"""When to ask again, told by numbers alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kausa.memory.embedding.breaker import Backoff, Breaker


def most(_: float, high: float) -> float:
    return high


def test_pauses_double_up_to_a_bound() -> None:
    backoff = Backoff(first_seconds=1, longest_seconds=5, uniform=most)
    assert [backoff.next_seconds() for _ in range(5)] == [1, 2, 4, 5, 5]


def test_what_the_server_asks_for_is_the_least() -> None:
    backoff = Backoff(first_seconds=1, uniform=most)
    assert backoff.next_seconds(at_least=10) == 11


@given(st.integers(1, 20))
def test_a_pause_is_a_random_part_of_its_bound(attempts: int) -> None:
    backoff = Backoff(first_seconds=0.1, longest_seconds=2)
    for attempt in range(attempts):
        assert 0 <= backoff.next_seconds() <= min(2.0, 0.1 * 2**attempt)


def opened() -> Breaker:
    breaker = Breaker(failures_to_open=3, uniform=most)
    for _ in range(3):
        assert breaker.wait_seconds(0) == 0
        breaker.failed(0)
    return breaker


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    breaker = Breaker(failures_to_open=3, uniform=most)
    for outcome in ("fail", "fail", "good", "fail", "fail"):
        assert breaker.wait_seconds(0) == 0
        if outcome == "fail":
            breaker.failed(0)
        else:
            breaker.succeeded()
    assert not breaker.is_open
    breaker.failed(0)
    assert breaker.is_open
    assert breaker.wait_seconds(0.1) == 0.4


def test_one_tries_for_all_when_the_pause_is_over() -> None:
    breaker = opened()
    assert breaker.wait_seconds(0.5) == 0
    assert breaker.wait_seconds(0.5) > 0
    breaker.succeeded()
    assert breaker.wait_seconds(0.5) == 0
    assert breaker.wait_seconds(0.5) == 0


def test_a_trial_that_fails_doubles_the_pause_up_to_five_seconds() -> None:
    breaker, now, pauses = opened(), 0.0, []
    for _ in range(6):
        pauses.append(breaker.wait_seconds(now))
        now += pauses[-1]
        assert breaker.wait_seconds(now) == 0
        breaker.failed(now)
    assert pauses == [0.5, 1, 2, 4, 5, 5]


def test_a_trial_whose_caller_leaves_is_somebody_elses() -> None:
    breaker = opened()
    assert breaker.wait_seconds(0.5) == 0
    breaker.abandoned()
    assert breaker.wait_seconds(0.5) == 0


def test_stragglers_do_not_put_off_the_trial() -> None:
    breaker = opened()
    for _ in range(10):
        breaker.failed(0.4)
    assert breaker.wait_seconds(0.5) == 0


@given(st.lists(st.sampled_from(["fail", "succeed", "abandon"]), max_size=40))
def test_it_always_lets_somebody_in_within_five_seconds(outcomes: list[str]) -> None:
    breaker, now = Breaker(), 0.0
    for outcome in outcomes:
        wait = breaker.wait_seconds(now)
        assert wait <= 5
        now += wait
        if wait:
            assert breaker.wait_seconds(now) == 0
        if outcome == "fail":
            breaker.failed(now)
        elif outcome == "succeed":
            breaker.succeeded()
        else:
            breaker.abandoned()
