"""What else is measured over a filled store: what stands above it.

A hook gets the embedded store, open and holding the corpus, and answers the times of its calls, or
None where what it needs is not on this machine; it prints why.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from bench.memory.corpus import Corpus, Question
from bench.memory.measure import Times
from bench.recall.latency import end_to_end

from kausa.memory.edge.client import EdgeStore
from kausa.memory.embedding.in_process import InProcessEmbedder
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.service import FailureMemory
from kausa.recall.recall import Recall, RecallOptions
from kausa.recall.requests import RecallFilters

__all__ = ["HOOKS", "Hook", "model_here"]

Hook = Callable[[EdgeStore, Corpus, Sequence[Question]], Awaitable[Times | None]]


async def model_here() -> str:
    """The name of the model that ships, as its vectors are kept under; empty where it is absent."""
    embedder = InProcessEmbedder(model_path=None)
    try:
        await embedder.embed(["which model"], deadline_seconds=60)
        return embedder.model
    except MemoryUnavailableError as error:
        print(f"recall will not be measured: {error}")
        return ""
    finally:
        await embedder.close()


async def recall(store: EdgeStore, corpus: Corpus, questions: Sequence[Question]) -> Times | None:
    """Embed a question, search, read the best again, rank: with the model that ships. An answer is
    never given a second time."""
    embedder = InProcessEmbedder(model_path=None)
    asked = Recall(
        memory=FailureMemory(embedder=embedder, store=store),
        options=RecallOptions(cache_seconds=0.0),
    )
    try:
        found = await end_to_end(asked, filters=RecallFilters(cluster="cluster-0"), rounds=10)
    except MemoryUnavailableError as error:
        print(f"recall  not measured: {error}")
        return None
    finally:
        await asked.close()
        await embedder.close()
    print(f"recall  {found}")
    return Times(found.p50, found.p95, found.p99)


HOOKS: Mapping[str, Hook] = {"recall  embed, search, rerank, rank": recall}
"""By what a row of the table says."""
