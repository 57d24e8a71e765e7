"""Our own watch without a judge: what receiving, cutting out and decoding a change costs."""

from __future__ import annotations

import asyncio

from bench.watch.measure import Measured, Meter, run_client

from kausa.cluster.client import KubernetesClient
from kausa.cluster.credentials import Credentials
from kausa.cluster.objects import Event, Pod
from kausa.cluster.paths import EVENTS, PODS
from kausa.cluster.watch import Watcher


async def _read(watcher: Watcher[Pod] | Watcher[Event], meter: Meter) -> None:
    async for batch in watcher.batches():
        for _ in batch:
            meter.count()


async def work(meter: Meter) -> Measured:
    """Watch until everything has come."""
    async with KubernetesClient(Credentials(server=meter.task.server)) as client:
        watcher: Watcher[Pod] | Watcher[Event]
        if meter.task.kind == "pods":
            watcher = Watcher(client=client, resource=PODS, kind=Pod)
        else:
            watcher = Watcher(client=client, resource=EVENTS, kind=Event)
        reading = asyncio.create_task(_read(watcher, meter))
        await meter.complete(reading)
        reading.cancel()
        return meter.measured()


if __name__ == "__main__":
    run_client(work)
