"""Our own watch with detection: what the operator does for every change, up to its queue.

Pods: judge each with what is known around it, and hold those that fail. Events: make a note of
each, and fold it into the notes of its object. The clock stands still a while after the recording,
so every run finds the same.
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
from kausa.controller.observed import Observed
from kausa.detection.events import note_of
from kausa.detection.pods import detect_pod

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


class _Reader:
    """Reads one stream and counts what it finds."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._observed = Observed()
        self._failing: dict[str, Pod] = {}
        self.found = 0

    async def read_pods(self, watcher: Watcher[Pod]) -> None:
        async for change in watcher.changes():
            pod = change.object
            if change.type is ChangeType.DELETED or pod is None:
                self._failing.pop(change.uid, None)
                self._observed.forget_notes(change.uid)
            else:
                verdict = detect_pod(pod, around=self._observed.around_pod(pod), now=NOW)
                if verdict.symptoms:
                    self._failing[change.uid] = pod
                    self.found += len(verdict.symptoms)
                else:
                    self._failing.pop(change.uid, None)
            self._meter.count()

    async def read_events(self, watcher: Watcher[Event]) -> None:
        async for change in watcher.changes():
            event = change.object
            if change.type is not ChangeType.DELETED and event is not None:
                note = note_of(event)
                if note is not None:
                    self.found += self._observed.note(note)
            self._meter.count()


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
        await meter.complete(reading)
        reading.cancel()
        return meter.measured(symptoms=reader.found)


if __name__ == "__main__":
    run_client(work)
