"""Our own watch with detection: what the operator does for every change, up to its workers.

Each change goes through the operator's own judge, with what stands around objects, the failures
known, the queue and the metrics behind it. A worker's place is taken by one task that takes from
the queue and does nothing with it: its cost is counted, that of recording a failure is not, because
that is paid for a failure and not for a change. The clock stands still a while after the recording,
so every run finds the same; hence nothing is judged again by time alone.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from bench.watch.measure import Measured, Meter, run_client

from kausa.cluster.client import KubernetesClient
from kausa.cluster.credentials import Credentials
from kausa.cluster.objects import Event, Pod
from kausa.cluster.paths import EVENTS, PODS
from kausa.cluster.watch import ChangeType, Watcher
from kausa.controller.found import Found, merge
from kausa.controller.judge import Judge
from kausa.controller.observed import Observed
from kausa.controller.scope import Scope
from kausa.controller.sightings import Sightings
from kausa.controller.workqueue import WorkQueue
from kausa.detection.surroundings import Note
from kausa.telemetry.metrics import Metrics

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
QUEUE_SIZE = 50_000
"""The operator's own default."""


class _CountingObserved(Observed):
    """Counts the notes that were news: of Events nothing else is found."""

    def __init__(self) -> None:
        super().__init__()
        self.news = 0

    def note(self, note: Note) -> bool:
        news = Observed.note(self, note)  # super() would cost a tenth of all that is measured
        if news:
            self.news += 1
        return news


class _Reader:
    """Reads one stream into a judge, as the operator's streams do."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._metrics = Metrics()
        self._observed = _CountingObserved()
        self._queue: WorkQueue[Found] = WorkQueue(size=QUEUE_SIZE, merge=merge)
        self._judge = Judge(
            scope=Scope(),
            observed=self._observed,
            sightings=Sightings(),
            queue=self._queue,
            metrics=self._metrics,
            clock=lambda: NOW,
        )

    @property
    def found(self) -> int:
        """The symptoms that were found in Pods, and the notes of Events that were news."""
        symptoms = sum(
            sample.value
            for family in self._metrics.registry.collect()
            if family.name == "kausa_symptoms"
            for sample in family.samples
        )
        return int(symptoms) + self._observed.news

    async def read_pods(self, watcher: Watcher[Pod]) -> None:
        judge, deleted = self._judge, ChangeType.DELETED
        async for batch in watcher.batches():
            for change in batch:
                if change.type is deleted or change.object is None:
                    judge.gone(change.uid)
                else:
                    judge.pod(change.object)
                self._meter.count()

    async def read_events(self, watcher: Watcher[Event]) -> None:
        judge, deleted = self._judge, ChangeType.DELETED
        async for batch in watcher.batches():
            for change in batch:
                if change.object is not None and change.type is not deleted:
                    judge.event(change.object)
                self._meter.count()

    async def drain(self) -> None:
        while True:
            uid, _ = await self._queue.take()
            self._queue.done(uid)


async def work(meter: Meter) -> Measured:
    """Watch until everything has come."""
    task = meter.task
    reader = _Reader(meter)
    async with KubernetesClient(Credentials(server=task.server)) as client:
        if task.kind == "pods":
            pods = Watcher(
                client=client, resource=PODS, kind=Pod, field_selector="status.phase!=Succeeded"
            )
            reading = asyncio.create_task(reader.read_pods(pods))
        else:
            events = Watcher(
                client=client, resource=EVENTS, kind=Event, field_selector="type!=Normal"
            )
            reading = asyncio.create_task(reader.read_events(events))
        draining = asyncio.create_task(reader.drain())
        await meter.complete(reading)
        reading.cancel()
        draining.cancel()
        return meter.measured(symptoms=reader.found)


if __name__ == "__main__":
    run_client(work)
