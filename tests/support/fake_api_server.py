"""FakeApiServer: a scripted HTTP server that answers like an API server having a bad day.

Only to inject faults that a real one cannot be made to show at will. Everything else is tested
against a real API server.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Self

from aiohttp import web

from kausa.cluster.credentials import Credentials

__all__ = ["FakeApiServer", "line", "listing", "status"]

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def listing(*items: dict[str, Any], version: str = "1", more: str = "") -> dict[str, Any]:
    """One page of a list."""
    return {"metadata": {"resourceVersion": version, "continue": more}, "items": list(items)}


def status(code: int, reason: str, message: str = "") -> dict[str, Any]:
    """A metav1.Status."""
    return {"kind": "Status", "code": code, "reason": reason, "message": message}


def line(type_: str, document: dict[str, Any]) -> bytes:
    """One line of a watch."""
    return json.dumps({"type": type_, "object": document}).encode() + b"\n"


class FakeApiServer:
    """Answers requests one after the other from a script; the last answer is repeated."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self._script: list[Answer] = []
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def credentials(self) -> Credentials:
        """How to reach it."""
        return Credentials(server=self.url, origin="a fake")

    def answers(self, document: Any, *, code: int = 200, after: float = 0.0) -> FakeApiServer:
        """Next: this JSON document, `after` some seconds."""

        async def answer(_: web.Request) -> web.StreamResponse:
            await asyncio.sleep(after)
            return web.json_response(document, status=code)

        self._script.append(answer)
        return self

    def answers_by(self, choose: Callable[[web.Request], tuple[Any, int]]) -> FakeApiServer:
        """Next: the JSON document and HTTP status that `choose` has for the request."""

        async def answer(request: web.Request) -> web.StreamResponse:
            document, code = choose(request)
            return web.json_response(document, status=code)

        self._script.append(answer)
        return self

    def streams(self, lines: Iterable[bytes], *, hold: float = 0.0, cut: bool = False) -> None:
        """Next: these bytes as a chunked answer, then silence for `hold` seconds, then the end."""

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            for each in lines:
                await response.write(each)
            await asyncio.sleep(hold)
            if cut and request.transport is not None:
                request.transport.abort()
            return response

        self._script.append(answer)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        answer = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        return await answer(request)
