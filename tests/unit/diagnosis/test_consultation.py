"""The model is asked only where rules are not sure, and never overrules what they are sure of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from support.dossiers import dossier
from support.pods import container, pod, terminated, waiting

from kausa.diagnosis.consultation import Consultant, Consultation
from kausa.diagnosis.errors import ModelError, ModelMissing, ModelUnavailable
from kausa.diagnosis.model.protocol import Completion, Message
from kausa.diagnosis.rules.engine import decide_by_rules
from kausa.resources.diagnosis import DecidedBy

UNSURE = dossier(pod(container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=2)))
HALF_SURE = dossier(
    pod(container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=2)),
    log="error: something\n",
)
SURE = dossier(
    pod(container(terminated(137, "OOMKilled")), limits={"memory": "24Mi"}),
)
ANSWER = {
    "category": "CrashLoop",
    "summary": "the container exits with code 1",
    "rootCause": "The program exits with code 1 on every start.",
    "explanation": "Its last state was exit code 1.",
    "confidence": 99,
    "citations": ["E1"],
    "remediation": [],
}


class FakeModel:
    """Answers what it is told to, or fails."""

    name = "fake"

    def __init__(self, *, error: ModelError | None = None, confidence: int = 99) -> None:
        self.error = error
        self.answer = {**ANSWER, "confidence": confidence}
        self.prompts: list[str] = []

    async def check(self, *, deadline_seconds: float) -> None:
        if self.error is not None:
            raise self.error

    async def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any],
        deadline_seconds: float,
        think: bool,
        max_output_tokens: int,
    ) -> Completion:
        self.prompts.append(messages[1].content)
        return Completion(text=json.dumps(self.answer), prompt_tokens=1, output_tokens=1)

    async def close(self) -> None:
        pass


async def consult(
    model: FakeModel | None, found: object = UNSURE, *, question: str | None = None
) -> Consultation:
    consultant = Consultant(model=model, below_confidence=80, timeout_seconds=1)
    return await consultant.consult(
        found,  # type: ignore[arg-type]
        decide_by_rules(found),  # type: ignore[arg-type]
        None,
        question=question,
    )


async def test_without_a_model_the_condition_says_how_to_have_one() -> None:
    consultation = await consult(None)
    assert consultation.not_consulted[0] == "Disabled"
    assert "KAUSA_MODEL_URL" in consultation.not_consulted[1]
    assert consultation.unavailable is None


async def test_sure_rules_need_no_model() -> None:
    model = FakeModel()
    consultation = await consult(model, SURE)
    assert consultation.not_consulted[0] == "NotNeeded"
    assert model.prompts == []


async def test_unsure_rules_ask_with_numbered_evidence_and_what_they_found() -> None:
    model = FakeModel()
    consultation = await consult(model)
    (prompt,) = model.prompts
    assert "\nE1 | " in prompt
    assert "\nE2 | " in prompt
    assert "What rules found:" in prompt
    assert consultation.diagnosis is not None
    assert consultation.diagnosis.decided_by is DecidedBy.MODEL
    assert consultation.diagnosis.confidence == 85


async def test_a_question_asks_the_model_but_sure_rules_keep_their_answer() -> None:
    model = FakeModel()
    consultation = await consult(model, SURE, question="why?")
    assert "Question:\n" in model.prompts[0]
    assert "why?" in model.prompts[0]
    assert consultation.diagnosis is not None
    assert consultation.diagnosis.decided_by is DecidedBy.RULES


@pytest.mark.parametrize("error", [ModelUnavailable("away"), ModelMissing("ollama pull fake")])
async def test_a_model_that_cannot_answer_leaves_the_rules_and_a_reason(error: ModelError) -> None:
    consultation = await consult(FakeModel(error=error))
    assert consultation.diagnosis is None
    assert consultation.unavailable == (error.reason, str(error))


async def test_what_rules_held_becomes_an_alternative_of_the_models_answer() -> None:
    consultation = await consult(FakeModel(), HALF_SURE)
    assert consultation.diagnosis is not None
    assert "something" in consultation.diagnosis.alternatives[0].root_cause


@pytest.mark.parametrize("confidence", [0, 30, 75])
async def test_a_model_that_is_less_sure_than_the_rules_changes_nothing_but_the_alternatives(
    confidence: int,
) -> None:
    consultation = await consult(FakeModel(confidence=confidence), HALF_SURE)
    assert consultation.diagnosis is not None
    assert consultation.diagnosis.decided_by is DecidedBy.RULES
    assert "something" in consultation.diagnosis.summary
    assert len(consultation.diagnosis.alternatives) == (1 if confidence >= 50 else 0)


async def test_a_model_that_is_not_sure_leaves_an_undetermined_failure_undetermined() -> None:
    consultation = await consult(FakeModel(confidence=30))
    assert consultation.diagnosis is not None
    assert not consultation.diagnosis.determined
