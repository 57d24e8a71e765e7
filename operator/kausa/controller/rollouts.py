"""Every rollout of every workload, remembered as it begins and ends.

It is told of each change of each workload, nearly all of which are none of a rollout: then it reads
a few fields and is done. What it keeps is small (which revision was in which state) and may be
lost: what it says is made of the object, so who says it twice says the same.

At the start every workload comes at once. A rollout that began more than a day before is not said
again then: it was remembered when it went on, and thousands of them would hold up what is new.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from kausa.cluster.workload_kinds import DaemonSet, Deployment, StatefulSet
from kausa.cluster.workloads import Workload
from kausa.controller.scope import opted_out
from kausa.learning.rollout_kinds import (
    Rolling,
    RollingDaemonSet,
    RollingDeployment,
    RollingStatefulSet,
)
from kausa.learning.rollouts import (
    DELETED,
    REPLACED,
    Rollout,
    image_changes,
    record_of_rollout,
    revision_of,
    rollout_of,
)
from kausa.memory.records import RolloutRecord
from kausa.telemetry.clock import utc_now
from kausa.telemetry.logs import get_logger

__all__ = ["RecordQueue", "RolloutTracker"]

TOLD_BEFORE: Final = timedelta(days=1)
CHECK_EVERY_SECONDS = 30.0
_KINDS: Final = (RollingDeployment, RollingStatefulSet, RollingDaemonSet)
_logger = get_logger("kausa.controller.rollouts")


class RecordQueue(Protocol):
    """The part of `kausa.memory.ingest.Ingest` that is needed here."""

    def offer(self, record: RolloutRecord) -> None:
        """Leave a record there; never waits."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What was last said of a workload."""

    rollout: Rollout
    found: Rolling | None
    """As long as its rollout goes on."""
    changed: tuple[str, ...]
    before: str = ""
    """What showed the end of the rollout before: for a moment a Deployment still shows it."""


class RolloutTracker:
    """Turns what workloads show into records; for one event loop, does no I/O."""

    def __init__(
        self,
        *,
        queue: RecordQueue,
        cluster: str,
        redact: Callable[[str], str],
        watches: Callable[[str], bool] = lambda _: True,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """`watches`: whether a namespace is looked at."""
        self._queue = queue
        self._cluster = cluster
        self._redact = redact
        self._watches = watches
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._open: set[str] = set()

    def __len__(self) -> int:
        """How many rollouts go on."""
        return len(self._open)

    def saw(self, found: Workload) -> None:
        """A workload was listed or has changed. Whatever is no Rolling kind is nothing."""
        if not isinstance(found, _KINDS):
            return
        if self._watches(found.metadata.namespace) and not opted_out(found.metadata):
            self._look(found)

    def gone(self, uid: str) -> None:
        """A workload was deleted."""
        before = self._known.pop(uid, None)
        self._open.discard(uid)
        if before is not None and before.found is not None:
            over = replace(before.rollout, outcome="FAILED", reason=DELETED, moved_at=self._clock())
            self._offer(over, before.found, before.changed)

    async def run(self) -> None:
        """Look again at what goes on, until cancelled: what does not move shows nothing new."""
        while True:
            await asyncio.sleep(CHECK_EVERY_SECONDS)
            self.look_again()

    def look_again(self) -> None:
        """What time alone has changed."""
        for uid in tuple(self._open):
            found = self._known[uid].found
            if found is not None:
                self._look(found)

    def _look(self, found: Rolling) -> None:
        uid = found.metadata.uid
        before = self._known.get(uid)
        if (
            before is not None
            and before.rollout.outcome == "SUCCEEDED"
            and before.rollout.revision == revision_of(found)
        ):
            # It stays so, whatever becomes of its Pods later: nearly every change ends here.
            return
        now = self._clock()
        rollout = rollout_of(found, now=now)
        if rollout is None:
            return
        if before is None:
            self._first(uid, found, rollout, now=now)
            return
        last = before.rollout
        if last.revision != rollout.revision:
            self._next(uid, found, before, rollout, now=now)
            return
        rollout = _of_its_own(rollout, before.before)
        if last.outcome != rollout.outcome:
            self._say(uid, found, rollout, before.changed, before=before.before)
        elif before.found is not None:
            self._keep(uid, rollout, found, before.changed, before=before.before)

    def _first(self, uid: str, found: Rolling, rollout: Rollout, *, now: datetime) -> None:
        # Of two kinds the status moves with every Pod, so when it moved last tells nothing.
        if now - min(rollout.began_at, rollout.moved_at) < TOLD_BEFORE:
            self._say(uid, found, rollout, ())
        else:
            # Long ago: what goes on now is a Pod that fails, or a node that came.
            self._keep(uid, replace(rollout, outcome="SUCCEEDED"), found, ())

    def _next(
        self, uid: str, found: Rolling, before: _Known, rollout: Rollout, *, now: datetime
    ) -> None:
        last = before.rollout
        if last.outcome == "STARTED":
            over = replace(last, outcome="FAILED", reason=REPLACED, moved_at=rollout.began_at)
            self._offer(over, found, before.changed)
        shown = last.shown_by if last.outcome != "STARTED" else before.before
        self._say(
            uid,
            found,
            _of_its_own(rollout, shown),
            image_changes(last.images, rollout.images, at=now),
            before=shown,
        )

    def _say(
        self,
        uid: str,
        found: Rolling,
        rollout: Rollout,
        changed: tuple[str, ...],
        *,
        before: str = "",
    ) -> None:
        self._offer(rollout, found, changed)
        self._keep(uid, rollout, found, changed, before=before)

    def _keep(
        self,
        uid: str,
        rollout: Rollout,
        found: Rolling,
        changed: tuple[str, ...],
        *,
        before: str = "",
    ) -> None:
        goes_on = rollout.outcome == "STARTED"
        self._known[uid] = _Known(rollout, found if goes_on else None, changed, before)
        (self._open.add if goes_on else self._open.discard)(uid)

    def _offer(self, rollout: Rollout, found: Rolling, changed: tuple[str, ...]) -> None:
        record = record_of_rollout(
            rollout, found, kind=_kind_of(found), cluster=self._cluster, changed=changed
        )
        self._queue.offer(
            replace(
                record,
                images=tuple(self._redact(each) for each in record.images),
                labels=tuple(self._redact(each) for each in record.labels),
                changed=tuple(self._redact(each) for each in record.changed),
            )
        )


def _of_its_own(rollout: Rollout, before: str) -> Rollout:
    """Without the end of the rollout before it: its controller writes the new revision and the new
    condition one after the other.
    """
    if rollout.outcome == "STARTED" or not before or rollout.shown_by != before:
        return rollout
    return replace(rollout, outcome="STARTED", reason=None, moved_at=rollout.began_at)


def _kind_of(found: Rolling) -> str:
    for kind in (Deployment, StatefulSet, DaemonSet):
        if isinstance(found, kind):
            return kind.__name__
    raise TypeError(type(found).__name__)
