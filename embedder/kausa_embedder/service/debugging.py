"""`/debug/memory` and `/debug/models`, for who looks for a defect: numbers and names, never a text.

Not served unless it is asked for, and behind the token where there is one. Which lines of code have
allocated what is told where Python was started with `PYTHONTRACEMALLOC=1`; what the model itself
takes is outside of Python and shows in `resident_bytes` alone.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import threading
import tracemalloc
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath

from aiohttp import web

from kausa_embedder.service.contract import EngineLike
from kausa_embedder.service.lifecycle import Lifecycle
from kausa_embedder.service.wire import to_json
from kausa_embedder.settings import Settings

__all__ = ["Debugging"]

MOST_LINES = 25
_FOLDER_PARTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Debugging:
    """The handlers of both."""

    engine: EngineLike
    lifecycle: Lifecycle
    settings: Settings

    def add_to(self, application: web.Application) -> None:
        """Under their paths."""
        application.router.add_get("/debug/memory", self.memory)
        application.router.add_get("/debug/models", self.models)

    async def memory(self, _: web.Request) -> web.Response:
        """The process, the garbage collector, what is held here; allocations where traced."""
        allocations = None
        if tracemalloc.is_tracing():
            # To take stock of a million blocks takes seconds.
            allocations = await asyncio.to_thread(_allocations)
        parts: dict[str, object] = {
            "requests": {"entries": self.lifecycle.requests, "most": self.settings.max_requests}
        }
        if self.lifecycle.phase != "starting":
            texts, tokens = self.engine.cached
            parts |= {
                "queue_tokens": {
                    "entries": self.engine.queued_tokens,
                    "most": self.settings.queue_tokens,
                },
                "cache.texts": asdict(texts) | {"most_bytes": self.settings.cache_bytes},
                "cache.tokens": asdict(tokens) | {"most_bytes": self.settings.token_cache_bytes},
            }
        return _json(
            {
                "process": _process() | {"tasks": len(asyncio.all_tasks())},
                "garbage": _garbage(),
                "parts": parts,
                "allocations": allocations,
            }
        )

    async def models(self, _: web.Request) -> web.Response:
        """What runs, and how it does."""
        started = self.lifecycle.phase != "starting" and self.lifecycle.sick is None
        return _json(
            {
                "phase": self.lifecycle.phase,
                "trouble": self.lifecycle.unready,
                "engine": asdict(self.engine.info) if started else None,
            }
        )


def _process() -> dict[str, object]:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "resident_bytes": pages * resource.getpagesize(),
        "most_resident_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "threads": threading.active_count(),
    }


def _garbage() -> dict[str, object]:
    return {
        "enabled": gc.isenabled(),
        "thresholds": gc.get_threshold(),
        "counts": gc.get_count(),
        "frozen": gc.get_freeze_count(),
        "generations": gc.get_stats(),
    }


def _allocations() -> dict[str, object]:
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


def _json(answer: dict[str, object]) -> web.Response:
    return web.Response(
        body=to_json(answer),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
