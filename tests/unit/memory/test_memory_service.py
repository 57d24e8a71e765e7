from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from kausa.memory.edge.client import EdgeStore
from kausa.memory.embedding import InProcessEmbedder
from kausa.memory.errors import MemoryUnavailableError, deadline
from kausa.memory.records import FailureRecord
from kausa.memory.service import FailureMemory, open_embedded_memory

Make = Callable[..., FailureRecord]


class FakeEmbedder:
    """Answers as it is told, or never."""

    model = "tiny"
    dimensions = 2

    def __init__(self, *, vectors: list[list[float]] | None = None) -> None:
        self._vectors = vectors
        self.closed = False

    async def embed(self, texts: Sequence[str], *, deadline_seconds: float) -> list[list[float]]:
        if self._vectors is None:
            await asyncio.sleep(3600)
        return self._vectors or []

    async def close(self) -> None:
        self.closed = True


async def test_an_embedder_that_never_answers_is_a_missed_deadline(
    record: Make, tmp_path: Path
) -> None:
    memory = FailureMemory(embedder=FakeEmbedder(), store=EdgeStore(folder=tmp_path))
    with pytest.raises(MemoryUnavailableError, match="took longer than") as missed:
        await memory.remember(record(), deadline_seconds=0.05)
    assert missed.value.reason == "DeadlineExceeded"
    await memory.close()


async def test_an_embedder_that_answers_nothing_is_not_believed(
    record: Make, tmp_path: Path
) -> None:
    embedder = FakeEmbedder(vectors=[])
    memory = FailureMemory(embedder=embedder, store=EdgeStore(folder=tmp_path))
    with pytest.raises(MemoryUnavailableError) as failed:
        await memory.remember(record(), deadline_seconds=1)
    assert failed.value.reason == "EmbedderFailed"
    await memory.close()
    assert embedder.closed


async def test_making_a_memory_starts_nothing(tmp_path: Path) -> None:
    memory = open_embedded_memory(folder=tmp_path / "memory", model_path=tmp_path / "model")
    await memory.close()
    await memory.close()
    assert os.listdir(tmp_path) == []


async def test_a_missing_model_has_its_own_reason(record: Make, tmp_path: Path) -> None:
    memory = open_embedded_memory(folder=tmp_path / "memory", model_path=tmp_path / "model")
    with pytest.raises(MemoryUnavailableError, match="make embedded-models") as missing:
        await memory.remember(record(), deadline_seconds=5)
    assert missing.value.reason == "EmbedderMissing"
    await memory.close()


async def test_a_missing_package_has_the_same_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "kausa_embedder.inference", None)
    embedder = InProcessEmbedder(model_path=None)
    with pytest.raises(MemoryUnavailableError, match=r"install kausa\[embedded\]") as missing:
        await embedder.embed(["text"], deadline_seconds=5)
    assert missing.value.reason == "EmbedderMissing"
    await embedder.close()


async def test_somebody_elses_timeout_is_not_our_deadline() -> None:
    with pytest.raises(TimeoutError):
        async with deadline(5, doing="nothing"):
            raise TimeoutError
