"""What the worker counts, named on text-embeddings-inference's model. No label holds a text.

The time of a request is split into what it is made of: tokenising, waiting, the model's run. For
scaling out, watch the wait (`queue_duration_seconds`) and not the CPU, which is busy by design.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from kausa_embedder.caching import Statistics
from kausa_embedder.options import EngineInfo
from kausa_embedder.padding import Batch

__all__ = ["Metrics"]

_PREFIX = "kausa_embedder_"
DURATIONS = tuple(0.0005 * 2**power for power in range(17))
"""Half a millisecond to half a minute."""
SIZES = tuple(float(2**power) for power in range(13))
TOKENS = tuple(float(2**power) for power in range(4, 18))
RATIOS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9)


class Metrics:
    """The metrics of one worker, in a registry of their own. It is the engine's observer, too."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = self._counter("requests", "Requests answered.", "route", "code")
        self._duration = self._histogram(
            "request_duration_seconds", "From a request's head to its answer.", DURATIONS, "route"
        )
        self._tokenization = self._histogram(
            "tokenization_duration_seconds", "One round of the tokenizer.", DURATIONS
        )
        self._queue = self._histogram(
            "queue_duration_seconds", "How long a text waited for its batch.", DURATIONS
        )
        self._inference = self._histogram(
            "inference_duration_seconds", "One run of the model.", DURATIONS
        )
        self._batch_size = self._histogram("batch_size", "Texts of one run.", SIZES)
        self._batch_tokens = self._histogram(
            "batch_tokens", "Tokens of one run, padding not counted.", TOKENS
        )
        self._padding = self._histogram(
            "padding_ratio", "Of what the model worked for, how much was padding.", RATIOS
        )
        self._rejected = self._counter("rejected", "Requests that got no answer.", "reason")
        self._streamed = self._counter("streamed_texts", "Texts answered in streams.")
        self._queue_tokens = self._gauge("queue_tokens", "Tokens that wait.")
        self._in_flight = self._gauge("requests_in_flight", "Requests under way.")
        self._ready = self._gauge("ready", "1 while requests are answered, else 0.")
        self._info = self._gauge(
            "model_info",
            "Always 1; the labels say what runs.",
            "model",
            "provider",
            "dimensions",
            "reranker",
            "backend",
        )

    # -- what is read at a scrape ----------------------------------------------------------------

    def observe_queue(self, tokens: Callable[[], float]) -> None:
        """Ask this for the number of tokens that wait."""
        self._queue_tokens.set_function(tokens)

    def observe_caches(self, caches: Callable[[], tuple[Statistics, Statistics]]) -> None:
        """Ask this for how the caches do: of texts' vectors, and of tokens' vectors."""
        self.registry.register(_Caches(caches))

    def observe_requests(self, in_flight: Callable[[], float]) -> None:
        """Ask this for the number of requests under way."""
        self._in_flight.set_function(in_flight)

    def observe_readiness(self, ready: Callable[[], bool]) -> None:
        """Ask this whether requests are answered."""
        self._ready.set_function(ready)

    # -- what has happened -----------------------------------------------------------------------

    def runs(self, info: EngineInfo) -> None:
        """The model is loaded."""
        self._info.labels(
            info.model, info.provider, str(info.dimensions), info.reranker, info.backend
        ).set(1)

    def answered(self, *, route: str, code: int, seconds: float) -> None:
        """A request has ended; 499 stands for a caller who left."""
        self._requests.labels(route, str(code)).inc()
        self._duration.labels(route).observe(seconds)

    def rejected(self, *, reason: str) -> None:
        """The service refused a request, or the engine did."""
        self._rejected.labels(reason).inc()

    def streamed(self) -> None:
        """A text of a stream was answered."""
        self._streamed.inc()

    # -- what the engine tells -------------------------------------------------------------------

    def tokenized(self, *, seconds: float, texts: int) -> None:
        """A round of the tokenizer."""
        self._tokenization.observe(seconds)

    def queued(self, *, seconds: float) -> None:
        """How long one text stood in the queue."""
        self._queue.observe(seconds)

    def ran(self, *, seconds: float, batch: Batch) -> None:
        """A run of the model."""
        self._inference.observe(seconds)
        self._batch_size.observe(len(batch.items))
        self._batch_tokens.observe(batch.tokens)
        self._padding.observe(1.0 - batch.tokens / max(1, batch.padded_tokens))

    def refused(self, *, reason: str) -> None:
        """Counted where the request is answered: an engine's refusal is the service's."""

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(_PREFIX + name, what, labels, registry=self.registry)

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(_PREFIX + name, what, labels, registry=self.registry)

    def _histogram(
        self, name: str, what: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(_PREFIX + name, what, labels, buckets=buckets, registry=self.registry)


class _Caches(Collector):
    """The caches count for themselves; this reads it at a scrape."""

    def __init__(self, caches: Callable[[], tuple[Statistics, Statistics]]) -> None:
        self._caches = caches

    def describe(self) -> Iterator[Metric]:
        """Named without asking, so that nothing is asked before the engine is there."""
        yield from self._families()

    def collect(self) -> Iterator[Metric]:
        """The numbers of now."""
        hits, misses, used, entries = families = self._families()
        for name, of in zip(("texts", "tokens"), self._caches(), strict=True):
            hits.add_metric([name], of.hits)
            misses.add_metric([name], of.misses)
            used.add_metric([name], of.used_bytes)
            entries.add_metric([name], of.entries)
        yield from families

    def _families(
        self,
    ) -> tuple[CounterMetricFamily, CounterMetricFamily, GaugeMetricFamily, GaugeMetricFamily]:
        return (
            CounterMetricFamily(
                _PREFIX + "cache_hits", "Texts whose vectors were known.", labels=["cache"]
            ),
            CounterMetricFamily(
                _PREFIX + "cache_misses", "Texts that had to be run.", labels=["cache"]
            ),
            GaugeMetricFamily(_PREFIX + "cache_bytes", "What a cache holds.", labels=["cache"]),
            GaugeMetricFamily(
                _PREFIX + "cache_entries", "Texts that a cache knows.", labels=["cache"]
            ),
        )
