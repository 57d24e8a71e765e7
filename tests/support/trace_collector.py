"""A collector that speaks OTLP over HTTP, as any would; what it is sent is kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

__all__ = ["TraceCollector", "attributes", "trace_collector"]


def attributes(span: Span) -> dict[str, Any]:
    """What is said of a span."""
    return {
        each.key: getattr(each.value, str(each.value.WhichOneof("value")))
        for each in span.attributes
    }


class TraceCollector:
    """Takes requests; those that come while `hangs` is set wait until it is cleared."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.resource: dict[str, Any] = {}
        self.spans: list[Span] = []
        self.status = 200
        self.refused = 0
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        await self.flowing.wait()
        if self.status != 200:
            self.refused += 1
            return web.Response(status=self.status)
        told = ExportTraceServiceRequest.FromString(body)
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        for group in told.resource_spans:
            self.resource = {
                each.key: each.value.string_value for each in group.resource.attributes
            }
            for scope in group.scope_spans:
                self.spans.extend(scope.spans)
        return web.Response(
            body=ExportTraceServiceResponse().SerializeToString(),
            content_type="application/x-protobuf",
        )

    def named(self, name: str) -> list[Span]:
        """All spans of this name."""
        return [each for each in self.spans if each.name == name]

    async def received(self, count: int, *, seconds: float = 10.0) -> list[Span]:
        """Wait until so many spans have come."""
        deadline = time.monotonic() + seconds
        while len(self.spans) < count:
            assert time.monotonic() < deadline, f"only {len(self.spans)} of {count} spans came"
            await asyncio.sleep(0.01)
        return self.spans


@asynccontextmanager
async def trace_collector() -> AsyncIterator[TraceCollector]:
    """One that listens on this machine."""
    collector = TraceCollector()
    application = web.Application(client_max_size=16 * 1024 * 1024)
    application.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield collector
    finally:
        collector.flowing.set()
        await runner.cleanup()
