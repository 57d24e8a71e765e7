"""The probes of the kubelet, the page for Prometheus and, where wanted, pages for who looks for a
defect, over plain HTTP.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from kausa.errors import SettingsError
from kausa.telemetry.debugging import Debugging

__all__ = ["ProbeServer"]

SHUTDOWN_SECONDS = 0.5


class ProbeServer:
    """Serves `/livez`, `/readyz` and `/metrics` for as long as it is entered; `/debug/memory` and
    `/debug/models` too, where it is given what answers them.

    `livez` and `readyz` say None where all is well, and otherwise what is not: the answer is 200
    with `ok`, or 503 with that text.

    Raises:
        SettingsError: (when entered) the port cannot be had; the message says which setting to set.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        livez: Callable[[], str | None],
        readyz: Callable[[], str | None],
        registry: CollectorRegistry,
        debugging: Debugging | None = None,
    ) -> None:
        """`port` 0 takes a free one; `port` of the server then says which."""
        self.host = host
        self.port = port
        self._registry = registry
        application = web.Application()
        application.router.add_get("/livez", _probe(livez))
        application.router.add_get("/readyz", _probe(readyz))
        application.router.add_get("/metrics", self._metrics)
        if debugging is not None:
            application.router.add_get("/debug/memory", _page(debugging.memory))
            application.router.add_get("/debug/models", _page(debugging.models))
        self._runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, handle_signals=False
        )

    async def __aenter__(self) -> ProbeServer:
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self.host, self.port).start()
        except OSError as error:
            await self._runner.cleanup()
            # A name that cannot be resolved has a number of its own and no text of the system.
            known = isinstance(error.errno, int) and error.errno > 0
            why = os.strerror(error.errno) if known and error.errno is not None else str(error)
            raise SettingsError(
                f"Probes and metrics cannot be served on {self.host} port {self.port} ({why}), "
                "nothing was started. Set KAUSA_PROBE_PORT to a port that is free, or "
                "KAUSA_PROBE_HOST to an address of this machine."
            ) from error
        except OverflowError as error:
            await self._runner.cleanup()
            raise SettingsError(
                f"KAUSA_PROBE_PORT: {self.port} is not a port; nothing was started."
            ) from error
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._registry), headers={"Content-Type": content_type})


def _probe(
    ask: Callable[[], str | None],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.StreamResponse:
        trouble = ask()
        headers = {"Cache-Control": "no-store"}
        if trouble is None:
            return web.Response(text="ok\n", headers=headers)
        return web.Response(text=trouble + "\n", status=503, headers=headers)

    return answer


def _page(
    ask: Callable[[], Awaitable[dict[str, object]]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.StreamResponse:
        text = json.dumps(await ask(), indent=2) + "\n"
        return web.Response(
            text=text, content_type="application/json", headers={"Cache-Control": "no-store"}
        )

    return answer
