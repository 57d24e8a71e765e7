"""What is told to whom in an operator that is put together."""

from __future__ import annotations

from typing import Any, cast

import pytest
from support.fake_language_model import FakeLanguageModel, models_of
from support.fake_memory import fake_memory
from support.fake_store import FakeClient, FakeStore

from kausa.cluster.watch import Watcher
from kausa.cluster.workloads import DaemonSet, Deployment, Job, StatefulSet
from kausa.controller import assembly
from kausa.controller.assembly import Helpers, assemble
from kausa.controller.looks import Looks
from kausa.controller.memory_parts import MemoryParts, memory_parts
from kausa.controller.runbooks import RunbookIndexer
from kausa.diagnosis.model.models import Models
from kausa.evidence.redaction import Redactor
from kausa.learning.rollout_kinds import (
    RollingDaemonSet,
    RollingDeployment,
    RollingStatefulSet,
)
from kausa.settings import Settings
from kausa.telemetry.metrics import Metrics


def helpers(*, memory: Any, models: Models | None = None) -> Helpers:
    return Helpers(
        settings=Settings.from_environment(),
        credentials=cast(Any, None),
        client=cast(Any, FakeClient()),
        store=cast(Any, FakeStore()),
        redactor=Redactor(key=b"k" * 32),
        memory=memory,
        models=models,
        metrics=Metrics(),
    )


class Assembled:
    """An operator that is put together, and what was given to its parts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, memory: Any) -> None:
        self.parts: MemoryParts | None = None
        self.kinds: dict[str, type] = {}
        self.of_runbooks: dict[str, Any] = {}
        make_parts = memory_parts

        def parts(*args: Any, **given: Any) -> MemoryParts:
            self.parts = make_parts(*args, **given)
            return self.parts

        def watcher(**given: Any) -> Any:
            self.kinds[given["resource"].plural] = given["kind"]
            return Watcher(**given)

        def indexer(**given: Any) -> RunbookIndexer:
            self.of_runbooks = given
            return RunbookIndexer(**given)

        monkeypatch.setattr(assembly, "memory_parts", parts)
        monkeypatch.setattr(assembly, "Watcher", watcher)
        monkeypatch.setattr(assembly, "RunbookIndexer", indexer)
        self.operator = assemble(helpers(memory=memory))


def test_with_a_memory_rollouts_are_read_and_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    it = Assembled(monkeypatch, memory=fake_memory())
    assert it.kinds["deployments"] is RollingDeployment
    assert it.kinds["statefulsets"] is RollingStatefulSet
    assert it.kinds["daemonsets"] is RollingDaemonSet
    assert it.kinds["jobs"] is Job
    assert it.parts is not None
    assert it.operator.streams.on_workload == it.parts.rollouts.saw
    assert it.operator.streams.on_workload_gone == it.parts.rollouts.gone


def test_without_a_memory_nothing_more_is_read_of_workloads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kinds = Assembled(monkeypatch, memory=None).kinds
    assert (kinds["deployments"], kinds["statefulsets"], kinds["daemonsets"]) == (
        Deployment,
        StatefulSet,
        DaemonSet,
    )


def test_an_operator_that_leads_a_second_time_has_metrics_of_its_own() -> None:
    # As `run_operator` does it: nothing of a life outlasts it, the metrics included.
    lives = [helpers(memory=fake_memory()) for _ in range(2)]
    for each in lives:
        assemble(each)
    for each in lives:
        assert each.metrics.registry.get_sample_value("kausa_memory_ingest_queued") == 0


def test_runbooks_are_cut_as_the_memory_cuts_and_forget_old_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    memory = fake_memory()
    it = Assembled(monkeypatch, memory=memory)
    assert it.of_runbooks["size"] == memory.passage_size
    assert it.parts is not None
    cache = it.parts.recall.cache
    cache.put("asked", cast(Any, "answer"), generation=cache.generation)
    it.of_runbooks["on_changed"]()
    assert len(cache) == 0


def test_once_built_in_runbooks_are_there_what_was_diagnosed_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Looks] = []

    def looks(**given: Any) -> Looks:
        made.append(Looks(**given))
        return made[-1]

    monkeypatch.setattr(assembly, "Looks", looks)
    it = Assembled(monkeypatch, memory=fake_memory())
    assert it.of_runbooks["on_built_in"] == made[0].all_again


def test_whoever_ends_a_failure_ends_its_waiting_for_the_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Looks] = []

    def looks(**given: Any) -> Looks:
        made.append(Looks(**given))
        return made[-1]

    monkeypatch.setattr(assembly, "Looks", looks)
    it = helpers(memory=None, models=models_of(FakeLanguageModel()))
    operator = assemble(it)
    assert made[0].on_forget.__name__ == "forget"
    without = assemble(helpers(memory=None))
    assert len(operator.work) == len(without.work)
    registry = it.metrics.registry
    assert registry.get_sample_value("kausa_model_queue_waiting") == 0
