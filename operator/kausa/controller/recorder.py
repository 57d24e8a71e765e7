"""Recording what fails: one resource for each failure, opened at once, its repeats written later.

The resource's name is its identity, so opening is an apply that succeeds however often it is tried,
by this process or by the one that was killed before it.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace

from kausa.cluster.errors import ClusterError, NamespaceTerminatingError
from kausa.cluster.objects import Pod
from kausa.cluster.owners import Owner, OwnerResolver
from kausa.controller.identity import Identity, identify
from kausa.controller.sighting_documents import failure_count, failure_part, new_resource
from kausa.controller.sightings import NEVER, ResourceKey, Sighting, Sightings
from kausa.controller.store import FailureDiagnosisStore
from kausa.detection.counting import FailureCount, PodCount
from kausa.detection.symptom import Symptom
from kausa.evidence.redaction import Redactor
from kausa.resources.category import Category
from kausa.resources.condition import RESOLVED, ConditionStatus, set_condition
from kausa.resources.spec import Trigger
from kausa.resources.status import FailureDiagnosisStatus
from kausa.telemetry.clock import utc_now
from kausa.telemetry.logs import get_logger

__all__ = ["Recorder", "Written"]

LOCKS = 64
_logger = get_logger("kausa.controller.recorder")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of the repeats that were due."""

    count: int
    gone: tuple[ResourceKey, ...]
    """The resources that are not there any more."""
    error: ClusterError | None
    """The last of the errors; what it was about is tried again."""


