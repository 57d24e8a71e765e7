"""The operator put together: what is built from what, started, and stopped in the right order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from kausa.cluster.client import KubernetesClient
from kausa.cluster.credentials import Credentials
from kausa.cluster.errors import (
    ApiUnreachableError,
    ForbiddenError,
    OverloadedError,
    UnauthorizedError,
    UntrustedServerError,
)
from kausa.cluster.objects import Event, Pod
from kausa.cluster.owners import OwnerResolver
from kausa.cluster.paths import EVENTS, PODS
from kausa.cluster.reader import LiveCluster
from kausa.cluster.watch import Watcher
from kausa.controller.asking import Asking
from kausa.controller.errors import AccessRefusedError, MissingResourceDefinitionsError
from kausa.controller.kopf_host import KopfHost
from kausa.controller.looks import Looks
from kausa.controller.reconcile import Reconciler
from kausa.controller.recorder import Recorder
from kausa.controller.remembering import Remembering
from kausa.controller.store import FailureDiagnosisStore, parse_body
from kausa.controller.streams import Streams
from kausa.controller.subjects import SubjectFinder
from kausa.controller.workqueue import WorkQueue
from kausa.diagnosis.consultation import Consultant
from kausa.diagnosis.model.ollama import OllamaModel
from kausa.diagnosis.recollection import Remembrance
from kausa.evidence.gather import Gatherer
from kausa.evidence.redaction import Redactor
from kausa.evidence.redaction_key import load_or_make_key
from kausa.memory.errors import MemoryError_
from kausa.memory.service import FailureMemory, open_embedded_memory
from kausa.settings import Settings
from kausa.telemetry.logs import get_logger
from kausa.telemetry.trouble import Trouble

__all__ = ["run_operator"]

WARM_SECONDS = 30.0
_logger = get_logger("kausa.controller.operator")


async def run_operator(
    *, settings: Settings, credentials: Credentials, stop: asyncio.Event
) -> None:
    """Watch, diagnose and publish until `stop` is set.

    Raises:
        MissingResourceDefinitionsError: the cluster does not know our resources.
        AccessRefusedError: the API server refuses these credentials altogether.
    """
    async with KubernetesClient(credentials) as client:
        store = FailureDiagnosisStore(client=client)
        await _until_the_api_answers(store, stop=stop, credentials=credentials)
        if stop.is_set():
            return
        redactor = Redactor(key=load_or_make_key(settings.redaction_key_path))
        async with _memory(settings) as memory, _model(settings) as model:
            await _serve(
                settings=settings,
                credentials=credentials,
                client=client,
                store=store,
                redactor=redactor,
                memory=memory,
                model=model,
                stop=stop,
            )


async def _serve(
    *,
    settings: Settings,
    credentials: Credentials,
    client: KubernetesClient,
    store: FailureDiagnosisStore,
    redactor: Redactor,
    memory: FailureMemory | None,
    model: OllamaModel | None,
    stop: asyncio.Event,
) -> None:
    owners = OwnerResolver(client=client)
    looks = Looks(refresh_seconds=settings.refresh_seconds)
    recorder = Recorder(
        store=store,
        owners=owners,
        redactor=redactor,
        cluster=settings.cluster_name,
        repeat_interval_seconds=settings.repeat_interval_seconds,
    )
    streams = Streams(
        pods=Watcher(
            client=client,
            resource=PODS,
            kind=Pod,
            namespace=settings.namespace,
            field_selector="status.phase!=Succeeded",
        ),
        events=Watcher(
            client=client,
            resource=EVENTS,
            kind=Event,
            namespace=settings.namespace,
            field_selector="type!=Normal",
        ),
        owners=owners,
        recorder=recorder,
        asking=Asking(store=store, redactor=redactor, cluster=settings.cluster_name),
        looks=looks,
        queue=WorkQueue(size=settings.queue_size),
    )
    reader = LiveCluster(client=client)
    reconciler = Reconciler(
        store=store,
        looks=looks,
        sightings=recorder.sightings,
        subjects=SubjectFinder(
            reader=reader,
            owners=owners,
            sightings=recorder.sightings,
            cluster=settings.cluster_name,
        ),
        gatherer=Gatherer(reader=reader, redactor=redactor),
        remembering=Remembering(
            remembrance=Remembrance(memory=memory) if memory is not None else None,
            sightings=recorder.sightings,
            cluster=settings.cluster_name,
        ),
        consultant=Consultant(
            model=model,
            below_confidence=settings.model_below_confidence,
            timeout_seconds=settings.model_timeout_seconds,
        ),
        concurrent=settings.concurrent_diagnoses,
    )

    async def changed(body: dict[str, Any]) -> None:
        resource = parse_body(body)
        if resource is not None:
            await reconciler.reconcile(resource)

    async def deleted(body: dict[str, Any]) -> None:
        meta = body.get("metadata", {})
        looks.forget((meta["namespace"], meta["name"]))
        streams.resource_deleted(namespace=meta["namespace"], name=meta["name"])

    host = KopfHost(
        credentials=credentials,
        namespace=settings.namespace,
        on_change=changed,
        on_delete=deleted,
    )
    _logger.info(
        "Watching",
        server=credentials.server,
        namespace=settings.namespace or "all",
        memory=memory is not None,
        model=model.name if model is not None else None,
    )
    await _until_stopped(
        streams.run(), host.run(), looks.run(reconciler.look_again), _warm(memory), stop=stop
    )


async def _warm(memory: FailureMemory | None) -> None:
    """Load the model and open the store before the first failure needs them."""
    if memory is None:
        return
    try:
        await memory.start(deadline_seconds=WARM_SECONDS)
    except MemoryError_ as error:
        _logger.warning("Memory is not available, diagnosing without it", why=str(error))


async def _until_stopped(*work: Any, stop: asyncio.Event) -> None:
    """Run all of it until told to stop, or until one part fails, which ends the others too."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(each) for each in work]
        await stop.wait()
        _logger.info("Stopping")
        for task in running:
            task.cancel()


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
    memory = open_embedded_memory(
        folder=settings.memory_path, model_path=settings.embedder_model_path
    )
    try:
        yield memory
    finally:
        await memory.close()


@contextlib.asynccontextmanager
async def _model(settings: Settings) -> AsyncIterator[OllamaModel | None]:
    if settings.model_url is None:
        yield None
        return
    model = OllamaModel(url=str(settings.model_url), name=settings.model_name)
    try:
        yield model
    finally:
        await model.close()
