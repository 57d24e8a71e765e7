"""What Prometheus may ask for, in a registry of our own; docs/metrics.md has the list.

What happens for every change is not told to Prometheus: streams, symptoms and the queue are counted
in plain numbers, and a scrape reads those (watch_metrics.py). So a change of a Pod pays next to
nothing, and a kind that is watched anew begins at 0, which Prometheus takes for a restart. Label
values come from closed lists alone, which is why the parameters are enumerations: never the name of
a workload.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from enum import StrEnum

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    ProcessCollector,
)

from kausa.telemetry.watch_metrics import (
    QueueCollector,
    QueueLike,
    SymptomCollector,
    WatchCollector,
    WatchLike,
)

__all__ = ["Metrics", "QueueLike", "Registry", "WatchLike", "measure_loop_lag"]

DETECTION_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)
DIAGNOSIS_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
LAG_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Registry(CollectorRegistry):
    """A registry that does not say when each counter was made, which would be a series for each."""

    def collect(self) -> Iterable[Metric]:
        """Everything that is registered, as it is now."""
        for family in super().collect():
            family.samples = [each for each in family.samples if not each.name.endswith("_created")]
            yield family


class Metrics:
    """What has happened, told where it happens; of one process, for one event loop."""

    def __init__(self) -> None:
        self.registry = Registry()
        """What `/metrics` shows."""
        self._watches = WatchCollector()
        self._queue = QueueCollector()
        self.registry.register(self._watches)
        self.registry.register(self._queue)
        self._symptoms = SymptomCollector()
        self.registry.register(self._symptoms)
        self.symptom_seen: Callable[[StrEnum], None] = self._symptoms.seen
        """A symptom of this category was found."""
        ProcessCollector(registry=self.registry)
        self._retries = self._counter("queue_retries", "Keys whose work failed and comes again.")
        self._opened = self._counter("failures_opened", "FailureDiagnosis resources created.")
        self._resolved = self._counter("failures_resolved", "Failures that were over.")
        self._relapsed = self._counter("failures_relapsed", "Resolved failures that came back.")
        self._unresolved = Gauge(
            "kausa_failures_unresolved", "Failures that are not over.", registry=self.registry
        )
        self._writes = self._counter(
            "sighting_writes", "Writes of what was seen of a failure: the first and its repeats."
        )
        self._detection = self._histogram(
            "detection_latency_seconds",
            "From the moment a change was read to the moment its resource was created.",
            DETECTION_BUCKETS,
        )
        self._diagnosis = self._histogram(
            "diagnosis_duration_seconds",
            "From the begin of a diagnosis to its publication, by who decided it.",
            DIAGNOSIS_BUCKETS,
            "decided_by",
        )
        self._leader = Gauge(
            "kausa_leader", "1 while this process leads, else 0.", registry=self.registry
        )
        self._leader_changes = self._counter(
            "leader_transitions", "How often this process began or ceased to lead."
        )
        self._leads = False
        self._lag = self._histogram(
            "event_loop_lag_seconds", "How late the event loop comes to what is due.", LAG_BUCKETS
        )

    # -- what is read at a scrape ----------------------------------------------------------------

    def observe_watch(self, kind: str, watcher: WatchLike) -> None:
        """Show this stream under this kind, instead of the one that was shown before."""
        self._watches.streams[kind] = watcher

    def observe_queue(self, queue: QueueLike) -> None:
        """Show this queue, instead of the one that was shown before."""
        self._queue.queue = queue

    def observe_failures(self, unresolved: Callable[[], int]) -> None:
        """Ask this for the number of failures that are not over."""
        self._unresolved.set_function(unresolved)

    def observe_deciders(self, deciders: Iterable[StrEnum]) -> None:
        """Show who may decide a diagnosis, also while nobody has: a figure that appears with 1 has
        not grown, to Prometheus, and whoever asks whether anything is diagnosed is told no.
        """
        for each in deciders:
            self._diagnosis.labels(each)

    # -- what has happened -----------------------------------------------------------------------

    def work_retried(self) -> None:
        """A key of the queue could not be worked on, and comes again."""
        self._retries.inc()

    def failure_opened(self, *, seconds: float) -> None:
        """A resource was created, so long after the change that showed the failure was read."""
        self._opened.inc()
        self._detection.observe(seconds)

    def failure_resolved(self) -> None:
        """A failure is over."""
        self._resolved.inc()

    def failure_relapsed(self) -> None:
        """A failure that was over is back."""
        self._relapsed.inc()

    def sighting_written(self) -> None:
        """What was seen of a failure was written."""
        self._writes.inc()

    def diagnosed(self, decided_by: StrEnum, *, seconds: float) -> None:
        """A diagnosis was published."""
        self._diagnosis.labels(decided_by).observe(seconds)

    def leads(self, leads: bool) -> None:
        """Whether this process leads from now on."""
        self._leader.set(leads)
        self._leader_changes.inc(leads is not self._leads)
        self._leads = leads

    def loop_lagged(self, seconds: float) -> None:
        """The event loop came this late to what was due."""
        self._lag.observe(seconds)

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"kausa_{name}", what, labels, registry=self.registry)

    def _histogram(
        self, name: str, what: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(f"kausa_{name}", what, labels, buckets=buckets, registry=self.registry)


async def measure_loop_lag(metrics: Metrics, every: float = 0.1) -> None:
    """Look every so many seconds how late the event loop is; until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + every
        await asyncio.sleep(every)
        metrics.loop_lagged(max(0.0, loop.time() - due))
