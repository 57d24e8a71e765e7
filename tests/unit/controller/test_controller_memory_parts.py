from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry
from support.dossiers import DEPLOYMENT
from support.fake_memory import fake_memory
from support.fake_store import FakeClient, FakeOwners, FakeStore

from kausa.controller import memory_parts as module
from kausa.controller.memory_parts import MemoryParts, memory_parts, recall_options
from kausa.evidence.redaction import Redactor
from kausa.memory.metrics import MemoryMetrics
from kausa.settings import Settings


def parts(tmp_path: Path, **given: Any) -> MemoryParts:
    return memory_parts(
        fake_memory(),
        settings=Settings.from_environment(memory_path=tmp_path, **given),
        client=cast(Any, FakeClient()),
        store=cast(Any, FakeStore()),
        owners=cast(Any, FakeOwners(DEPLOYMENT)),
        redactor=Redactor(key=b"k" * 32),
        metrics=MemoryMetrics(CollectorRegistry()),
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
