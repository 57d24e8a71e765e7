"""Recording what fails: one resource for each failure, opened at once, its repeats written later.

The resource's name is its identity, so opening is an apply that succeeds however often it is tried,
by this process or by the one that was killed before it.
"""

from __future__ import annotations

import asyncio
import time
from datetime import datetime

from kausa.cluster.errors import NamespaceTerminatingError
from kausa.cluster.owners import Owner, OwnerResolver
from kausa.controller.errors import UpstreamPendingError
from kausa.controller.found import Found
from kausa.controller.identity import Identity, family, identify
from kausa.controller.sighting_documents import (
    count_of,
    known_symptom,
    new_resource,
)
from kausa.controller.sighting_writer import SightingWriter
from kausa.controller.sightings import NEVER, ResourceKey, Sighting, Sightings
from kausa.controller.store import FailureDiagnosisStore
from kausa.controller.twins import are_twins, other_word, wording
from kausa.detection.counting import FailureCount, PodCount
from kausa.detection.symptom import Symptom
from kausa.resources.condition import RESOLVED, ConditionStatus, find_condition
from kausa.resources.evidence import Change
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.spec import Trigger
from kausa.telemetry.clock import utc_now
from kausa.telemetry.logs import get_logger
from kausa.telemetry.metrics import Metrics

__all__ = ["Recorder"]

LOCKS = 256
_logger = get_logger("kausa.controller.recorder")


