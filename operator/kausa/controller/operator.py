"""The operator's life: wait for the API server, wait for its turn, lead, and stop in order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

from kausa import __version__
from kausa.cluster.client import KubernetesClient
from kausa.cluster.credentials import Credentials
from kausa.cluster.errors import (
    ApiUnreachableError,
    ForbiddenError,
    LeadershipLostError,
    OverloadedError,
    UnauthorizedError,
    UntrustedServerError,
)
from kausa.cluster.lease import LeaseElection
from kausa.controller.assembly import Helpers, Operator, assemble
from kausa.controller.errors import AccessRefusedError, MissingResourceDefinitionsError
from kausa.controller.health import Health
from kausa.controller.store import FailureDiagnosisStore
from kausa.diagnosis.model.models import Models
from kausa.diagnosis.model.opening import open_models
from kausa.evidence.redaction import Redactor
from kausa.evidence.redaction_key import load_or_make_key
from kausa.memory.opening import open_memory
from kausa.memory.service import FailureMemory
from kausa.settings import Settings
from kausa.telemetry.debugging import Debugging
from kausa.telemetry.logs import get_logger
from kausa.telemetry.metrics import Metrics, measure_loop_lag
from kausa.telemetry.server import ProbeServer
from kausa.telemetry.tracing import tracing
from kausa.telemetry.trouble import Trouble

__all__ = ["run_operator"]

_logger = get_logger("kausa.controller.operator")


async def run_operator(
    *,
    settings: Settings,
    credentials: Credentials,
    stop: asyncio.Event,
    abandon: Callable[[LeadershipLostError], None],
) -> None:
    """Stand by, then watch, diagnose and publish until `stop` is set.

    `abandon` is called when another operator may lead by now, and is to end the process at once:
    an orderly end would take seconds, and Kopf would write meanwhile.

    Raises:
        MissingResourceDefinitionsError: the cluster does not know our resources.
        AccessRefusedError: the API server refuses these credentials altogether.
        LeaseForbiddenError: the permission for the Lease is missing.
    """
    metrics, health = Metrics(), Health(dead_seconds=settings.stream_dead_seconds)
    debugging = Debugging()
    async with (
        tracing(_collector(settings), about=_about(settings)) as tracer,
        KubernetesClient(credentials) as client,
        _probes(settings, health, metrics, debugging),
    ):
        store = FailureDiagnosisStore(client=client)
        await _until_the_api_answers(store, stop=stop, credentials=credentials)
        if stop.is_set():
            return
        health.api_answered()
        async with _leadership(settings, credentials, metrics=metrics, stop=stop) as election:
            if stop.is_set():
                return
            if election is not None:
                client.fence(lambda: election.is_leader)
            redactor = Redactor(
                key=load_or_make_key(settings.redaction_key_path),
                emails=settings.redact_emails,
                addresses=settings.redact_addresses,
            )
            async with _memory(settings) as memory, _models(settings, redactor) as models:
                helpers = Helpers(
                    settings=settings,
                    credentials=credentials,
                    client=client,
                    store=store,
                    redactor=redactor,
                    memory=memory,
                    models=models,
                    metrics=metrics,
                    tracer=tracer,
                    debugging=debugging,
                )
                await _lead(helpers, election=election, health=health, stop=stop, abandon=abandon)


async def _lead(
    helpers: Helpers,
    *,
    election: LeaseElection | None,
    health: Health,
    stop: asyncio.Event,
    abandon: Callable[[LeadershipLostError], None],
) -> None:
    operator = assemble(helpers)
    health.leads(operator.streams)
    settings = helpers.settings
    _logger.info(
        "Watching",
        server=helpers.credentials.server,
        namespace=settings.namespace or "all",
        memory=helpers.memory is not None,
        model=helpers.models.names.simple if helpers.models is not None else None,
        identity=settings.identity if election is not None else None,
    )
    work = [each() for each in operator.work]
    work.append(measure_loop_lag(helpers.metrics))
    work.append(_settle(operator, started=time.monotonic()))
    async with asyncio.TaskGroup() as around:
        keeping = around.create_task(_keep(election, abandon=abandon))
        await _until_stopped(work, stop=stop)
        # Not before all else has ended: nobody may take over while something still writes.
        keeping.cancel()


async def _keep(
    election: LeaseElection | None, *, abandon: Callable[[LeadershipLostError], None]
) -> None:
    if election is None:
        return
    try:
        await election.keep()
    except LeadershipLostError as error:
        abandon(error)
        raise


async def _settle(operator: Operator, *, started: float) -> None:
    """Once everything is read, what lives for ever is no longer looked through for garbage."""
    while not operator.streams.synced:  # noqa: ASYNC110 - many streams, each with its own end
        await asyncio.sleep(0.05)
    gc.collect()
    gc.freeze()
    _logger.info("Synced", seconds=round(time.monotonic() - started, 2))


async def _until_stopped(work: Sequence[Coroutine[Any, Any, None]], *, stop: asyncio.Event) -> None:
    """Run all of it until told to stop, or until one part fails, which ends the others too."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(each) for each in work]
        await stop.wait()
        _logger.info("Stopping")
        for task in running:
            task.cancel()


