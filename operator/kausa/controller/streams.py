"""The streams: changes in, to the judge; workers behind the queue; what is due by time.

One task reads each kind and does nothing that waits. Pods are read after the labels of their
namespaces, and workloads after their Pods, so that nobody is judged without what stands around it;
a kind that these credentials may not read is waited for only for a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from kausa.cluster.objects import Event, Pod
from kausa.cluster.owners import OwnerResolver
from kausa.cluster.watch import ChangeType, Watcher
from kausa.cluster.workloads import Namespace, Node, PersistentVolumeClaim, Workload
from kausa.controller.judge import Judge
from kausa.controller.scope import Scope, opted_out
from kausa.controller.sighting_writer import SightingWriter
from kausa.controller.sightings import Sightings
from kausa.controller.worker import Worker
from kausa.telemetry.logs import get_logger
from kausa.telemetry.trouble import Trouble

__all__ = ["Streams"]

WORKERS = 1_024
"""Coroutines, not threads: a hundred Pods of one owner wait for the one that opens its resource,
and must not keep the Pods of other owners waiting; in a storm dozens of owners fail at a time. One
that waits takes 2 KiB."""
FLUSH_EVERY_SECONDS = 0.5
JUDGE_EVERY_SECONDS = 0.25
WAIT_FOR_OTHERS_SECONDS = 30.0
HEAL_SECONDS = 60.0
LONGEST_HEAL_SECONDS = 1800.0
T = TypeVar("T")
_logger = get_logger("kausa.controller.streams")


class Streams:
    """Reads all streams; `run` until cancelled."""

    def __init__(
        self,
        *,
        pods: Watcher[Pod],
        events: Watcher[Event],
        namespaces: Watcher[Namespace] | None,
        workloads: Mapping[str, Watcher[Workload]],
        scope: Scope,
        judge: Judge,
        worker: Worker,
        writer: SightingWriter,
        sightings: Sightings,
        owners: OwnerResolver,
    ) -> None:
        self._pods = pods
        self._events = events
        self._namespaces = namespaces
        self._workloads = workloads
        self._scope = scope
        self._judge = judge
        self._worker = worker
        self._writer = writer
        self._sightings = sightings
        self._owners = owners
        self.on_workload: Callable[[Workload], None] = lambda _: None
        """Told of each workload as it is now."""
        self.on_workload_gone: Callable[[str], None] = lambda _: None
        """Told of the uid of each that was deleted."""
        self._begun = False
        """Whether Pods are being judged."""
        self._opted_out: set[str] = set()
        """The uids of the workloads that ask to be left alone."""
        self._node_names: dict[str, str] = {}
        self._claim_names: dict[str, tuple[str, str]] = {}
        self._repeating = Trouble(
            _logger,
            failed="Could not write repeats, trying until it works",
            recovered="Writing repeats works again",
        )

    @property
    def watchers(self) -> Mapping[str, Watcher[Any]]:
        """Every stream, by its kind."""
        found: dict[str, Watcher[Any]] = {"pods": self._pods, "events": self._events}
        if self._namespaces is not None:
            found["namespaces"] = self._namespaces
        return {**found, **self._workloads}

    @property
    def synced(self) -> bool:
        """Whether everything that these credentials may read was listed once."""
        return all(each.synced.is_set() or each.forbidden for each in self.watchers.values())

    async def run(self) -> None:
        """Watch until cancelled; what was seen last is written before it ends."""
        try:
            async with asyncio.TaskGroup() as tasks:
                if self._namespaces is not None:
                    tasks.create_task(
                        self._read_namespaces(self._namespaces), name="stream of Namespaces"
                    )
                tasks.create_task(self._read_pods(), name="stream of Pods")
                tasks.create_task(self._read_events(), name="stream of Events")
                for kind, watcher in self._workloads.items():
                    tasks.create_task(self._read_workloads(watcher), name=f"stream of {kind}")
                tasks.create_task(self._judge_what_is_due(), name="judge of what is due")
                tasks.create_task(self._write_repeats(), name="writer of repeats")
                tasks.create_task(self._heal(), name="healer of drops")
                for number in range(WORKERS):
                    tasks.create_task(self._worker.run(), name=f"worker {number}")
        finally:
            await _shielded(self._writer.write_due(all_of_them=True))

    def resource_deleted(self, *, namespace: str, name: str) -> None:
        """A resource of ours is gone; if its objects still fail, it comes back."""
        self._judge.put_back(self._sightings.remove((namespace, name)))

    async def _read_namespaces(self, watcher: Watcher[Namespace]) -> None:
        async for change in watcher.changes():
            if change.object is None:
                continue
            meta = change.object.metadata
            value = meta.labels.diagnose if meta.labels is not None else None
            if change.type is ChangeType.DELETED:
                value = None
            if not self._scope.label(meta.name, value) or not self._begun:
                continue
            _logger.info("A namespace changed its mind", namespace=meta.name, label=value)
            if not self._scope.watches(meta.name):
                self._sightings.leave_namespace(meta.name)
            self._list_again()

    async def _read_pods(self) -> None:
        # Without its Events and its node a Pod would be called by another name of its failure.
        for watcher in (self._namespaces, self._events, self._workloads.get("nodes")):
            if watcher is not None:
                await _ready(watcher)
        self._begun = True
        judge, deleted = self._judge, ChangeType.DELETED
        async for batch in self._pods.batches():
            for change in batch:
                if change.type is deleted or change.object is None:
                    judge.gone(change.uid)
                else:
                    self._safely(judge.pod, change.object)

    async def _read_events(self) -> None:
        if self._namespaces is not None:
            await _ready(self._namespaces)
        judge, deleted = self._judge, ChangeType.DELETED
        async for batch in self._events.batches():
            for change in batch:
                if change.object is not None and change.type is not deleted:
                    self._safely(judge.event, change.object)

    async def _read_workloads(self, watcher: Watcher[Workload]) -> None:
        if watcher is not self._workloads.get("nodes"):
            await _ready(self._pods)
        async for change in watcher.changes():
            if change.type is ChangeType.DELETED or change.object is None:
                self._workload_gone(change.uid)
                continue
            self._remember(change.object, synced=watcher.synced.is_set())
            self._safely(self.on_workload, change.object)
            self._safely(self._judge.workload, change.object)

    def _safely(self, judge: Callable[[T], None], found: T) -> None:
        """One object of a shape that nobody thought of must not stop the others."""
        try:
            judge(found)
        except Exception:
            _logger.exception("Could not judge an object", kind=type(found).__name__)

    def _remember(self, found: Workload, *, synced: bool) -> None:
        """A deletion that a list shows has only a uid; nodes and claims are known by name too.
        Whoever opts out or in says so for all its Pods, which do not change for that.
        """
        meta = found.metadata
        if opted_out(meta) != (meta.uid in self._opted_out):
            (self._opted_out.discard if meta.uid in self._opted_out else self._opted_out.add)(
                meta.uid
            )
            self._owners.forget(meta.uid)
            if synced:
                self._pods.request_list()
        if isinstance(found, Node):
            self._node_names[meta.uid] = meta.name
        elif isinstance(found, PersistentVolumeClaim):
            self._claim_names[meta.uid] = meta.namespace, meta.name
        else:
            self._owners.watched(meta)

    def _workload_gone(self, uid: str) -> None:
        self._opted_out.discard(uid)
        self._owners.gone(uid)
        self._safely(self.on_workload_gone, uid)
        node = self._node_names.pop(uid, None)
        if node is not None:
            self._judge.node_gone(node)
        claim = self._claim_names.pop(uid, None)
        if claim is not None:
            self._judge.claim_gone(namespace=claim[0], name=claim[1])
        self._judge.gone(uid)

    def _list_again(self) -> None:
        for watcher in self.watchers.values():
            watcher.request_list()

    async def _judge_what_is_due(self) -> None:
        while True:
            await asyncio.sleep(JUDGE_EVERY_SECONDS)
            self._safely(lambda _: self._judge.due(), None)

    async def _write_repeats(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY_SECONDS)
            written = await self._writer.write_due()
            for namespace, name in written.gone:
                self.resource_deleted(namespace=namespace, name=name)
            if written.error is not None:
                self._repeating.happened(written.error)
            elif written.count:
                self._repeating.over()

    async def _heal(self) -> None:
        """What was dropped comes again with a new list."""
        healed, pause = 0, HEAL_SECONDS
        while True:
            await asyncio.sleep(pause)
            dropped = self._judge.dropped
            # Where there is no room at all, lists only drop the same again.
            pause = min(2 * pause, LONGEST_HEAL_SECONDS) if dropped > healed else HEAL_SECONDS
            if dropped > healed:
                _logger.warning("Objects were dropped, listing all again", dropped=dropped)
                healed = dropped
                self._list_again()


async def _ready(watcher: Watcher[Any]) -> None:
    """Wait for the first list of another kind, or until it is plain that there is none to come."""
    try:
        async with asyncio.timeout(WAIT_FOR_OTHERS_SECONDS):
            while not watcher.synced.is_set() and not watcher.forbidden:  # noqa: ASYNC110 - two ends
                await asyncio.sleep(0.02)
    except TimeoutError:
        _logger.warning("Going on without a list that does not come")


async def _shielded(work: Awaitable[object]) -> None:
    """Finish a last piece of work although this task is being cancelled, for a few seconds."""
    task = asyncio.ensure_future(work)
    await asyncio.wait({task}, timeout=3.0)
    if not task.done():
        task.cancel()
