"""The operator put together: what is built from what, and what runs while it leads."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kausa.cluster.client import KubernetesClient
from kausa.cluster.credentials import Credentials
from kausa.cluster.objects import Event, Pod
from kausa.cluster.owners import OwnerResolver
from kausa.cluster.paths import EVENTS, PODS, ResourcePath
from kausa.cluster.reader import LiveCluster
from kausa.cluster.shared_reader import SharedReader
from kausa.cluster.watch import Watcher
from kausa.cluster.workloads import NAMESPACES, WORKLOADS, Namespace, Workload
from kausa.controller.asking import Asking
from kausa.controller.found import Found, merge
from kausa.controller.inspection import show_embedder, show_memory_parts, show_state
from kausa.controller.judge import Judge
from kausa.controller.kopf_host import KopfHost, RunbookHandlers
from kausa.controller.looks import Looks
from kausa.controller.memory_parts import MemoryParts, memory_parts
from kausa.controller.mending import Mender
from kausa.controller.model_parts import ModelParts, model_parts
from kausa.controller.observed import Observed
from kausa.controller.reconcile import Reconciler, Telemetry
from kausa.controller.recorder import Recorder
from kausa.controller.recovery import Recovery
from kausa.controller.remembering import Remembering
from kausa.controller.runbook_store import RunbookStore
from kausa.controller.runbooks import RunbookIndexer
from kausa.controller.scope import Scope
from kausa.controller.services import ServiceSweep
from kausa.controller.sighting_writer import SightingWriter
from kausa.controller.sightings import Sightings
from kausa.controller.store import FailureDiagnosisStore, parse_body
from kausa.controller.streams import Streams
from kausa.controller.subjects import SubjectFinder
from kausa.controller.worker import Worker
from kausa.controller.workqueue import WorkQueue
from kausa.diagnosis.model.models import Models
from kausa.diagnosis.remediation.dry_run import DryRuns
from kausa.evidence.gather import Gatherer
from kausa.evidence.redaction import Redactor
from kausa.learning.rollout_kinds import ROLLING_KINDS
from kausa.memory.metrics import MemoryMetrics
from kausa.memory.service import FailureMemory
from kausa.resources.diagnosis import DecidedBy
from kausa.settings import Settings
from kausa.telemetry.debugging import Debugging
from kausa.telemetry.metrics import Metrics
from kausa.telemetry.tracing import NO_TRACING, Tracer

__all__ = ["Helpers", "Operator", "assemble"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Helpers:
    """What an operator works with and does not own."""

    settings: Settings
    credentials: Credentials
    client: KubernetesClient
    store: FailureDiagnosisStore
    redactor: Redactor
    memory: FailureMemory | None
    models: Models | None
    metrics: Metrics
    tracer: Tracer = NO_TRACING
    debugging: Debugging = field(default_factory=Debugging)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One life of an operator that leads: its streams, and all that runs beside them."""

    streams: Streams
    work: tuple[Callable[[], Coroutine[Any, Any, None]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """The state that several parts look into."""

    scope: Scope
    sightings: Sightings
    observed: Observed
    queue: WorkQueue[Found]
    owners: OwnerResolver
    looks: Looks


def assemble(helpers: Helpers) -> Operator:
    """Build everything, once in a process: one that ceases to lead ends."""
    settings = helpers.settings
    shared = _Shared(
        scope=Scope(
            include=settings.namespaces_include,
            exclude=settings.namespaces_exclude,
            own_namespace=settings.left_out_namespace,
        ),
        sightings=Sightings(),
        observed=Observed(),
        queue=WorkQueue(size=settings.queue_size, merge=merge),
        owners=OwnerResolver(client=helpers.client, home_namespace=settings.home_namespace),
        looks=Looks(refresh_seconds=settings.refresh_seconds),
    )
    writer = SightingWriter(
        store=helpers.store,
        sightings=shared.sightings,
        redactor=helpers.redactor,
        metrics=helpers.metrics,
        repeat_interval_seconds=settings.repeat_interval_seconds,
    )
    recorder = Recorder(
        store=helpers.store,
        owners=shared.owners,
        sightings=shared.sightings,
        writer=writer,
        metrics=helpers.metrics,
        cluster=settings.cluster_name,
    )
    judge = Judge(
        scope=shared.scope,
        observed=shared.observed,
        sightings=shared.sightings,
        queue=shared.queue,
        metrics=helpers.metrics,
    )
    memory = _memory(helpers, shared)
    streams = _streams(
        helpers, shared, judge=judge, recorder=recorder, writer=writer, memory=memory
    )
    runbooks = RunbookIndexer(
        store=RunbookStore(client=helpers.client),
        memory=helpers.memory,
        redactor=helpers.redactor,
        cluster=settings.cluster_name,
        namespace=settings.namespace,
        size=helpers.memory.passage_size if helpers.memory is not None else None,
        on_changed=memory.recall.cache.clear if memory is not None else lambda: None,
        on_built_in=shared.looks.all_again,
    )
    model = _model(helpers, shared)
    reconciler = _reconciler(helpers, shared, memory=memory, model=model)
    host = _kopf(
        helpers, shared, reconciler=reconciler, streams=streams, memory=memory, runbooks=runbooks
    )
    recovery = Recovery(
        store=helpers.store,
        owners=shared.owners,
        recorder=recorder,
        mender=Mender(reader=LiveCluster(client=helpers.client), redactor=helpers.redactor),
        sightings=shared.sightings,
        looks=shared.looks,
        scope=shared.scope,
        namespace=settings.namespace,
        ready=lambda: streams.synced and len(shared.queue) == 0,
        stabilisation_seconds=settings.stabilisation_seconds,
    )
    if memory is not None:
        recovery.on_resolved = memory.lessons.resolved
        streams.on_workload = memory.rollouts.saw
        streams.on_workload_gone = memory.rollouts.gone
    sweep = ServiceSweep(client=helpers.client, judge=judge, sightings=shared.sightings)
    _observe(helpers.metrics, streams=streams, shared=shared, judge=judge)
    show_state(
        helpers.debugging,
        settings=settings,
        streams=streams,
        judge=judge,
        sightings=shared.sightings,
        observed=shared.observed,
        owners=shared.owners,
        looks=shared.looks,
    )
    if memory is not None and helpers.memory is not None:
        show_memory_parts(helpers.debugging, memory)
        show_embedder(helpers.debugging, helpers.memory, settings)

    async def look_again() -> None:
        await shared.looks.run(reconciler.look_again)

    async def ask_model() -> None:
        if model.consulting is not None:
            await model.consulting.run(ask=reconciler.take_turn, tell=reconciler.tell_waiting)

    work = (streams.run, host.run, look_again, recovery.run, sweep.run, runbooks.run, ask_model)
    return Operator(streams=streams, work=(*work, *(memory.work if memory is not None else ())))


def _memory(helpers: Helpers, shared: _Shared) -> MemoryParts | None:
    if helpers.memory is None:
        return None
    return memory_parts(
        helpers.memory,
        settings=helpers.settings,
        client=helpers.client,
        store=helpers.store,
        owners=shared.owners,
        redactor=helpers.redactor,
        metrics=MemoryMetrics(helpers.metrics.registry),
        watches=shared.scope.watches,
    )


def _model(helpers: Helpers, shared: _Shared) -> ModelParts:
    model = model_parts(
        helpers.models,
        settings=helpers.settings,
        sightings=shared.sightings,
        redact=lambda text: helpers.redactor.text(text).value,
        registry=helpers.metrics.registry,
        tracer=helpers.tracer,
        debugging=helpers.debugging,
    )
    if model.consulting is not None:
        # Whoever says that a failure is over or gone says so there.
        shared.looks.on_forget = model.consulting.forget
    return model


T = TypeVar("T", Pod, Event, Namespace, Workload)


def _streams(
    helpers: Helpers,
    shared: _Shared,
    *,
    judge: Judge,
    recorder: Recorder,
    writer: SightingWriter,
    memory: MemoryParts | None,
) -> Streams:
    settings = helpers.settings

    def watch(path: ResourcePath, kind: type[T], *, field_selector: str = "") -> Watcher[T]:
        return Watcher(
            client=helpers.client,
            resource=path,
            kind=kind,
            namespace=settings.namespace,
            field_selector=field_selector,
            resync_seconds=settings.resync_seconds,
        )

    one_namespace = settings.namespace is not None
    worker = Worker(
        client=helpers.client,
        queue=shared.queue,
        owners=shared.owners,
        judge=judge,
        recorder=recorder,
        sightings=shared.sightings,
        asking=Asking(
            store=helpers.store, redactor=helpers.redactor, cluster=settings.cluster_name
        ),
        looks=shared.looks,
        metrics=helpers.metrics,
    )
    kinds = ROLLING_KINDS if memory is not None else {}
    workloads: Mapping[str, Watcher[Workload]] = {
        path.plural: watch(path, kinds.get(kind, kind))
        for path, kind in WORKLOADS.values()
        if path.namespaced or not one_namespace
    }
    return Streams(
        pods=watch(PODS, Pod, field_selector="status.phase!=Succeeded"),
        events=watch(EVENTS, Event, field_selector="type!=Normal"),
        namespaces=None if one_namespace else watch(NAMESPACES, Namespace),
        workloads=workloads,
        scope=shared.scope,
        judge=judge,
        worker=worker,
        writer=writer,
        sightings=shared.sightings,
        owners=shared.owners,
    )


def _reconciler(
    helpers: Helpers, shared: _Shared, *, memory: MemoryParts | None, model: ModelParts
) -> Reconciler:
    settings = helpers.settings
    reader = SharedReader(reader=LiveCluster(client=helpers.client))
    return Reconciler(
        store=helpers.store,
        looks=shared.looks,
        sightings=shared.sightings,
        subjects=SubjectFinder(
            reader=reader,
            owners=shared.owners,
            sightings=shared.sightings,
            cluster=settings.cluster_name,
        ),
        gatherer=Gatherer(
            reader=reader,
            redactor=helpers.redactor,
            whole_cluster=settings.namespace is None,
            tracer=helpers.tracer,
        ),
        dry_runs=DryRuns(
            client=helpers.client, redact=lambda text: helpers.redactor.text(text).value
        ),
        remembering=Remembering(
            remembrance=memory.remembrance if memory is not None else None,
            sightings=shared.sightings,
            cluster=settings.cluster_name,
        ),
        model=model.help,
        telemetry=Telemetry(metrics=helpers.metrics, tracer=helpers.tracer),
        concurrent=settings.concurrent_diagnoses,
    )


def _kopf(
    helpers: Helpers,
    shared: _Shared,
    *,
    reconciler: Reconciler,
    streams: Streams,
    memory: MemoryParts | None,
    runbooks: RunbookIndexer,
) -> KopfHost:
    async def changed(body: dict[str, Any]) -> None:
        resource = parse_body(body)
        if resource is None:
            return
        if memory is not None:
            memory.lessons.changed(resource)
        await reconciler.reconcile(resource)

    async def deleted(body: dict[str, Any]) -> None:
        meta = body.get("metadata", {})
        reconciler.deleted((meta["namespace"], meta["name"]))
        streams.resource_deleted(namespace=meta["namespace"], name=meta["name"])
        if memory is not None:
            memory.lessons.deleted(body)

    async def readable() -> bool:
        return await RunbookStore(client=helpers.client).readable(
            namespace=helpers.settings.namespace
        )

    return KopfHost(
        credentials=helpers.credentials,
        namespace=helpers.settings.namespace,
        on_change=changed,
        on_delete=deleted,
        runbooks=RunbookHandlers(readable=readable, on_event=runbooks.told),
    )


def _observe(metrics: Metrics, *, streams: Streams, shared: _Shared, judge: Judge) -> None:
    for kind, watcher in streams.watchers.items():
        metrics.observe_watch(kind, watcher)
    metrics.observe_queue(judge)
    metrics.observe_failures(lambda: len(shared.sightings.by_resource))
    metrics.observe_deciders(DecidedBy)
