"""What is counted for every change, as Prometheus wants it, read when it asks: the figures of the
streams, of the symptoms found in them, and of the queue.
"""

from __future__ import annotations

import time
from asyncio import Event
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Protocol

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

__all__ = [
    "QueueCollector",
    "QueueLike",
    "SymptomCollector",
    "TallyLike",
    "WatchCollector",
    "WatchLike",
]


class TallyLike(Protocol):
    """What a stream has counted; see `kausa.cluster.tally`."""

    listed: int
    added: int
    modified: int
    deleted: int
    vanished: int
    undecodable: int
    lists: int
    relists: int
    reconnects: int
    bytes_read: int


class WatchLike(Protocol):
    """A stream, as far as it is shown; see `kausa.cluster.watch`."""

    @property
    def tally(self) -> TallyLike:
        """What it has counted."""

    @property
    def synced(self) -> Event:
        """Set once everything was listed."""

    @property
    def objects(self) -> int:
        """How many objects exist."""

    @property
    def heard_at(self) -> float:
        """The last sign of life (time.monotonic)."""

    @property
    def forbidden(self) -> bool:
        """Whether a missing permission is waited out."""

    def dead_seconds(self, now: float) -> float:
        """How long it has not worked."""


class QueueLike(Protocol):
    """A queue, as far as it is shown."""

    @property
    def dropped(self) -> int:
        """How many were pushed out because it was full."""

    def __len__(self) -> int: ...


_COUNTERS: dict[str, tuple[str, Callable[[TallyLike], int]]] = {
    "kausa_watch_lists": ("Lists that were read whole.", lambda tally: tally.lists),
    "kausa_watch_relists": (
        "Lists that became necessary because a version had expired (410).",
        lambda tally: tally.relists,
    ),
    "kausa_watch_reconnects": (
        "Watches that were asked for again from where the last one ended.",
        lambda tally: tally.reconnects,
    ),
    "kausa_watch_undecodable": (
        "Objects and lines that could not be decoded and were skipped.",
        lambda tally: tally.undecodable,
    ),
    "kausa_watch_received_bytes": (
        "Bytes of the watches' answers, lists not included.",
        lambda tally: tally.bytes_read,
    ),
}
_GAUGES: dict[str, tuple[str, Callable[[WatchLike, float], float]]] = {
    "kausa_watch_objects": ("Objects that exist.", lambda watch, _: watch.objects),
    "kausa_watch_age_seconds": (
        "Since the last sign of life: a page of a list, an accepted watch, or a line of it.",
        lambda watch, now: max(0.0, now - watch.heard_at),
    ),
    "kausa_watch_dead_seconds": (
        "How long the stream has not worked; 0 while it works.",
        lambda watch, now: watch.dead_seconds(now),
    ),
    "kausa_watch_synced": (
        "1 once everything was listed, else 0.",
        lambda watch, _: watch.synced.is_set(),
    ),
    "kausa_watch_forbidden": (
        "1 while the permission to read this kind is missing, else 0.",
        lambda watch, _: watch.forbidden,
    ),
}
_CHANGES: dict[str, Callable[[TallyLike], int]] = {
    "listed": lambda tally: tally.listed,
    "added": lambda tally: tally.added,
    "modified": lambda tally: tally.modified,
    "deleted": lambda tally: tally.deleted,
    "vanished": lambda tally: tally.vanished,
}


class WatchCollector(Collector):
    """Every stream that is shown, by its kind."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.streams: dict[str, WatchLike] = {}

    def collect(self) -> Iterator[Metric]:
        """All figures of all streams at this moment."""
        now = self._clock()
        changes = CounterMetricFamily(
            "kausa_watch_changes",
            "Changes that were delivered; `vanished` are deletions that only a list has shown.",
            labels=("kind", "type"),
        )
        for kind, watch in self.streams.items():
            for type_, read in _CHANGES.items():
                changes.add_metric((kind, type_), read(watch.tally))
        yield changes
        for name, (what, count) in _COUNTERS.items():
            counter = CounterMetricFamily(name, what, labels=("kind",))
            for kind, watch in self.streams.items():
                counter.add_metric((kind,), count(watch.tally))
            yield counter
        for name, (what, measure) in _GAUGES.items():
            gauge = GaugeMetricFamily(name, what, labels=("kind",))
            for kind, watch in self.streams.items():
                gauge.add_metric((kind,), measure(watch, now))
            yield gauge


class SymptomCollector(Collector):
    """The symptoms that were found, by category: a Counter of Prometheus takes ten times as long to
    tell, and in a storm every change shows one.
    """

    def __init__(self) -> None:
        self._seen: dict[StrEnum, int] = {}

    def seen(self, category: StrEnum) -> None:
        """One more was found."""
        self._seen[category] = self._seen.get(category, 0) + 1

    def collect(self) -> Iterator[Metric]:
        """How many of each category there were until now."""
        symptoms = CounterMetricFamily(
            "kausa_symptoms",
            "Symptoms found in changes and by time, repeats included.",
            labels=("category",),
        )
        for category, count in self._seen.items():
            symptoms.add_metric((category.value,), count)
        yield symptoms


class QueueCollector(Collector):
    """The queue of what waits for a worker."""

    def __init__(self) -> None:
        self.queue: QueueLike | None = None

    def collect(self) -> Iterator[Metric]:
        """How full it is, and what it has lost."""
        queue = self.queue
        yield GaugeMetricFamily(
            "kausa_queue_depth",
            "Keys that wait for a worker.",
            value=len(queue) if queue is not None else 0,
        )
        yield CounterMetricFamily(
            "kausa_queue_dropped",
            "Keys that were pushed out of the full queue.",
            value=queue.dropped if queue is not None else 0,
        )
