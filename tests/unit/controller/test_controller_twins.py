"""Error and OOMKilled of one end are one failure, in whichever order they come."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kausa.controller.twins import are_twins, other_word, wording
from kausa.detection.symptom import Symptom
from kausa.resources.category import Category

ENDED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = datetime(2026, 1, 2, 3, 5, 0, tzinfo=UTC)


def crash(exit_code: int = 137, **given: Any) -> Symptom:
    return Symptom(
        **{
            "category": Category.CRASH_LOOP,
            "reason": "CrashLoopBackOff",
            "reason_class": "CrashLoop",
            "detail": f"exit {exit_code}",
            "message": "",
            "container": "api",
            "exit_code": exit_code,
            "last_seen": ENDED,
            **given,
        }
    )


def killed(exit_code: int = 137, **given: Any) -> Symptom:
    found = other_word(crash(exit_code, **given))
    assert found is not None
    return found


def test_the_other_word_of_the_other_word_is_the_first() -> None:
    assert other_word(killed()) == crash()


def test_an_end_with_success_has_no_other_word() -> None:
    assert other_word(crash(0)) is None


@pytest.mark.parametrize("code", [1, 137])
def test_the_same_container_and_exit_code_make_twins(code: int) -> None:
    assert are_twins(crash(code), killed(code))
    assert are_twins(killed(code), crash(code))


def test_another_container_or_exit_code_makes_none() -> None:
    assert not are_twins(crash(1), killed(137))
    assert not are_twins(crash(container="sidecar"), killed())


def test_out_of_memory_is_kept_when_the_same_end_is_called_an_error() -> None:
    assert wording(killed(1), crash(1)).category is Category.OOM_KILLED


def test_out_of_memory_takes_the_place_of_an_error() -> None:
    assert wording(crash(), killed()).reason == "OOMKilled"


def test_another_end_with_another_exit_code_is_called_what_it_is() -> None:
    assert wording(killed(1), crash(1, last_seen=LATER)).reason == "CrashLoopBackOff"


def test_every_end_by_sigkill_of_a_container_that_was_out_of_memory_stays_so() -> None:
    assert wording(killed(), crash(last_seen=LATER)).reason == "OOMKilled"


def test_other_failures_keep_their_words() -> None:
    image = crash(reason_class="ImagePull", reason="ImagePullBackOff")
    assert wording(killed(), image) is image
    assert wording(image, crash()) == crash()
