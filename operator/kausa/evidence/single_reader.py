"""A reader for one diagnosis: each thing is read once, and what cannot be read is noted once.

Many gatherers need the same objects and do not know of each other. The first who asks has it read,
the others wait for that reading. A list that is forbidden is not asked for again, nor is a kind of
which several names were; it is one gap however many objects it hides. So is a list of which only
the beginning was read. After the deadline nothing is read any more, so that a gatherer that waits
for a slow answer still brings home what it read before.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from contextlib import aclosing
from types import TracebackType
from typing import Any, TypeVar, cast

from kausa.cluster.errors import (
    ApiError,
    ApiUnreachableError,
    ClusterError,
    ForbiddenError,
    NotFoundError,
    NotRecordedError,
    UndecodableError,
)
from kausa.cluster.objects import Event, Pod
from kausa.cluster.paging import is_whole
from kausa.cluster.paths import EVENTS, PODS, ResourcePath
from kausa.cluster.reader import ClusterReader, Manifest
from kausa.evidence.dossier import EvidenceGap

__all__ = ["NotAskedError", "SingleReader"]

MOST_READS = 200
MOST_REFUSED = 8
"""Names of a kind that may be refused before none is asked for any more: a Role may allow some by
their names (`resourceNames`).
"""
NO_SUCH_LOG = frozenset({400, 404})
FILES_ONLY = frozenset({"Secret", "Endpoints"})
"""Secrets are nobody's business on a live cluster, and EndpointSlices tell more than Endpoints."""
T = TypeVar("T")


class NotAskedError(ClusterError):
    """This is not read here on purpose; nobody is told, for nothing is missing."""


