"""Kopf's `on.event` as its documentation has it, with a handler that does nothing.

No field of its settings that costs or saves time is changed; only what would look for namespaces
and definitions that the server of this benchmark does not have.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import kopf
from bench.watch.measure import Measured, Meter, run_client


async def work(meter: Meter) -> Measured:
    """Run Kopf until everything has come."""
    logging.basicConfig(level=logging.WARNING)
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    def login(**_: Any) -> kopf.ConnectionInfo:
        return kopf.ConnectionInfo(server=meter.task.server)

    @kopf.on.event("", "v1", meter.task.kind, registry=registry)
    async def changed(**_: Any) -> None:
        meter.count()

    settings = kopf.OperatorSettings()
    settings.scanning.disabled = True
    settings.posting.enabled = False
    stop = asyncio.Event()
    operator = asyncio.create_task(
        kopf.operator(
            registry=registry, settings=settings, standalone=True, clusterwide=True, stop_flag=stop
        )
    )
    await meter.complete(operator)
    measured = meter.measured()
    stop.set()
    await operator
    return measured


if __name__ == "__main__":
    run_client(work)
