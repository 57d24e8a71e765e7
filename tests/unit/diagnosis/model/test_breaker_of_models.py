from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kausa.diagnosis.model.breaker import Admission, CircuitBreaker


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(
        failures_to_open=3,
        first_pause_seconds=4,
        longest_pause_seconds=10,
        uniform=lambda low, high: high,
        clock=clock,
    )


def fail(tried: CircuitBreaker, times: int = 1) -> None:
    for _ in range(times):
        admission = tried.admit()
        assert admission is not None
        tried.failed(admission)


def test_failures_in_a_row_open_it_and_others_between_do_not() -> None:
    tried = breaker(Clock())
    fail(tried, 2)
    tried.succeeded(Admission.NORMAL)
    fail(tried, 2)
    assert tried.state.value == "closed"
    fail(tried)
    assert tried.state.value == "open"
    assert tried.retry_after_seconds == 4
    assert tried.admit() is None


def test_after_the_pause_one_question_is_the_trial_for_all() -> None:
    clock = Clock()
    tried = breaker(clock)
    fail(tried, 3)
    clock.now = 4
    assert tried.state.value == "half-open"
    assert tried.admit() is Admission.TRIAL
    assert tried.admit() is None
    tried.succeeded(Admission.TRIAL)
    assert tried.state.value == "closed"
    assert tried.admit() is Admission.NORMAL


def test_pauses_grow_up_to_a_bound_while_trials_fail() -> None:
    clock = Clock()
    tried = breaker(clock)
    fail(tried, 3)
    pauses = []
    for _ in range(4):
        pauses.append(tried.retry_after_seconds)
        clock.now += tried.retry_after_seconds
        fail(tried)
    assert pauses == [4, 8, 10, 10]


def test_a_trial_that_was_abandoned_leaves_the_next_one_to_somebody_else() -> None:
    clock = Clock()
    tried = breaker(clock)
    fail(tried, 3)
    clock.now = 4
    assert tried.admit() is Admission.TRIAL
    tried.abandoned(Admission.TRIAL)
    assert tried.state.value == "half-open"
    assert tried.admit() is Admission.TRIAL


def test_a_straggler_from_before_extends_no_pause_and_ends_no_trial() -> None:
    clock = Clock()
    tried = breaker(clock)
    fail(tried, 3)
    clock.now = 4
    assert tried.admit() is Admission.TRIAL
    tried.failed(Admission.NORMAL)
    assert tried.state.value == "half-open"
    assert tried.admit() is None


@given(st.lists(st.sampled_from(["ask", "wait", "succeed", "fail", "leave"]), max_size=60))
def test_it_never_lets_two_trials_through_and_never_stays_shut(steps: list[str]) -> None:
    clock = Clock()
    tried = breaker(clock)
    held: list[Admission] = []
    for step in steps:
        if step == "wait":
            clock.now += 1
        elif step == "ask":
            admission = tried.admit()
            assert admission is None or tried.retry_after_seconds == 0
            held += [admission] if admission is not None else []
        elif held:
            end = {"succeed": tried.succeeded, "fail": tried.failed, "leave": tried.abandoned}
            end[step](held.pop())
        assert held.count(Admission.TRIAL) <= 1
        assert tried.retry_after_seconds <= 10
    for admission in held:
        tried.abandoned(admission)
    clock.now += 10
    assert tried.admit() is not None
