"""Which Pod to look at for a resource: the one the streams saw, or one found by its target."""

from __future__ import annotations

from dataclasses import dataclass

from kausa.cluster.errors import NotFoundError
from kausa.cluster.objects import Pod
from kausa.cluster.owners import Owner, OwnerResolver
from kausa.cluster.reader import ClusterReader
from kausa.controller.identity import identify
from kausa.controller.sighting_documents import POD_ANNOTATION
from kausa.controller.sightings import Sightings
from kausa.detection.pods import detect_pod
from kausa.detection.symptom import Symptom
from kausa.resources.failure_diagnosis import FailureDiagnosis

__all__ = ["Subject", "SubjectFinder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One Pod of the target, and the way in which it fails, if it does."""

    owner: Owner
    pod: Pod
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
        """The Pod to diagnose; None where the target has no Pod (any more)."""
        meta, target = resource.metadata, resource.spec.target
        namespace = meta.namespace or ""
        seen = self._sightings.by_resource.get((namespace, meta.name))
        if seen is not None:
            return Subject(
                owner=seen.owner,
                pod=seen.pod,
                symptom=seen.symptom,
                detected_at=seen.detected_at,
            )
        if target.kind == "Pod":
            return await self._pod(resource, namespace=namespace)
        return await self._pod_of(resource, namespace=namespace)

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
        asked = (resource.metadata.annotations or {}).get(POD_ANNOTATION)
        healthy: Subject | None = None
        for pod in await self._reader.pods(namespace=namespace):
            owner = await self._owners.top_owner(pod)
            if owner is None or (owner.kind, owner.name) != (target.kind, target.name):
                continue
            if not _has(pod, resource):
                continue
            subject = self._subject(resource, owner=owner, pod=pod)
            if subject.symptom is not None:
                return subject
            if healthy is None or pod.metadata.name == asked:
                healthy = subject
        return healthy

    def _subject(self, resource: FailureDiagnosis, *, owner: Owner, pod: Pod) -> Subject:
        """The Pod with the very failure that the resource is named for, else with any."""
        container = resource.spec.target.container
        found = [each for each in detect_pod(pod) if container in (None, each.container)]
        name = resource.metadata.name
        exact = (
            each
            for each in found
            if identify(cluster=self._cluster, owner=owner, symptom=each).name == name
        )
        symptom = next(exact, found[0] if found else None)
        return Subject(owner=owner, pod=pod, symptom=symptom)


def _has(pod: Pod, resource: FailureDiagnosis) -> bool:
    """Whether the Pod has the container that is asked about, if one is."""
    container = resource.spec.target.container
    return container is None or container in {each.name for each in pod.spec.all_containers}
