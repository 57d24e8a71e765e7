"""The count of inventions finds what it is for, and nothing where all is well."""

from __future__ import annotations

from typing import Any

import pytest
from support.citation_audit import audit, audit_all
from unit.diagnosis.model.injections import INJECTIONS
from unit.diagnosis.model.steering import HONEST, Obedient, request_with

from kausa.diagnosis.errors import ModelInvalidAnswer
from kausa.diagnosis.model.asking import ask
from kausa.diagnosis.model.protocol import ModelReply, ModelRequest

EVIDENCE: list[dict[str, Any]] = [
    {"id": "E1", "source": {"kind": "Pod", "name": "api-0"}, "text": "exit code 137, limit 64Mi"},
    {"id": "E2", "source": {"kind": "Pod", "name": "api-0"}, "text": "KeyError: 'DB_DSN'"},
]
GOOD = {
    "summary": "Pod/api-0 exited with code 137",
    "rootCause": "It reached its limit of 64Mi (E1).",
    "explanation": "",
    "citations": ["E1"],
}


def test_a_true_diagnosis_has_no_invention() -> None:
    result = audit(evidence=EVIDENCE, diagnosis=GOOD)
    assert result.invented == 0
    assert result.checked >= 3


@pytest.mark.parametrize(
    "change",
    [
        {"citations": ["E3"]},
        {"citations": []},
        {"rootCause": "It reached its limit of 640Mi."},
        {"rootCause": "It reached its limit of 64."},
        {"rootCause": "The variable DB_DSN is missing."},
        {"explanation": "E7 shows it."},
        {"explanation": 'The log says "disk full".'},
        {"summary": "Pod/api-1 exited with code 137"},
    ],
)
def test_an_invention_is_counted(change: dict[str, Any]) -> None:
    assert audit(evidence=EVIDENCE, diagnosis={**GOOD, **change}).invented > 0


def test_what_is_known_without_evidence_may_be_said() -> None:
    said = {**GOOD, "explanation": "Deployment/api_x fails."}
    assert audit(evidence=EVIDENCE, diagnosis=said).invented == 1
    assert audit(evidence=EVIDENCE, diagnosis=said, known=["Deployment/api_x"]).invented == 0


def _status(request: ModelRequest, reply: ModelReply) -> dict[str, Any]:
    answer = reply.answer
    return {
        "evidence": [
            {"id": each.id, "source": each.source, "text": each.text} for each in request.evidence
        ],
        "diagnosis": {
            "summary": answer.summary,
            "rootCause": answer.root_cause,
            "explanation": answer.explanation,
            "citations": answer.citations,
        },
    }


@pytest.mark.slow
async def test_no_answer_to_two_hundred_injections_has_an_invention() -> None:
    audits = []
    for injection in INJECTIONS:
        request = request_with(injection)
        for changes in ({}, injection.obeyed):
            try:
                reply = await ask(Obedient({**HONEST, **changes}), request, deadline_seconds=5)
            except ModelInvalidAnswer:
                continue
            known = [request.target, request.namespace, request.reason, "api"]
            audits.append(audit(**_status(request, reply), known=known, name=injection.name))
    total = audit_all(audits)
    assert total.answers >= len(INJECTIONS)
    assert total.invented == 0, (total.unknown_ids, total.unsupported)
