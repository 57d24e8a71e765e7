from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.fake_model_server import FakeModelServer
from support.model_clients import client, serving

from kausa.diagnosis.model import Incident, ModelRequest, NumberedEvidence
from kausa.diagnosis.model.ollama import OllamaModel
from kausa.diagnosis.model.openai import OpenAIModel


@pytest.fixture(params=["ollama", "openai"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[FakeModelServer]:
    async with serving(request.param) as fake:
        yield fake


@pytest.fixture
async def model(server: FakeModelServer) -> AsyncIterator[OllamaModel | OpenAIModel]:
    made = client(server.kind, server.url)
    yield made
    await made.close()


@pytest.fixture
async def endpoint() -> AsyncIterator[FakeModelServer]:
    async with serving("openai") as fake:
        yield fake


@pytest.fixture
async def openai(endpoint: FakeModelServer) -> AsyncIterator[OpenAIModel]:
    made = OpenAIModel(url=endpoint.url, name="tiny", retry_seconds=0.001)
    yield made
    await made.close()


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
