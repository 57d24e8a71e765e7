"""Whether a memory holds nothing at all, asked before anything heavy is loaded.

A model takes seconds to load. Who has just installed Kausa has an empty memory, and would wait for
it with every question, to be answered nothing.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol

from kausa.memory.store import Health
from kausa.settings import Settings

__all__ = ["TellsHealth", "holds_nothing"]


class TellsHealth(Protocol):
    """The part of a memory that is asked: it needs no model."""

    async def health(self, *, deadline_seconds: float) -> Health:
        """What it holds, also before it is opened; raises `MemoryUnavailableError`."""
        ...


async def holds_nothing(
    memory: TellsHealth, settings: Settings, *, deadline_seconds: float
) -> bool:
    """Whether there is no passage of anybody in it. Raises `MemoryUnavailableError`."""
    embedded = settings.memory_store == "embedded"
    # Without its folder there is nobody to ask, and asking would make the folder.
    if embedded and not await asyncio.to_thread(_may_be_there, settings.memory_path):
        return True
    health = await memory.health(deadline_seconds=deadline_seconds)
    return not any(health.points.values())


def _may_be_there(folder: Path) -> bool:
    try:
        return folder.exists()
    except OSError:
        return True  # Whoever opens it says why it cannot be used.
