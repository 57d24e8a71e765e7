"""FakeRunbookStore, FakeRunbookMemory: Runbooks and their passages in dicts, to inject faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.records import RunbookChunk
from kausa.resources.runbook import Runbook, RunbookSpec, RunbookStatus

__all__ = ["FakeRunbookMemory", "FakeRunbookStore", "away", "made_runbook"]


def away() -> MemoryUnavailableError:
    return MemoryUnavailableError("the store does not answer", reason="StoreUnavailable")


def made_runbook(
    name: str = "registry", *, namespace: str = "shop", generation: int = 1, **spec: Any
) -> Runbook:
    spec = {"title": "The registry", "content": "# Look\nAt the proxy.\n# Do\nCall us.\n"} | spec
    return Runbook.model_validate(
        {
            "metadata": {"name": name, "namespace": namespace, "generation": generation},
            "spec": RunbookSpec.model_validate(spec),
        }
    )


class FakeRunbookStore:
    """An API server with Runbooks; each error in `fails` is raised once."""

    def __init__(self, *runbooks: Runbook) -> None:
        self.there: dict[tuple[str, str], Runbook] = {}
        self.fails: list[Exception] = []
        self.written: list[RunbookStatus] = []
        for each in runbooks:
            self.put(each)

    def put(self, runbook: Runbook) -> None:
        key = runbook.metadata.namespace or "", runbook.metadata.name
        before = self.there.get(key)
        if before is not None and runbook.status is None:
            runbook = runbook.model_copy(update={"status": before.status})
        self.there[key] = runbook

    def status(self, namespace: str = "shop", name: str = "registry") -> RunbookStatus:
        found = self.there[namespace, name].status
        assert found is not None
        return found

    async def get(self, *, namespace: str, name: str) -> Runbook | None:
        await asyncio.sleep(0)
        self._fail()
        return self.there.get((namespace, name))

    async def all(self, *, namespace: str | None) -> AsyncIterator[dict[str, Any]]:
        self._fail()
        for key, runbook in list(self.there.items()):
            if namespace in (None, key[0]):
                yield runbook.to_dict()

    async def write_status(self, *, namespace: str, name: str, status: RunbookStatus) -> bool:
        await asyncio.sleep(0)
        self._fail()
        found = self.there.get((namespace, name))
        if found is None:
            return False
        self.written.append(status)
        self.there[namespace, name] = found.model_copy(update={"status": status})
        return True

    def _fail(self) -> None:
        if self.fails:
            raise self.fails.pop(0)


class FakeRunbookMemory:
    """Passages by source; while `error` is set everything fails with it."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[RunbookChunk, ...]] = {}
        self.error: Exception | None = None
        self.writes = 0
        self.calls = 0

    async def upsert_runbook(
        self, chunks: Sequence[RunbookChunk], *, deadline_seconds: float
    ) -> bool:
        await self._answer()
        before = self.kept.get(chunks[0].source)
        if before is not None and before[0].digest == chunks[0].digest:
            return False
        self.kept[chunks[0].source] = tuple(chunks)
        self.writes += 1
        return True

    async def remove_runbook(self, *, cluster: str, source: str, deadline_seconds: float) -> None:
        await self._answer()
        self.kept.pop(source, None)

    async def runbook_sources(self, *, cluster: str, deadline_seconds: float) -> dict[str, str]:
        await self._answer()
        return {source: chunks[0].digest or "" for source, chunks in self.kept.items()}

    async def _answer(self) -> None:
        await asyncio.sleep(0)
        self.calls += 1
        if self.error is not None:
            raise self.error