@contextlib.asynccontextmanager
async def _leadership(
    settings: Settings, credentials: Credentials, *, metrics: Metrics, stop: asyncio.Event
) -> AsyncIterator[LeaseElection | None]:
    """Wait for the Lease, or for the stop; give it back at the end. Over connections of its own:
    a renewal waits behind nothing.
    """
    if not settings.leader_election:
        metrics.leads(True)
        yield None
        return
    async with KubernetesClient(credentials) as client:
        election = LeaseElection(
            client=client,
            namespace=settings.home_namespace,
            identity=settings.identity,
            lease_seconds=settings.lease_seconds,
        )
        try:
            if await _or_stop(election.acquire, stop=stop):
                metrics.leads(True)
            yield election
        finally:
            metrics.leads(False)
            await election.release()


async def _or_stop(work: Callable[[], Coroutine[Any, Any, None]], *, stop: asyncio.Event) -> bool:
    """Do the work unless the stop comes first; whether it was done."""
    doing, stopping = asyncio.create_task(work()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
            return True
        return False
    finally:
        for task in (doing, stopping):
            task.cancel()
        await asyncio.gather(doing, stopping, return_exceptions=True)


@contextlib.asynccontextmanager
async def _probes(
    settings: Settings, health: Health, metrics: Metrics, debugging: Debugging
) -> AsyncIterator[None]:
    if settings.probe_port is None:
        yield
        return
    async with ProbeServer(
        host=settings.probe_host,
        port=settings.probe_port,
        livez=health.livez,
        readyz=health.readyz,
        registry=metrics.registry,
        debugging=debugging if settings.debug_endpoints else None,
    ) as server:
        _logger.info("Serving probes and metrics", port=server.port)
        yield


def _collector(settings: Settings) -> str | None:
    return str(settings.otlp_endpoint) if settings.otlp_endpoint is not None else None


def _about(settings: Settings) -> dict[str, str]:
    """Whose traces they are, in the words of OpenTelemetry's conventions."""
    return {
        "service.name": "kausa",
        "service.version": __version__,
        "service.instance.id": settings.identity,
        "k8s.cluster.name": settings.cluster_name,
    }


async def _until_the_api_answers(
    store: FailureDiagnosisStore, *, stop: asyncio.Event, credentials: Credentials
) -> None:
    """Wait for the API server to be there, and see that it knows our resources."""
    server = credentials.server
    trouble = Trouble(
        _logger, failed="Waiting for the API server", recovered="The API server answers"
    )
    while not stop.is_set():
        try:
            if not await store.installed():
                raise MissingResourceDefinitionsError(server)
            trouble.over(server=server)
            return
        except (UnauthorizedError, ForbiddenError, UntrustedServerError) as error:
            raise AccessRefusedError(
                server=server, origin=credentials.origin, why=str(error)
            ) from error
        except (ApiUnreachableError, OverloadedError) as error:
            trouble.happened(error, server=server)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=1.0)


@contextlib.asynccontextmanager
async def _memory(settings: Settings) -> AsyncIterator[FailureMemory | None]:
    if not settings.memory_enabled:
        yield None
        return
    memory = open_memory(settings)
    try:
        yield memory
    finally:
        await memory.close()


@contextlib.asynccontextmanager
async def _models(settings: Settings, redactor: Redactor) -> AsyncIterator[Models | None]:
    models = open_models(settings, redact=lambda text: redactor.text(text).value)
    try:
        yield models
    finally:
        if models is not None:
            await models.close()
