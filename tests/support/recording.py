"""A recorder, or the judge and the workers too, with all that they need, on a store in a dict."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from support.dossiers import DEPLOYMENT
from support.fake_store import FakeClient, FakeOwners, FakeStore

from kausa.cluster.objects import Pod
from kausa.cluster.owners import Owner
from kausa.controller.asking import Asking
from kausa.controller.found import Found, merge
from kausa.controller.judge import Judge
from kausa.controller.looks import Looks
from kausa.controller.observed import Observed
from kausa.controller.recorder import Recorder
from kausa.controller.scope import Scope
from kausa.controller.sighting_writer import SightingWriter, Written
from kausa.controller.sightings import ResourceKey, Sightings
from kausa.controller.worker import Worker
from kausa.controller.workqueue import WorkQueue
from kausa.detection.pods import detect_pod
from kausa.detection.surroundings import NOWHERE, Surroundings
from kausa.evidence.redaction import Redactor
from kausa.telemetry.clock import utc_now
from kausa.telemetry.metrics import Metrics

__all__ = ["HandClock", "Recording", "Working"]


class HandClock:
    """A clock that is set by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Recording:
    """One process that records; a second one on the same store is the process after it."""

    store: FakeStore
    owners: FakeOwners
    interval: float = 60.0
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self.sightings = Sightings(clock=self.clock)
        metrics = Metrics()
        self.writer = SightingWriter(
            store=cast(Any, self.store),
            sightings=self.sightings,
            redactor=Redactor(key=b"k" * 32),
            metrics=metrics,
            repeat_interval_seconds=self.interval,
        )
        self.recorder = Recorder(
            store=cast(Any, self.store),
            owners=cast(Any, self.owners),
            sightings=self.sightings,
            writer=self.writer,
            metrics=metrics,
            cluster="test",
        )

    async def see(
        self, failing: Pod, *, owner: Owner = DEPLOYMENT, around: Surroundings = NOWHERE
    ) -> ResourceKey | None:
        """Record the one symptom of a Pod, as a worker does."""
        (symptom,) = detect_pod(failing, around=around, now=utc_now()).symptoms
        uid = failing.metadata.uid
        found = Found(object=failing, symptoms=(symptom,), now=(symptom,))
        self.sightings.fails(uid, found)
        key = await self.recorder.see(found, symptom, owner=owner)
        self.sightings.recorded(uid, () if key is None else (key,))
        self.sightings.seen(() if key is None else (key,))
        return key

    async def write_due(self) -> Written:
        """Write the repeats that are due."""
        return await self.writer.write_due()


@dataclass
class Working:
    """The judge, the queue and the workers of one process."""

    record: Recording = field(
        default_factory=lambda: Recording(FakeStore(), FakeOwners(DEPLOYMENT))
    )
    scope: Scope = field(default_factory=Scope)
    clock: Callable[[], datetime] = utc_now
    client: FakeClient = field(default_factory=FakeClient)
    queue_size: int = 100

    def __post_init__(self) -> None:
        self.metrics = Metrics()
        self.observed = Observed()
        self.looks = Looks(refresh_seconds=600)
        self.queue: WorkQueue[Found] = WorkQueue(
            size=self.queue_size, merge=merge, first_retry_seconds=0.001
        )
        self.judge = Judge(
            scope=self.scope,
            observed=self.observed,
            sightings=self.sightings,
            queue=self.queue,
            metrics=self.metrics,
            clock=self.clock,
        )
        self.worker = Worker(
            client=cast(Any, self.client),
            queue=self.queue,
            owners=cast(Any, self.owners),
            judge=self.judge,
            recorder=self.record.recorder,
            sightings=self.sightings,
            asking=Asking(
                store=cast(Any, self.store), redactor=Redactor(key=b"k" * 32), cluster="test"
            ),
            looks=self.looks,
            metrics=self.metrics,
        )

    @property
    def sightings(self) -> Sightings:
        """What is known."""
        return self.record.sightings

    @property
    def store(self) -> FakeStore:
        """What was written."""
        return self.record.store

    @property
    def owners(self) -> FakeOwners:
        """Who owns what."""
        return self.record.owners

    async def queued(self) -> list[Found]:
        """All that waits for a worker; it waits no more."""
        found: list[Found] = []
        while len(self.queue):
            uid, each = await self.queue.take()
            self.queue.done(uid)
            found.append(each)
        return found

    async def work(self, *, seconds: float = 5.0, workers: int = 3) -> None:
        """Let workers work until nothing waits any more, not even to be tried again, or for so
        long.
        """
        tasks = [asyncio.ensure_future(self.worker.run()) for _ in range(workers)]
        # The loop's time, so that one that skips what nobody needs skips this wait too.
        now = asyncio.get_running_loop().time
        end = now() + seconds
        while self._busy() and now() < end:
            await asyncio.sleep(0.001)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _busy(self) -> bool:
        return bool(len(self.queue) or self.queue._in_work or self.queue._timers)

    def recorded(self) -> list[str]:
        """Whose failures have a resource, as kind and name, in the order of the alphabet."""
        targets = [each.spec.target for each in self.store.resources.values()]
        return sorted(f"{each.kind}/{each.name}" for each in targets)
