"""Whoever decides, nothing that was seen is lost, and there is room for all of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.dossiers import dossier
from support.pods import container, pod, terminated, waiting

from kausa.diagnosis.model.deciding import MOST_CONFIDENT_SIMPLE, decided, is_simple
from kausa.diagnosis.model.protocol import ModelAnswer, ModelReply
from kausa.diagnosis.rules.engine import decide_by_rules
from kausa.resources.category import Category
from kausa.resources.diagnosis import DecidedBy

CRASHING = pod(container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=2))
SILENT = decide_by_rules(dossier(CRASHING))
QUOTING = decide_by_rules(dossier(CRASHING, log="25 of 25 seats are handed out\nbye for now\n"))
ANSWER = ModelAnswer(
    category=Category.CONFIG,
    summary="all seats are handed out",
    root_cause="The seat server has handed out all seats.",
    explanation="",
    confidence=80,
    citations=("E1",),
    quotes=('"25 of 25 seats are handed out"',),
)


def reply(**changes: Any) -> ModelReply:
    return ModelReply(
        answer=replace(ANSWER, **changes),
        model="tiny",
        prompt_tokens=1,
        output_tokens=1,
        milliseconds=1,
    )


@pytest.mark.parametrize("confidence", [60, 95])
def test_what_rules_held_becomes_an_alternative_of_the_models_answer(confidence: int) -> None:
    by_rules = replace(QUOTING, confidence=55)
    diagnosis = decided(reply(confidence=confidence), by_rules, question=None)
    assert diagnosis.decided_by is DecidedBy.MODEL
    assert diagnosis.confidence == min(confidence, 85)
    assert "bye for now" in diagnosis.alternatives[0].root_cause


def test_the_cause_comes_first_then_the_line_then_what_rules_saw() -> None:
    diagnosis = decided(reply(), SILENT, question=None)
    cause = diagnosis.root_cause
    assert cause.startswith("The seat server has handed out all seats.")
    line = cause.index('The log says: "25 of 25 seats are handed out".')
    assert line < cause.index("Seen: ")
    assert "exit code 1" in cause[line:]
    assert "does not decide" not in cause
    assert diagnosis.fixes == SILENT.fixes


def test_a_line_that_the_cause_holds_already_is_not_said_again() -> None:
    said = "The server says: 25 of 25 seats are handed out."
    assert decided(reply(root_cause=said), SILENT, question=None).root_cause.count("25 of 25") == 1


def test_where_no_cause_holds_the_lines_stand_together() -> None:
    quotes = ('"25 of 25 seats are handed out"', '"queue length 3"')
    said = reply(root_cause=f"The log says: {quotes[0]}.", quotes=quotes)
    cause = decided(said, SILENT, question=None).root_cause
    assert cause.startswith(f"The log says: {quotes[0]}; {quotes[1]}. Seen: ")


def test_what_rules_saw_is_cut_between_words() -> None:
    # `time=2026-11-20` is no time that any log holds.
    long = "It says: " + " ".join(
        f"time=2026-11-20T09:12:{n:02d}.845Z level=warn" for n in range(30)
    )
    by_rules = replace(QUOTING, root_cause=long)
    cause = decided(reply(), by_rules, question=None, repeats=True).root_cause
    assert cause.endswith(" …")
    assert all(each in long for each in cause.partition("It says: ")[2].removesuffix(" …").split())


def test_rules_that_only_repeat_are_no_rivals_and_still_told() -> None:
    diagnosis = decided(reply(confidence=60), QUOTING, question=None, repeats=True)
    assert diagnosis.decided_by is DecidedBy.MODEL
    assert "bye for now" in diagnosis.root_cause
    assert set(QUOTING.citations) <= set(diagnosis.citations)
    stands = decided(reply(confidence=60), QUOTING, question=None)
    assert stands.root_cause == QUOTING.root_cause


@pytest.mark.parametrize("changes", [{"confidence": 49}, {"category": None}])
def test_an_answer_that_is_none_leaves_the_rules_words(changes: dict[str, Any]) -> None:
    for by_rules in (SILENT, QUOTING):
        assert decided(reply(**changes), by_rules, question=None, repeats=True) == by_rules


def test_a_simple_model_is_not_very_sure_and_does_not_name_the_category() -> None:
    by_simple = decided(reply(), SILENT, question=None, shown=Category.CRASH_LOOP)
    assert by_simple.confidence == MOST_CONFIDENT_SIMPLE
    assert by_simple.category is Category.CRASH_LOOP
    by_other = decided(reply(), SILENT, question=None)
    assert (by_other.confidence, by_other.category) == (80, Category.CONFIG)


def test_a_simple_model_is_not_very_sure_where_nothing_shows_a_category() -> None:
    assert decided(reply(), SILENT, question="why?", simple=True).confidence == 55


@pytest.mark.parametrize(
    ("model", "simple"),
    [
        ("tiny", True),
        ("Tiny:latest", True),
        ("registry.ollama.ai/library/tiny", True),
        ("tiny:7b", False),
        ("org/tiny", False),
        ("large", False),
    ],
)
def test_a_model_is_the_simple_one_under_each_of_its_names(model: str, *, simple: bool) -> None:
    assert is_simple(model, simple="tiny") is simple


@settings(max_examples=60)
@given(
    summary=st.text(min_size=1, max_size=200),
    cause=st.text(min_size=1, max_size=400),
    quotes=st.lists(st.text(min_size=1, max_size=202), max_size=3).map(tuple),
    seen=st.text(max_size=400),
)
def test_all_of_it_is_read_at_a_glance(
    summary: str, cause: str, quotes: tuple[str, ...], seen: str
) -> None:
    by_rules = replace(QUOTING, root_cause=seen)
    said = reply(summary=summary, root_cause=cause, quotes=quotes)
    found = decided(said, by_rules, question=None, repeats=True)
    assert len(found.summary) + len(found.root_cause) <= 700
