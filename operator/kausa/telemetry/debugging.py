"""What `/debug/memory` and `/debug/models` answer: numbers and names of models, never a text.

Whoever has something bounded says how to ask for its size, and is asked when somebody looks; so
this costs nothing while nobody does. Which lines of code have allocated what is told where Python
was started with `PYTHONTRACEMALLOC=1`, which doubles the time that everything takes.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import threading
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any

__all__ = ["Debugging"]

MOST_LINES = 25
_FOLDER_PARTS = 3


class Debugging:
    """Knows whom to ask. For one event loop."""

    def __init__(self) -> None:
        self._sizes: dict[str, tuple[Callable[[], int], int | None]] = {}
        self._models: dict[str, Callable[[], Mapping[str, object]]] = {}

    def observe_size(self, name: str, ask: Callable[[], int], *, most: int | None = None) -> None:
        """Show how many are held here, and how many may be (None: as many as exist)."""
        self._sizes[name] = ask, most

    def observe_model(self, name: str, ask: Callable[[], Mapping[str, object]]) -> None:
        """Show what this says of a model or of what is asked instead of one. No key, no text."""
        self._models[name] = ask

    async def memory(self) -> dict[str, object]:
        """The process, the garbage collector, what our parts hold; allocations where traced."""
        allocations = None
        if tracemalloc.is_tracing():
            # To take stock of a million blocks takes seconds.
            allocations = await asyncio.to_thread(_allocations)
        return {
            "process": _process() | {"tasks": len(asyncio.all_tasks())},
            "garbage": _garbage(),
            "parts": {
                name: {"entries": _asked(ask), "most": most}
                for name, (ask, most) in sorted(self._sizes.items())
            },
            "allocations": allocations,
        }

    async def models(self) -> dict[str, object]:
        """What is said of each."""
        return {name: _asked(ask) for name, ask in sorted(self._models.items())}


def _asked(ask: Callable[[], object]) -> object:
    """The answer; one who cannot answer does not hide the others."""
    try:
        return ask()
    except Exception as error:
        return {"error": type(error).__name__}


def _process() -> dict[str, Any]:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "resident_bytes": pages * resource.getpagesize(),
        "most_resident_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "threads": threading.active_count(),
        "open_files": len(os.listdir("/proc/self/fd")),
    }


def _garbage() -> dict[str, Any]:
    return {
        "enabled": gc.isenabled(),
        "thresholds": gc.get_threshold(),
        "counts": gc.get_count(),
        "frozen": gc.get_freeze_count(),
        "generations": gc.get_stats(),
    }


def _allocations() -> dict[str, Any]:
    now, most = tracemalloc.get_traced_memory()
    lines = tracemalloc.take_snapshot().statistics("lineno")[:MOST_LINES]
    return {
        "traced_bytes": now,
        "most_traced_bytes": most,
        "largest": [
            {
                "line": f"{_short(each.traceback[0].filename)}:{each.traceback[0].lineno}",
                "bytes": each.size,
                "blocks": each.count,
            }
            for each in lines
        ],
    }


def _short(file: str) -> str:
    """The end of a path: where the packages lie is nobody's business."""
    return "/".join(PurePath(file).parts[-_FOLDER_PARTS:])
