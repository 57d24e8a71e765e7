"""The recorded streams of a real node, at the speed at which they happened and a hundred times it.

The operator's own clock is what goes faster: between two looks at what time alone may change, a
hundred times as much happens, and the queue merges a hundred times as many states.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import pytest
from support.captures import CapturedChange, captured_changes

from kausa.cluster.objects import Event, Pod
from kausa.controller.found import Found, merge
from kausa.controller.judge import Judge
from kausa.controller.observed import Observed
from kausa.controller.scope import Scope
from kausa.controller.sightings import Sightings
from kausa.controller.workqueue import WorkQueue
from kausa.telemetry.metrics import Metrics

Shown = tuple[str, str, str, str | None]
"""Name of the Pod without its random end, category, reason class, container."""
JUDGED_EVERY = 0.25


class Replay:
    """The judge and the queue, on a clock of the recording's own time."""

    def __init__(self) -> None:
        self.now = datetime.min
        self.shown: set[Shown] = set()
        self._queue: WorkQueue[Found] = WorkQueue(size=10_000, merge=merge)
        self._judge = Judge(
            scope=Scope(),
            observed=Observed(),
            sightings=Sightings(),
            queue=self._queue,
            metrics=Metrics(),
            clock=lambda: self.now,
        )
        self._pods = msgspec.json.Decoder(Pod)
        self._events = msgspec.json.Decoder(Event)

    async def run(self, changes: Sequence[CapturedChange], *, speed: int) -> set[Shown]:
        """All symptoms that reached a worker."""
        self.now = changes[0].at
        waiting = list(changes)
        end = changes[-1].at + timedelta(minutes=15)
        while self.now < end:
            tick = self.now + timedelta(seconds=JUDGED_EVERY * speed)
            while waiting and waiting[0].at <= tick:
                self.now = max(self.now, waiting[0].at)
                self._deliver(waiting.pop(0))
            self.now = tick
            self._judge.due()
            await self._work()
        return self.shown

    def _deliver(self, change: CapturedChange) -> None:
        if change.kind == "Event":
            if not change.deleted:
                self._judge.event(self._events.decode(change.raw))
            return
        pod = self._pods.decode(change.raw)
        if change.deleted:
            self._judge.gone(pod.metadata.uid)
        else:
            self._judge.pod(pod)

    async def _work(self) -> None:
        while len(self._queue):
            uid, found = await self._queue.take()
            self._queue.done(uid)
            for each in found.symptoms:
                name = found.shown_by.name
                self.shown.add((name, each.category, each.reason_class, each.container))


@pytest.fixture(scope="module")
def changes() -> list[CapturedChange]:
    return captured_changes()


async def test_the_same_symptoms_are_found_at_the_speed_of_life_and_a_hundred_times_it(
    changes: list[CapturedChange],
) -> None:
    slow = await Replay().run(changes, speed=1)
    fast = await Replay().run(changes, speed=100)
    assert slow == fast
    assert len(slow) > 15


async def test_whether_pods_or_events_come_first_makes_no_difference(
    changes: list[CapturedChange],
) -> None:
    pods_late = sorted(
        changes, key=lambda each: each.at + timedelta(seconds=2 * (each.kind == "Pod"))
    )
    events_late = sorted(
        changes, key=lambda each: each.at + timedelta(seconds=2 * (each.kind == "Event"))
    )
    assert await Replay().run(pods_late, speed=1) == await Replay().run(events_late, speed=1)
