"""What Prometheus may ask of the memory; labels come from closed lists alone."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

__all__ = ["MemoryMetrics"]

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)


class MemoryMetrics:
    """What has happened, told where it happens; of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"kausa_memory_{name}", what, labels, registry=registry)

        def gauge(name: str, what: str) -> Gauge:
            return Gauge(f"kausa_memory_{name}", what, registry=registry)

        self._available = gauge("available", "1 while the memory answers, else 0.")
        self._unavailable = counter(
            "unavailable", "Calls that the memory could not answer, by reason.", "reason"
        )
        self._queued = gauge("ingest_queued", "Records that wait to be written.")
        self._written = counter("records_written", "Records written and acknowledged.")
        self._unchanged = counter(
            "records_unchanged", "Records the memory had already, as they are."
        )
        self._dropped = counter(
            "records_dropped", "Records that were not written, by what was in the way.", "why"
        )
        self._retried = counter("ingest_retries", "Batches that failed and come again.")
        self._batch = Histogram(
            "kausa_memory_ingest_batch_records", "Records a batch.", buckets=BATCHES,
            registry=registry,
        )  # fmt: skip
        self._ingest = Histogram(
            "kausa_memory_ingest_seconds",
            "From the begin of a batch to its acknowledgement.",
            buckets=SECONDS,
            registry=registry,
        )
        self._recall = Histogram(
            "kausa_memory_recall_seconds",
            "How long a diagnosis waited for what is like it.",
            buckets=SECONDS,
            registry=registry,
        )
        self._syncs = counter("syncs", "Walks over the resources, by how they ended.", "result")
        self._trimmed = gauge(
            "passages_trimmed",
            "Passages forgotten since the start because the embedded store held too many.",
        )
        self._truncated = gauge(
            "passages_truncated",
            "Passages since the start of which the embedding model read only the beginning.",
        )

        # A figure that appears with 1 has not grown, to Prometheus: these begin at 0.
        for why in ("full", "malformed", "refused", "ending"):
            self._dropped.labels(why)
        for result in ("complete", "failed"):
            self._syncs.labels(result)

    def observe_queue(self, length: Callable[[], int]) -> None:
        """Ask this for the number of records that wait."""
        self._queued.set_function(length)

    def observe_losses(self, *, trimmed: Callable[[], int], truncated: Callable[[], int]) -> None:
        """Ask these for the passages that were too many, and those longer than the model reads."""
        self._trimmed.set_function(trimmed)
        self._truncated.set_function(truncated)

    def works(self) -> None:
        """The memory answered."""
        self._available.set(1)

    def fails(self, reason: str) -> None:
        """The memory could not answer."""
        self._available.set(0)
        self._unavailable.labels(reason).inc()

    def batch_written(self, *, records: int, unchanged: int, seconds: float) -> None:
        """A batch was acknowledged; `unchanged` of its records needed no writing."""
        self._batch.observe(records)
        self._ingest.observe(seconds)
        self._written.inc(records - unchanged)
        self._unchanged.inc(unchanged)

    def batch_failed(self) -> None:
        """A batch comes again."""
        self._retried.inc()

    def dropped(self, why: str) -> None:
        """A record is not written: `full`, `malformed`, `refused` by the embedder, or an `ending`
        that was not read.
        """
        self._dropped.labels(why).inc()

    def recalled(self, *, seconds: float) -> None:
        """A recall came to its end, however."""
        self._recall.observe(seconds)

    def synced(self, result: str) -> None:
        """A walk over the resources ended: `complete` or `failed`."""
        self._syncs.labels(result).inc()
