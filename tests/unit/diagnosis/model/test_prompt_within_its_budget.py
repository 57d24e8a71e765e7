"""The whole prompt holds its budget, and what weighs least goes first."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kausa.diagnosis.model import Incident, ModelRequest, NumberedEvidence, Passage
from kausa.diagnosis.model.budget import (
    LEAST_CONTEXT_TOKENS,
    LEAST_TOKENS_PER_DIAGNOSIS,
    TokenLimits,
)
from kausa.diagnosis.model.prompt import TokenCounter, build_prompt, least_budget
from kausa.settings import Settings

LONG = "the variable PAYMENTS_DB_DSN of container api was changed from 12 to 4711 at 10:15:00. " * 5


def _request(*, texts: int = 6, question: str | None = None) -> ModelRequest:
    return ModelRequest(
        reason="CrashLoopBackOff",
        target="Deployment/api",
        question=question,
        evidence=tuple(
            NumberedEvidence(
                id=f"E{n}",
                kind="Log",
                source="Pod/api-0 log[api, previous run]",
                text=f"{n} {LONG}",
            )
            for n in range(1, 4)
        ),
        findings=tuple(f"finding {n}: {LONG}" for n in range(texts)),
        changes=tuple(f"change {n}: {LONG}" for n in range(texts)),
        complexity=("2 containers fail together",),
    )


@pytest.mark.parametrize("budget", [869, 1_300, 2_000, 4_000])
@pytest.mark.parametrize("question", [None, "why does it restart? " * 100])
def test_long_findings_and_changes_are_cut_to_the_budget(budget: int, question: str | None) -> None:
    prompt = build_prompt(_request(question=question), budget=budget)
    assert prompt.tokens <= budget
    assert prompt.evidence_ids
    assert "E1 | Log" in prompt.user
    assert (question is not None) == ("why does it restart?" in prompt.user)
    assert ("finding 0: the variable" in prompt.user) == (question is None or budget > 1_000)


def test_what_rules_found_outlives_what_changed() -> None:
    user = build_prompt(_request(), budget=1_300).user
    assert "finding 0" in user
    assert "change 5" not in user
    assert "finding 5" not in user


def test_with_room_nothing_of_the_head_is_cut() -> None:
    user = build_prompt(_request(question="why?"), budget=20_000).user
    assert all(f"finding {n}: {LONG[:100]}" in user for n in range(6))
    assert all(f"change {n}: {LONG[:100]}" in user for n in range(6))
    assert "2 containers fail together" in user


_TEXTS = st.text(max_size=300) | st.just("0123456789" * 30) | st.just("aGVsbG8gd29ybGQ" * 20)


@settings(max_examples=40)
@given(
    over=st.integers(0, 3_000),
    question=st.none() | _TEXTS,
    texts=st.lists(_TEXTS, max_size=6),
    evidence=st.lists(_TEXTS | st.just(LONG), min_size=1, max_size=5),
    lines=st.integers(1, 12),
)
def test_every_prompt_holds_a_budget_that_leaves_room(
    over: int, question: str | None, texts: list[str], evidence: list[str], lines: int
) -> None:
    counter = TokenCounter()
    request = ModelRequest(
        reason="CrashLoopBackOff",
        target="StatefulSet/" + "a-rather-long-name-of-a-workload-" * 3,
        question=question,
        findings=tuple(texts),
        changes=tuple(texts),
        complexity=tuple(texts),
        incidents=tuple(
            Incident(cause=each, resolution=each, outcome="worked", score=80) for each in texts
        ),
        runbooks=tuple(Passage(title="a runbook", text=each) for each in texts),
        evidence=tuple(
            NumberedEvidence(id=f"E{n}", kind="Log", source="Pod/x", text="\n".join([each] * lines))
            for n, each in enumerate(evidence, start=1)
        ),
    )
    budget = least_budget(counter) + over
    prompt = build_prompt(request, budget=budget, counter=counter)
    assert prompt.tokens <= budget
    assert prompt.evidence_ids


def test_a_counter_that_learned_is_heeded() -> None:
    counter = TokenCounter()
    counter.learn(text="word " * 1_000, reported=2_500)
    prompt = build_prompt(_request(), budget=3_000, counter=counter)
    assert prompt.tokens == counter.count(prompt.system) + counter.count(prompt.user) <= 3_000
    assert least_budget(counter) > least_budget()


def test_the_shortest_setting_that_is_of_use_is_known() -> None:
    assert least_budget() < 1_300 < Settings().model_prompt_tokens
    shortest = TokenLimits(
        context=LEAST_CONTEXT_TOKENS, per_diagnosis=LEAST_TOKENS_PER_DIAGNOSIS
    ).for_question(think=True)
    assert least_budget() <= shortest.prompt
    # The least that the setting takes leaves no room: it is refused where models are opened.
    request = dataclasses.replace(_request(texts=0))
    assert build_prompt(request, budget=500).tokens > 500
