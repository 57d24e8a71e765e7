"""What the resources say, as the wire tells it: when each had its facts, and what of the model."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import msgspec
from bench.storm.api import Api
from bench.storm.documents import FAILURE
from bench.storm.watching import DIAGNOSES, Seen

__all__ = ["Resources", "followed"]

PAUSE_SECONDS = 0.2


class Resources:
    """By the name of the Deployment; of one run's namespaces."""

    def __init__(self, *, prefix: str) -> None:
        self._prefix = prefix
        self.created: dict[str, float] = {}
        self.diagnosed: dict[str, float] = {}
        """When each said first what rules found, be it by the status alone."""
        self.gathered: dict[str, float] = {}
        """When each had all of its evidence."""
        self.consulted: dict[str, tuple[str, str]] = {}
        """Status and reason of ModelConsulted, as written last."""
        self.writes = 0

    def line(self, came: float, line: bytes) -> None:
        """One line of the watch, or of a list that tells of what was before as well."""
        change: Mapping[str, Any] = msgspec.json.decode(line)
        found = change["object"]
        if not found["metadata"]["namespace"].startswith(self._prefix):
            return
        self.writes += 1
        name, status = found["spec"]["target"]["name"], found.get("status") or {}
        self.created.setdefault(name, _made_at(found["metadata"]["creationTimestamp"], came))
        conditions = {each["type"]: each for each in status.get("conditions") or ()}
        if status.get("diagnosis"):
            self.diagnosed.setdefault(name, came)
        gathered = conditions.get("EvidenceGathered")
        if gathered is not None and gathered["status"] != "Unknown":
            self.gathered.setdefault(name, came)
        if (consulted := conditions.get("ModelConsulted")) is not None:
            self.consulted[name] = consulted["status"], consulted["reason"]

    def reasons(self) -> Counter[str]:
        """How many say what of the model."""
        return Counter(reason for _, reason in self.consulted.values())


def _made_at(stamp: str, came: float) -> float:
    """When an object was made at the latest (monotonic, seconds).

    That is when it came or, where a list tells of it long after because a watch was cut, the end of
    the second that its own stamp names. Of conditions there is no such stamp: theirs is the moment
    at which the look began that turned them.
    """
    ago = time.time() - datetime.fromisoformat(stamp).timestamp()
    return min(came, time.monotonic() - ago + 1.0)


@asynccontextmanager
async def followed(api: Api, *, prefix: str) -> AsyncIterator[tuple[Resources, Seen]]:
    """Follow them, and the Pods that are to fail, from now on.

    The API server ends a watch when it likes; then all are read once more.
    """
    resources, pods = Resources(prefix=prefix), Seen(prefix=prefix)

    async def follow_resources() -> None:
        while True:
            for item in (await api.request("GET", DIAGNOSES))["items"]:
                resources.line(time.monotonic(), msgspec.json.encode({"object": item}))
            async for came, line in api.watch(DIAGNOSES):
                resources.line(came, line)

    async def follow_pods() -> None:
        while True:
            async for came, line in api.watch("/api/v1/pods", labelSelector=FAILURE):
                pods.pod(came, line)
            await asyncio.sleep(PAUSE_SECONDS)
            listed = await api.request("GET", "/api/v1/pods", labelSelector=FAILURE)
            for item in listed["items"]:
                change = {"type": "ADDED", "object": item}
                pods.pod(time.monotonic(), msgspec.json.encode(change))

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in (follow_resources(), follow_pods())]
        yield resources, pods
        for task in tasks:
            task.cancel()
