"""The watch of the official client's asyncio side, reading one field of each change."""

from __future__ import annotations

import asyncio

from bench.watch.measure import Measured, Meter, run_client
from kubernetes.aio import client, watch


async def _read(api: client.CoreV1Api, meter: Meter) -> None:
    pods = meter.task.kind == "pods"
    collection = api.list_pod_for_all_namespaces if pods else api.list_event_for_all_namespaces
    async with watch.Watch() as stream:
        async for change in stream.stream(collection):
            found = change["object"]
            _ = found.status.phase if pods else found.reason
            meter.count()


async def work(meter: Meter) -> Measured:
    """Watch until everything has come."""
    configuration = client.Configuration(host=meter.task.server)
    async with client.ApiClient(configuration) as connection:
        reading = asyncio.create_task(_read(client.CoreV1Api(connection), meter))
        await meter.complete(reading)
        reading.cancel()
        return meter.measured()


if __name__ == "__main__":
    run_client(work)
