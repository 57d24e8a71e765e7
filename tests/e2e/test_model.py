"""A model beside a real operator: away, back, asked once, and stopped when nobody needs it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from difflib import unified_diff
from typing import Any

import pytest
from bench.model.server import MODEL, SlowModel
from kubernetes import client
from support.namespace import GROUP, PLURAL, VERSION, Namespace, condition
from support.operator_process import OperatorProcess, wait_for
from support.workloads import crashes

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


class Served:
    """A model server in a thread of its own."""

    def __init__(self, *, seconds: float) -> None:
        self.model = SlowModel(seconds=seconds)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self._do(self.model.server.start())
        self.works = self.model.server.listing

    def away(self) -> None:
        """It answers nothing that is of use."""
        self.model.server.listing = self.model.server.raw("", status=500)

    def back(self) -> None:
        self.model.server.listing = self.works

    def settings(self, namespace: Namespace) -> dict[str, str]:
        """Of an operator that asks it about this namespace alone: what an earlier test left
        behind, and is still being deleted, fails as well.
        """
        return {
            "KAUSA_NAMESPACES_INCLUDE": namespace.name,
            "KAUSA_MODEL_URL": self.model.server.url,
            "KAUSA_SIMPLE_MODEL": MODEL,
            "KAUSA_REASONING_MODEL": MODEL,
            "KAUSA_MODEL_BELOW_CONFIDENCE": "101",
            "KAUSA_MEMORY_ENABLED": "false",
        }

    def stop(self) -> None:
        self._do(self.model.server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=5)
        self.loop.close()

    def _do(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=10)


@pytest.fixture
def served() -> Iterator[Callable[..., Served]]:
    started: list[Served] = []

    def start(*, seconds: float) -> Served:
        started.append(Served(seconds=seconds))
        return started[-1]

    try:
        yield start
    finally:
        for each in started:
            each.stop()


def consulted(namespace: Namespace, reason: str, *, seconds: float = 90) -> dict[str, Any]:
    """The one resource, once it says this of the model."""

    def found() -> dict[str, Any] | None:
        for each in namespace.diagnoses():
            if condition(each, "ModelConsulted").get("reason") == reason:
                return each
        return None

    return wait_for(found, what=f"ModelConsulted with {reason}", seconds=seconds)


def asked_once(model: SlowModel) -> None:
    """Where it was asked again, say how the questions differ."""
    first, *others = model.questions
    for each in others:
        differs = "\n".join(unified_diff(first.text.splitlines(), each.text.splitlines()))
        pytest.fail(f"{each} came after {first}; what differs:\n{differs or 'nothing'}")


def test_a_model_that_was_away_is_asked_when_it_is_back_and_once_for_all_processes(
    start_operator: Callable[..., OperatorProcess],
    namespace: Namespace,
    served: Callable[..., Served],
    settle: Callable[[float], None],
) -> None:
    server = served(seconds=0.1)
    server.away()
    operator = start_operator(**server.settings(namespace))
    namespace.apply(crashes())
    away = consulted(namespace, "Unavailable")
    assert condition(away, "Diagnosed")["status"] == "True"
    assert "500" in condition(away, "ModelConsulted")["message"]

    server.back()
    answered = consulted(namespace, "Answered")
    use = answered["status"]["model"]
    assert (use["name"], use["promptTokens"]) == (MODEL, 4000)
    assert use["digest"]
    asked_once(server.model)

    # Another process, and another look at a change of the resource that changes nothing.
    operator.stop()
    operator.start()
    name = answered["metadata"]["name"]
    feedback = {"spec": {"feedback": {"verdict": "Helpful"}}}
    client.CustomObjectsApi(namespace.api).patch_namespaced_custom_object(
        GROUP, VERSION, namespace.name, PLURAL, name, feedback
    )

    def looked_at() -> bool:
        (found,) = namespace.diagnoses()
        return bool(condition(found, "ModelConsulted")["observedGeneration"] == 2)

    wait_for(looked_at, what="another look")
    settle(3.0)
    (found,) = namespace.diagnoses()
    assert condition(found, "ModelConsulted")["reason"] == "Answered"
    assert found["status"]["model"] == use
    asked_once(server.model)


def test_whoever_deletes_the_resource_stops_the_model(
    start_operator: Callable[..., OperatorProcess],
    namespace: Namespace,
    served: Callable[..., Served],
) -> None:
    server = served(seconds=200)
    start_operator(**server.settings(namespace))
    namespace.apply(crashes())
    wait_for(lambda: server.model.at_once == 1, what="the question")
    (found,) = namespace.diagnoses()
    assert found["status"]["diagnosis"]["decidedBy"] == "Rules"
    namespace.apps.delete_namespaced_deployment(
        found["spec"]["target"]["name"], namespace.name, grace_period_seconds=0
    )
    wait_for(lambda: server.model.at_once == 0, what="the model to be let alone", seconds=90)
    assert server.model.answered == 0
