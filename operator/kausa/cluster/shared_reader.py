"""A reader for many diagnoses at once: what several ask for in the same moment is read once.

Where a thousand owners fail together, each of their diagnoses asks for the same quotas, policies,
Services and nodes, and the API server has most of the work. What somebody began to read less than
FRESH_SECONDS ago answers others too; who asks alone gets what he always got, a moment later at
most. A list for which several have asked by then is kept somewhat longer: what surrounds all of
them seldom changes in a storm, and to list it each second would make them wait for each other.

Events are asked for by object, and the API server goes through all of a namespace for each such
question, because it has no index of them. So where many ask at once, the namespace's Events are
read once and told apart here, unless there are too many of them.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol, TypeVar, cast

from kausa.cluster.objects import Event, Pod
from kausa.cluster.paging import Listed, is_whole
from kausa.cluster.paths import PODS, ResourcePath
from kausa.cluster.reader import MOST_EVENTS, ClusterReader, Manifest

__all__ = ["EventfulReader", "SharedReader"]

FRESH_SECONDS: Final = 1.0
"""Shorter than the pause before a diagnosis looks a second time."""
LISTS_FRESH_SECONDS: Final = 4.0
"""For a list that several asked for in FRESH_SECONDS."""
SEVERAL: Final = 4
EVENTS_FRESH_SECONDS: Final = 2.0
"""For the Events of a namespace: the last of them may be what decides."""
MANY_QUESTIONS: Final = 8
"""About Events of one namespace, in EVENTS_FRESH_SECONDS: more than one diagnosis asks."""
AVOIDED_SECONDS: Final = 30.0
"""How long a namespace with too many Events is asked object by object."""
MOST_KEPT: Final = 1_000
T = TypeVar("T")


class EventfulReader(ClusterReader, Protocol):
    """A reader that can read all Events of a namespace."""

    async def events_of(self, *, namespace: str) -> Listed[Event]:
        """The Events of a namespace, bounded; ask whether it `is_whole`."""


@dataclass(slots=True)
class _Demand:
    """Who asks about Events of one namespace."""

    since: float
    questions: int = 0
    avoided_until: float = 0.0


@dataclass(slots=True)
class _Reading:
    begun: float
    task: asyncio.Task[Any] = field(repr=False)
    longest: float
    """How long it may be told where several ask, in seconds."""
    asked: int = 0

    @property
    def fresh_until(self) -> float:
        shared = self.asked >= SEVERAL
        return self.begun + (max(self.longest, FRESH_SECONDS) if shared else FRESH_SECONDS)


class SharedReader:
    """A ClusterReader over another one, for one event loop."""

    def __init__(self, *, reader: EventfulReader) -> None:
        self._reader = reader
        self._readings: dict[Hashable, _Reading] = {}
        self._demands: dict[str, _Demand] = {}

    def __len__(self) -> int:
        """How many answers are kept, or on their way."""
        return len(self._readings)

    async def pod(self, *, namespace: str, name: str) -> Pod:
        """One Pod as it is now; never shared."""
        return await self._reader.pod(namespace=namespace, name=name)

    async def pods(self, *, namespace: str, node: str = "") -> tuple[Pod, ...]:
        """The Pods of a namespace or a node."""
        return await self._read(
            ("pods", namespace, node),
            lambda: self._reader.pods(namespace=namespace, node=node),
            longest=LISTS_FRESH_SECONDS,
        )

    async def events_about(self, *, namespace: str, uid: str) -> tuple[Event, ...]:
        """The Events about one object."""
        if self._many_ask(namespace):
            by_uid = await self._read(
                ("events", namespace),
                lambda: self._events_of(namespace),
                longest=EVENTS_FRESH_SECONDS,
            )
            if by_uid is not None:
                return Listed(by_uid.get(uid, ())[:MOST_EVENTS])
        return await self._reader.events_about(namespace=namespace, uid=uid)

    async def manifest(
        self, path: ResourcePath, *, name: str, namespace: str | None = None
    ) -> Manifest | None:
        """One object of any kind."""
        return await self._read(
            ("object", path, namespace, name),
            lambda: self._reader.manifest(path, name=name, namespace=namespace),
        )

    async def manifests(
        self, path: ResourcePath, *, namespace: str | None = None, label_selector: str = ""
    ) -> tuple[Manifest, ...]:
        """Objects of any kind; the Pods of one workload are kept for nobody: only its own diagnosis
        asks for them, and they are large.
        """
        if path.kind == PODS.kind and label_selector:
            return await self._reader.manifests(
                path, namespace=namespace, label_selector=label_selector
            )
        return await self._read(
            ("objects", path, namespace, label_selector),
            lambda: self._reader.manifests(
                path, namespace=namespace, label_selector=label_selector
            ),
            longest=LISTS_FRESH_SECONDS,
        )

    def pod_log(
        self,
        *,
        namespace: str,
        pod: str,
        container: str,
        previous: bool,
        tail_lines: int | None = None,
        limit_bytes: int | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """A log; never shared."""
        return self._reader.pod_log(
            namespace=namespace,
            pod=pod,
            container=container,
            previous=previous,
            tail_lines=tail_lines,
            limit_bytes=limit_bytes,
        )

    # -- Events ----------------------------------------------------------------------------------

    def _many_ask(self, namespace: str) -> bool:
        now = asyncio.get_running_loop().time()
        demand = self._demands.get(namespace)
        if demand is None:
            if len(self._demands) >= MOST_KEPT:
                self._demands.clear()
            demand = self._demands[namespace] = _Demand(since=now)
        if now - demand.since > EVENTS_FRESH_SECONDS:
            # As many as just before are to be expected.
            just_before = now - demand.since < 2 * EVENTS_FRESH_SECONDS
            goes_on = demand.questions > MANY_QUESTIONS and just_before
            demand.questions, demand.since = (MANY_QUESTIONS if goes_on else 0), now
        demand.questions += 1
        return demand.questions > MANY_QUESTIONS and now >= demand.avoided_until

    async def _events_of(self, namespace: str) -> Mapping[str, list[Event]] | None:
        """By the uid of whom they are about; None where there are too many."""
        listed = await self._reader.events_of(namespace=namespace)
        if not is_whole(listed):
            if (demand := self._demands.get(namespace)) is not None:
                now = asyncio.get_running_loop().time()
                demand.avoided_until = now + AVOIDED_SECONDS
            return None
        found: defaultdict[str, list[Event]] = defaultdict(list)
        for event in listed:
            found[event.involved_object.uid].append(event)
        return found

    # -- sharing ---------------------------------------------------------------------------------

    async def _read(
        self, key: Hashable, read: Callable[[], Awaitable[T]], *, longest: float = 0.0
    ) -> T:
        loop = asyncio.get_running_loop()
        reading = self._readings.get(key)
        if reading is None or loop.time() > reading.fresh_until:
            if len(self._readings) >= MOST_KEPT:
                return await read()
            task = asyncio.ensure_future(read())
            reading = _Reading(begun=loop.time(), task=task, longest=longest)
            self._readings[key] = reading
            task.add_done_callback(partial(self._keep, key, reading))
        reading.asked += 1
        # Who asked first may be given up; the others still wait for this.
        return cast(T, await asyncio.shield(reading.task))

    def _keep(self, key: Hashable, reading: _Reading, done: asyncio.Task[Any]) -> None:
        """Nothing is kept for longer than it is fresh, and no error at all."""
        failed = done.cancelled() or done.exception() is not None
        self._forget(key, reading, at_once=failed)

    def _forget(self, key: Hashable, reading: _Reading, *, at_once: bool = False) -> None:
        if self._readings.get(key) is not reading:
            return
        loop = asyncio.get_running_loop()
        rest = reading.fresh_until - loop.time()
        if at_once or rest <= 0:
            del self._readings[key]
        else:
            loop.call_later(rest, self._forget, key, reading)