class Recorder:
    """Owns what the streams know, and the part of the status that says it."""

    def __init__(
        self,
        *,
        store: FailureDiagnosisStore,
        owners: OwnerResolver,
        redactor: Redactor,
        cluster: str,
        repeat_interval_seconds: float,
    ) -> None:
        self._store = store
        self._owners = owners
        self._redactor = redactor
        self._cluster = cluster
        self._repeat_interval_seconds = repeat_interval_seconds
        self.sightings = Sightings()
        # Two Pods of one owner fail at the same moment: one of them opens the resource.
        self._locks = tuple(asyncio.Lock() for _ in range(LOCKS))

    async def see(self, pod: Pod, symptom: Symptom, *, owner: Owner) -> str | None:
        """Record one symptom; the name of its resource, or None where the owner is going."""
        twin = self.sightings.memory_twin(pod.metadata.uid, symptom)
        if twin is not None:
            symptom = replace(
                twin.symptom, occurrences=symptom.occurrences, last_seen=symptom.last_seen
            )
        identity = identify(cluster=self._cluster, owner=owner, symptom=symptom)
        if symptom.reason_class == "CrashLoop" and identity.key not in self.sightings.by_resource:
            symptom = await self._as_recorded_before(symptom, owner=owner)
            identity = identify(cluster=self._cluster, owner=owner, symptom=symptom)
        key = identity.key
        async with self._locks[hash(key) % LOCKS]:
            sighting = self.sightings.by_resource.get(key)
            if sighting is None:
                sighting = await self._open(identity, pod, symptom, owner=owner)
            if sighting is None:
                return None
            self._count(sighting, pod, symptom)
            if sighting.dirty and sighting.written_at == NEVER:
                await self._write(key, sighting)
        return identity.name

    async def _as_recorded_before(self, symptom: Symptom, *, owner: Owner) -> Symptom:
        """A process before us may have recorded this very end as out of memory: the kubelet calls
        one end Error and OOMKilled in turn, and what was in memory is gone with that process.
        """
        killed = replace(
            symptom,
            category=Category.OOM_KILLED,
            reason="OOMKilled",
            reason_class="OOMKilled",
            detail="",
        )
        identity = identify(cluster=self._cluster, owner=owner, symptom=killed)
        found = await self._store.get(namespace=identity.namespace, name=identity.name)
        failure = found.status.failure if found is not None and found.status else None
        same = failure is not None and failure.exit_code == symptom.exit_code
        return killed if same else symptom

    async def write_due(self) -> Written:
        """Write the repeats that have waited long enough; one that fails holds up no other."""
        gone: list[ResourceKey] = []
        error: ClusterError | None = None
        due = self.sightings.due(interval_seconds=self._repeat_interval_seconds)
        for key in due:
            sighting = self.sightings.by_resource.get(key)
            if sighting is None:
                continue
            try:
                if not await self._write(key, sighting):
                    gone.append(key)
            except ClusterError as caught:
                error = caught
                sighting.written_at = time.monotonic()  # its next turn comes after the others'
            except Exception:
                _logger.exception("Could not write what was seen", name="/".join(key))
                sighting.written_at = time.monotonic()
        return Written(count=len(due), gone=tuple(gone), error=error)

    async def _open(
        self, identity: Identity, pod: Pod, symptom: Symptom, *, owner: Owner
    ) -> Sighting | None:
        """Take up the resource of an earlier process, or make it."""
        key, (namespace, name) = identity.key, identity.key
        found = await self._store.get(namespace=namespace, name=name)
        if found is None and not await self._owners.exists(owner):
            return None
        moment = symptom.last_seen or utc_now()
        count = FailureCount(first_seen=moment, last_seen=moment)
        self._leave_out_earlier_failures(count, pod, symptom)
        if found is not None and found.status is not None and found.status.failure is not None:
            count = failure_count(found.status.failure)
        sighting = Sighting(
            owner=owner,
            pod=pod,
            symptom=symptom,
            fingerprint=identity.fingerprint,
            count=count,
            message=self._redactor.text(symptom.message).value,
        )
        # Known before it is applied: its diagnosis starts as soon as it is there, and looks here.
        self.sightings.by_resource[key] = sighting
        if found is None:
            try:
                await self._create(name, sighting)
            except NamespaceTerminatingError:
                # So is the Pod going, and so would be the resource.
                self.sightings.by_resource.pop(key, None)
                return None
            except BaseException:
                self.sightings.by_resource.pop(key, None)
                raise
        return sighting

    def _leave_out_earlier_failures(self, count: FailureCount, pod: Pod, symptom: Symptom) -> None:
        """A container that failed otherwise before has restarts that are not this failure's."""
        meta = pod.metadata
        if symptom.occurrences > 1 and self.sightings.fails_otherwise(meta.uid, symptom):
            count.pods[meta.uid] = PodCount(
                uid=meta.uid, name=meta.name, occurrences=symptom.occurrences - 1, last_seen=None
            )

    async def _create(self, name: str, sighting: Sighting) -> None:
        owner, symptom = sighting.owner, sighting.symptom
        await self._store.apply(
            new_resource(
                name=name, owner=owner, container=symptom.container, trigger=Trigger.AUTOMATIC
            )
        )
        _logger.info(
            "Found a failure",
            namespace=owner.namespace,
            name=name,
            target=f"{owner.kind}/{owner.name}",
            reason=symptom.reason,
            container=symptom.container,
        )

    def _count(self, sighting: Sighting, pod: Pod, symptom: Symptom) -> None:
        repeat = self.sightings.repeat_of(pod, symptom)
        times = [each for each in (symptom.last_seen, repeat and repeat.last_seen) if each]
        news = sighting.count.observe(
            PodCount(
                uid=pod.metadata.uid,
                name=pod.metadata.name,
                occurrences=max(symptom.occurrences, repeat.count if repeat else 0),
                last_seen=max(times, default=None),
            )
        )
        if news or sighting.symptom.reason != symptom.reason:
            sighting.message = self._redactor.text(symptom.message).value
            sighting.dirty = True
        sighting.pod, sighting.symptom = pod, symptom

    async def _write(self, key: ResourceKey, sighting: Sighting) -> bool:
        namespace, name = key
        sighting.dirty = False
        try:
            there = await self._store.write_sighting(
                namespace=namespace, name=name, status=_status(sighting)
            )
        except ClusterError:
            sighting.dirty = True
            raise
        sighting.written_at = time.monotonic()
        return there


def _status(sighting: Sighting) -> FailureDiagnosisStatus:
    return FailureDiagnosisStatus(
        failure=failure_part(
            sighting.symptom,
            message=sighting.message,
            fingerprint=sighting.fingerprint,
            count=sighting.count,
        ),
        conditions=set_condition(
            (),
            type=RESOLVED,
            status=ConditionStatus.FALSE,
            reason="StillFailing",
            message="",
            now=sighting.count.first_seen,
        ),
    )
