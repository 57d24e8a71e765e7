"""A stand-in for a Qdrant server, in tests only: real HTTP, and local mode of qdrant-client behind.

What a client and a server say to each other is real here: connections, TLS, keys, JSON, statuses,
Retry-After, hang-ups. What a server does with it is not: answers come from local mode, which knows
neither strict mode nor payload indexes nor snapshots, so the shim adds these: a filter without an
index and a limit that is too high are refused, indexes are listed, and a snapshot is an archive of
its own. Whether a real server agrees is asked of a real one, where `QDRANT_URL` names it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import warnings
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import ValidationError
from support.qdrant_answers import QdrantAnswers, RefusedError, plain

__all__ = ["Fault", "QdrantShim", "running_shim"]

Answer = Callable[[web.Request], Awaitable[Any]]
_READING_POSTS = re.compile(r"/points(/(scroll|count|query(/\w+)?))?$|/facet$")


@dataclass(slots=True, kw_only=True)
class Fault:
    """What goes wrong with the next requests that fit."""

    path: str = ""
    """A regular expression that is found in `METHOD /path`."""
    times: int = 1
    status: int = 0
    """Answer this instead; 0 for no answer: the connection is closed."""
    body: str = "injected"
    retry_after: str | None = None
    delay: float = 0.0
    """Seconds before anything is done."""
    applied: bool = False
    """Do what is asked, and only then go wrong: the answer is lost, not the request."""


class QdrantShim(QdrantAnswers):
    """One server; `running_shim` starts and stops it."""

    def __init__(
        self,
        *,
        version: str = "1.19.2",
        api_key: str | None = None,
        read_only_key: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(version=version)
        self.api_key = api_key
        self.read_only_key = read_only_key
        self.faults: deque[Fault] = deque()
        self.requests: list[str] = []
        """`METHOD /path`, oldest first, also of those that went wrong."""
        self.url = ""
        self._tls = tls
        self._port = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen; at the port of before, if it was there before."""
        app = web.Application(middlewares=[self._middleware], client_max_size=64 * 1024 * 1024)
        for method, path, handler in self._routes():
            app.router.add_route(method, path, self._answering(handler))
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=self._tls)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Be away: what was written stays for `start`."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def calls(self, pattern: str) -> int:
        """How many requests fit a regular expression."""
        return sum(re.search(pattern, each) is not None for each in self.requests)

    # -- HTTP --------------------------------------------------------------------------------------

    def _routes(self) -> Iterable[tuple[str, str, Answer]]:
        one = "/collections/{name}"
        return (
            ("GET", "/collections", self.collections),
            ("GET", "/aliases", self.aliases),
            ("POST", "/collections/aliases", self.change_aliases),
            ("GET", one, self.info),
            ("PUT", one, self.create),
            ("PATCH", one, self.update),
            ("DELETE", one, self.delete),
            ("PUT", f"{one}/index", self.index),
            ("PUT", f"{one}/points", self.upsert),
            ("POST", f"{one}/points", self.retrieve),
            ("POST", f"{one}/points/scroll", self.scroll),
            ("POST", f"{one}/points/count", self.count),
            ("POST", f"{one}/points/query/batch", self.query),
            ("POST", f"{one}/points/payload", self.set_payload),
            ("POST", f"{one}/points/delete", self.delete_points),
            ("POST", f"{one}/facet", self.facet),
            ("POST", f"{one}/snapshots", self.make_snapshot),
            ("POST", f"{one}/snapshots/upload", self.upload_snapshot),
            ("GET", f"{one}/snapshots/{{snapshot}}", self.snapshot),
            ("DELETE", f"{one}/snapshots/{{snapshot}}", self.delete_snapshot),
            ("GET", "/", self.root),
        )

    @web.middleware
    async def _middleware(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        line = f"{request.method} {request.path}"
        self.requests.append(line)
        fault = self._fault(line)
        if fault is not None:
            await asyncio.sleep(fault.delay)
            if fault.applied:
                await handler(request)
            if fault.status:
                headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
                return _error(fault.status, fault.body, headers=headers)
            if fault.applied or not fault.delay:
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
        refusal = self._unauthorized(request)
        return refusal if refusal is not None else await handler(request)

    def _fault(self, line: str) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and re.search(fault.path, line):
                fault.times -= 1
                return fault
        return None

    def _unauthorized(self, request: web.Request) -> web.Response | None:
        if self.api_key is None:
            return None
        given = request.headers.get("api-key")
        if given == self.api_key:
            return None
        if given is None:
            return web.Response(status=401, text="Must provide an API key or a bearer token")
        if self.read_only_key is None or given != self.read_only_key:
            return web.Response(status=401, text="Invalid API key or JWT")
        reads = request.method == "GET" or (
            request.method == "POST" and _READING_POSTS.search(request.path)
        )
        return None if reads else _error(403, "Forbidden: Global manage access is required")

    def _answering(self, handler: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                result = await handler(request)
            except RefusedError as error:
                return _error(error.status, str(error))
            except (ValueError, KeyError, ValidationError) as error:
                return _error(_status(str(error)), f"Wrong input: {error}")
            except Exception as error:
                # Not 500, which a client asks again for: this is a mistake of the shim.
                return _error(418, f"The shim is broken: {error!r}")
            if isinstance(result, web.StreamResponse):
                return result
            body = {"result": plain(result), "status": "ok", "time": 0.001}
            return web.json_response(body)

        return answer

    # -- collections


@contextlib.asynccontextmanager
async def running_shim(**how: Any) -> AsyncIterator[QdrantShim]:
    """A server that is there, and gone afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        shim = QdrantShim(**how)
        await shim.start()
        try:
            yield shim
        finally:
            await shim.stop()
            await shim.client.close()


def _status(words: str) -> int:
    if "not found" in words:
        return 404
    return 409 if "already exists" in words else 400


def _error(status: int, words: str, *, headers: dict[str, str] | None = None) -> web.Response:
    body = {"status": {"error": words}, "time": 0.0}
    return web.json_response(body, status=status, headers=headers)
