from __future__ import annotations

import pytest

from kausa.diagnosis.model import Incident, ModelRequest, NumberedEvidence


@pytest.fixture
def request_() -> ModelRequest:
    return ModelRequest(
        reason="OOMKilled",
        target="Deployment/api",
        question="why does it restart?",
        evidence=(
            NumberedEvidence(id="E1", kind="status", source="Pod/api-0", text="exit code 137"),
            NumberedEvidence(id="E2", kind="log", source="Pod/api-0", text="allocating cache"),
        ),
        findings=("the container was killed at its limit [E1]",),
        incidents=(
            Incident(
                cause="api ran out of memory",
                resolution="the limit was raised",
                outcome="worked",
                score=80,
            ),
        ),
    )
