"""How hard a failure is follows from what is told of it, and decides which model is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.dossiers import dossier
from support.pods import container, pod, terminated, waiting

from kausa.diagnosis.finding import Diagnosis, Finding
from kausa.diagnosis.model.choosing import (
    Complexity,
    Role,
    Sign,
    choose,
    complexity,
    of_request,
    weigh,
)
from kausa.diagnosis.model.protocol import ModelRequest, Ruling
from kausa.diagnosis.rules.engine import decide_by_rules
from kausa.resources.category import Category

CRASHING = container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=2)
SEEN = dossier(pod(CRASHING))
UNSURE = decide_by_rules(SEEN)
SURE = replace(UNSURE, determined=True, confidence=97, category=Category.CONFIG, alternatives=())


def finding(confidence: int, category: Category = Category.NETWORK) -> Finding:
    return Finding(
        rule="other",
        category=category,
        summary="another cause",
        root_cause="another cause",
        explanation="",
        confidence=confidence,
        citations=("E1",),
    )


def judged(by_rules: Diagnosis = SURE, question: str = "") -> Complexity:
    return complexity(SEEN, by_rules, question=question)


def asked(question: str, *, findings: int = 1, ruled: int | None = 90) -> ModelRequest:
    ruling = Ruling(category=None, root_cause="x", confidence=ruled) if ruled is not None else None
    return ModelRequest(
        reason="CrashLoopBackOff",
        target="Deployment/checkout",
        question=question,
        evidence=(),
        findings=("a finding",) * findings,
        ruling=ruling,
    )


def test_what_rules_are_sure_of_is_not_hard() -> None:
    assert judged() == Complexity(score=0.0, reasons=())


def test_no_matching_rule_low_confidence_and_rivals_make_it_harder_and_say_so() -> None:
    assert not UNSURE.determined
    assert judged(UNSURE).reasons == ("no rule names a cause",)
    doubt = replace(SURE, confidence=55)
    assert 0 < judged(doubt).score < judged(UNSURE).score
    rivals = replace(doubt, alternatives=(finding(50),))
    assert judged(rivals).score > judged(doubt).score
    assert "the evidence speaks for more than one cause" in judged(rivals).reasons


@pytest.mark.parametrize("other", [finding(30), finding(40), finding(60, Category.CONFIG)], ids=str)
def test_an_alternative_that_is_far_behind_or_says_the_same_contradicts_nothing(
    other: Finding,
) -> None:
    doubt = replace(SURE, confidence=65)
    assert judged(replace(doubt, alternatives=(other,))) == judged(doubt)


def test_several_containers_that_fail_together_make_it_harder() -> None:
    two = dossier(pod(CRASHING, replace_name(CRASHING, "other")))
    assert complexity(two, SURE).reasons == ("2 containers fail together",)


@pytest.mark.parametrize("failing", [2, 3])
def test_no_rule_and_containers_that_fail_together_go_to_the_reasoning_model(failing: int) -> None:
    found = dossier(pod(*(replace_name(CRASHING, f"c{each}") for each in range(failing))))
    hard = complexity(found, UNSURE)
    assert choose(hard, simple="s", reasoning="r", threshold=0.7).role is Role.REASONING


def test_causes_that_exclude_each_other_count_where_no_rule_decides_too() -> None:
    one = replace(UNSURE, alternatives=(finding(45),))
    two = replace(UNSURE, alternatives=(finding(45), finding(44, Category.CONFIG)))
    assert judged(one) == judged(UNSURE)
    assert judged(two).score > 0.7


def test_a_question_about_failures_is_as_hard_as_what_is_known_of_them() -> None:
    plain = of_request(asked("Which limit is it?"))
    assert plain.score < of_request(asked("Which limit is it?", ruled=40)).score
    assert "no rule names a cause" in of_request(asked("x", ruled=None)).reasons
    several = of_request(asked("x", findings=3, ruled=None))
    assert several.reasons == ("it is about 3 failures",)
    open_ = of_request(asked("Why does it crash, and how is that related?", ruled=None))
    assert choose(open_, simple="s", reasoning="r", threshold=0.7).role is Role.REASONING


def replace_name(status: dict[str, object], name: str) -> dict[str, object]:
    return {**status, "name": name}


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("Why does it crash?", "the question asks why or how"),
        ("Which limit is it?", "the question asks for a fact"),
        ("Why did it stop? Is the disk full?", "the question has 2 parts"),
        ("It fails sometimes, maybe at night", "the question is not sure of what it saw"),
        ("word " * 60, "the question has 60 words"),
    ],
)
def test_a_question_is_hard_for_reasons_that_are_told(question: str, reason: str) -> None:
    assert reason in judged(question=question).reasons
    assert of_request(asked(question)).reasons == judged(question=question).reasons


def test_an_open_case_with_a_hedged_question_of_two_parts_goes_to_the_reasoning_model() -> None:
    hard = judged(
        UNSURE, "Why does it sometimes crash, maybe only at night? And how is that related?"
    )
    assert choose(hard, simple="s", reasoning="r", threshold=0.7).model == "r"
    plain = judged(UNSURE, "Why does it crash?")
    assert choose(plain, simple="s", reasoning="r", threshold=0.7).model == "s"


SIGNS = st.lists(
    st.builds(Sign, share=st.floats(0, 0.99), reason=st.sampled_from(["a", "b", "c"])), max_size=8
)


@given(SIGNS, st.builds(Sign, share=st.floats(0, 0.99), reason=st.just("d")))
def test_the_score_is_within_bounds_and_one_more_sign_never_lowers_it(
    signs: list[Sign], more: Sign
) -> None:
    before, after = weigh(signs), weigh([*signs, more])
    assert 0.0 <= before.score <= after.score + 1e-12 <= 1.0 + 1e-12
    assert len(before.reasons) == len(signs)


@given(SIGNS, st.randoms())
def test_the_order_of_signs_does_not_matter(signs: list[Sign], random: object) -> None:
    shuffled = sorted(signs, key=lambda each: (each.reason, each.share))
    assert weigh(shuffled).score == pytest.approx(weigh(signs).score)


@given(st.integers(0, 100), st.integers(0, 100))
def test_the_less_sure_rules_are_the_harder_it_is(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert (
        judged(replace(SURE, confidence=low)).score >= judged(replace(SURE, confidence=high)).score
    )


@given(st.text(max_size=300), st.sampled_from([" maybe", " sometimes?", " and why"]))
def test_any_text_is_a_question_and_more_doubt_in_it_never_makes_it_easier(
    text: str, more: str
) -> None:
    assert 0.0 <= of_request(asked(text)).score <= 1.0
    assert of_request(asked(text + more)).score >= of_request(asked(text)).score - 1e-9


@given(st.floats(0, 1), st.floats(0, 1))
def test_at_the_threshold_and_above_the_reasoning_model_thinks(
    score: float, threshold: float
) -> None:
    choice = choose(Complexity(score=score), simple="s", reasoning="r", threshold=threshold)
    hard = score >= threshold
    assert (choice.model, choice.thinks) == (("r", True) if hard else ("s", False))
    assert choice.role is (Role.REASONING if hard else Role.SIMPLE)
    assert f"complexity {round(score * 100)} %" in choice.why


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_whom_a_resource_names_is_asked(score: float) -> None:
    choice = choose(
        Complexity(score=score), simple="s", reasoning="r", threshold=0.7, forced="mine"
    )
    assert (choice.model, choice.role, choice.why) == ("mine", Role.FORCED, "spec.model names it")
    assert choice.thinks is (score == 1.0)
    named = choose(Complexity(), simple="s", reasoning="r", threshold=0.7, forced="r")
    assert named.thinks
