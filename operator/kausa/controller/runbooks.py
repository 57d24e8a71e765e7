"""Runbooks in the memory: indexed, indexed again when they change, removed when they are deleted.

Kopf tells which Runbook changed; what is done depends on what stands on the API server then, so
hearing of it twice, late or out of order is all the same. Nothing is written to a Runbook but its
status: Kopf's own notes, kept in annotations, would double a large one. What Kopf may miss (a
deletion while no operator ran, a memory that was lost) a sweep finds: at the start, when the memory
comes back, and every ten minutes. It also brings the built-in runbooks in. What is there and should
be is compared by its digest: a memory that was restored meanwhile has texts of before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

import pydantic

from kausa.cluster.errors import ClusterError
from kausa.controller.runbook_documents import (
    is_settled,
    prepare,
    source_of,
    status_indexed,
    status_refused,
)
from kausa.controller.runbook_store import RunbookStore, parse_runbook_body
from kausa.evidence.redaction import Redactor
from kausa.memory.chunking.tokens import ChunkSize
from kausa.memory.errors import MemoryError_, MemoryUnavailableError
from kausa.memory.records import RunbookChunk
from kausa.recall.runbook_library import BUILTIN, built_in_chunks
from kausa.resources.runbook import Runbook, RunbookStatus
from kausa.telemetry.clock import utc_now
from kausa.telemetry.logs import get_logger
from kausa.telemetry.trouble import Trouble

__all__ = ["RunbookIndexer", "RunbookMemory"]

DEADLINE_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
SWEEP_SECONDS = 600.0
AT_ONCE = 4
DISABLED = ("MemoryDisabled", "The operator runs without a memory, so no runbook is searched.")
Key = tuple[str, str]
"""Namespace and name."""
_logger = get_logger("kausa.controller.runbooks")


class RunbookMemory(Protocol):
    """The part of `kausa.memory.service.FailureMemory` that is needed here."""

    async def upsert_runbook(
        self, chunks: Sequence[RunbookChunk], *, deadline_seconds: float
    ) -> bool:
        """Write a whole set of passages; False where it was there already."""

    async def remove_runbook(self, *, cluster: str, source: str, deadline_seconds: float) -> None:
        """Delete all passages of a source."""

    async def runbook_sources(self, *, cluster: str, deadline_seconds: float) -> dict[str, str]:
        """Every source that is indexed, with its digest."""


class RunbookIndexer:
    """Keeps the memory's runbooks like those on the API server; for one event loop."""

    def __init__(
        self,
        *,
        store: RunbookStore,
        memory: RunbookMemory | None,
        redactor: Redactor,
        cluster: str,
        namespace: str | None,
        size: Callable[[], Awaitable[ChunkSize]] | None = None,
        on_changed: Callable[[], None] = lambda: None,
        on_built_in: Callable[[], None] = lambda: None,
        now: Callable[[], datetime] = utc_now,
        first_pause_seconds: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        """`namespace`: the only one whose Runbooks are looked after; None looks after all. `size`:
        asks the memory how long passages are, which its embedding model has a say in. `on_changed`:
        told after passages of a Runbook were written or removed, for caches of answers.
        `on_built_in`: told once the built-in runbooks have been indexed that were not before.
        """
        self._store = store
        self._memory = memory
        self._redactor = redactor
        self._cluster = cluster
        self._namespace = namespace
        self._size = size
        self._on_changed = on_changed
        self._on_built_in = on_built_in
        self._now = now
        self._first_pause = first_pause_seconds
        self._pending: dict[Key, None] = {}
        self._digests: dict[str, str | None] = {}
        """Of what was last indexed, by source; empty at first, so all is looked at once."""
        self._asked = asyncio.Event()
        self._sweep_asked = asyncio.Event()
        self._trouble = Trouble(
            _logger,
            failed="Could not index runbooks, trying until it works",
            recovered="Indexing runbooks works again",
        )

    # -- what is told ----------------------------------------------------------------------------

    async def told(self, type_: str | None, body: dict[str, Any]) -> None:
        """A Runbook was listed (None), ADDED, MODIFIED or DELETED. Returns at once."""
        if type_ == "MODIFIED":
            runbook = parse_runbook_body(body)
            if runbook is not None and is_settled(runbook):
                return  # Our own writing of its status came back.
        meta = body.get("metadata", {})
        self.changed(namespace=meta["namespace"], name=meta["name"])

    def changed(self, *, namespace: str, name: str) -> None:
        """Look at this Runbook soon, whatever became of it."""
        self._pending[namespace, name] = None
        self._asked.set()

    # -- what is done ----------------------------------------------------------------------------

    async def run(self) -> None:
        """Index until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._work(), name="indexer of Runbooks")
            if self._memory is not None:
                tasks.create_task(self._sweep_regularly(self._memory), name="sweep of Runbooks")

    async def _work(self) -> None:
        pause = self._first_pause
        while True:
            await self._asked.wait()
            self._asked.clear()
            failed = await self._round()
            if not failed:
                if pause > self._first_pause:
                    # Who was away may have lost something.
                    self._sweep_asked.set()
                pause = self._first_pause
                continue
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)
            for key in failed:
                self.changed(namespace=key[0], name=key[1])

    async def _round(self) -> list[Key]:
        """Everything that is pending, once; returns what must be tried again."""
        keys, self._pending = list(self._pending), {}
        failed = []
        for key in keys:
            namespace, name = key
            word = source_of(namespace=namespace, name=name)
            try:
                await self._reconcile(namespace=namespace, name=name)
            except (ClusterError, MemoryUnavailableError) as error:
                self._trouble.happened(error, key=word, runbook=word)
                failed.append(key)
            except Exception:
                # One that nobody thought of must not stop the others; the next sweep asks again.
                _logger.exception("Could not index a runbook", runbook=word)
                self._trouble.forget(word)
            else:
                self._trouble.over(key=word)
        return failed

    async def _reconcile(self, *, namespace: str, name: str) -> None:
        """Bring the memory, then the status, in line with what stands there now.

        Raises:
            ClusterError: it could not be read, or its status not be written.
            MemoryUnavailableError: the memory is away; the status says so.
        """
        try:
            runbook = await self._store.get(namespace=namespace, name=name)
        except pydantic.ValidationError as error:
            _logger.warning(
                "Skipped a Runbook that cannot be read",
                runbook=source_of(namespace=namespace, name=name),
                problems=error.error_count(),
            )
            return
        if runbook is None:
            await self._remove(source_of(namespace=namespace, name=name))
            return
        try:
            status = await self._index(runbook)
        except MemoryError_ as error:
            reason = error.reason if isinstance(error, MemoryUnavailableError) else "MemoryFailed"
            refused = status_refused(runbook, reason=reason, message=str(error), now=self._now())
            await self._write(runbook, refused)
            if isinstance(error, MemoryUnavailableError):
                raise
            return
        await self._write(runbook, status)

    async def _index(self, runbook: Runbook) -> RunbookStatus:
        if self._memory is None:
            return status_refused(runbook, reason=DISABLED[0], message=DISABLED[1], now=self._now())
        # A text of 64 KiB takes longer to redact than the streams should wait.
        prepared = await asyncio.to_thread(
            prepare,
            runbook,
            cluster=self._cluster,
            redact=self._redactor.text,
            now=self._now(),
            size=await self._passage_size(),
        )
        if prepared.problem is not None:
            meta = runbook.metadata
            await self._remove(source_of(namespace=meta.namespace or "", name=meta.name))
            reason, message = prepared.problem
            refused = status_refused(runbook, reason=reason, message=message, now=self._now())
            return refused.model_copy(update={"chunks": 0, "indexed_time": None})
        wrote = await self._memory.upsert_runbook(
            prepared.chunks, deadline_seconds=DEADLINE_SECONDS
        )
        if wrote:
            self._on_changed()
        self._digests[prepared.chunks[0].source] = prepared.chunks[0].digest
        return status_indexed(runbook, prepared, wrote=wrote, now=self._now())

    async def _remove(self, source: str) -> None:
        self._digests.pop(source, None)
        if self._memory is not None:
            await self._memory.remove_runbook(
                cluster=self._cluster, source=source, deadline_seconds=DEADLINE_SECONDS
            )
            self._on_changed()

    async def _write(self, runbook: Runbook, status: RunbookStatus) -> None:
        if status == runbook.status:
            return
        meta = runbook.metadata
        await self._store.write_status(
            namespace=meta.namespace or "", name=meta.name, status=status
        )

    # -- what nobody told ------------------------------------------------------------------------

    async def _sweep_regularly(self, memory: RunbookMemory) -> None:
        pause = self._first_pause
        while True:
            try:
                await self.sweep(memory)
            except (ClusterError, MemoryError_) as error:
                self._trouble.happened(error, key="sweep")
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)
                continue
            self._trouble.over(key="sweep")
            pause = self._first_pause
            try:
                async with asyncio.timeout(SWEEP_SECONDS):
                    await self._sweep_asked.wait()
            except TimeoutError:
                pass
            self._sweep_asked.clear()

    async def sweep(self, memory: RunbookMemory) -> None:
        """Find what differs between the memory and what should be in it.

        Raises:
            ClusterError: the Runbooks could not be listed.
            MemoryUnavailableError: the memory is away.
        """
        # Asked before the list: what is in the memory and not in the list is gone for sure.
        indexed = await memory.runbook_sources(
            cluster=self._cluster, deadline_seconds=DEADLINE_SECONDS
        )
        there: set[str] = set()
        async for body in self._store.all(namespace=self._namespace):
            meta = body["metadata"]
            source = source_of(namespace=meta["namespace"], name=meta["name"])
            there.add(source)
            runbook = parse_runbook_body(body)
            if runbook is not None and not (
                is_settled(runbook)
                and source in indexed
                and indexed[source] == self._digests.get(source)
            ):
                self.changed(namespace=meta["namespace"], name=meta["name"])
        for source in indexed:
            if source not in there and self._is_a_resources(source):
                namespace, _, name = source.partition("/")
                self.changed(namespace=namespace, name=name)
        # Last: at the first start they take a while, and what people wrote goes first.
        await self._sweep_built_in(memory, indexed)

    async def _sweep_built_in(self, memory: RunbookMemory, indexed: dict[str, str]) -> None:
        ours = await asyncio.to_thread(
            built_in_chunks, cluster=self._cluster, size=await self._passage_size()
        )
        missing = [each for each in ours if indexed.get(each[0].source) != each[0].digest]
        # Several at once, so that the embedder has full batches.
        for start in range(0, len(missing), AT_ONCE):
            written = await asyncio.gather(
                *(
                    memory.upsert_runbook(each, deadline_seconds=DEADLINE_SECONDS)
                    for each in missing[start : start + AT_ONCE]
                ),
                return_exceptions=True,
            )
            for each in written:
                if isinstance(each, BaseException):
                    raise each
            self._on_changed()
        known = {chunks[0].source for chunks in ours}
        for source in indexed:
            if source.startswith(BUILTIN) and source not in known:
                await memory.remove_runbook(
                    cluster=self._cluster, source=source, deadline_seconds=DEADLINE_SECONDS
                )
                self._on_changed()
        if missing:
            self._on_built_in()

    async def _passage_size(self) -> ChunkSize | None:
        """Raises `MemoryUnavailableError`."""
        return await self._size() if self._size is not None else None

    def _is_a_resources(self, source: str) -> bool:
        """Whether it is a Runbook that is looked after here: not a file, nor another operator's."""
        namespace, slash, name = source.partition("/")
        if not slash or "/" in name or ":" in namespace:
            return False
        return self._namespace in (None, namespace)
