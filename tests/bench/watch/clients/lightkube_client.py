"""The watch of lightkube's asyncio client, reading one field of each change."""

from __future__ import annotations

import asyncio

from bench.watch.measure import Measured, Meter, run_client
from lightkube import AsyncClient, KubeConfig
from lightkube.config.models import Cluster, User
from lightkube.resources.core_v1 import Event, Pod


async def _read_pods(client: AsyncClient, meter: Meter) -> None:
    async for _, pod in client.watch(Pod, namespace="*"):
        # Decoded when it is asked for.
        _ = pod.status.phase if pod.status is not None else None
        meter.count()


async def _read_events(client: AsyncClient, meter: Meter) -> None:
    async for _, event in client.watch(Event, namespace="*"):
        _ = event.reason
        meter.count()


async def work(meter: Meter) -> Measured:
    """Watch until everything has come."""
    where = KubeConfig.from_one(cluster=Cluster(server=meter.task.server), user=User())
    client = AsyncClient(where)
    read = _read_pods if meter.task.kind == "pods" else _read_events
    reading = asyncio.create_task(read(client, meter))
    await meter.complete(reading)
    reading.cancel()
    return meter.measured()


if __name__ == "__main__":
    run_client(work)
