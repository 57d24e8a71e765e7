"""Rules that only repeat words are told from rules that know what they mean."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.dossiers import dossier
from support.pods import container, pod, terminated, waiting

from kausa.diagnosis.decide import decide
from kausa.diagnosis.model.doubting import WENT_ON_SINCE, doubted, in_question, only_repeats
from kausa.diagnosis.model.requesting import request_from
from kausa.diagnosis.rules.engine import decide_by_rules
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category
from kausa.resources.diagnosis import DecidedBy

SEATS = "Seat server answers: 25 of 25 handed out\nstanding down\nbye then\n"


def crashing(log: str, *, exit_code: int = 1) -> Dossier:
    return dossier(
        pod(container(waiting("CrashLoopBackOff"), last=terminated(exit_code), restarts=2)), log=log
    )


@pytest.mark.parametrize(
    "log",
    [
        SEATS,
        "ERROR the cache was lost, it is built anew\n" + "indexing page\n" * 5 + SEATS,
        "WARN the sink refused us, going on without it\n" + SEATS,
    ],
    ids=["no complaint", "one it got over", "a warning"],
)
def test_a_quotation_that_nobody_understands_is_no_decision(log: str) -> None:
    found = crashing(log)
    by_rules = decide_by_rules(found)
    if by_rules.category is not Category.CRASH_LOOP:
        pytest.fail(f"the rules know these words: {by_rules.summary}")
    assert by_rules.determined
    assert only_repeats(found, by_rules)
    assert not doubted(found, by_rules).determined
    assert doubted(found, by_rules).confidence < 60


@pytest.mark.parametrize(
    ("log", "exit_code"),
    [
        ("starting\nERROR the licence file has 3 seats and 9 are in use\n", 1),
        ("starting\nFATAL bad state 7\nbye then\nbye then\nbye then\nbye then\n", 1),
        ("starting\nFATAL: variable REGION is not set\n", 1),
        (SEATS, 137),
        (SEATS, 0),
    ],
    ids=["an error at the end", "a fatal entry", "known words", "killed", "finished"],
)
def test_what_says_by_itself_what_happened_is_not_doubted(log: str, exit_code: int) -> None:
    found = crashing(log, exit_code=exit_code)
    by_rules = decide_by_rules(found)
    assert not only_repeats(found, by_rules)
    assert doubted(found, by_rules) is by_rules


def test_a_models_or_a_memorys_answer_is_not_doubted_here() -> None:
    found = crashing(SEATS)
    by_model = replace(decide_by_rules(found), decided_by=DecidedBy.MODEL)
    assert doubted(found, by_model) is by_model


def test_without_a_log_there_is_nothing_that_was_repeated() -> None:
    found = dossier(pod(container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=2)))
    assert not only_repeats(found, replace(decide_by_rules(found), determined=True))


def test_a_known_complaint_that_the_program_got_over_is_no_decision() -> None:
    over = "WARN redis: connection refused, going on without it\n"
    found = crashing(over + "reading page a\nreading page b\n" + SEATS)
    by_rules = decide_by_rules(found)
    assert by_rules.category is Category.DEPENDENCY
    assert only_repeats(found, by_rules)


def test_a_complaint_before_nothing_but_the_end_is_one() -> None:
    log = "reading page a\nWARN redis: connection refused, 5 of 5\n"
    found = crashing(log + "closing the pool\nclosing the server\nstopped\nbye\n")
    by_rules = decide_by_rules(found)
    assert by_rules.category is Category.DEPENDENCY
    assert not only_repeats(found, by_rules)


def test_of_what_only_a_log_explains_a_model_reads_its_end_and_no_consequence() -> None:
    over = "WARN redis: connection refused, going on without it\n"
    found = crashing(over + "reading page a\nreading page b\n" + SEATS)
    request = request_from(found, doubted(found, decide_by_rules(found)), None)
    assert request.findings == ()
    assert request.ruling is None
    asked = in_question(request.evidence)
    (log,) = [each for each in asked if each.kind == "Log"]
    assert log.text.endswith("bye then")
    assert {each.kind for each in asked} <= {"Status", "Log", "Spec", "Change"}
    assert not any(each.text.startswith("condition ") for each in asked)


def test_a_complaint_that_a_program_got_over_is_published_with_caution() -> None:
    refused = "WARN dial tcp 10.0.0.7:6379: connect: connection refused, going on without a cache\n"
    sure = decide(crashing("starting\n" + refused))
    assert sure.confidence >= 60, "as its last words it is the cause"
    assert WENT_ON_SINCE not in sure.root_cause
    found = decide(crashing("starting\n" + refused + "indexing a page\n" * 5 + SEATS))
    assert found.category is sure.category
    assert found.confidence < 60
    assert WENT_ON_SINCE in f"{found.root_cause} {found.explanation}"
    assert found.alternatives
    assert all(each.confidence <= found.confidence for each in found.alternatives)


def test_a_complaint_is_known_without_the_time_in_front_of_it_too() -> None:
    over = "2026-11-22T07:58:10.627Z WARN smtp greeting timed out, the mail waits\n"
    found = crashing(over + "reading page a\nreading page b\n" + SEATS)
    quoted = replace(
        decide_by_rules(found),
        category=Category.DEPENDENCY,
        confidence=84,
        root_cause='Container api says: "smtp greeting timed out, the mail waits".',
    )
    assert only_repeats(found, quoted)
    assert not only_repeats(found, replace(quoted, root_cause="It cannot reach the database."))
