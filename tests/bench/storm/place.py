"""The cluster of the bench: built up, told to fail, and taken away again."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bench.storm.api import MERGE, Api, ApiError, each
from bench.storm.documents import (
    FAILURE,
    FAILURES,
    LABEL,
    deployment,
    namespace,
    standing_pod,
    told_to_fail,
)

__all__ = ["NODES", "Place", "Size", "own_place"]

NODES = 30
NAMESPACES = 5
PATIENCE_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much stands, and how much of it fails."""

    pods: int = 20_000
    deployments: int = 50
    replicas: int = 100
    spread_seconds: float = 7.0
    """The pods are told to fail at moments over this time."""

    @property
    def failing(self) -> int:
        """All pods that fail."""
        return self.deployments * self.replicas


class Place:
    """The bench's namespaces and what is in them."""

    def __init__(self, api: Api, *, prefix: str, size: Size) -> None:
        self._api = api
        self.size = size
        self.prefix = prefix
        self._standing = [f"{prefix}-standing-{number}" for number in range(NAMESPACES)]
        self.storming = [f"{prefix}-storm-{number}" for number in range(NAMESPACES)]
        self._names = [*self._standing, *self.storming]
        self._deploy_seconds = 0.0

    async def make_namespaces(self) -> None:
        """Makes them, and waits until pods can be put in."""
        names = self._names
        await each(names, lambda name: self._api.request("POST", _PLACES, namespace(name)))

        async def usable() -> bool:
            accounts = await self._api.items("/api/v1/serviceaccounts")
            return set(names) <= {one["metadata"]["namespace"] for one in accounts}

        await _until(usable, what="the default ServiceAccounts")

    async def stand(self) -> None:
        """Puts the healthy pods in, and waits until all of them run."""
        places = itertools.cycle(self._standing)
        numbers = zip(range(self.size.pods), places, strict=False)

        async def put(numbered: tuple[int, str]) -> None:
            number, place = numbered
            document = standing_pod(f"standing-{number}", node=f"kwok-{number % NODES}")
            # The check of a field's name is half of what a creation costs.
            await self._api.request(
                "POST", f"{_PLACES}/{place}/pods", document, fieldValidation="Ignore"
            )

        await each(numbers, put)
        await _until(self._all_run, what="the standing pods to run")

    async def deploy(self) -> None:
        """Puts the Deployments in, and waits until all their pods are ready."""
        places = itertools.cycle(self.storming)
        numbers = zip(range(self.size.deployments), places, strict=False)

        async def put(numbered: tuple[int, str]) -> None:
            number, place = numbered
            failure = FAILURES[number % len(FAILURES)]
            document = deployment(
                f"app-{number}",
                replicas=self.size.replicas,
                failure=failure,
                node=f"kwok-{number % NODES}",
            )
            await self._api.request("POST", f"{_APPS}/{place}/deployments", document)

        began = time.monotonic()
        await each(numbers, put)
        await _until(self._all_ready, what="the Deployments to be ready")
        self._deploy_seconds = time.monotonic() - began

    async def begin_storm(self) -> float:
        """Tells every pod when to fail; the monotonic moment of the first failure.

        Nothing fails before all know: a storm that came as fast as patches do would be the
        bench's, and kwok lets as many fail at a time as the API server takes.
        """
        pods = [pod for place in self.storming for pod in await self._storm_pods(place)]
        # One request for each pod cannot take as long as the three or more that made it.
        ahead = 3.0 + self._deploy_seconds
        begins = time.monotonic() + ahead
        first = datetime.now(UTC) + timedelta(seconds=ahead)
        last = first + timedelta(seconds=self.size.spread_seconds)
        patch = told_to_fail(begins=_written(first), ends=_written(last))
        await each(pods, lambda path: self._api.request("PATCH", path, patch, content_type=MERGE))
        if (late := time.monotonic() - begins) > 0:
            raise TimeoutError(f"telling {len(pods)} pods to fail took {late:.1f} s too long")
        return begins

    async def remove_pods(self, *, owners_only: bool) -> None:
        """Takes the pods away by force, their owners first, so that nothing comes back.

        With fake nodes that go as well, their own way down takes the pods, and quicker.
        """
        for kind in ("deployments", "replicasets"):
            await each([f"{_APPS}/{one}/{kind}" for one in self.storming], self._api.delete)
        for place in () if owners_only else self._names:
            while await self._api.items(f"{_PLACES}/{place}/pods"):
                await self._api.delete(f"{_PLACES}/{place}/pods")

    async def remove_namespaces(self) -> None:
        """Takes the namespaces away with all that is left in them."""
        await each([f"{_PLACES}/{one}" for one in self._names], self._api.delete)

        async def gone() -> bool:
            left = await self._api.items(_PLACES, labelSelector=f"{LABEL}=storm")
            return not {one["metadata"]["name"] for one in left} & set(self._names)

        await _until(gone, what="the namespaces to go")

    async def _all_run(self) -> bool:
        for place in self._standing:
            waiting = await self._api.items(
                f"{_PLACES}/{place}/pods", fieldSelector="status.phase!=Running"
            )
            if waiting:
                return False
        return True

    async def _all_ready(self) -> bool:
        ready = 0
        for place in self.storming:
            found = await self._api.request("GET", f"{_APPS}/{place}/deployments")
            ready += sum(one["status"].get("readyReplicas", 0) for one in found["items"])
        return ready == self.size.failing

    async def _storm_pods(self, place: str) -> list[str]:
        path = f"{_PLACES}/{place}/pods"
        found = await self._api.items(path, labelSelector=FAILURE)
        return [f"{path}/{pod['metadata']['name']}" for pod in found]


_PLACES = "/api/v1/namespaces"
_APPS = "/apis/apps/v1/namespaces"


@asynccontextmanager
async def own_place(api: Api, *, size: Size) -> AsyncIterator[Place]:
    """Namespaces of this run, gone afterwards whatever happened."""
    place = Place(api, prefix=f"kausa-storm-{time.time_ns() % 10**8:08d}", size=size)
    try:
        await place.make_namespaces()
        yield place
    finally:
        await place.remove_namespaces()


async def _until(done: Callable[[], Awaitable[bool]], *, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not await _held(done):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE_SECONDS:g} s in vain for {what}")
        await asyncio.sleep(1.0)


async def _held(done: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await done()
    except ApiError as error:
        # A cache that is being filled says so.
        if error.status in (429, 500, 503):
            return False
        raise


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
