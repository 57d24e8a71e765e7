"""What the worker says of itself: `/info`, `/v1/models`, the probes, `/metrics`."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from aiohttp import web
from prometheus_client.exposition import choose_encoder

from kausa_embedder.service.contract import EngineLike
from kausa_embedder.service.lifecycle import Lifecycle
from kausa_embedder.service.metrics import Metrics
from kausa_embedder.service.refusals import Refusal, RefusedError
from kausa_embedder.service.wire import to_json
from kausa_embedder.settings import Settings

__all__ = ["About"]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The handlers that take no texts."""

    engine: EngineLike
    lifecycle: Lifecycle
    metrics: Metrics
    settings: Settings

    def add_to(self, application: web.Application) -> None:
        """Under their paths."""
        add = application.router.add_get
        add("/info", self.info)
        add("/v1/models", self.models)
        add("/livez", self.livez)
        add("/readyz", self.readyz)
        add("/metrics", self.expose)

    async def info(self, _: web.Request) -> web.Response:
        """What runs, and what is taken at a time."""
        self._check_started()
        limits = {
            "max_texts": self.settings.max_texts,
            "max_body_bytes": self.settings.max_body_bytes,
            "max_requests": self.settings.max_requests,
            "stream_texts": self.settings.stream_texts,
            "longest_deadline_seconds": self.settings.longest_deadline_seconds,
        }
        return _json({**asdict(self.engine.info), "limits": limits})

    async def models(self, _: web.Request) -> web.Response:
        """OpenAI's list of models, which has one."""
        self._check_started()
        model = {"id": self.engine.info.model, "object": "model", "owned_by": "kausa"}
        return _json({"object": "list", "data": [model]})

    async def livez(self, _: web.Request) -> web.Response:
        """Fails where only a new process helps."""
        return _probe(self.lifecycle.sick)

    async def readyz(self, _: web.Request) -> web.Response:
        """Fails where no requests should come."""
        return _probe(self.lifecycle.unready)

    async def expose(self, request: web.Request) -> web.Response:
        """The page for Prometheus."""
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(
            body=encode(self.metrics.registry), headers={"Content-Type": content_type}
        )

    def _check_started(self) -> None:
        if self.lifecycle.phase == "starting" or self.lifecycle.sick is not None:
            why = self.lifecycle.unready or ""
            raise RefusedError(
                Refusal(status=503, type="unavailable", message=why, retry_after_seconds=1.0)
            )


def _probe(trouble: str | None) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    if trouble is None:
        return web.Response(text="ok\n", headers=headers)
    return web.Response(text=trouble + "\n", status=503, headers=headers)


def _json(answer: dict[str, object]) -> web.Response:
    return web.Response(body=to_json(answer), content_type="application/json")
