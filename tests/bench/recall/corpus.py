"""What is searched: the built-in runbooks and the recorded failures, in the embedded memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.recall.failures import CLUSTER, recorded_failures

from kausa.memory.edge.client import EdgeStore
from kausa.memory.embedding import InProcessEmbedder
from kausa.memory.service import FailureMemory
from kausa.recall.runbook_library import built_in_chunks

__all__ = ["Corpus", "filled_memory"]

DEADLINE = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """The memory, filled, and what its records are called in the questions."""

    memory: FailureMemory
    names: dict[str, str]
    """By record id."""
    runbooks: int
    chunks: int
    failures: int

    @property
    def runbook_names(self) -> set[str]:
        """What a question over runbooks may name."""
        return set(list(self.names.values())[: self.runbooks])

    @property
    def case_names(self) -> set[str]:
        """What a question over failures may name."""
        return set(list(self.names.values())[self.runbooks :])


@asynccontextmanager
async def filled_memory(
    *, cases: Path, model_path: Path | None, now: datetime
) -> AsyncIterator[Corpus]:
    """Made anew in a folder that goes away again."""
    with TemporaryDirectory() as folder:
        memory = FailureMemory(
            embedder=InProcessEmbedder(model_path=model_path),
            store=EdgeStore(folder=Path(folder)),
        )
        try:
            yield await _fill(memory, cases=cases, now=now)
        finally:
            await memory.close()


async def _fill(memory: FailureMemory, *, cases: Path, now: datetime) -> Corpus:
    names: dict[str, str] = {}
    size = await memory.passage_size(deadline_seconds=DEADLINE)
    runbooks = built_in_chunks(cluster=CLUSTER, size=size)
    for chunks in runbooks:
        await memory.upsert_runbook(chunks, deadline_seconds=DEADLINE)
        names[chunks[0].record_id] = chunks[0].name
    failures = await recorded_failures(cases, now=now)
    await memory.remember([each.record for each in failures], deadline_seconds=DEADLINE)
    names |= {each.record.record_id: each.case for each in failures}
    return Corpus(
        memory=memory,
        names=names,
        runbooks=len(runbooks),
        chunks=sum(len(each) for each in runbooks),
        failures=len(failures),
    )