class Recorder:
    """Opens, counts and closes failures; several workers may ask at once."""

    def __init__(
        self,
        *,
        store: FailureDiagnosisStore,
        owners: OwnerResolver,
        sightings: Sightings,
        writer: SightingWriter,
        metrics: Metrics,
        cluster: str,
    ) -> None:
        self._store = store
        self._writer = writer
        self._owners = owners
        self._sightings = sightings
        self._metrics = metrics
        self._cluster = cluster
        # Two Pods of one owner fail at the same moment: one of them opens the resource.
        self._locks = tuple(asyncio.Lock() for _ in range(LOCKS))

    async def see(self, found: Found, symptom: Symptom, *, owner: Owner) -> ResourceKey | None:
        """Record one symptom; the key of its resource, or None where the owner is going."""
        async with self._lock(owner, symptom):
            key = identify(cluster=self._cluster, owner=owner, symptom=symptom).key
            known = self._sightings.by_resource.get(key)
            if known is not None and known.written_at != NEVER:
                self._take_in(known, key, found, symptom, owner=owner)
                return key
            with self._sightings.openings.one():
                return await self._see_first(found, symptom, owner=owner)

    async def _see_first(
        self, found: Found, symptom: Symptom, *, owner: Owner
    ) -> ResourceKey | None:
        identity = self._identity(symptom, owner=owner)
        sighting = self._sightings.by_resource.get(identity.key)
        if sighting is None:
            identity, sighting = await self._open(identity, found, symptom, owner=owner)
        if sighting is None:
            return None
        self._take_in(sighting, identity.key, found, symptom, owner=owner)
        if sighting.dirty and sighting.written_at == NEVER:
            await self._writer.write(identity.key, sighting)
        return identity.key

    def _take_in(
        self, sighting: Sighting, key: ResourceKey, found: Found, symptom: Symptom, *, owner: Owner
    ) -> None:
        if self._sightings.fails_as_one(key, owner) or sighting.written_at == NEVER:
            self._sightings.upstream_is_known(owner)
        self._count(sighting, found, symptom)

    def follow(self, found: Found, symptom: Symptom) -> ResourceKey:
        """Record an object that fails only for its upstream, on the upstream's own resource.

        Raises:
            UpstreamPendingError: that very failure of the upstream is not recorded yet. Another
                one that it had before says nothing of those that follow now.
        """
        upstream = symptom.caused_by
        if upstream is None:
            raise UpstreamPendingError("")
        known = self._sightings.of_owner(upstream.uid)
        found_under = next(
            (each for each in known if each[1].symptom.reason == upstream.reason), None
        )
        if found_under is None:
            raise UpstreamPendingError(upstream.name)
        key, sighting = found_under
        meta = found.shown_by
        moment = symptom.last_seen or utc_now()
        sighting.dirty |= sighting.count.follow(
            PodCount(uid=meta.uid, name=meta.name, occurrences=1, last_seen=moment)
        )
        return key

    async def resolve(
        self, key: ResourceKey, *, worked_since: datetime, how: tuple[Change, ...] = ()
    ) -> None:
        """Say that a failure is over; nothing of it is kept but the resource.

        `how`: what was changed meanwhile, redacted.

        Raises:
            ClusterError: it could not be written; it is as it was before.
        """
        sighting = self._sightings.by_resource.get(key)
        if sighting is None:
            return
        async with self._lock(sighting.owner, sighting.symptom):
            if sighting.failing or self._sightings.by_resource.get(key) is not sighting:
                return
            began = sighting.turned_at
            sighting.resolved, sighting.turned_at, sighting.how = True, worked_since, how
            try:
                await self._writer.write(key, sighting)
            except BaseException:
                sighting.resolved, sighting.turned_at, sighting.how = False, began, ()
                raise
            self._sightings.remove(key)
        self._metrics.failure_resolved()
        _logger.info("A failure is over", namespace=key[0], name=key[1])

    def adopt(self, resource: FailureDiagnosis, *, owner: Owner) -> None:
        """Take up what an earlier process recorded and nothing shows now, to see it recover."""
        key = resource.metadata.namespace or "", resource.metadata.name
        failure = resource.status.failure if resource.status is not None else None
        if failure is None or key in self._sightings.by_resource:
            return
        sighting = Sighting(
            owner=owner,
            shown_by=Found.named(owner),
            symptom=known_symptom(failure),
            fingerprint=failure.fingerprint,
            count=count_of(failure),
            turned_at=_turned_at(resource) or failure.first_seen,
            written_at=time.monotonic(),
            dirty=False,
        )
        self._sightings.add(key, sighting)
        self._sightings.seen((key,))

    def _lock(self, owner: Owner, symptom: Symptom) -> asyncio.Lock:
        """The same for all that may have the same identity."""
        return self._locks[hash((owner.namespace, family(owner), symptom.container)) % LOCKS]

    def _identity(self, symptom: Symptom, *, owner: Owner) -> Identity:
        """The failure's identity, or that of the other word under which it is known already."""
        identity = identify(cluster=self._cluster, owner=owner, symptom=symptom)
        if other_word(symptom) is None or identity.key in self._sightings.by_resource:
            return identity
        for (namespace, name), sighting in self._sightings.of_owner(owner.uid):
            if are_twins(sighting.symptom, symptom):
                return Identity(namespace=namespace, name=name, fingerprint=sighting.fingerprint)
        return identity

    async def _open(
        self, identity: Identity, found: Found, symptom: Symptom, *, owner: Owner
    ) -> tuple[Identity, Sighting | None]:
        """Take up the resource of an earlier process, perhaps under the other word, or make it."""
        identity, resource, exists = await self._look_up(identity, symptom, owner=owner)
        if resource is None and not exists:
            return identity, None
        if (known := self._sightings.by_resource.get(identity.key)) is not None:
            return identity, known
        key, name = identity.key, identity.name
        now = utc_now()
        moment = symptom.last_seen or now
        sighting = Sighting(
            owner=owner,
            shown_by=found.shown_by,
            pod=found.pod,
            symptom=symptom,
            fingerprint=identity.fingerprint,
            count=FailureCount(first_seen=moment, last_seen=moment),
            turned_at=now,
        )
        self._leave_out_earlier_failures(sighting, found, symptom)
        if resource is not None:
            self._take_up(sighting, resource)
        # Known before it is applied: its diagnosis starts as soon as it is there, and looks here.
        self._sightings.add(key, sighting)
        if resource is None:
            try:
                await self._create(name, sighting, found)
            except NamespaceTerminatingError:
                # So is the Pod going, and so would be the resource.
                self._sightings.remove(key)
                return identity, None
            except BaseException:
                self._sightings.remove(key)
                raise
        return identity, sighting

    async def _look_up(
        self, identity: Identity, symptom: Symptom, *, owner: Owner
    ) -> tuple[Identity, FailureDiagnosis | None, bool]:
        """The resource, where there is one already, and else whether its owner is still there.

        All at once: somebody looks at a failing workload and waits for the answers.
        """
        other = other_word(symptom)
        twin = identify(cluster=self._cluster, owner=owner, symptom=other) if other else identity
        found, of_twin, exists = await asyncio.gather(
            self._store.get(namespace=identity.namespace, name=identity.name),
            self._of_twin(twin, symptom) if other else _nothing(),
            self._owners.exists(owner),
            return_exceptions=True,
        )
        if isinstance(of_twin, BaseException):
            raise of_twin
        if of_twin is not None:
            return twin, of_twin, True
        if isinstance(found, BaseException):
            raise found
        if found is None and isinstance(exists, BaseException):
            raise exists
        return identity, found, exists is True

    async def _of_twin(self, twin: Identity, symptom: Symptom) -> FailureDiagnosis | None:
        """The resource of the other word, where it is about the same failure."""
        found = await self._store.get(namespace=twin.namespace, name=twin.name)
        failure = found.status.failure if found is not None and found.status else None
        same = failure is not None and failure.exit_code == symptom.exit_code
        return found if same else None

    def _take_up(self, sighting: Sighting, resource: FailureDiagnosis) -> None:
        """Go on where an earlier process left off; a failure that was over has come back."""
        failure = resource.status.failure if resource.status is not None else None
        if failure is None:
            return
        sighting.count = count_of(failure)
        sighting.symptom = known_symptom(failure)
        if _is_resolved(resource):
            self._metrics.failure_relapsed()
            _logger.info(
                "A failure that was over has come back",
                namespace=resource.metadata.namespace,
                name=resource.metadata.name,
            )
        else:
            sighting.turned_at = _turned_at(resource) or failure.first_seen

    def _leave_out_earlier_failures(
        self, sighting: Sighting, found: Found, symptom: Symptom
    ) -> None:
        """A container that failed otherwise before has restarts that are not this failure's."""
        by = found.shown_by
        if symptom.occurrences > 1 and self._sightings.fails_otherwise(
            by.uid, sighting.owner, symptom
        ):
            sighting.count.pods[by.uid] = PodCount(
                uid=by.uid, name=by.name, occurrences=symptom.occurrences - 1, last_seen=None
            )

    async def _create(self, name: str, sighting: Sighting, found: Found) -> None:
        owner, symptom = sighting.owner, sighting.symptom
        await self._store.apply(
            new_resource(
                name=name, owner=owner, container=symptom.container, trigger=Trigger.AUTOMATIC
            )
        )
        self._metrics.failure_opened(seconds=time.monotonic() - found.read_at)
        _logger.info(
            "Found a failure",
            namespace=owner.namespace,
            name=name,
            target=f"{owner.kind}/{owner.name}",
            reason=symptom.reason,
            container=symptom.container,
        )

    def _count(self, sighting: Sighting, found: Found, symptom: Symptom) -> None:
        symptom = wording(sighting.symptom, symptom)
        by = found.shown_by
        seen = PodCount(
            uid=by.uid,
            name=by.name,
            occurrences=symptom.occurrences,
            last_seen=symptom.last_seen,
        )
        count = sighting.count
        news = count.observe(seen) if by.kind == "Pod" else count.observe_object(seen)
        if (
            news
            or sighting.symptom.reason != symptom.reason
            or sighting.symptom.caused_by != symptom.caused_by
        ):
            sighting.dirty = True
        sighting.shown_by, sighting.pod, sighting.symptom = by, found.pod, symptom


async def _nothing() -> None:
    """Where there is nothing to ask."""


def _is_resolved(resource: FailureDiagnosis) -> bool:
    conditions = (resource.status.conditions or ()) if resource.status is not None else ()
    condition = find_condition(conditions, RESOLVED)
    return condition is not None and condition.status == ConditionStatus.TRUE


def _turned_at(resource: FailureDiagnosis) -> datetime | None:
    conditions = (resource.status.conditions or ()) if resource.status is not None else ()
    condition = find_condition(conditions, RESOLVED)
    return condition.last_transition_time if condition is not None else None
