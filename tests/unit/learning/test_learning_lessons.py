from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.diagnosed import diagnosed
from support.records import RECORD

from kausa.learning.feedback import with_feedback
from kausa.learning.lessons import record_of
from kausa.learning.outcomes import outcome_when_deleted
from kausa.learning.resolutions import Mended
from kausa.resources.spec import Feedback, Verdict

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_resource_tells_what_failed_and_why() -> None:
    record = record_of(diagnosed(), cluster="test")
    assert record is not None
    assert record.reference == "shop/checkout-oomkilled-4f1c2a"
    assert (record.owner, record.container, record.exit_code) == ("Deployment/checkout", "api", 137)
    assert (record.outcome, record.occurrences) == ("Open", 14)
    assert record.cause == "container api reached its memory limit of 256Mi"
    assert record.text == "Container api was killed\nOutOfMemoryError: Java heap space"


def test_the_log_of_another_container_is_left_out_where_the_failing_one_has_one() -> None:
    other = diagnosed(log_of="proxy")
    record = record_of(other, cluster="test")
    assert record is not None
    # Only the other has a log: it may be why.
    assert "Java heap space" in record.text


@pytest.mark.parametrize("missing", ["failure", "diagnosis"])
def test_what_did_not_fail_or_is_not_diagnosed_teaches_nothing(missing: str) -> None:
    without: Any = {missing: None}
    assert record_of(diagnosed(**without), cluster="test") is None


def test_a_failure_that_is_over_says_since_when_and_how() -> None:
    record = record_of(diagnosed(resolved=True), cluster="test")
    assert record is not None
    assert (record.outcome, record.resolved_at) == ("Resolved", NOON + timedelta(hours=1))
    assert record.changed == ("containers[api].resources.limits.memory: 256Mi -> 512Mi",)


def test_who_saw_it_recover_has_more_words_for_how() -> None:
    found = Mended(resolution="the memory limit was raised", changed=("memory: 1 -> 2",))
    record = record_of(diagnosed(resolved=True), cluster="test", mended=found)
    assert record is not None
    assert (record.resolution, record.changed) == (found.resolution, found.changed)
    relapsed = record_of(diagnosed(resolved=True, relapsed=True), cluster="test", mended=found)
    assert relapsed is not None
    assert (relapsed.resolution, relapsed.changed) == (None, ())


def test_a_relapse_opens_it_again() -> None:
    record = record_of(diagnosed(resolved=True, relapsed=True), cluster="test")
    assert record is not None
    assert (record.outcome, record.resolved_at, record.changed) == ("Open", None, ())


def test_a_persons_words_go_before_what_was_found() -> None:
    feedback = Feedback(verdict=Verdict.HELPFUL, resolution="doubled the heap", author="ada")
    record = record_of(diagnosed(resolved=True, feedback=feedback), cluster="test")
    assert record is not None
    assert (record.verdict, record.resolution) == ("Helpful", "doubled the heap")


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_is_one_that_the_memory_knows(verdict: Verdict) -> None:
    assert with_feedback(RECORD, Feedback(verdict=verdict)).verdict == verdict.value


def test_feedback_that_is_taken_away_is_no_verdict() -> None:
    told: Any = replace(RECORD, verdict="Wrong")
    assert with_feedback(told, None).verdict is None


@pytest.mark.parametrize(
    ("outcome", "there", "becomes"),
    [
        ("Open", True, "Dismissed"),
        ("Open", False, "Superseded"),
        ("Open", None, "Superseded"),
        ("Resolved", False, "Resolved"),
        ("Resolved", True, "Resolved"),
    ],
)
def test_a_resource_that_is_gone_ended_as_fits(
    outcome: Any, there: bool | None, becomes: str
) -> None:
    assert outcome_when_deleted(outcome, target_is_there=there) == becomes
