"""Both registries, with everything having happened once, so that every metric has its labels."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Metric

from kausa.cluster.client import KubernetesClient
from kausa.cluster.credentials import Credentials
from kausa.cluster.objects import Pod
from kausa.cluster.paths import PODS
from kausa.cluster.watch import Watcher
from kausa.diagnosis.model.breaker import CircuitBreaker
from kausa.diagnosis.model.choosing import Role
from kausa.diagnosis.model.metrics import ModelMetrics
from kausa.memory.metrics import MemoryMetrics
from kausa.resources.category import Category
from kausa.resources.diagnosis import DecidedBy
from kausa.telemetry.metrics import Metrics
from kausa_embedder.caching import Statistics
from kausa_embedder.options import EngineInfo
from kausa_embedder.service.metrics import Metrics as WorkerMetrics

__all__ = ["every_family", "operator_metrics", "pods_watcher", "samples_of", "worker_metrics"]


class _Queue:
    dropped = 2

    def __len__(self) -> int:
        return 3


def pods_watcher() -> Watcher[Pod]:
    """A stream that was never read."""
    client = KubernetesClient(Credentials(server="http://127.0.0.1:9"))
    return Watcher(client=client, resource=PODS, kind=Pod)


def operator_metrics() -> Metrics:
    """What an operator shows that leads, with a memory and a model."""
    metrics = Metrics()
    metrics.observe_watch("pods", pods_watcher())
    metrics.observe_queue(_Queue())
    metrics.observe_failures(lambda: 5)
    metrics.observe_deciders(DecidedBy)
    metrics.symptom_seen(Category.OOM_KILLED)
    metrics.work_retried()
    metrics.failure_opened(seconds=0.3)
    metrics.failure_resolved()
    metrics.failure_relapsed()
    metrics.sighting_written()
    metrics.diagnosed(DecidedBy.RULES, seconds=0.2)
    metrics.leads(True)
    metrics.loop_lagged(0.004)
    of_memory = MemoryMetrics(metrics.registry)
    of_memory.fails("StoreUnavailable")
    of_memory.dropped("full")
    of_memory.synced("complete")
    of_memory.observe_losses(trimmed=lambda: 3, truncated=lambda: 2)
    of_model = ModelMetrics(metrics.registry)
    of_model.observe_circuit(Role.SIMPLE, CircuitBreaker())
    of_model.observe_budget(lambda: 1000.0)
    of_model.observe_queue(waiting=lambda: 2, asking=lambda: 1, oldest=lambda: 60.0)
    of_model.available(True)
    of_model.asked(Role.SIMPLE, "answered")
    of_model.spent(Role.SIMPLE, prompt=10, output=5)
    of_model.answered(Role.SIMPLE, seconds=3.0)
    of_model.left_queue("full")
    of_model.waited(seconds=4.0)
    return metrics


def worker_metrics() -> WorkerMetrics:
    """What an embedding worker shows."""
    metrics = WorkerMetrics()
    known = Statistics(hits=1, misses=2, entries=2, used_bytes=1000)
    metrics.observe_queue(lambda: 7)
    metrics.observe_caches(lambda: (known, known))
    metrics.observe_requests(lambda: 1)
    metrics.observe_readiness(lambda: True)
    metrics.runs(
        EngineInfo(
            model="offline",
            dimensions=384,
            max_tokens=256,
            provider="CPUExecutionProvider",
            backend="onnx",
            reranker="",
            licence="Apache-2.0",
            threads=1,
            batch_tokens=512,
            batch_texts=64,
            queue_tokens=1024,
            max_texts=8,
        )
    )
    metrics.answered(route="/v1/embeddings", code=200, seconds=0.1)
    metrics.rejected(reason="overloaded")
    metrics.streamed()
    return metrics


def every_family() -> dict[str, Metric]:
    """All metrics of both that are ours, by the name that documents and queries use."""
    registries: tuple[CollectorRegistry, ...] = (
        operator_metrics().registry,
        worker_metrics().registry,
    )
    return {
        family.name + ("_total" if family.type == "counter" else ""): family
        for registry in registries
        for family in registry.collect()
        if not family.name.startswith("process_")
    }


def samples_of(name: str, family: Metric) -> set[str]:
    """Under which names a query finds a metric."""
    if family.type == "histogram":
        return {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
    return {name}
