"""FakeKindServer: a FakeApiServer that serves our kind to Kopf, and runs a KopfHost against it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web
from support.fake_api_server import FakeApiServer, listing

from kausa.controller.kopf_host import KopfHost

__all__ = ["FakeKindServer", "resource", "running", "until"]

RESOURCES = {
    "kind": "APIResourceList",
    "groupVersion": "kausa.dev/v1alpha1",
    "resources": [
        {
            "name": "failurediagnoses",
            "singularName": "failurediagnosis",
            "kind": "FailureDiagnosis",
            "namespaced": True,
            "verbs": ["get", "list", "watch", "patch", "create"],
        },
        {"name": "failurediagnoses/status", "kind": "FailureDiagnosis", "namespaced": True},
    ],
}
# Kopf waits in silence for ever where these two are not served.
CORE = [
    {
        "name": name,
        "singularName": name[:-1],
        "kind": kind,
        "namespaced": name == "events",
        "verbs": ["get", "list", "watch", "create"],
    }
    for name, kind in (("namespaces", "Namespace"), ("events", "Event"))
]
GROUPS = {
    "kind": "APIGroupList",
    "groups": [
        {
            "name": "kausa.dev",
            "versions": [{"groupVersion": "kausa.dev/v1alpha1", "version": "v1alpha1"}],
            "preferredVersion": {"groupVersion": "kausa.dev/v1alpha1", "version": "v1alpha1"},
        }
    ],
}


def resource(name: str = "x") -> dict[str, Any]:
    return {
        "apiVersion": "kausa.dev/v1alpha1",
        "kind": "FailureDiagnosis",
        "metadata": {"name": name, "namespace": "shop", "uid": f"uid-{name}"},
        "spec": {},
    }


class FakeKindServer(FakeApiServer):
    """An API server that knows our kind; each watch is answered by `watching`."""

    def __init__(self) -> None:
        super().__init__()
        self.watches = 0
        self.watch_line: bytes | None = None
        self.items: list[dict[str, Any]] = []

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/apis":
            return web.json_response(GROUPS)
        if request.path in {"/api", "/api/v1"}:
            return web.json_response({"versions": ["v1"], "resources": CORE})
        if request.path == "/apis/kausa.dev/v1alpha1":
            return web.json_response(RESOURCES)
        if "watch" in request.query:
            self.watches += 1
            response = web.StreamResponse()
            await response.prepare(request)
            if self.watch_line is not None:
                await response.write(self.watch_line)
            await asyncio.sleep(30)
            return response
        if request.method == "PATCH":
            return web.json_response(resource())
        return web.json_response(listing(*self.items))


@contextlib.asynccontextmanager
async def running(server: FakeKindServer, error: Exception | None) -> AsyncIterator[list[str]]:
    seen: list[str] = []

    async def changed(body: dict[str, Any]) -> None:
        seen.append(body["metadata"]["name"])
        if error is not None:
            raise error

    async def deleted(body: dict[str, Any]) -> None:
        seen.append("-" + body["metadata"]["name"])

    host = KopfHost(
        credentials=server.credentials, namespace=None, on_change=changed, on_delete=deleted
    )
    task = asyncio.ensure_future(host.run())
    try:
        yield seen
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition: Any) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.02)
