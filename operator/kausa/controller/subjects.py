"""What to look at for a resource: what the streams saw, or something found by its target."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from kausa.cluster.errors import ForbiddenError, NotFoundError
from kausa.cluster.kinds import KINDS
from kausa.cluster.objects import ObjectReference, Pod
from kausa.cluster.owners import Owner, OwnerResolver
from kausa.cluster.reader import ClusterReader
from kausa.cluster.workloads import WORKLOADS, is_watched
from kausa.controller.found import NO_POD, Found, reference
from kausa.controller.identity import identify
from kausa.controller.sighting_documents import POD_ANNOTATION, known_symptom
from kausa.controller.sightings import Sighting, Sightings
from kausa.detection.events import note_of
from kausa.detection.pods import detect_pod
from kausa.detection.surroundings import Surroundings
from kausa.detection.symptom import Symptom
from kausa.detection.workloads.detect import detect_workload
from kausa.resources.condition import RESOLVED, ConditionStatus, find_condition
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.spec import Target, Trigger
from kausa.telemetry.clock import utc_now

__all__ = ["Subject", "SubjectFinder"]

_MAKE_PODS = frozenset(
    {
        "CronJob",
        "DaemonSet",
        "Deployment",
        "Job",
        "Pod",
        "ReplicaSet",
        "ReplicationController",
        "StatefulSet",
    }
)
WITHOUT_PODS = frozenset(KINDS) - _MAKE_PODS
"""Whose Pods, if they have any, do not tell why they fail. Custom resources may have some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What shows the failure, a Pod of the target where there is one, and how it fails."""

    owner: Owner
    shown_by: ObjectReference
    pod: Pod
    """The Pod that shows it, or one to read logs from; the empty one where there is none."""
    symptom: Symptom | None
    detected_at: float | None = None
    """When the streams saw it first (time.monotonic)."""


class SubjectFinder:
    """Looks in what the streams know first, then asks the API server."""

    def __init__(
        self, *, reader: ClusterReader, owners: OwnerResolver, sightings: Sightings, cluster: str
    ) -> None:
        self._cluster = cluster
        self._reader = reader
        self._owners = owners
        self._sightings = sightings

    async def find(self, resource: FailureDiagnosis) -> Subject | None:
        """What to diagnose; None where the target is not there (any more) or may not be read."""
        meta, target = resource.metadata, resource.spec.target
        namespace = meta.namespace or ""
        seen = self._sightings.by_resource.get((namespace, meta.name))
        if seen is not None:
            return await self._as_seen(seen)
        if target.kind == "Pod":
            return await self._pod(resource, namespace=namespace)
        subject = None
        if target.kind not in WITHOUT_PODS:
            subject = await self._pod_of(resource, namespace=namespace)
        if subject is not None and (subject.symptom is not None or target.container):
            return replace(subject, symptom=subject.symptom or _recorded(resource))
        itself = await self._itself(resource, namespace=namespace)
        # A workload may fail though all its Pods are well: those that it cannot make.
        if subject is not None and (itself is None or itself.symptom is None):
            return subject
        return itself

    async def _itself(self, resource: FailureDiagnosis, *, namespace: str) -> Subject | None:
        """What fails (or is asked about) without a Pod: as recorded, as seen, or as it is now."""
        target = resource.spec.target
        if target.kind == "Secret" or target.container:
            return None  # Nobody reads Secrets, and only Pods have containers.
        owner = await self._owners.find(
            api_version=target.api_version,
            kind=target.kind,
            namespace=namespace,
            name=target.name,
        )
        if owner is None:
            return None
        failure = resource.status.failure if resource.status is not None else None
        seen = self._seen(owner)
        if failure is not None:
            symptom: Symptom | None = known_symptom(failure)
        elif seen is not None:
            symptom = seen.symptom
        else:
            symptom = await self._shown(owner)
        return Subject(owner=owner, shown_by=_named(owner), pod=NO_POD, symptom=symptom)

    def _seen(self, owner: Owner) -> Sighting | None:
        """A failure of this very object that the streams know under another resource."""
        return next(
            (
                each
                for each in self._sightings.by_resource.values()
                if each.shown_by.uid == owner.uid and not each.resolved
            ),
            None,
        )

    async def _shown(self, owner: Owner) -> Symptom | None:
        """The first symptom that the object itself shows now, with what Events say of it."""
        if not is_watched(owner.api_version, owner.kind):
            return None
        path, kind = WORKLOADS[owner.kind]
        try:
            found = await self._reader.manifest(path, name=owner.name, namespace=owner.namespace)
            # Kubernetes keeps the Events about what belongs to no namespace in this one.
            place = owner.namespace if path.namespaced else "default"
            events = await self._reader.events_about(namespace=place, uid=owner.uid)
            if owner.kind == "Node":
                # A kubelet calls its node by its name, where others write the uid.
                events += await self._reader.events_about(namespace=place, uid=owner.name)
            if found is None:
                return None
            workload = msgspec.convert(found, type=kind)
        except (ForbiddenError, msgspec.ValidationError):
            return None
        notes = tuple(note for each in events if (note := note_of(each)) is not None)
        verdict = detect_workload(workload, around=Surroundings(notes=notes), now=utc_now())
        return verdict.symptoms[0] if verdict.symptoms else None

    async def _as_seen(self, seen: Sighting) -> Subject:
        pod = seen.pod
        if pod is NO_POD and seen.owner.kind not in WITHOUT_PODS:
            pod = await self._example(seen.owner)
        return Subject(
            owner=seen.owner,
            shown_by=seen.shown_by,
            pod=pod,
            symptom=seen.symptom,
            detected_at=seen.detected_at,
        )

    async def _example(self, owner: Owner) -> Pod:
        """A Pod of a workload that fails as a whole: the newest that is not well."""
        found = NO_POD
        try:
            pods = await self._reader.pods(namespace=owner.namespace)
        except ForbiddenError:
            return found
        for pod in sorted(pods, key=_age):
            if _is_well(pod):
                continue
            top = await self._owners.top_owner(reference(pod), meta=pod.metadata)
            if top is not None and top.uid == owner.uid:
                found = pod
        return found

    async def _pod(self, resource: FailureDiagnosis, *, namespace: str) -> Subject | None:
        name = resource.spec.target.name
        try:
            pod = await self._reader.pod(namespace=namespace, name=name)
        except NotFoundError:
            return None
        owner = Owner(
            api_version="v1", kind="Pod", name=name, uid=pod.metadata.uid, namespace=namespace
        )
        return self._subject(resource, owner=owner, pod=pod) if _has(pod, resource) else None

    async def _pod_of(self, resource: FailureDiagnosis, *, namespace: str) -> Subject | None:
        """A failing Pod of the target before a healthy one, the one asked about before others."""
        target = resource.spec.target
        named = {(resource.metadata.annotations or {}).get(POD_ANNOTATION)}
        if resource.status is not None and resource.status.failure is not None:
            named |= {each.name for each in resource.status.failure.pods}
        healthy: Subject | None = None
        for pod in await self._reader.pods(namespace=namespace):
            owner = await self._owners.top_owner(reference(pod), meta=pod.metadata)
            if owner is None or not _has(pod, resource):
                continue
            if (owner.kind, owner.name) != (target.kind, target.name) and not _is_made_by(
                pod, target
            ):
                continue
            subject = self._subject(resource, owner=owner, pod=pod)
            if subject.symptom is not None:
                return subject
            if healthy is None or pod.metadata.name in named:
                healthy = subject
        return healthy

    def _subject(self, resource: FailureDiagnosis, *, owner: Owner, pod: Pod) -> Subject:
        """The Pod with the very failure that the resource is named for, else with any."""
        container = resource.spec.target.container
        verdict = detect_pod(pod, now=utc_now())
        found = [each for each in verdict.symptoms if container in (None, each.container)]
        name = resource.metadata.name
        exact = (
            each
            for each in found
            if identify(cluster=self._cluster, owner=owner, symptom=each).name == name
        )
        symptom = next(exact, found[0] if found else None)
        return Subject(owner=owner, shown_by=reference(pod), pod=pod, symptom=symptom)


def _recorded(resource: FailureDiagnosis) -> Symptom | None:
    """How it failed as far as we wrote that down, while it is not over: between two crashes a
    container runs for a moment, which a process that has just started would take for the whole.
    """
    status = resource.status
    if resource.spec.trigger is not Trigger.AUTOMATIC or status is None or status.failure is None:
        return None
    resolved = find_condition(status.conditions or (), RESOLVED)
    if resolved is not None and resolved.status is ConditionStatus.TRUE:
        return None
    return known_symptom(status.failure)


def _has(pod: Pod, resource: FailureDiagnosis) -> bool:
    """Whether the Pod has the container that is asked about, if one is."""
    container = resource.spec.target.container
    return container is None or container in {each.name for each in pod.spec.all_containers}


def _is_made_by(pod: Pod, target: Target) -> bool:
    """Whether it is the target that made the Pod, though somebody else stands above it."""
    references = pod.metadata.owner_references or ()
    return any((each.kind, each.name) == (target.kind, target.name) for each in references)


def _named(owner: Owner) -> ObjectReference:
    """By name, and without the namespace where its failures are written down if it has none."""
    known = KINDS.get(owner.kind)
    named = Found.named(owner)
    if known is None or known.namespaced:
        return named
    return msgspec.structs.replace(named, namespace="")


def _is_well(pod: Pod) -> bool:
    statuses = pod.status.container_statuses or ()
    return pod.status.phase == "Succeeded" or (
        bool(statuses) and all(each.ready for each in statuses)
    )


def _age(pod: Pod) -> float:
    created = pod.metadata.creation_timestamp
    return created.timestamp() if created is not None else 0.0
