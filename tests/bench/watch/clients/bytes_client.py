"""The floor: aiohttp reading the same stream and only counting the ends of lines."""

from __future__ import annotations

import asyncio

import aiohttp
from bench.watch.measure import Measured, Meter, run_client


async def _read(session: aiohttp.ClientSession, meter: Meter) -> None:
    url = f"{meter.task.server}/api/v1/{meter.task.kind}"
    async with session.get(url, params={"watch": "true"}) as response:
        async for chunk in response.content.iter_any():
            for _ in range(chunk.count(b"\n")):
                meter.count()


async def work(meter: Meter) -> Measured:
    """Watch until everything has come."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
        reading = asyncio.create_task(_read(session, meter))
        await meter.complete(reading)
        reading.cancel()
        return meter.measured()


if __name__ == "__main__":
    run_client(work)
