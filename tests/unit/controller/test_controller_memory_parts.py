from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry
from support.dossiers import DEPLOYMENT
from support.fake_memory import FakeVectorStore, fake_memory
from support.fake_store import FakeClient, FakeOwners, FakeStore
from support.rollouts import BEGAN, deployment

from kausa.controller import lessons
from kausa.controller import memory_parts as module
from kausa.controller.memory_parts import MemoryParts, memory_parts, recall_options
from kausa.evidence.redaction import Redactor
from kausa.learning.resolutions import Mended
from kausa.memory.metrics import MemoryMetrics
from kausa.settings import Settings


def parts(
    tmp_path: Path,
    *,
    watches: Any = lambda _: True,
    memory: Any = None,
    metrics: MemoryMetrics | None = None,
    **given: Any,
) -> MemoryParts:
    return memory_parts(
        memory or fake_memory(),
        settings=Settings.from_environment(memory_path=tmp_path, **given),
        client=cast(Any, FakeClient()),
        store=cast(Any, FakeStore()),
        owners=cast(Any, FakeOwners(DEPLOYMENT)),
        redactor=Redactor(key=b"k" * 32),
        metrics=metrics or MemoryMetrics(CollectorRegistry()),
        watches=watches,
    )


def test_the_numbers_of_the_ranking_are_those_that_are_set() -> None:
    options = recall_options(
        Settings.from_environment(ranking_reward=0.2, ranking_floor=0.5, rerank_seconds=0.1)
    )
    assert (options.ranking.reward_weight, options.ranking.floor) == (0.2, 0.5)
    assert options.rerank_seconds == 0.1


async def test_a_part_that_breaks_is_started_again_and_ends_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESTART_SECONDS", 0.001)
    found = parts(tmp_path)
    began = 0

    async def breaks() -> None:
        nonlocal began
        began += 1
        raise RuntimeError("a defect of ours")

    monkeypatch.setattr(found.lessons, "run", breaks)
    tasks = [asyncio.ensure_future(each()) for each in found.work]
    async with asyncio.timeout(5):
        while began < 3:
            await asyncio.sleep(0.001)
    assert not any(each.done() for each in tasks)
    for each in tasks:
        each.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await each


async def test_rollouts_are_remembered_without_their_secrets_and_of_what_is_watched(
    tmp_path: Path,
) -> None:
    vectors = FakeVectorStore()
    found = parts(
        tmp_path, memory=fake_memory(vectors), watches=lambda namespace: namespace == "shop"
    )
    secret = "ghp_" + "a1B2c3D4e5" * 4
    found.rollouts._clock = lambda: BEGAN
    found.rollouts.saw(deployment(image=f"shop/api:{secret}"))
    assert len(found.ingest) == 1
    task = asyncio.ensure_future(found.ingest.run())
    async with asyncio.timeout(5):
        while len(found.ingest):
            await asyncio.sleep(0.001)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    (payload,) = vectors.payloads()
    assert (payload["kind"], payload["outcome"]) == ("rollout", "STARTED")
    assert secret not in str(payload)
    other = parts(tmp_path, watches=lambda _: False)
    other.rollouts._clock = lambda: BEGAN
    other.rollouts.saw(deployment())
    assert len(other.ingest) == 0


def test_an_ending_that_is_dropped_is_counted_and_a_walk_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lessons, "MOST_WAITING", 1)
    registry = CollectorRegistry()
    found = parts(tmp_path, metrics=MemoryMetrics(registry))
    for name in ("fd-1", "fd-2"):
        assert not found.sync._asked
        found.lessons.resolved(("shop", name), Mended())
    assert found.sync._asked
    dropped = registry.get_sample_value("kausa_memory_records_dropped_total", {"why": "ending"})
    assert dropped == 1


def test_the_rollouts_are_looked_at_while_the_operator_leads(tmp_path: Path) -> None:
    found = parts(tmp_path)
    assert found.rollouts.run in [each.args[0] for each in cast(Any, found.work)]
