"""An empty memory says so to whom asks, and one that only does not fit does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.recall_memory import FakeMemory, candidate, matches
from support.records import RECORD

from kausa.commands import asking_memory
from kausa.commands.asking_memory import AskedMemory
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.filters import Filter
from kausa.memory.store import Collection, Health
from kausa.settings import Settings


class OpenedMemory(FakeMemory):
    def __init__(self) -> None:
        super().__init__()
        self.started = False

    async def start(self, *, deadline_seconds: float) -> None:
        self.started = True
        if self.error is not None:
            raise self.error

    async def health(self, *, deadline_seconds: float) -> Health:
        points = {name: len(found) for name, found in self.candidates_of.items()}
        return Health(backend="fake", version="1", schema=None, points=points)

    async def count(self, collection: Collection, *, where: Filter, deadline_seconds: float) -> int:
        return sum(matches(where, each.payload) for each in self.candidates_of[collection])

    async def close(self) -> None:
        """Nothing to let go."""


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> OpenedMemory:
    opened = OpenedMemory()
    monkeypatch.setattr(asking_memory, "open_memory", lambda _settings: opened)
    monkeypatch.setenv("KAUSA_CLUSTER_NAME", "test")
    monkeypatch.setenv("KAUSA_MEMORY_PATH", str(tmp_path))
    return opened


async def notes() -> tuple[str, ...]:
    asked = AskedMemory(Settings.from_environment())
    try:
        return (await asked.ask("why is it OOMKilled", namespaces=())).notes
    finally:
        await asked.close()


@pytest.mark.parametrize("empty", [True, False])
async def test_an_empty_memory_says_that_it_is(empty: bool, memory: OpenedMemory) -> None:
    if not empty:
        memory.knows(candidate(RECORD, dense=0.8))
    assert any("it is empty" in note for note in await notes()) is empty


@pytest.mark.parametrize("empty", [True, False])
async def test_no_model_is_loaded_for_an_empty_memory(empty: bool, memory: OpenedMemory) -> None:
    if not empty:
        memory.knows(candidate(RECORD, dense=0.8))
    await notes()
    assert memory.started is not empty


async def test_a_memory_of_other_clusters_alone_is_asked_and_said_to_be_empty(
    memory: OpenedMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.knows(candidate(RECORD, dense=0.8))
    monkeypatch.setenv("KAUSA_CLUSTER_NAME", "another")
    assert any("'another'" in note and "it is empty" in note for note in await notes())
    assert memory.started


async def test_a_memory_that_was_never_made_is_not_made_by_asking(
    memory: OpenedMemory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    memory.knows(candidate(RECORD, dense=0.8))
    monkeypatch.setenv("KAUSA_MEMORY_PATH", str(tmp_path / "never"))
    assert any("it is empty" in note for note in await notes())
    assert not memory.started
    assert not (tmp_path / "never").exists()


async def test_a_folder_that_cannot_be_used_is_told_in_words(memory: OpenedMemory) -> None:
    memory.knows(candidate(RECORD, dense=0.8))
    memory.error = MemoryUnavailableError(
        "the memory's folder /m cannot be used: [Errno 13] Permission denied: '/m'",
        reason="StoreReadOnly",
    )
    with pytest.raises(MemoryUnavailableError) as told:
        await notes()
    assert "Errno" not in str(told.value)
    assert "/m cannot be used: permission denied. Run it as a user who may" in str(told.value)
    assert told.value.reason == "StoreReadOnly"
