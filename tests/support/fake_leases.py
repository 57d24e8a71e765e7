"""FakeLeases: an API server with one namespace of Leases, versions and conflicts, and bad days."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from support.fake_api_server import FakeApiServer, status

__all__ = ["FakeLeases"]


class FakeLeases(FakeApiServer):
    """Keeps Leases as the API server does: who writes from an old version is refused."""

    def __init__(self) -> None:
        super().__init__()
        self.leases: dict[str, dict[str, Any]] = {}
        self.refuses: dict[str, int] = {}
        """HTTP statuses by method, instead of an answer."""
        self.hangs: set[str] = set()
        """Identities whose writes are kept without an answer."""
        self._versions = 0

    @property
    def holder(self) -> str:
        """Who holds the Lease `kausa`."""
        return str(self.leases.get("kausa", {}).get("spec", {}).get("holderIdentity", ""))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        if request.method in self.refuses:
            code = self.refuses[request.method]
            return web.json_response(status(code, "Refused", "leases is refused"), status=code)
        document = await request.json() if request.can_read_body else {}
        answer = self._handle(request, document)
        if document.get("spec", {}).get("holderIdentity") in self.hangs:
            await asyncio.sleep(30)
        return answer

    def _handle(self, request: web.Request, document: dict[str, Any]) -> web.Response:
        base = "/apis/coordination.k8s.io/v1/namespaces/ops/leases"
        assert request.path.startswith(base)
        if request.method == "POST":
            if document["metadata"]["name"] in self.leases:
                return web.json_response(status(409, "AlreadyExists"), status=409)
            return self._keep(document)
        name = request.path.removeprefix(base + "/")
        known = self.leases.get(name)
        if known is None:
            return web.json_response(status(404, "NotFound"), status=404)
        if request.method == "PUT":
            version = known["metadata"]["resourceVersion"]
            if document["metadata"]["resourceVersion"] != version:
                return web.json_response(status(409, "Conflict"), status=409)
            return self._keep(document)
        return web.json_response(known)

    def _keep(self, document: dict[str, Any]) -> web.Response:
        self._versions += 1
        document["metadata"]["resourceVersion"] = str(self._versions)
        self.leases[document["metadata"]["name"]] = document
        return web.json_response(document)
