"""The operator put together: what is built from what, started, and stopped in the right order."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from kausa.cluster.client import KubernetesClient
from kausa.cluster.credentials import Credentials
from kausa.cluster.errors import (
    ApiUnreachableError,
    ForbiddenError,
    OverloadedError,
    UnauthorizedError,
)
from kausa.cluster.objects import Event, Meta, Pod
from kausa.cluster.owners import OwnerResolver
from kausa.cluster.paths import EVENTS, PODS
from kausa.cluster.reader import LiveCluster
from kausa.cluster.watch import Watcher
from kausa.controller.asking import Asking
from kausa.controller.errors import AccessRefusedError, MissingResourceDefinitionsError
from kausa.controller.kopf_host import KopfHost
from kausa.controller.reconcile import Reconciler
from kausa.controller.recorder import Recorder
from kausa.controller.store import FailureDiagnosisStore, parse_body
from kausa.controller.streams import Streams
from kausa.controller.subjects import SubjectFinder
from kausa.diagnosis.consultation import Consultant
from kausa.diagnosis.model.ollama import OllamaModel
from kausa.diagnosis.recollection import Remembrance
from kausa.evidence.gather import Gatherer
from kausa.evidence.redaction import Redactor
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
        redactor = Redactor(key=await _redaction_key(client))
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
        queue_size=settings.queue_size,
    )
    reader = LiveCluster(client=client)
    reconciler = Reconciler(
        store=store,
        subjects=SubjectFinder(
            reader=reader,
            owners=owners,
            sightings=recorder.sightings,
            cluster=settings.cluster_name,
        ),
        sightings=recorder.sightings,
        gatherer=Gatherer(reader=reader, redactor=redactor),
        remembrance=Remembrance(memory=memory) if memory is not None else None,
        consultant=Consultant(
            model=model,
            below_confidence=settings.model_below_confidence,
            timeout_seconds=settings.model_timeout_seconds,
        ),
        cluster=settings.cluster_name,
        concurrent=settings.concurrent_diagnoses,
    )

    async def changed(body: dict[str, Any]) -> None:
        resource = parse_body(body)
        if resource is not None:
            await reconciler.reconcile(resource)

    async def deleted(body: dict[str, Any]) -> None:
        meta = body.get("metadata", {})
        await streams.resource_deleted(namespace=meta["namespace"], name=meta["name"])

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
    await _until_stopped(streams.run(), host.run(), _warm(memory), stop=stop)


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
        except (UnauthorizedError, ForbiddenError) as error:
            raise AccessRefusedError(
                server=server, origin=credentials.origin, why=str(error)
            ) from error
        except (ApiUnreachableError, OverloadedError) as error:
            trouble.happened(error, server=server)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=1.0)


class _Namespace(msgspec.Struct):
    metadata: Meta


async def _redaction_key(client: KubernetesClient) -> bytes:
    """The same for the life of a cluster and known to nobody outside of it: placeholders of one
    secret are equal before and after a restart, and cannot be guessed from elsewhere.
    """
    try:
        namespace = await client.get("/api/v1/namespaces/kube-system", kind=_Namespace)
    except ForbiddenError as error:
        _logger.warning("Redaction placeholders will change with every restart", why=str(error))
        return secrets.token_bytes(32)
    return hashlib.blake2b(namespace.metadata.uid.encode(), digest_size=32).digest()


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
