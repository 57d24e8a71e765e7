"""What came to nothing by itself waits longer each time before it is asked about again."""

from __future__ import annotations

import pytest
from support.recording import HandClock

from kausa.controller.resting import MOST_KEYS, REST_OF_CHANGED_SECONDS, Resting
from kausa.diagnosis.errors import (
    ModelDeadlineExceeded,
    ModelError,
    ModelInvalidAnswer,
    ModelRefusedQuestion,
)
from kausa.diagnosis.model.postponing import FIRST_REST_SECONDS, LONGEST_REST_SECONDS

KEY = ("shop", "x")
SAME = ("digest",)
OTHER = ("another",)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def resting(clock: HandClock) -> Resting:
    return Resting(clock=clock)


def rests(
    resting: Resting,
    clock: HandClock,
    *,
    digests: tuple[str, ...] | None = SAME,
    error: ModelError | None = None,
) -> float:
    """How long it rests once its turn was in vain."""
    resting.came_to_nothing(
        KEY, generation=1, digests=SAME, error=error or ModelDeadlineExceeded("slow")
    )
    began = clock.now
    while resting.why(KEY, generation=1, digests=digests) is not None:
        clock.now += 10
    return clock.now - began


def test_the_same_question_rests_twice_as_long_each_time_up_to_hours(
    resting: Resting, clock: HandClock
) -> None:
    found = [rests(resting, clock) for _ in range(11)]
    assert found[:3] == [FIRST_REST_SECONDS, 2 * FIRST_REST_SECONDS, 4 * FIRST_REST_SECONDS]
    assert found == sorted(found)
    assert found[-1] == LONGEST_REST_SECONDS


def test_a_question_that_nobody_has_looked_at_counts_as_the_same(
    resting: Resting, clock: HandClock
) -> None:
    for _ in range(8):
        rests(resting, clock)
    assert rests(resting, clock, digests=None) == 2**8 * FIRST_REST_SECONDS


def test_where_its_evidence_is_another_it_rests_for_minutes_however_often_that_is(
    resting: Resting, clock: HandClock
) -> None:
    found = [rests(resting, clock, digests=OTHER) for _ in range(8)]
    assert found[0] == FIRST_REST_SECONDS
    assert found[-1] == REST_OF_CHANGED_SECONDS


def test_another_generation_and_one_that_was_answered_do_not_rest(resting: Resting) -> None:
    resting.came_to_nothing(KEY, generation=1, digests=SAME, error=ModelDeadlineExceeded("slow"))
    assert resting.why(KEY, generation=2, digests=SAME) is None
    assert resting.why(("shop", "y"), generation=1, digests=SAME) is None
    assert str(resting.why(KEY, generation=1, digests=SAME)) == "slow"
    resting.forget(KEY)
    assert resting.why(KEY, generation=1, digests=SAME) is None


def test_it_is_not_offered_before_the_error_says(resting: Resting, clock: HandClock) -> None:
    error = ModelRefusedQuestion("too long", retry_after_seconds=7200)
    assert rests(resting, clock, error=error) == 7200
    soon = ModelDeadlineExceeded("slow", retry_after_seconds=1)
    assert rests(resting, clock, error=soon) == 2 * FIRST_REST_SECONDS


def test_no_more_is_kept_than_the_bound_and_no_evidence_with_it() -> None:
    resting = Resting(clock=lambda: 0.0)
    for number in range(MOST_KEYS + 5):
        try:
            raise ModelInvalidAnswer("nothing whole") from ValueError("of a turn")
        except ModelError as error:
            resting.came_to_nothing(("shop", str(number)), generation=1, digests=SAME, error=error)
    assert len(resting) == MOST_KEYS
    kept = resting.why(("shop", str(MOST_KEYS)), generation=1)
    assert kept is not None
    assert (kept.__traceback__, kept.__cause__, kept.__context__) == (None, None, None)
