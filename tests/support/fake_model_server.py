"""A scripted model server, only to inject faults: Ollama's API or OpenAI's, over a real connection.

What a real server does is tried against a real server; this one does what a real one does only on
a bad day.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

from aiohttp import web

__all__ = ["FakeModelServer", "Handler", "Kind"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Kind = Literal["ollama", "openai"]


class FakeModelServer:
    """Answers as its script says, and remembers what was asked.

    `script` holds a handler for each question; the last one answers all that follow.
    """

    def __init__(self, kind: Kind, *, tls: ssl.SSLContext | None = None) -> None:
        self.kind = kind
        self._tls = tls
        self.models = ["tiny:latest"] if kind == "ollama" else ["tiny"]
        self.capabilities = ["completion"]
        self.family = "llama"
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.pulls: list[dict[str, Any]] = []
        self.left_early = asyncio.Event()
        """Set when a client hung up before its answer was over."""
        self.script: list[Handler] = [self.says('{"cause": "memory"}')]
        self.listing: Handler = self._models
        self.showing: Handler = self._shown
        self.pulling: Handler = self.raw("", status=500)
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/api/chat", self._chat)
        app.router.add_post("/api/generate", self._chat)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/api/tags", self._list)
        app.router.add_get("/v1/models", self._list)
        app.router.add_post("/api/show", self._show)
        app.router.add_post("/api/pull", self._pull)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"{'https' if self._tls else 'http'}://{host}:{port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    # -- good days -------------------------------------------------------------------------------

    def says(
        self, text: str, *, thinking: str = "", finish: str = "stop", counted: bool = True
    ) -> Handler:
        """An answer in pieces of three characters."""
        pieces = [self.piece(thinking=thinking)] if thinking else []
        pieces += [self.piece(text=text[at : at + 3]) for at in range(0, len(text), 3)]
        return self.streams([*pieces, *self.end(finish=finish, counted=counted)])

    def piece(self, *, text: str = "", thinking: str = "") -> bytes:
        if self.kind == "ollama":
            message = {"role": "assistant", "content": text, "thinking": thinking}
            # Of a chat the one, of a completion the other two.
            spoken = {"message": message, "response": text, "thinking": thinking}
            return self.line({"model": "tiny", **spoken, "done": False})
        delta = {"content": text, "reasoning_content": thinking}
        return self.line({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})

    def end(self, *, finish: str = "stop", counted: bool = True) -> list[bytes]:
        if self.kind == "ollama":
            last: dict[str, Any] = {
                "model": "tiny",
                "message": {"role": "assistant", "content": ""},
                "response": "",
                "done": True,
                "done_reason": finish,
            }
            counts = {"prompt_eval_count": 120, "eval_count": 60} if counted else {}
            return [self.line(last | counts)]
        lines = [self.line({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})]
        if counted:
            usage = {"prompt_tokens": 120, "completion_tokens": 60}
            lines.append(self.line({"choices": [], "usage": usage}))
        return [*lines, b"data: [DONE]\n\n"]

    def line(self, document: Any) -> bytes:
        text = json.dumps(document).encode()
        return text + b"\n" if self.kind == "ollama" else b"data: " + text + b"\n\n"

    def streams(self, pieces: Sequence[bytes]) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            response = await self._begin(request)
            for piece in pieces:
                await response.write(piece)
            await response.write_eof()
            return response

        return handler

    # -- bad days --------------------------------------------------------------------------------

    @staticmethod
    def raw(
        body: str | bytes,
        *,
        status: int = 200,
        type_: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Handler:
        data = body.encode() if isinstance(body, str) else body

        async def handler(request: web.Request) -> web.StreamResponse:
            fields = {"Content-Type": type_, **(headers or {})}
            return web.Response(body=data, status=status, headers=fields)

        return handler

    def slow(self, seconds: float = 30) -> Handler:
        """Begins to answer, and then says nothing for a long time."""

        async def handler(request: web.Request) -> web.StreamResponse:
            response = await self._begin(request)
            await response.write(self.piece(text="{"))
            try:
                await asyncio.sleep(seconds)
            except asyncio.CancelledError:
                self.left_early.set()
                raise
            return response

        return handler

    def cuts(self, *, pieces: int = 1) -> Handler:
        """Hangs up in the middle of an answer, of which these are heard."""

        async def handler(request: web.Request) -> web.StreamResponse:
            response = await self._begin(request)
            for _ in range(pieces):
                await response.write(self.piece(text="{"))
            assert request.transport is not None
            request.transport.close()
            return response

        return handler

    def ends_without_a_length(self, pieces: Sequence[bytes]) -> Handler:
        """Hangs up after these; only that the connection ends tells that the answer does."""

        async def handler(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            head = (
                b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\n"
            )
            request.transport.write(head + b"".join(pieces))
            request.transport.close()
            return web.Response()

        return handler

    def floods(self, piece: bytes) -> Handler:
        """Never comes to an end."""

        async def handler(request: web.Request) -> web.StreamResponse:
            response = await self._begin(request)
            try:
                while True:
                    await response.write(piece)
            except (ConnectionError, asyncio.CancelledError):
                self.left_early.set()
                raise

        return handler

    @staticmethod
    def zipped(body: bytes) -> Handler:
        """A small answer that unpacks to a large one."""

        async def handler(request: web.Request) -> web.StreamResponse:
            return web.Response(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})

        return handler

    @staticmethod
    def redirects() -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            raise web.HTTPTemporaryRedirect("/elsewhere")

        return handler

    # -- routes ----------------------------------------------------------------------------------

    async def _begin(self, request: web.Request) -> web.StreamResponse:
        kind = "application/x-ndjson" if self.kind == "ollama" else "text/event-stream"
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        return response

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(await request.json())
        self.headers.append(dict(request.headers))
        self.paths.append(request.path)
        handler = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return await handler(request)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        return await self.listing(request)

    async def _models(self, request: web.Request) -> web.StreamResponse:
        if self.kind == "ollama":
            return web.json_response({"models": [{"model": model} for model in self.models]})
        return web.json_response({"object": "list", "data": [{"id": each} for each in self.models]})

    async def _show(self, request: web.Request) -> web.StreamResponse:
        return await self.showing(request)

    async def _shown(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(
            {
                "capabilities": self.capabilities,
                "details": {"family": self.family},
                "model_info": {},
            }
        )

    async def _pull(self, request: web.Request) -> web.StreamResponse:
        self.pulls.append(await request.json())
        return await self.pulling(request)
