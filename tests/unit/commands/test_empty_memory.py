"""Whether a memory holds anything is known before a model is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import HttpUrl

from kausa.commands.empty_memory import holds_nothing
from kausa.memory.store import Health
from kausa.settings import Settings


class TellsPoints:
    def __init__(self, **points: int) -> None:
        self.points = points
        self.asked = 0

    async def health(self, *, deadline_seconds: float) -> Health:
        self.asked += 1
        return Health(backend="fake", version="1", schema=None, points=self.points)


@pytest.mark.parametrize(
    ("points", "nothing"),
    [({}, True), ({"failures": 0, "runbooks": 0}, True), ({"failures": 0, "runbooks": 3}, False)],
)
async def test_it_is_empty_where_it_counts_nothing(
    tmp_path: Path, points: dict[str, int], nothing: bool
) -> None:
    settings = Settings(memory_path=tmp_path)
    memory = TellsPoints(**points)
    assert await holds_nothing(memory, settings, deadline_seconds=1) is nothing
    assert memory.asked == 1


async def test_a_server_is_asked_whatever_lies_on_this_machine(tmp_path: Path) -> None:
    settings = Settings(
        memory_path=tmp_path / "never", memory_store="server", memory_url=HttpUrl("http://q:6333")
    )
    assert not await holds_nothing(TellsPoints(failures=1), settings, deadline_seconds=1)


async def test_nobody_is_asked_about_a_folder_that_was_never_made(tmp_path: Path) -> None:
    memory = TellsPoints(failures=1)
    settings = Settings(memory_path=tmp_path / "never")
    assert await holds_nothing(memory, settings, deadline_seconds=1)
    assert memory.asked == 0


async def test_a_folder_that_may_not_be_looked_at_is_not_taken_for_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "exists", denied)
    memory = TellsPoints(failures=1)
    assert not await holds_nothing(memory, Settings(memory_path=tmp_path), deadline_seconds=1)
