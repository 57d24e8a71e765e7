"""Whatever grows in an operator is shown, with its bound, and models with what is wrong."""

from __future__ import annotations

from typing import Any, cast

import pytest
from support.fake_memory import fake_memory
from support.fake_store import FakeClient, FakeStore

from kausa.controller.assembly import Helpers, assemble
from kausa.diagnosis.model.opening import open_models
from kausa.evidence.redaction import Redactor
from kausa.settings import Settings
from kausa.telemetry.debugging import Debugging
from kausa.telemetry.metrics import Metrics

ALWAYS = {
    *("queue", "rechecks", "looks", "sightings.failures", "sightings.failing_objects"),
    *("observed.notes", "observed.claims", "observed.nodes"),
    *("owners.read", "owners.kinds", "owners.watched"),
    *("watch.pods", "watch.events", "watch.deployments", "watch.nodes"),
}
OF_MEMORY = {"memory.ingest", "memory.lessons", "memory.rollouts", "memory.answers"}
OF_MODEL = {"model.queue", "model.answers"}


def inspected(
    *, memory: Any = None, monkeypatch: pytest.MonkeyPatch | None = None, **variables: str
) -> Debugging:
    if monkeypatch is not None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
    settings, debugging = Settings.from_environment(), Debugging()
    assemble(
        Helpers(
            settings=settings,
            credentials=cast(Any, None),
            client=cast(Any, FakeClient()),
            store=cast(Any, FakeStore()),
            redactor=Redactor(key=b"k" * 32),
            memory=memory,
            models=open_models(settings, redact=str),
            metrics=Metrics(),
            debugging=debugging,
        )
    )
    return debugging


async def parts_of(debugging: Debugging) -> dict[str, dict[str, Any]]:
    parts = (await debugging.memory())["parts"]
    return cast(dict[str, dict[str, Any]], parts)


async def test_all_that_grows_is_shown_and_answers() -> None:
    parts = await parts_of(inspected())
    assert parts.keys() >= ALWAYS
    assert not parts.keys() & (OF_MEMORY | OF_MODEL)
    assert {each["entries"] for each in parts.values()} == {0}


async def test_bounds_are_shown_beside_what_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    debugging = inspected(memory=fake_memory(), monkeypatch=monkeypatch, KAUSA_QUEUE_SIZE="1234")
    parts = await parts_of(debugging)
    assert parts.keys() >= ALWAYS | OF_MEMORY
    assert parts["queue"] == {"entries": 0, "most": 1234}
    assert parts["memory.ingest"] == {"entries": 0, "most": 2000}
    bounded = {name for name, each in parts.items() if each["most"] is not None}
    # What is bounded by what exists in the cluster has no number of its own.
    assert bounded >= OF_MEMORY - {"memory.rollouts"}
    assert {"looks", "rechecks", "observed.notes", "owners.read"} <= bounded


async def test_the_embedder_is_named_without_what_is_secret_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    debugging = inspected(
        memory=fake_memory(),
        monkeypatch=monkeypatch,
        KAUSA_EMBEDDER="http",
        KAUSA_EMBEDDER_URL="http://embedder.example:8080/path?key=hunter2",
        KAUSA_EMBEDDER_TOKEN="hunter2",
    )
    found = await debugging.models()
    embedder = cast(dict[str, Any], found["embedder"])
    assert (embedder["kind"], embedder["host"]) == ("http", "embedder.example")
    assert embedder["trouble"] is None
    assert "hunter2" not in repr(found)


async def test_the_model_is_named_with_its_circuit_and_its_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    debugging = inspected(
        monkeypatch=monkeypatch,
        KAUSA_MODEL_URL="http://ollama.example:11434/?key=hunter2",
        KAUSA_MODEL_KEY="hunter2",
        KAUSA_SIMPLE_MODEL="small",
        KAUSA_REASONING_MODEL="large",
    )
    found = await debugging.models()
    model = cast(dict[str, Any], found["model"])
    assert (model["host"], model["simple"], model["reasoning"]) == (
        "ollama.example",
        "small",
        "large",
    )
    assert model["circuits"] == {"small": "closed", "large": "closed"}
    assert (model["waiting"], model["trouble"]) == (0, None)
    assert (await parts_of(debugging)).keys() >= OF_MODEL
    assert "hunter2" not in repr(found)
