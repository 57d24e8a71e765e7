from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.fake_ollama import FakeOllamaServer

from kausa.diagnosis.model import ModelRequest, NumberedEvidence
from kausa.diagnosis.model.ollama import OllamaModel


@pytest.fixture
async def server() -> AsyncIterator[FakeOllamaServer]:
    fake = FakeOllamaServer()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def model(server: FakeOllamaServer) -> AsyncIterator[OllamaModel]:
    client = OllamaModel(url=server.url, name="tiny")
    yield client
    await client.close()


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
        similar=("api ran out of memory; the limit was raised",),
    )
