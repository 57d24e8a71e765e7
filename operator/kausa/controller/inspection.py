"""Who is asked when somebody opens `/debug/memory` or `/debug/models`: all that grows, and all that
thinks. Whatever is bounded says its bound beside what it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from kausa.cluster.owners import REMEMBERED_OWNERS, REMEMBERED_PATHS, OwnerResolver
from kausa.controller.judge import Judge
from kausa.controller.lessons import MOST_WAITING
from kausa.controller.looks import MOST_KEYS, Looks
from kausa.controller.memory_parts import MemoryParts
from kausa.controller.observed import MOST_CLAIMS, MOST_OBJECTS, Observed
from kausa.controller.rechecks import MOST as MOST_RECHECKS
from kausa.controller.sightings import Sightings
from kausa.controller.streams import Streams
from kausa.memory.ingest import MOST_QUEUED
from kausa.memory.service import FailureMemory
from kausa.settings import Settings
from kausa.telemetry.debugging import Debugging

__all__ = ["show_embedder", "show_memory_parts", "show_state"]


def show_state(
    debugging: Debugging,
    *,
    settings: Settings,
    streams: Streams,
    judge: Judge,
    sightings: Sightings,
    observed: Observed,
    owners: OwnerResolver,
    looks: Looks,
) -> None:
    """What the operator holds of the cluster."""
    size = debugging.observe_size
    for kind, watcher in streams.watchers.items():
        size(f"watch.{kind}", partial(getattr, watcher, "objects"))
    size("queue", lambda: len(judge), most=settings.queue_size)
    size("rechecks", lambda: len(judge.rechecks), most=MOST_RECHECKS)
    size("sightings.failures", lambda: len(sightings.by_resource))
    size("sightings.failing_objects", lambda: len(sightings.failing))
    size("looks", lambda: len(looks), most=MOST_KEYS)
    for name, most in (("notes", MOST_OBJECTS), ("claims", MOST_CLAIMS), ("nodes", None)):
        size(f"observed.{name}", partial(_size, observed.sizes, name), most=most)
    for name, most in (("read", REMEMBERED_OWNERS), ("kinds", REMEMBERED_PATHS), ("watched", None)):
        size(f"owners.{name}", partial(_size, owners.sizes, name), most=most)


def _size(sizes: Callable[[], Mapping[str, int]], name: str) -> int:
    return sizes()[name]


def show_memory_parts(debugging: Debugging, memory: MemoryParts) -> None:
    """What waits for the memory, and what is kept of its answers."""
    size = debugging.observe_size
    size("memory.ingest", lambda: len(memory.ingest), most=MOST_QUEUED)
    size("memory.lessons", lambda: len(memory.lessons), most=MOST_WAITING)
    size("memory.rollouts", lambda: len(memory.rollouts))
    size("memory.answers", lambda: len(memory.recall.cache), most=memory.recall.cache.most)


def show_embedder(debugging: Debugging, memory: FailureMemory, settings: Settings) -> None:
    """Which model makes the vectors, where it runs, and whether it and the store answer."""

    def ask() -> Mapping[str, object]:
        error = memory.error
        url = settings.embedder_url
        return {
            "kind": settings.embedder,
            "host": url.host if url is not None else None,
            "model": memory.model or None,
            "dimensions": memory.embedder.dimensions or None,
            "reranker": memory.reranker or None,
            "store": settings.memory_store,
            "trouble": error.reason if error is not None else None,
        }

    debugging.observe_model("embedder", ask)
