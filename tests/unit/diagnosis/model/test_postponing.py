"""Who came to nothing rests; of these no more are known than fit."""

from __future__ import annotations

import pytest

from kausa.diagnosis.errors import ModelDeadlineExceeded, ModelRefusedQuestion, ModelUnavailable
from kausa.diagnosis.model.postponing import LONGEST_REST_SECONDS, Postponed

SLOW = ModelDeadlineExceeded("slow.")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_an_answer_ends_all_rest_and_what_is_late_anew_begins_anew() -> None:
    clock = Clock()
    postponed = Postponed(clock=clock)
    for rest in (60, 120, 240):
        told = postponed.late("d", model="m", error=SLOW)
        assert isinstance(told, ModelDeadlineExceeded)
        assert told.retry_after_seconds == rest
        clock.now += rest - 1
        assert postponed.error("d") is not None
        clock.now += 1
        assert postponed.error("d") is None
    postponed.answered("d", model="m")
    assert len(postponed) == 0
    told = postponed.late("d", model="m", error=SLOW)
    assert isinstance(told, ModelDeadlineExceeded)
    assert told.retry_after_seconds == 60


def test_no_rest_is_longer_than_the_longest_however_often_it_was_late() -> None:
    postponed = Postponed(clock=Clock())
    for _ in range(2000):
        told = postponed.late("d", model="m", error=SLOW)
    assert isinstance(told, ModelDeadlineExceeded)
    assert told.retry_after_seconds == LONGEST_REST_SECONDS


def test_of_too_many_the_one_that_failed_the_longest_ago_is_forgotten() -> None:
    postponed = Postponed(most=2, clock=Clock())
    for digest in ("a", "b", "a", "c"):
        postponed.late(digest, model="m", error=SLOW)
    assert len(postponed) == 2
    assert postponed.error("b") is None
    assert postponed.error("a") is not None


@pytest.mark.parametrize(("model", "blamed"), [("m", True), ("other", False)])
def test_what_another_model_answers_says_nothing_of_this_one(model: str, blamed: bool) -> None:
    postponed = Postponed(clock=Clock())
    error = ModelUnavailable("the HTTP status 500.")
    assert postponed.failed("d", model="m", error=error) is error
    postponed.answered("e", model=model)
    told = postponed.failed("d", model="m", error=error)
    assert isinstance(told, ModelRefusedQuestion) is blamed
    assert (told is error) is not blamed


def test_who_was_only_late_is_not_blamed_for_the_first_error_of_a_server() -> None:
    postponed = Postponed(clock=Clock())
    error = ModelUnavailable("the HTTP status 500.")
    postponed.late("d", model="m", error=SLOW)
    postponed.answered("e", model="m")
    assert postponed.failed("d", model="m", error=error) is error


def test_who_was_blamed_is_no_more_than_others_when_the_server_fails_at_all() -> None:
    postponed = Postponed(clock=Clock())
    error = ModelUnavailable("the HTTP status 500.")
    postponed.failed("d", model="m", error=error)
    postponed.answered("e", model="m")
    assert postponed.failed("d", model="m", error=error) is not error
    assert postponed.failed("d", model="m", error=error) is error
