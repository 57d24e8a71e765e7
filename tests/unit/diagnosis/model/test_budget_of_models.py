"""No hour holds more tokens than it may, and no diagnosis more than one may cost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.diagnosis.model.budget import (
    LEAST_CONTEXT_TOKENS,
    LEAST_TOKENS_PER_DIAGNOSIS,
    REPAIR_TOKENS,
    HourlyBudget,
    ModelBudgetSpent,
    TokenLimits,
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


STEPS = st.lists(st.tuples(st.floats(0, 2000), st.integers(1, 60), st.integers(0, 60)), max_size=60)


@given(STEPS)
def test_no_stretch_of_an_hour_holds_more_than_the_budget(
    steps: list[tuple[float, int, int]],
) -> None:
    clock = Clock()
    budget = HourlyBudget(tokens=100, clock=clock)
    spent: list[tuple[float, int]] = []
    for wait, tokens, used in steps:
        clock.now += wait
        try:
            reservation = budget.reserve(tokens)
        except ModelBudgetSpent:
            continue
        budget.settle(reservation, spent=min(tokens, used))
        spent.append((clock.now, min(tokens, used)))
    for begins, _ in spent:
        within = [tokens for at, tokens in spent if begins <= at < begins + 3600]
        assert sum(within) <= 100


@given(STEPS)
def test_the_moment_it_names_is_one_at_which_there_is_enough(
    steps: list[tuple[float, int, int]],
) -> None:
    clock = Clock()
    budget = HourlyBudget(tokens=100, clock=clock)
    for wait, tokens, _ in steps:
        clock.now += wait
        pause = budget.retry_after_seconds(tokens)
        assert pause is not None
        assert 0 <= pause <= 3660
        if pause:
            with pytest.raises(ModelBudgetSpent) as caught:
                budget.reserve(tokens)
            assert caught.value.retry_after_seconds == pytest.approx(pause)
            clock.now += pause
        budget.reserve(tokens)


def test_a_minute_counts_until_all_of_it_is_an_hour_old() -> None:
    clock = Clock()
    budget = HourlyBudget(tokens=100, clock=clock)
    clock.now = 1079.0
    budget.reserve(100)
    clock.now += 3599
    assert budget.left == 0
    clock.now += 2
    assert budget.left == 100


def test_what_a_question_did_not_cost_is_given_back() -> None:
    budget = HourlyBudget(tokens=100, clock=Clock())
    reservation = budget.reserve(100)
    assert budget.left == 0
    budget.settle(reservation, spent=30)
    assert (budget.spent, budget.left) == (30, 70)


def test_a_question_counts_from_when_it_is_over() -> None:
    clock = Clock()
    budget = HourlyBudget(tokens=100, clock=clock)
    reservation = budget.reserve(100)
    clock.now += 600
    budget.settle(reservation, spent=80)
    clock.now += 3540
    assert (budget.spent, budget.left) == (80, 20)
    clock.now += 120
    assert budget.left == 100


@given(st.lists(st.tuples(st.floats(0, 5000), st.integers(0, 30)), max_size=30))
def test_what_an_earlier_process_spent_counts_until_it_is_an_hour_old(
    spent: list[tuple[float, int]],
) -> None:
    clock = Clock()
    budget = HourlyBudget(tokens=10_000, clock=clock)
    for ago, tokens in spent:
        budget.remember(tokens, seconds_ago=ago)
    surely = sum(tokens for ago, tokens in spent if ago <= 3600)
    perhaps = sum(tokens for ago, tokens in spent if ago <= 3660)
    assert surely <= budget.spent <= perhaps
    budget.settle(budget.reserve(10), spent=10)
    clock.now += 3661
    assert budget.spent == 0


def test_a_question_that_no_hour_can_pay_is_refused_for_good_and_says_what_to_set() -> None:
    with pytest.raises(ModelBudgetSpent, match="KAUSA_MODEL_TOKENS_PER_HOUR") as caught:
        HourlyBudget(tokens=100, clock=Clock()).reserve(101)
    assert caught.value.retry_after_seconds is None
    assert caught.value.reason == "BudgetSpent"


def test_without_a_bound_everything_may_be_spent() -> None:
    budget = HourlyBudget(tokens=None, clock=Clock())
    for _ in range(3):
        budget.reserve(10**9)
    assert budget.left == float("inf")


@given(
    context=st.integers(LEAST_CONTEXT_TOKENS, 200_000),
    prompt=st.integers(500, 100_000),
    diagnosis=st.integers(LEAST_TOKENS_PER_DIAGNOSIS, 200_000),
    think=st.booleans(),
)
def test_prompt_answer_and_repair_fit_the_window_and_the_diagnosis(
    context: int, prompt: int, diagnosis: int, think: bool
) -> None:
    limits = TokenLimits(context=context, prompt=prompt, per_diagnosis=diagnosis)
    tokens = limits.for_question(think=think)
    assert 400 <= tokens.prompt <= prompt
    assert tokens.prompt + tokens.writable(think=think) + REPAIR_TOKENS <= context
    assert limits.worst(think=think) <= diagnosis
    assert 2 * (tokens.prompt + tokens.writable(think=think)) + REPAIR_TOKENS <= diagnosis
    assert (tokens.thinking > 0) is think


def test_the_usual_limits_leave_room_for_real_prompts() -> None:
    plain, thinks = (TokenLimits().for_question(think=think) for think in (False, True))
    assert plain.prompt > 5000
    assert thinks.prompt > 3500
    assert thinks.thinking == 2000
