"""A running Watcher whose changes can be read one after the other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from support.fake_api_server import FakeApiServer

from kausa.cluster.client import KubernetesClient
from kausa.cluster.objects import Pod
from kausa.cluster.paths import PODS
from kausa.cluster.watch import Change, Watcher

__all__ = ["Watching", "pod_document", "watching"]


def pod_document(uid: str, version: str = "2") -> dict[str, Any]:
    """A Pod, as small as it can be."""
    return {"metadata": {"name": f"pod-{uid}", "uid": uid, "resourceVersion": version}}


class Watching:
    """What a Watcher has delivered so far."""

    def __init__(self, watcher: Watcher[Pod]) -> None:
        self.watcher = watcher
        self._changes: asyncio.Queue[Change[Pod]] = asyncio.Queue()

    async def read(self) -> None:
        """Collect for ever."""
        async for change in self.watcher.changes():
            self._changes.put_nowait(change)

    async def next(self, count: int, *, seconds: float = 5.0) -> list[tuple[str, str]]:
        """The next changes, as (type, uid)."""
        found: list[tuple[str, str]] = []
        async with asyncio.timeout(seconds):
            while len(found) < count:
                change = await self._changes.get()
                found.append((str(change.type), change.uid))
        return found


@contextlib.asynccontextmanager
async def watching(server: FakeApiServer, **parameters: Any) -> AsyncIterator[Watching]:
    """Watch Pods meanwhile."""
    async with KubernetesClient(server.credentials) as client:
        given: dict[str, Any] = {"client": client, "resource": PODS, "kind": Pod}
        found = Watching(Watcher(**given | parameters))
        task = asyncio.ensure_future(found.read())
        try:
            yield found
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
