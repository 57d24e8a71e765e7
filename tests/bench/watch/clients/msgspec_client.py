"""The least that could be done with libraries alone: aiohttp's bytes, cut at the ends of lines, and
msgspec with some twelve typed fields of each. No list, no resuming, no judging.

It is the measure that does not depend on the machine: what a change costs us is told as a multiple
of what it costs here, in the same run.
"""

from __future__ import annotations

import asyncio

import aiohttp
import msgspec
from bench.watch.measure import Measured, Meter, run_client


class _Owner(msgspec.Struct, rename="camel"):
    kind: str
    name: str


class _Meta(msgspec.Struct, rename="camel"):
    name: str
    namespace: str
    uid: str
    resource_version: str
    owner_references: list[_Owner] = []


class _Waiting(msgspec.Struct):
    reason: str = ""
    message: str = ""


class _Terminated(msgspec.Struct, rename="camel"):
    exit_code: int
    reason: str = ""


class _State(msgspec.Struct):
    waiting: _Waiting | None = None
    terminated: _Terminated | None = None


class _Container(msgspec.Struct, rename="camel"):
    name: str
    ready: bool
    restart_count: int
    state: _State | None = None


class _Status(msgspec.Struct, rename="camel"):
    phase: str = ""
    container_statuses: list[_Container] = []


class _Pod(msgspec.Struct):
    metadata: _Meta
    status: _Status


class _About(msgspec.Struct, rename="camel"):
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""


class _Event(msgspec.Struct, rename="camel"):
    metadata: _Meta
    involved_object: _About
    reason: str = ""
    message: str = ""
    type: str = ""
    count: int | None = None


class _PodChange(msgspec.Struct):
    type: str
    object: _Pod


class _EventChange(msgspec.Struct):
    type: str
    object: _Event


async def _read(session: aiohttp.ClientSession, meter: Meter) -> None:
    kind = _PodChange if meter.task.kind == "pods" else _EventChange
    decoder: msgspec.json.Decoder[_PodChange | _EventChange] = msgspec.json.Decoder(kind)
    url = f"{meter.task.server}/api/v1/{meter.task.kind}"
    rest = b""
    async with session.get(url, params={"watch": "true"}) as response:
        async for chunk in response.content.iter_any():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                decoder.decode(line)
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