class SingleReader:
    """A ClusterReader over another one. Use `async with`: what is still read at its end is ended.

    `recorded`: files are read, so Secrets may be asked for (their keys alone are looked at).
    `whole_cluster`: whether what belongs to no namespace may be asked for.
    """

    def __init__(
        self,
        *,
        reader: ClusterReader,
        deadline_seconds: float,
        recorded: bool = False,
        whole_cluster: bool = True,
        most_reads: int = MOST_READS,
    ) -> None:
        self._reader = reader
        self._seconds = deadline_seconds
        self._ends = 0.0
        self._recorded = recorded
        self._whole_cluster = whole_cluster
        self._most_reads = most_reads
        self._readings: dict[Hashable, asyncio.Task[Any]] = {}
        self._forbidden: dict[str, ForbiddenError] = {}
        self._refused: Counter[str] = Counter()
        """How many names were refused, by permission."""
        self._gaps: dict[str, EvidenceGap] = {}

    async def __aenter__(self) -> SingleReader:
        self._ends = asyncio.get_running_loop().time() + self._seconds
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for each in self._readings.values():
            each.cancel()
        await asyncio.gather(*self._readings.values(), return_exceptions=True)

    @property
    def gaps(self) -> tuple[EvidenceGap, ...]:
        """What could not be read: one for each permission, and one for each other reason."""
        return tuple(self._gaps.values())

    async def pod(self, *, namespace: str, name: str) -> Pod:
        """One Pod, read once."""
        return await self._read(
            ("pod", namespace, name),
            lambda: self._reader.pod(namespace=namespace, name=name),
            what=f"Pod/{name}",
            permission=_permission("get", PODS, namespace),
        )

    async def pods(self, *, namespace: str, node: str = "") -> tuple[Pod, ...]:
        """The Pods of a namespace, or of a node, read once; those of all where none is named."""
        if not namespace and not self._whole_cluster:
            raise NotAskedError("Only one namespace is read.")
        return await self._read(
            ("pods", namespace, node),
            lambda: self._reader.pods(namespace=namespace, node=node),
            what=f"Pods of {_place(namespace)}",
            permission=_permission("list", PODS, namespace),
        )

    async def events_about(self, *, namespace: str, uid: str) -> tuple[Event, ...]:
        """The Events about an object, read once."""
        return await self._read(
            ("events", namespace, uid),
            lambda: self._reader.events_about(namespace=namespace, uid=uid),
            what=f"Events of {_place(namespace)}",
            permission=_permission("list", EVENTS, namespace),
        )

    async def manifest(
        self, path: ResourcePath, *, name: str, namespace: str | None = None
    ) -> Manifest | None:
        """One object, read once; None where there is none."""
        self._may_ask(path)
        namespace = namespace if path.namespaced else None
        try:
            path.object(name=name, namespace=namespace)
        except UndecodableError:
            return None  # Nothing can have such a name.
        return await self._read(
            ("get", path.api_version, path.plural, namespace, name),
            lambda: self._reader.manifest(path, name=name, namespace=namespace),
            what=f"{path.kind}/{name}",
            permission=_permission("get", path, namespace),
        )

    async def manifests(
        self, path: ResourcePath, *, namespace: str | None = None, label_selector: str = ""
    ) -> tuple[Manifest, ...]:
        """Objects of a kind, read once."""
        self._may_ask(path)
        if path.namespaced and not namespace and not self._whole_cluster:
            raise NotAskedError("Only one namespace is read.")
        return await self._read(
            ("list", path.api_version, path.plural, namespace, label_selector),
            lambda: self._reader.manifests(
                path, namespace=namespace, label_selector=label_selector
            ),
            what=f"{path.plural} of {_place(namespace or '')}",
            permission=_permission("list", path, namespace),
        )

    async def pod_log(
        self,
        *,
        namespace: str,
        pod: str,
        container: str,
        previous: bool,
        tail_lines: int | None = None,
        limit_bytes: int | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """A log as it comes, until the deadline; logs are not kept, each is asked for once."""
        permission = f"get pods/log in namespace {namespace}"
        what = f"logs of Pod/{pod}"
        if permission in self._forbidden:
            raise self._forbidden[permission]
        log = self._reader.pod_log(
            namespace=namespace,
            pod=pod,
            container=container,
            previous=previous,
            tail_lines=tail_lines,
            limit_bytes=limit_bytes,
        )
        async with aclosing(log) as chunks:
            while True:
                try:
                    # No timeout may be open at the yield: it would hit whoever reads this.
                    async with asyncio.timeout_at(self._ends):
                        chunk = await anext(chunks, None)
                except TimeoutError:
                    raise self._too_late(what) from None
                except ClusterError as error:
                    if not isinstance(error, ApiError) or error.status not in NO_SUCH_LOG:
                        self._note(error, what=what, permission=permission)
                    raise
                if chunk is None:
                    return
                yield chunk

    def _may_ask(self, path: ResourcePath) -> None:
        if path.kind in FILES_ONLY and not self._recorded:
            raise NotAskedError(f"{path.plural} are not read.")
        if not path.namespaced and not self._whole_cluster:
            raise NotAskedError("Only one namespace is read.")

    async def _read(
        self, key: Hashable, read: Callable[[], Awaitable[T]], *, what: str, permission: str
    ) -> T:
        if permission in self._forbidden:
            raise self._forbidden[permission]
        task = self._readings.get(key)
        if task is None:
            if len(self._readings) >= self._most_reads:
                raise self._noted(
                    ClusterError(f"more than {self._most_reads} things to read"), what=what
                )
            task = asyncio.ensure_future(self._attempt(read, what=what, permission=permission))
            self._readings[key] = task
        # Who asked first may be given up; the others still wait for this.
        found = await asyncio.shield(task)
        if isinstance(found, ClusterError):
            raise found
        return cast(T, found)

    async def _attempt(
        self, read: Callable[[], Awaitable[T]], *, what: str, permission: str
    ) -> T | ClusterError:
        """What was read, or the error: a task that fails unheard would be reported by asyncio."""
        try:
            async with asyncio.timeout_at(self._ends):
                found = await read()
        except TimeoutError:
            return self._too_late(what)
        except NotFoundError as error:
            return error
        except ClusterError as error:
            self._note(error, what=what, permission=permission)
            return error
        if isinstance(found, tuple) and not is_whole(found):
            cut = EvidenceGap(what=what, why=f"only the first {len(found)} were read")
            self._gaps.setdefault(f"{what}: cut", cut)
        return found

    def _too_late(self, what: str) -> ClusterError:
        return self._noted(ApiUnreachableError(f"no answer within {self._seconds:g} s"), what=what)

    def _noted(self, error: ClusterError, *, what: str) -> ClusterError:
        self._note(error, what=what, permission="")
        return error

    def _note(self, error: ClusterError, *, what: str, permission: str) -> None:
        if isinstance(error, ForbiddenError):
            self._refused[permission] += 1
            if not permission.startswith("get ") or self._refused[permission] >= MOST_REFUSED:
                self._forbidden[permission] = error
            self._gap(permission, what=what, why="forbidden", permission=permission)
            return
        not_there = isinstance(error, NotRecordedError)
        why = "not in the snapshot" if not_there else str(error) or type(error).__name__
        self._gap(why, what=what, why=why)

    def _gap(self, key: str, *, what: str, why: str, permission: str | None = None) -> None:
        """A gap, or one that is known already for one more thing."""
        known = self._gaps.get(key)
        whats = known.what if known is not None else ""
        if what not in whats.split(", "):
            whats = f"{whats}, {what}" if whats else what
        self._gaps[key] = EvidenceGap(what=whats, why=why, permission=permission)


def _permission(verb: str, path: ResourcePath, namespace: str | None) -> str:
    """As `kubectl auth can-i` takes it."""
    group = path.api_version.rpartition("/")[0]
    where = f" in namespace {namespace}" if namespace and path.namespaced else ""
    return f"{verb} {path.plural}{f'.{group}' if group else ''}{where}"


def _place(namespace: str) -> str:
    return f"namespace {namespace}" if namespace else "the cluster"
