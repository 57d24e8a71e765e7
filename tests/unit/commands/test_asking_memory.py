"""An empty memory says so to whom asks, and one that only does not fit does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.recall_memory import FakeMemory, candidate, matches
from support.records import RECORD

from kausa.commands import asking_sources
from kausa.commands.asking_sources import AskedMemory
from kausa.memory.filters import Filter
from kausa.memory.store import Collection
from kausa.settings import Settings


class OpenedMemory(FakeMemory):
    async def start(self, *, deadline_seconds: float) -> None:
        """It is there."""

    async def count(self, collection: Collection, *, where: Filter, deadline_seconds: float) -> int:
        return sum(matches(where, each.payload) for each in self.candidates_of[collection])

    async def close(self) -> None:
        """Nothing to let go."""


@pytest.mark.parametrize("empty", [True, False])
async def test_an_empty_memory_says_that_it_is(
    empty: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    memory = OpenedMemory()
    if not empty:
        memory.knows(candidate(RECORD, dense=0.8))
    monkeypatch.setattr(asking_sources, "open_memory", lambda _settings: memory)
    monkeypatch.setenv("KAUSA_CLUSTER_NAME", "test")
    monkeypatch.setenv("KAUSA_MEMORY_PATH", str(tmp_path))
    asked = AskedMemory(Settings.from_environment())
    try:
        found = await asked.ask("why is it OOMKilled", namespaces=())
    finally:
        await asked.close()
    assert any("it is empty" in note for note in found.notes) is empty
