"""Failures that are over: said when an owner has been healthy for a while, and taken back never.

What was changed meanwhile is read right before, for the resource and for the memory alike: later
nobody could tell any more. A relapse reopens the same resource (the recorder does that). What an
earlier process recorded and nothing shows any more is taken up after the first lists, so that it
recovers as well. Whose Pods failed then is read before that: a workload that does not go on because
of them says so at once, and its Pods may just run between two crashes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from kausa.cluster.errors import ClusterError
from kausa.cluster.owners import Owner, OwnerResolver
from kausa.controller.announcement import CLUSTER_SCOPED
from kausa.controller.looks import Looks
from kausa.controller.mending import Mender
from kausa.controller.recorder import Recorder
from kausa.controller.scope import Scope, says_no
from kausa.controller.sightings import ResourceKey, Sightings
from kausa.controller.store import FailureDiagnosisStore
from kausa.learning.resolutions import Mended
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.telemetry.clock import utc_now
from kausa.telemetry.logs import get_logger
from kausa.telemetry.trouble import Trouble

__all__ = ["Recovery"]

TICK_SECONDS = 1.0
SETTLE_SECONDS = 5.0
"""After the first lists: the workers have recorded what fails by then."""
LONGEST_PAUSE_SECONDS = 300.0
AT_ONCE = 8
LONGEST_HOLD_SECONDS = 30.0
"""So long that what may follow from failing Pods waits for whose Pods failed before."""
MENDING_SECONDS = 5.0
"""So long that a failure is over waits for what was changed; without that it is said then."""
_logger = get_logger("kausa.controller.recovery")


class Recovery:
    """Waits for owners to be healthy for `stabilisation_seconds`."""

    def __init__(
        self,
        *,
        store: FailureDiagnosisStore,
        owners: OwnerResolver,
        recorder: Recorder,
        mender: Mender,
        sightings: Sightings,
        looks: Looks,
        scope: Scope,
        namespace: str | None,
        ready: Callable[[], bool],
        stabilisation_seconds: float,
    ) -> None:
        """`ready` tells whether all was listed and nothing waits to be recorded."""
        self._store = store
        self._owners = owners
        self._recorder = recorder
        self._mender = mender
        self._sightings = sightings
        self._looks = looks
        self._scope = scope
        self._namespace = namespace
        self._ready = ready
        self._stabilisation_seconds = stabilisation_seconds
        self.on_resolved: Callable[[ResourceKey, Mended], None] = lambda _key, _mended: None
        """Told of each failure, and what mended it, once its resource says that it is over."""
        self._trouble = Trouble(
            _logger,
            failed="Could not write which failures are over, trying until it works",
            recovered="Writing which failures are over works again",
        )

    async def run(self) -> None:
        """Take up what was left behind, then watch for recoveries until cancelled."""
        self._sightings.was_left(None)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._take_up())
            tasks.create_task(self._resolve_in_time())

    async def _resolve_in_time(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            over = self._sightings.recovered(after_seconds=self._stabilisation_seconds)
            keys = iter(over)
            async with asyncio.TaskGroup() as tasks:
                for _ in range(min(AT_ONCE, len(over))):
                    tasks.create_task(self._resolve_each(keys))

    async def _resolve_each(self, keys: Iterable[ResourceKey]) -> None:
        """Resolve one after the other of what others take from as well."""
        for key in keys:
            await self._resolve(key)

    async def _resolve(self, key: ResourceKey) -> None:
        worked_since = utc_now() - timedelta(seconds=self._stabilisation_seconds)
        sighting = self._sightings.by_resource.get(key)
        if sighting is None:
            return
        began = sighting.turned_at
        mended = await self._mended(sighting.owner, began=began, works_since=worked_since)
        if not self._sightings.is_over(key, after_seconds=self._stabilisation_seconds):
            return  # It failed again meanwhile.
        try:
            await self._recorder.resolve(key, worked_since=worked_since, how=mended.how)
        except ClusterError as error:
            self._trouble.happened(error, key="/".join(key))
        except Exception:
            _logger.exception("Could not say that a failure is over", name="/".join(key))
        else:
            self._trouble.over(key="/".join(key))
            self._looks.forget(key)
            if sighting.resolved:
                self.on_resolved(key, mended)

    async def _mended(self, owner: Owner, *, began: datetime, works_since: datetime) -> Mended:
        """What was changed meanwhile; nothing where it cannot be read now."""
        try:
            async with asyncio.timeout(MENDING_SECONDS):
                return await self._mender.mended(owner, began=began, works_since=works_since)
        except (ClusterError, TimeoutError) as error:
            _logger.info(
                "What mended a failure could not be read",
                target=f"{owner.kind}/{owner.name}",
                why=str(error) or "it took too long",
            )
        except Exception:
            _logger.exception("Could not read what mended a failure", name=owner.name)
        return Mended()

    async def _take_up(self) -> None:
        self._sightings.was_left(await self._failures_of_pods())
        while not self._ready():  # noqa: ASYNC110 - seldom
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
                    self._sightings.was_left({})
                    return
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)

    async def _failures_of_pods(self) -> Mapping[str, tuple[ResourceKey, ...]]:
        """What an earlier process recorded of failing Pods, by the uid of their owner; nothing
        where that cannot be read soon.
        """
        found: dict[str, tuple[ResourceKey, ...]] = {}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_HOLD_SECONDS):
                while True:
                    try:
                        async for each in self._store.unresolved(namespace=self._namespace):
                            uid, failure = _owner_uid(each), each.status and each.status.failure
                            if uid is not None and failure and failure.pods:
                                key = each.metadata.namespace or "", each.metadata.name
                                found[uid] = (*(k for k in found.get(uid, ()) if k != key), key)
                    except ClusterError as error:
                        self._trouble.happened(error, key="list")
                    else:
                        self._trouble.over(key="list")
                        return found
                    await asyncio.sleep(TICK_SECONDS)
        return found

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
        uid = _owner_uid(resource)
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


def _owner_uid(resource: FailureDiagnosis) -> str | None:
    references = resource.metadata.owner_references or ()
    return next((each.uid for each in references if each.name == resource.spec.target.name), None)
