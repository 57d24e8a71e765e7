"""All failures of a snapshot at one moment, by the same detectors and in the same order as live.

The operator's streams learn things one after the other, its workers record them. Here all is known
at once, so the same decisions are made in one pass: Pods first, then what stands above them, and
what only follows from something else is left to that.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from kausa.cluster.errors import ClusterError
from kausa.cluster.objects import ObjectReference, Pod
from kausa.cluster.owners import Owner, OwnerResolver
from kausa.cluster.workloads import Service, is_watched
from kausa.controller.found import NO_POD, Watched, reference
from kausa.controller.identity import identify
from kausa.controller.upstreams import CONSEQUENCES, quota_symptom
from kausa.detection.pods import detect_pod
from kausa.detection.surroundings import Note
from kausa.detection.symptom import Symptom, Upstream
from kausa.detection.verdict import Verdict
from kausa.detection.workloads.detect import detect_workload
from kausa.detection.workloads.others import detect_notes
from kausa.detection.workloads.services import detect_service
from kausa.offline.owner_view import top_owner
from kausa.offline.scene import Scene
from kausa.offline.since import begun
from kausa.offline.thin import completed

__all__ = ["Failure", "Survey"]

CLUSTER = "snapshot"
"""Stands in every fingerprint where the name of the cluster would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One object that shows one failure."""

    owner: Owner
    shown_by: ObjectReference
    pod: Pod
    """The same, where it is a Pod; else the empty one."""
    symptom: Symptom

    @property
    def namespace(self) -> str:
        """Where it was seen; empty for what is in none."""
        return self.shown_by.namespace

    @property
    def key(self) -> tuple[str, str]:
        """What all that fail in the same way share."""
        return identify(cluster=CLUSTER, owner=self.owner, symptom=self.symptom).key


class Survey:
    """Judges a scene at one moment; `run` once."""

    def __init__(self, scene: Scene, *, owners: OwnerResolver, now: datetime) -> None:
        self._scene = scene
        self._owners = owners
        self.now = now
        self.failures: list[Failure] = []
        self.again_at: dict[str, datetime] = {}
        """By uid, when time alone may change what is said of an object."""
        self._failing_pods: Counter[str] = Counter()
        self._of_pods: set[str] = set()
        """The uids of owners of which a Pod's failure is recorded."""

    async def run(self) -> Survey:
        """Find every failure."""
        scene, observed = self._scene, self._scene.observed
        for pod in scene.pods:
            whole = completed(pod, observed.notes_of(pod.metadata.uid), now=self.now)
            await self._take(pod, detect_pod(whole, around=observed.around_pod(pod), now=self.now))
        for found in scene.workloads:
            meta = found.metadata
            around = observed.around(meta, failing_pods=self._failing_pods[meta.uid])
            await self._take(found, detect_workload(found, around=around, now=self.now))
        for note in self._of_unwatched():
            notes = self._scene.observed.notes_of(note.uid) or (note,)
            await self._take(note, detect_notes(notes, now=self.now))
        for service, verdict in self._services():
            await self._take(service, verdict)
        return self

    def of(self, uid: str) -> tuple[Failure, ...]:
        """What an object shows itself."""
        return tuple(each for each in self.failures if each.shown_by.uid == uid)

    async def _take(self, found: Watched, verdict: Verdict) -> None:
        by = reference(found)
        if verdict.look_again_at is not None:
            self.again_at[by.uid] = verdict.look_again_at
        if not verdict.symptoms:
            return
        meta = None if isinstance(found, Note) else found.metadata
        owner = await top_owner(self._owners, by, meta=meta)
        watched = is_watched(owner.api_version, owner.kind)
        if isinstance(found, Note) and owner.uid != by.uid and watched:
            return  # The workload above says it itself.
        if isinstance(found, Pod):
            self._failing_pods[owner.uid] += 1
        for symptom in verdict.symptoms:
            if isinstance(found, Pod):
                notes = self._scene.observed.notes_of(by.uid)
                symptom = replace(symptom, since=begun(symptom, found, notes))
            await self._record(found, symptom, owner=owner, by=by)

    async def _record(
        self, found: Watched, symptom: Symptom, *, owner: Owner, by: ObjectReference
    ) -> None:
        consequence = symptom.category in CONSEQUENCES and is_watched(by.api_version, by.kind)
        if consequence and owner.uid in self._of_pods:
            return
        if symptom.caused_by is not None and symptom.caused_by.kind == "ResourceQuota":
            symptom = await self._with_quota(symptom, namespace=owner.namespace)
        if isinstance(found, Pod):
            self._of_pods.add(owner.uid)
        self.failures.append(
            Failure(
                owner=owner,
                shown_by=by,
                pod=found if isinstance(found, Pod) else NO_POD,
                symptom=symptom,
            )
        )

    async def _with_quota(self, symptom: Symptom, *, namespace: str) -> Symptom:
        """A quota is no failure by itself; it is one for whom it keeps from running."""
        upstream = symptom.caused_by
        if upstream is None:
            return symptom
        try:
            quota = await self._owners.find(
                api_version="v1", kind="ResourceQuota", namespace=namespace, name=upstream.name
            )
        except ClusterError:
            return symptom  # A name that can be no object's.
        if quota is None:
            return symptom
        blocked, symptom = quota_symptom(symptom, quota=quota)
        shown = ObjectReference(
            api_version="v1",
            kind="ResourceQuota",
            namespace=namespace,
            name=quota.name,
            uid=quota.uid,
        )
        self.failures.append(Failure(owner=quota, shown_by=shown, pod=NO_POD, symptom=blocked))
        return symptom

    def _of_unwatched(self) -> Iterable[Note]:
        for note in self._scene.notes.values():
            if note.kind != "Pod" and not is_watched(note.api_version, note.kind):
                yield note

    def _services(self) -> Iterator[tuple[Service, Verdict]]:
        failing: dict[str, dict[str, Failure]] = defaultdict(dict)
        for each in self.failures:
            if each.shown_by.kind == "Pod":
                failing[each.shown_by.namespace].setdefault(each.shown_by.uid, each)
        for service in self._scene.services:
            meta = service.metadata
            behind = self._scene.slices.get((meta.namespace, meta.name), [])
            here = failing.get(meta.namespace, {})
            verdict = detect_service(service, behind, failing=set(here), now=self.now)
            uids = sorted({uid for each in behind for uid in each.pod_uids if uid in here})
            if verdict.symptoms and uids:
                verdict = _caused(verdict, here[uids[0]])
            yield service, verdict


def _caused(verdict: Verdict, by: Failure) -> Verdict:
    owner = by.owner
    upstream = Upstream(
        api_version=owner.api_version,
        kind=owner.kind,
        name=owner.name,
        uid=owner.uid,
        namespace=owner.namespace,
        reason=by.symptom.reason,
    )
    symptoms = tuple(replace(each, caused_by=upstream) for each in verdict.symptoms)
    return replace(verdict, symptoms=symptoms)
