"""Conditions: one of a type, and a transition only where the status changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from kausa.resources.condition import (
    DIAGNOSED,
    RESOLVED,
    Condition,
    ConditionStatus,
    find_condition,
    set_condition,
)

NOON = datetime(2026, 3, 1, 12, 0, 0, 987654, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)


def gathering(
    conditions: tuple[Condition, ...] = (), now: datetime = NOON
) -> tuple[Condition, ...]:
    return set_condition(
        conditions,
        type=DIAGNOSED,
        status=ConditionStatus.UNKNOWN,
        reason="Gathering",
        message="Evidence is being gathered.",
        now=now,
        observed_generation=1,
    )


def test_a_new_condition_is_added_with_whole_seconds() -> None:
    (condition,) = gathering()
    assert condition.to_dict() == {
        "type": "Diagnosed",
        "status": "Unknown",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-03-01T12:00:00Z",
        "reason": "Gathering",
        "message": "Evidence is being gathered.",
    }


def test_a_changed_status_is_a_transition() -> None:
    (condition,) = set_condition(
        gathering(),
        type=DIAGNOSED,
        status=ConditionStatus.TRUE,
        reason="DecidedByRules",
        message="",
        now=LATER,
    )
    assert condition.last_transition_time == LATER.replace(microsecond=0)


def test_a_changed_reason_is_no_transition() -> None:
    (condition,) = set_condition(
        gathering(),
        type=DIAGNOSED,
        status=ConditionStatus.UNKNOWN,
        reason="Waiting",
        message="The model is loading.",
        now=LATER,
        observed_generation=2,
    )
    assert condition.reason == "Waiting"
    assert condition.message == "The model is loading."
    assert condition.observed_generation == 2
    assert condition.last_transition_time == NOON.replace(microsecond=0)


def test_setting_the_same_twice_changes_nothing() -> None:
    once = gathering()
    assert gathering(once, now=LATER) == once


def test_others_stay_as_they_are_and_in_their_order() -> None:
    both = set_condition(
        gathering(),
        type=RESOLVED,
        status=ConditionStatus.FALSE,
        reason="Failing",
        message="",
        now=NOON,
    )
    after = set_condition(
        both, type=DIAGNOSED, status=ConditionStatus.TRUE, reason="Found", message="", now=LATER
    )
    assert [condition.type for condition in after] == [DIAGNOSED, RESOLVED]
    assert after[1] is both[1]


def test_a_condition_that_was_never_set_is_not_found() -> None:
    assert find_condition(gathering(), RESOLVED) is None
    assert find_condition(gathering(), DIAGNOSED) is not None


@pytest.mark.parametrize("reason", ["", "two words", "1st", "ends-with-hyphen-"])
def test_a_reason_is_one_word(reason: str) -> None:
    with pytest.raises(ValidationError, match="reason"):
        set_condition(
            (), type=DIAGNOSED, status=ConditionStatus.TRUE, reason=reason, message="", now=NOON
        )


def test_a_clock_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        gathering(now=datetime(2026, 3, 1))
