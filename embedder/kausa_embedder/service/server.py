"""The worker as a process: it listens, loads, serves, and ends without cutting anybody off.

It listens before the model is loaded, so that a probe can tell a worker that loads from one that
hangs. A model that cannot be loaded ends the process, with what is wrong as its last line. On
SIGTERM it says that it is not ready, still serves until that is known, then finishes what it has;
a second signal ends it at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

from aiohttp import web

from kausa_embedder.engine import Engine
from kausa_embedder.errors import EmbedderError
from kausa_embedder.loading import load
from kausa_embedder.service.app import make_application, make_runner
from kausa_embedder.service.contract import EngineLike
from kausa_embedder.service.fetching_log import FetchingLog
from kausa_embedder.service.lifecycle import Lifecycle
from kausa_embedder.service.logs import log_event
from kausa_embedder.service.metrics import Metrics
from kausa_embedder.service.tls import Certificate
from kausa_embedder.settings import InvalidSettingsError, Settings

__all__ = ["StoppedWhileLoadingError", "run", "serve"]

BACKLOG = 1024
_log = logging.getLogger(__name__)


class StoppedWhileLoadingError(Exception):
    """A signal came while the model was being loaded, which nothing can interrupt."""


async def serve(
    settings: Settings,
    *,
    make_engine: Callable[[Settings, Metrics], EngineLike] | None = None,
    stops: asyncio.Queue[str] | None = None,
) -> None:
    """Serve until told to stop; then drain and return.

    `stops` brings the signals, which are SIGTERM and SIGINT unless another queue is given.

    Raises:
        InvalidSettingsError: the token, the certificate or the address cannot be used.
        EmbedderError: the model cannot be loaded.
        StoppedWhileLoadingError: told to stop before that was done; a thread still loads.
    """
    metrics = Metrics()
    engine = (make_engine or _engine)(settings, metrics)
    lifecycle = Lifecycle(
        engine=engine, max_requests=settings.max_requests, max_bytes=settings.max_bytes
    )
    application = make_application(
        engine=engine,
        lifecycle=lifecycle,
        metrics=metrics,
        settings=settings,
        token=settings.bearer_token(),
    )
    runner = make_runner(application)
    stops = stops if stops is not None else _signals()
    try:
        async with _listening(runner, settings):
            await _start(engine, stops)
            lifecycle.serve()
            metrics.runs(engine.info)
            _log_ready(engine)
            why = await stops.get()
            await _drain(runner, engine, lifecycle, settings, stops=stops, why=why)
    except StoppedWhileLoadingError:
        await runner.cleanup()
        raise
    except BaseException:
        await runner.cleanup()
        await engine.close()
        raise
    await runner.cleanup()
    await engine.close()
    log_event(_log, logging.INFO, "Worker ended")


def _engine(settings: Settings, metrics: Metrics) -> EngineLike:
    return Engine(
        settings.engine_options(),
        load=partial(load, report=FetchingLog().report),
        observer=metrics,
    )


@asynccontextmanager
async def _listening(runner: web.AppRunner, settings: Settings) -> AsyncIterator[None]:
    certificate = None
    if settings.tls_cert_file is not None and settings.tls_key_file is not None:
        certificate = Certificate(cert_file=settings.tls_cert_file, key_file=settings.tls_key_file)
    await runner.setup()
    site = web.TCPSite(
        runner,
        settings.host,
        settings.port,
        ssl_context=certificate.context if certificate else None,
        backlog=BACKLOG,
    )
    try:
        await site.start()
    except OSError as error:
        known = isinstance(error.errno, int) and error.errno > 0
        why = os.strerror(error.errno) if known and error.errno is not None else str(error)
        raise InvalidSettingsError(
            f"The worker cannot listen on {settings.host} port {settings.port} ({why}), nothing "
            "was started. Set KAUSA_EMBEDDER_PORT to a port that is free, or KAUSA_EMBEDDER_HOST "
            "to an address of this machine."
        ) from error
    log_event(
        _log,
        logging.INFO,
        "Listening",
        host=settings.host,
        port=runner.addresses[0][1],
        tls=certificate is not None,
    )
    fresh = asyncio.create_task(certificate.keep_fresh()) if certificate else None
    try:
        yield
    finally:
        if fresh is not None:
            fresh.cancel()
            await asyncio.gather(fresh, return_exceptions=True)


async def _start(engine: EngineLike, stops: asyncio.Queue[str]) -> None:
    """Load the model; raises StoppedWhileLoadingError where a signal comes first."""
    starting = asyncio.create_task(engine.start())
    stopping = asyncio.create_task(stops.get())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            raise StoppedWhileLoadingError
        starting.result()
        if stopping.done():
            stops.put_nowait(stopping.result())
    finally:
        for task in (starting, stopping):
            task.cancel()
        await asyncio.gather(starting, stopping, return_exceptions=True)


async def _drain(
    runner: web.AppRunner,
    engine: EngineLike,
    lifecycle: Lifecycle,
    settings: Settings,
    *,
    stops: asyncio.Queue[str],
    why: str,
) -> None:
    """Finish what there is; a second signal, or the time, ends it sooner."""
    log_event(_log, logging.INFO, "Draining", why=why, under_way=lifecycle.requests)
    lifecycle.drain()

    async def gently() -> None:
        await asyncio.sleep(settings.drain_notice_seconds)
        for site in list(runner.sites):
            await site.stop()
        lifecycle.stop_taking()
        with suppress(TimeoutError):
            async with asyncio.timeout(settings.drain_seconds):
                await lifecycle.idle()
                await engine.drain()

    draining = asyncio.create_task(gently())
    again = asyncio.create_task(stops.get())
    await asyncio.wait({draining, again}, return_when=asyncio.FIRST_COMPLETED)
    for task in (draining, again):
        task.cancel()
    await asyncio.gather(draining, again, return_exceptions=True)
    if lifecycle.requests:
        log_event(_log, logging.WARNING, "Requests were cut off", under_way=lifecycle.requests)


def _signals() -> asyncio.Queue[str]:
    stops: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stops.put_nowait, number.name)
    return stops


def _log_ready(engine: EngineLike) -> None:
    info = engine.info
    log_event(
        _log,
        logging.INFO,
        "Ready",
        model=info.model,
        dimensions=info.dimensions,
        provider=info.provider,
        reranker=info.reranker,
        threads=info.threads,
        queue_tokens=info.queue_tokens,
    )


def run(settings: Settings) -> int:
    """Serve, and return the process's exit code: 0 stopped, 1 the model, 2 the settings."""
    try:
        asyncio.run(serve(settings))
    except InvalidSettingsError as error:
        log_event(_log, logging.ERROR, "Worker cannot start", why=str(error))
        return 2
    except EmbedderError as error:
        log_event(_log, logging.ERROR, "Model cannot be loaded", why=str(error))
        return 1
    except StoppedWhileLoadingError:
        log_event(_log, logging.INFO, "Worker ended while it was loading")
        logging.shutdown()
        # Nobody has been answered yet, so nothing is lost. To wait for the thread could take longer
        # than the kubelet waits for us.
        os._exit(0)
    return 0
