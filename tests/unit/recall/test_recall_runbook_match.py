"""A runbook agrees with the failures that its author meant, and never costs more than its text."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kausa.memory.records import RunbookChunk
from kausa.recall.runbook_match import NEUTRAL, Failing, Match, agreement, pattern_problem
from kausa.resources.runbook import RunbookMatch

FAILURE = Failing(
    reasons=("ImagePullBackOff",),
    categories=("ImagePull",),
    message='failed to pull "shop/api:2": manifest unknown',
    labels=("app=api", "team=shop"),
)


def test_a_runbook_that_says_nothing_is_neutral() -> None:
    assert agreement(Match(), FAILURE) == NEUTRAL


def test_a_failure_of_which_nothing_is_known_is_neutral() -> None:
    assert agreement(Match(reasons=("Evicted",), labels=("a=b",)), Failing()) == NEUTRAL


def test_the_more_agrees_the_surer_it_is() -> None:
    by_category = Match(categories=("ImagePull",))
    by_reason = Match(reasons=("ErrImagePull", "imagepullbackoff"))
    by_both = Match(categories=("ImagePull",), reasons=("ImagePullBackOff",))
    by_all = Match(
        categories=("ImagePull",), reasons=("ImagePullBackOff",), message_pattern="manifest unknown"
    )
    found = [agreement(each, FAILURE) for each in (by_category, by_reason, by_both, by_all)]
    assert found == pytest.approx([0.6, 0.7, 0.88, 0.976])
    assert all(NEUTRAL < each < 1 for each in found)


@pytest.mark.parametrize(
    "other",
    [
        Match(categories=("ImagePull",), reasons=("Evicted",)),
        Match(categories=("Node",), reasons=("ImagePullBackOff",)),
        Match(categories=("ImagePull",), message_pattern="x509"),
        Match(categories=("ImagePull",), labels=("app=api", "team=billing")),
    ],
)
def test_all_that_a_runbook_gives_must_agree(other: Match) -> None:
    assert agreement(other, FAILURE) == 0


def test_labels_must_all_be_there_and_a_workload_without_any_has_none_of_them() -> None:
    both = Match(labels=("team=shop", "app=api"))
    assert agreement(both, FAILURE) == pytest.approx(0.7)
    assert agreement(both, Failing(labels=())) == 0


def test_a_built_in_runbook_is_only_less_likely_where_a_part_disagrees() -> None:
    match = Match(
        categories=("ImagePull",), reasons=("Evicted",), message_pattern="x509", strict=False
    )
    assert agreement(match, FAILURE) == pytest.approx(0.6 * 0.65 * 0.6)


def test_a_built_in_runbook_of_which_nothing_agrees_is_about_something_else() -> None:
    assert agreement(Match(categories=("Node",), strict=False), FAILURE) == 0


def test_a_passage_of_the_memory_knows_what_its_runbook_is_about() -> None:
    chunk = RunbookChunk(
        cluster="c",
        namespace="shop",
        name="registry",
        source="shop/registry",
        title="Registry",
        reasons=("ImagePullBackOff",),
        message_pattern="x509",
        position=0,
        count=1,
        last_seen=datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert Match.of_chunk(chunk).strict
    assert agreement(Match.of_chunk(chunk), FAILURE) == 0


def test_a_spec_without_match_is_about_everything() -> None:
    assert Match.of(None) == Match()
    assert Match.of(RunbookMatch(reasons=("Evicted",))).reasons == ("Evicted",)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (r"(a)\1", "invalid escape sequence"),
        (r"(?=x)y", "RE2's syntax"),
        (r"(?<!x)y", "RE2's syntax"),
        (r"(", "missing )"),
        (r"((a{1,500}){1,500}){1,500}", "invalid repetition size"),
        ("x" * 513, "at most 512"),
        ("\ud800", "not text"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_with_the_reason(pattern: str, said: str) -> None:
    problem = pattern_problem(pattern)
    assert problem is not None
    assert said in problem


def test_a_pattern_that_cannot_be_used_agrees_with_nothing() -> None:
    assert agreement(Match(message_pattern="("), FAILURE) == 0


@pytest.mark.parametrize(
    "pattern", [r"(a+)+$", r"(a|aa)+$", r"(.*)(.*)(.*)(.*)x$", r"(a*)*b", r"(?i)(\w+\s?)+$"]
)
def test_patterns_that_stop_other_engines_are_matched_in_no_time(pattern: str) -> None:
    assert pattern_problem(pattern) is None
    match, hostile = Match(message_pattern=pattern), Failing(message="a" * 8000 + "!")
    agreement(match, hostile)
    started = time.process_time()
    agreement(match, hostile)
    assert time.process_time() - started < 0.1


def test_text_that_is_no_utf_8_is_looked_through_all_the_same() -> None:
    match = Match(message_pattern="manifest unknown")
    assert agreement(match, Failing(message="\udcff manifest unknown")) > 0


@settings(max_examples=80, deadline=None)
@given(
    pattern=st.text(alphabet="ab|()*+?{}[]\\.^$1,0é", max_size=20) | st.text(max_size=20),
    message=st.text(max_size=60),
    strict=st.booleans(),
)
def test_it_always_is_a_number_from_0_to_1(pattern: str, message: str, strict: bool) -> None:
    match = Match(reasons=("A",), message_pattern=pattern, strict=strict)
    assert 0 <= agreement(match, Failing(reasons=("A",), message=message)) <= 1
