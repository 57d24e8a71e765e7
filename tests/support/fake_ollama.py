"""A scripted HTTP server in the place of Ollama, only to inject faults.

What a real server does is tried against a real server; this one does what a real one does only
on a bad day.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

GOOD: dict[str, Any] = {
    "citations": ["E1"],
    "rootCause": "The container api reached its memory limit of 64Mi.",
    "summary": "container api reached its memory limit of 64Mi",
    "explanation": "E1 shows the exit code 137.",
    "category": "OOMKilled",
    "confidence": 90,
    "remediation": [
        {
            "title": "Raise the memory limit",
            "rationale": "It needs more.",
            "command": "kubectl set resources deployment/api --limits=memory=128Mi -n shop",
        }
    ],
}


class FakeOllamaServer:
    """Answers `/api/tags` and `/api/chat` as its script says and remembers what was asked."""

    def __init__(self) -> None:
        self.models = ["tiny:latest"]
        self.requests: list[dict[str, Any]] = []
        self.chat: Handler = self.says(GOOD)
        self.tags: Handler = self._tags
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/api/chat", self._chat)
        app.router.add_get("/api/tags", self._list)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def says(self, content: Any, **more: Any) -> Handler:
        text = content if isinstance(content, str) else json.dumps(content)
        body = {
            "model": "tiny",
            "message": {"role": "assistant", "content": text},
            "done": True,
            "done_reason": "stop",
            "prompt_eval_count": 120,
            "eval_count": 60,
            **more,
        }
        return self.raw(json.dumps(body))

    @staticmethod
    def raw(body: str | bytes, *, status: int = 200) -> Handler:
        data = body.encode() if isinstance(body, str) else body

        async def handler(request: web.Request) -> web.StreamResponse:
            return web.Response(body=data, status=status, content_type="application/json")

        return handler

    @staticmethod
    def slow(seconds: float) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            await asyncio.sleep(seconds)
            return web.Response(text="{}")

        return handler

    @staticmethod
    def cut() -> Handler:
        """Promise a long body and hang up in the middle of it."""

        async def handler(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b'{"model": "tiny", "mess')
            assert request.transport is not None
            request.transport.close()
            return response

        return handler

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(await request.json())
        return await self.chat(request)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        return await self.tags(request)

    async def _tags(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"models": [{"model": model} for model in self.models]})
