"""The application: which handlers there are, and what is around them."""

from __future__ import annotations

from aiohttp import web
from pydantic import SecretStr

from kausa_embedder.service.about import About
from kausa_embedder.service.contract import EngineLike
from kausa_embedder.service.debugging import Debugging
from kausa_embedder.service.lifecycle import Lifecycle
from kausa_embedder.service.metrics import Metrics
from kausa_embedder.service.middleware import admit, authorize, observe, spread
from kausa_embedder.service.routes import Routes
from kausa_embedder.service.streaming import Streaming
from kausa_embedder.settings import Settings

__all__ = ["make_application", "make_runner"]

KEEPALIVE_SECONDS = 75.0
"""Longer than clients keep idle connections, so that it is them who close first."""
LINGERING_SECONDS = 2.0
"""How long the rest of a refused body is read, so that the refusal is read, too."""


def make_application(
    *,
    engine: EngineLike,
    lifecycle: Lifecycle,
    metrics: Metrics,
    settings: Settings,
    token: SecretStr | None = None,
) -> web.Application:
    """All routes of the worker."""
    metrics.observe_queue(lambda: engine.queued_tokens)
    metrics.observe_caches(lambda: engine.cached)
    metrics.observe_requests(lambda: lifecycle.requests)
    metrics.observe_readiness(lambda: lifecycle.unready is None)
    application = web.Application(
        client_max_size=settings.max_body_bytes,
        middlewares=[
            spread(after_seconds=settings.connection_seconds),
            observe(metrics),
            authorize(token),
            admit(lifecycle, max_body_bytes=settings.max_body_bytes),
        ],
    )
    About(engine=engine, lifecycle=lifecycle, metrics=metrics, settings=settings).add_to(
        application
    )
    if settings.debug_endpoints:
        Debugging(engine=engine, lifecycle=lifecycle, settings=settings).add_to(application)
    Routes(engine=engine, settings=settings).add_to(application)
    Streaming(
        engine=engine,
        lifecycle=lifecycle,
        metrics=metrics,
        most_texts=settings.stream_texts,
        most_bytes=settings.max_body_bytes,
        idle_seconds=settings.stream_idle_seconds,
    ).add_to(application)
    return application


def make_runner(application: web.Application) -> web.AppRunner:
    """A runner under which a caller who leaves cancels its handler."""
    return web.AppRunner(
        application,
        access_log=None,
        handle_signals=False,
        handler_cancellation=True,
        keepalive_timeout=KEEPALIVE_SECONDS,
        lingering_time=LINGERING_SECONDS,
        shutdown_timeout=0.1,  # whoever may still go on was waited for before
    )
