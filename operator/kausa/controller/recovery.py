"""Failures that are over: said when an owner has been healthy for a while, and taken back never.

A relapse reopens the same resource (the recorder does that). What an earlier process recorded and
nothing shows any more is taken up after the first lists, so that it recovers as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from kausa.cluster.errors import ClusterError
from kausa.cluster.owners import Owner, OwnerResolver
from kausa.controller.announcement import CLUSTER_SCOPED
from kausa.controller.lessons import Ending
from kausa.controller.looks import Looks
from kausa.controller.recorder import Recorder
from kausa.controller.scope import Scope, says_no
from kausa.controller.sightings import ResourceKey, Sightings
from kausa.controller.store import FailureDiagnosisStore
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.telemetry.clock import utc_now
from kausa.telemetry.logs import get_logger
from kausa.telemetry.trouble import Trouble

__all__ = ["Recovery"]

TICK_SECONDS = 1.0
SETTLE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0
"""After the first lists: the workers have recorded what fails by then."""
_logger = get_logger("kausa.controller.recovery")


class Recovery:
    """Waits for owners to be healthy for `stabilisation_seconds`."""

    def __init__(
        self,
        *,
        store: FailureDiagnosisStore,
        owners: OwnerResolver,
        recorder: Recorder,
        sightings: Sightings,
        looks: Looks,
        scope: Scope,
        namespace: str | None,
        synced: Callable[[], bool],
        idle: Callable[[], bool],
        stabilisation_seconds: float,
    ) -> None:
        """`idle` tells whether nothing waits to be recorded."""
        self._store = store
        self._owners = owners
        self._recorder = recorder
        self._sightings = sightings
        self._looks = looks
        self._scope = scope
        self._namespace = namespace
        self._synced = synced
        self._idle = idle
        self._stabilisation_seconds = stabilisation_seconds
        self.on_resolved: Callable[[ResourceKey, Ending], None] = lambda _key, _ending: None
        """Told of each failure once its resource says that it is over."""
        self._trouble = Trouble(
            _logger,
            failed="Could not write which failures are over, trying until it works",
            recovered="Writing which failures are over works again",
        )

    async def run(self) -> None:
        """Take up what was left behind, then watch for recoveries until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._take_up())
            tasks.create_task(self._resolve_in_time())

    async def _resolve_in_time(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for key in self._sightings.recovered(after_seconds=self._stabilisation_seconds):
                await self._resolve(key)

    async def _resolve(self, key: ResourceKey) -> None:
        worked_since = utc_now() - timedelta(seconds=self._stabilisation_seconds)
        sighting = self._sightings.by_resource.get(key)
        began = sighting.turned_at if sighting is not None else worked_since
        try:
            await self._recorder.resolve(key, worked_since=worked_since)
        except ClusterError as error:
            self._trouble.happened(error, key="/".join(key))
        except Exception:
            _logger.exception("Could not say that a failure is over", name="/".join(key))
        else:
            self._trouble.over(key="/".join(key))
            self._looks.forget(key)
            if sighting is not None and sighting.resolved:
                self.on_resolved(
                    key, Ending(owner=sighting.owner, began=began, works_since=worked_since)
                )

    async def _take_up(self) -> None:
        while not (self._synced() and self._idle()):  # noqa: ASYNC110 - two conditions, seldom
            await asyncio.sleep(TICK_SECONDS)
        await asyncio.sleep(SETTLE_SECONDS)
        pause = 10 * TICK_SECONDS
        while True:
            try:
                missed = [
                    each
                    async for each in self._store.unresolved(namespace=self._namespace)
                    if not await self._adopted(each)
                ]
            except ClusterError as error:
                self._trouble.happened(error, key="list")
            else:
                self._trouble.over(key="list")
                if not missed:
                    return
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)

    async def _adopted(self, resource: FailureDiagnosis) -> bool:
        """Whether that is settled; False where somebody could not be asked just now."""
        try:
            await self._adopt(resource)
        except ClusterError as error:
            _logger.debug("Cannot take up yet", name=resource.metadata.name, why=str(error))
            return False
        except Exception:
            _logger.exception("Could not take up", name=resource.metadata.name)
        return True

    async def _adopt(self, resource: FailureDiagnosis) -> None:
        namespace, target = resource.metadata.namespace or "", resource.spec.target
        # What belongs to no namespace is written down in one that is not watched itself.
        if not self._scope.watches("" if target.kind in CLUSTER_SCOPED else namespace):
            return
        references = resource.metadata.owner_references or ()
        uid = next((each.uid for each in references if each.name == target.name), None)
        owner = await self._owners.find(
            api_version=target.api_version,
            kind=target.kind,
            namespace=namespace,
            name=target.name,
        )
        if uid is None or (owner is not None and (owner.uid != uid or says_no(owner.marked))):
            return
        # An owner that cannot be read: its resource goes with it, so it is there.
        owner = owner or Owner(
            api_version=target.api_version,
            kind=target.kind,
            name=target.name,
            uid=uid,
            namespace=namespace,
        )
        self._recorder.adopt(resource, owner=owner)
