"""A real Ollama server and a model with thoughts of its own, which shall not think.

The model is the simple one under another name, with the template and the parser of one that thinks:
what is tried is the server. `make model-up` starts one.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator

import httpx
import ollama
import pytest

from kausa.diagnosis.model.ollama import OllamaModel
from kausa.diagnosis.model.protocol import Message

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        "KAUSA_MODEL_URL" not in os.environ,
        reason="no model server: `make model-up` starts one and says what to set",
    ),
]
NAME = "kausa-test-thinker"
SCHEMA = {
    "type": "object",
    "properties": {"cause": {"type": "string", "enum": ["memory", "disk"]}},
    "required": ["cause"],
    "additionalProperties": False,
}
NO_JSON = "Write a short poem about the sea. Do not use JSON."
SYSTEM = "You write poems."
QUESTION = (Message(role="system", content=SYSTEM), Message(role="user", content=NO_JSON))
REPAIR = (
    *QUESTION,
    Message(role="assistant", content="The sea is wide."),
    Message(role="user", content="Now a longer one."),
)


@pytest.fixture
async def url() -> AsyncIterator[str]:
    address = os.environ["KAUSA_MODEL_URL"].rstrip("/")
    simple = os.environ.get("KAUSA_SIMPLE_MODEL", "llama3.1")
    made = {"model": NAME, "from": simple, "renderer": "qwen3.5", "parser": "qwen3.5"}
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        created = await client.post("/api/create", json={**made, "stream": False})
        assert created.json() == {"status": "success"}
        yield address
        await client.request("DELETE", "/api/delete", json={"model": NAME})


async def test_the_server_takes_it_for_one_that_thinks(url: str) -> None:
    client = ollama.AsyncClient(host=url)
    assert "thinking" in ((await client.show(NAME)).capabilities or ())
    await client.close()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("messages", [QUESTION, REPAIR])
async def test_its_answer_is_in_the_schema_though_it_is_asked_for_something_else(
    url: str, messages: tuple[Message, ...]
) -> None:
    model = OllamaModel(url=url, name=NAME, context_tokens=1_024)
    completion = await model.complete(
        messages, schema=SCHEMA, deadline_seconds=240, think=False, max_output_tokens=60
    )
    await model.close()

    assert set(json.loads(completion.text)) == {"cause"}
    assert completion.thinking == ""
    assert completion.prompt_tokens > 20
