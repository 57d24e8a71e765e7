"""The storm itself: build up, start the operator, let all fail, count, and clear away."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from bench.storm.api import connect
from bench.storm.bystander import Bystander, bystander
from bench.storm.metrics import DROPPED, lag_seconds, total
from bench.storm.operator import MeasuredOperator
from bench.storm.outcome import Outcome
from bench.storm.place import NODES, Place, Size, own_place
from bench.storm.usage import Usage
from bench.storm.watching import Seen, watched
from support.cluster import cluster_tool
from support.operator_process import OperatorProcess

__all__ = ["storm"]

SYNC_SECONDS = 180.0
# kwok has to be built the first time.
BUILD_SECONDS = 900.0
REMOVE_SECONDS = 300.0
# A storm that has not come to its end by then never will.
STORM_SECONDS = 120.0
SETTLED_SECONDS = 3.0
# Of one core, while nothing happens: heartbeats and probes.
SETTLED_SHARE = 0.1
CONTROLLERS = ("kube-controller-manager", "kube-scheduler")
Tell = Callable[[str], None]


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


@asynccontextmanager
async def storm(
    *,
    kubeconfig: str,
    folder: Path,
    size: Size,
    quiet_seconds: float,
    keep_controllers: bool = True,
    tell: Tell = _tell,
) -> AsyncIterator[Outcome]:
    """One storm, and what it was like; what was built for it is gone when the context ends.

    `quiet_seconds` is how long after the storm nothing more may come. Without `keep_controllers`
    the cluster's own controllers stand still while the pods fail.
    """
    setup: list[tuple[str, float]] = []

    @contextmanager
    def timed(what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        setup.append((what, time.monotonic() - began))
        tell(f"{what}: {setup[-1][1]:.1f} s")

    async with connect(kubeconfig) as api, own_place(api, size=size) as place, _fake_nodes(place):
        with timed(f"{size.pods} pods stand after"):
            await place.stand()
        with timed(f"{size.deployments} Deployments stand after"):
            await place.deploy()
        operator = MeasuredOperator(kubeconfig=kubeconfig, folder=folder)
        try:
            operator.launch()
            with timed("the operator has synced after"):
                at_rest = await _synced(operator)
            async with watched(api, prefix=place.prefix) as seen, bystander() as beside:
                outcome = await _measure(
                    operator,
                    place,
                    seen,
                    beside,
                    setup=setup,
                    quiet_seconds=quiet_seconds,
                    keep_controllers=keep_controllers,
                    at_rest=at_rest,
                )
        finally:
            if operator.running:
                operator.stop()
        yield outcome
        tell("clearing away")


@asynccontextmanager
async def _fake_nodes(place: Place) -> AsyncIterator[None]:
    """The nodes of kwok; those that were there before stay, without our pods."""
    there = "kwok" in await asyncio.to_thread(cluster_tool, "status")
    up = ("kwok", "up", "--nodes", str(NODES))
    await asyncio.to_thread(cluster_tool, *up, timeout=BUILD_SECONDS)
    try:
        yield
    finally:
        await place.remove_pods(owners_only=not there)
        if not there:
            await asyncio.to_thread(cluster_tool, "kwok", "down", timeout=REMOVE_SECONDS)


@asynccontextmanager
async def _controllers_away(away: bool) -> AsyncIterator[None]:
    """Stops what writes a Deployment's and its ReplicaSet's status again for each pod that fails.

    That is twice as many writes as the storm itself. On a machine of the size of a real control
    plane they go beside it; on two cores they would make it three times as long.
    """
    if not away:
        yield
        return
    try:
        for name in CONTROLLERS:
            await asyncio.to_thread(cluster_tool, "stop", name)
        yield
    finally:
        for name in CONTROLLERS:
            await asyncio.to_thread(cluster_tool, "restart", name)


async def _synced(operator: MeasuredOperator) -> Usage:
    """Waits until it is ready and has nothing more to do; what it has used until then."""
    deadline = time.monotonic() + SYNC_SECONDS
    while time.monotonic() < deadline:
        assert operator.running, operator.log()[-3000:]
        before = operator.usage()
        began = time.monotonic()
        await asyncio.sleep(SETTLED_SECONDS)
        now = operator.usage()
        share = (now.cpu_seconds - before.cpu_seconds) / (time.monotonic() - began)
        if share < SETTLED_SHARE and await operator.is_ready():
            return now
    raise TimeoutError(f"the operator had not synced after {SYNC_SECONDS:g} s")


async def _measure(
    operator: MeasuredOperator,
    place: Place,
    seen: Seen,
    beside: Bystander,
    *,
    setup: Sequence[tuple[str, float]],
    quiet_seconds: float,
    keep_controllers: bool,
    at_rest: Usage,
) -> Outcome:
    size = place.size
    before = await operator.metrics()
    await beside.worst_seconds()
    async with _controllers_away(not keep_controllers):
        await place.begin_storm()
        await _over(operator, seen, size=size)
    within = len(seen.created)
    await asyncio.sleep(quiet_seconds)
    after = await operator.metrics()
    bystander_seconds = await beside.worst_seconds()
    usage = operator.usage()
    moments = seen.failed.values()
    dropped = total(after, DROPPED)
    return Outcome(
        size=size,
        latencies=seen.latencies(),
        failed_pods=len(seen.failed),
        storm_seconds=max(moments) - min(moments) if moments else 0.0,
        resources=len(seen.created),
        resources_late=len(seen.created) - within,
        resources_deleted=len(seen.deleted),
        pods_counted=sum(seen.pod_counts.values()),
        writes=seen.diagnosis_writes.total(),
        pod_changes=seen.pod_changes,
        lag_seconds=lag_seconds(before, after),
        bystander_seconds=bystander_seconds,
        drops=dropped if dropped is None else dropped - (total(before, DROPPED) or 0.0),
        at_rest=at_rest,
        after=usage,
        setup=setup,
    )


async def _over(operator: OperatorProcess, seen: Seen, *, size: Size) -> None:
    """Waits until every pod has failed and every Deployment has its resource."""
    deadline = time.monotonic() + STORM_SECONDS
    while time.monotonic() < deadline:
        assert operator.running, operator.log()[-3000:]
        if len(seen.failed) >= size.failing and len(seen.latencies()) >= size.deployments:
            return
        await asyncio.sleep(0.5)
