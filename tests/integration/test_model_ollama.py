"""One structured call to a real Ollama server, where `KAUSA_MODEL_URL` names one."""

from __future__ import annotations

import os

import pytest

from kausa.diagnosis.errors import ModelInvalidAnswer
from kausa.diagnosis.model import ModelRequest, NumberedEvidence
from kausa.diagnosis.model.ollama import OllamaModel

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        "KAUSA_MODEL_URL" not in os.environ,
        reason="no model server: set KAUSA_MODEL_URL (and KAUSA_MODEL_NAME) to run this",
    ),
]
REQUEST = ModelRequest(
    reason="CrashLoopBackOff",
    target="Deployment/payments",
    evidence=(
        NumberedEvidence(
            id="E1",
            kind="Status",
            source="Pod/payments-1",
            text="container api: terminated, Error with exit code 1; restarts 4",
        ),
        NumberedEvidence(
            id="E2", kind="Log", source="Pod/payments-1", text="KeyError: 'PAYMENTS_DB_DSN'"
        ),
    ),
    findings=("Container api ends with exit code 1. (E1)",),
)


async def test_an_answer_cites_only_evidence_that_exists_or_is_refused() -> None:
    model = OllamaModel(
        url=os.environ["KAUSA_MODEL_URL"], name=os.environ.get("KAUSA_MODEL_NAME", "llama3.1")
    )
    try:
        await model.check(deadline_seconds=10)
        try:
            reply = await model.diagnose(REQUEST, deadline_seconds=240)
        except ModelInvalidAnswer:
            return  # a small model may ramble; what matters is that nobody gets to see it
        assert set(reply.answer.citations) <= {"E1", "E2"}
        assert reply.answer.citations
        assert reply.output_tokens > 0
    finally:
        await model.close()
