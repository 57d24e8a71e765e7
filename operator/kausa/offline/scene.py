"""What stands in a snapshot, decoded: the typed objects, and what they say around each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from kausa.cluster.objects import Event, Meta, Pod
from kausa.cluster.paths import EVENTS, PODS, ResourcePath
from kausa.cluster.snapshot import Snapshot
from kausa.cluster.snapshot.store import ResourceUrl
from kausa.cluster.workload_surroundings import EndpointConditions, EndpointTarget
from kausa.cluster.workloads import (
    DAEMON_SETS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    SERVICES,
    STATEFUL_SETS,
    WORKLOADS,
    CronJob,
    Endpoint,
    EndpointSlice,
    Job,
    Node,
    PersistentVolumeClaim,
    Service,
    Workload,
)
from kausa.controller.observed import Observed
from kausa.detection.case import latest
from kausa.detection.events import note_of
from kausa.detection.surroundings import Note
from kausa.detection.workloads.claims import claim_state
from kausa.detection.workloads.looking import true_condition
from kausa.detection.workloads.nodes import node_state
from kausa.evidence.around import pod_template
from kausa.evidence.fields import labels_of, namespace_of

__all__ = ["Scene", "set_the_scene"]

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Scene:
    """Everything that is judged, and what the streams would know around it."""

    observed: Observed
    pods: tuple[Pod, ...] = ()
    workloads: tuple[Workload, ...] = ()
    services: tuple[Service, ...] = ()
    slices: dict[tuple[str, str], list[EndpointSlice]] = field(default_factory=dict)
    """EndpointSlices by the namespace and name of their Service."""
    notes: dict[str, Note] = field(default_factory=dict)
    """What the last Warning Event says of each object, by uid."""
    undecodable: int = 0
    """How many objects have a shape that Kubernetes does not send."""
    metas: dict[str, Meta] = field(default_factory=dict)
    templates: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    """By the uid of who makes Pods, its namespace and the labels that it gives them."""
    _pods_by_uid: dict[str, Pod] = field(default_factory=dict)
    _owned: dict[str, list[str]] = field(default_factory=dict)

    def pod_of(self, uid: str) -> Pod | None:
        """A Pod by its uid."""
        if not self._pods_by_uid:
            self._pods_by_uid = {each.metadata.uid: each for each in self.pods}
        return self._pods_by_uid.get(uid)

    def ended_at(self, uid: str) -> datetime | None:
        """When a Pod or a Job has failed for good; None where it has not, or nobody tells when."""
        pod = self.pod_of(uid)
        if pod is not None:
            return _ended_at(pod) if pod.status.phase == "Failed" else None
        for found in self.workloads:
            if found.metadata.uid == uid and isinstance(found, Job):
                failed = true_condition(found.status.conditions, "Failed")
                return failed.last_transition_time if failed is not None else None
        return None

    def below(self, uid: str) -> tuple[str, ...]:
        """The uids of an object and of all that it owns, however far down."""
        if not self._owned:
            for child, meta in self.metas.items():
                for each in meta.owner_references or ():
                    self._owned.setdefault(each.uid, []).append(child)
        found = {uid: None}
        todo = [uid]
        while todo:
            for child in self._owned.get(todo.pop(), ()):
                if child not in found:
                    found[child] = None
                    todo.append(child)
        return tuple(found)

    def makers_behind(self, place: tuple[str, str]) -> frozenset[str]:
        """The uids of those whose Pods a Service (its namespace and name) would select."""
        selector = next(
            (
                each.spec.selector
                for each in self.services
                if (each.metadata.namespace, each.metadata.name) == place
            ),
            None,
        )
        if not selector:
            return frozenset()
        return frozenset(
            uid
            for uid, (where, labels) in self.templates.items()
            if where == place[0] and selector.items() <= labels.items()
        )

    def waiting_services(self, failing: Collection[str]) -> frozenset[tuple[str, str]]:
        """Namespaces and names of Services whose Pods are not ready, and none of them fails."""
        found = set()
        for place, slices in self.slices.items():
            pods = {uid for each in slices for uid in each.pod_uids}
            ready = any(end.ready for each in slices for end in each.endpoints or ())
            if pods and not ready and pods.isdisjoint(failing):
                found.add(place)
        return frozenset(found)

    def is_bound(self, uid: str) -> bool:
        """Whether this is a claim that has its volume."""
        return any(
            isinstance(each, PersistentVolumeClaim)
            and each.metadata.uid == uid
            and each.status.phase == "Bound"
            for each in self.workloads
        )

    def meta_of(self, uid: str) -> Meta | None:
        """The metadata of any object of the snapshot."""
        return self.metas.get(uid)


def set_the_scene(snapshot: Snapshot) -> Scene:
    """Decode what is watched, and take in what stands around it, in the order of the streams."""
    scene = Scene(observed=Observed(), metas=_metas(snapshot))
    scene.pods = _all(snapshot, PODS, Pod, scene)
    scene.services = _all(snapshot, SERVICES, Service, scene)
    scene.workloads = tuple(
        found for path, kind in WORKLOADS.values() for found in _all(snapshot, path, kind, scene)
    )
    slices: dict[tuple[str, str], list[EndpointSlice]] = defaultdict(list)
    for each in _all(snapshot, ENDPOINT_SLICES, EndpointSlice, scene):
        slices[each.metadata.namespace, each.service_name].append(each)
    for service in scene.services:
        place = service.metadata.namespace, service.metadata.name
        # No slice lists a Pod that has no address yet, or that was evicted.
        if service.spec.selector and not any(each.pod_uids for each in slices.get(place, ())):
            slices[place].append(_implied_slice(service, snapshot))
    scene.slices = dict(slices)
    scene.templates = _templates(snapshot)
    for note in _notes(snapshot, scene):
        scene.observed.note(note)
        scene.notes[note.uid] = note
    for found in scene.workloads:
        _stand_around(scene.observed, found)
    return scene


def _ended_at(pod: Pod) -> datetime | None:
    status = pod.status
    ends = (each.state.terminated for each in status.all_container_statuses)
    return latest(
        *(each.finished_at for each in ends if each is not None),
        *(each.last_transition_time for each in status.conditions or ()),
        status.start_time,
    )


def _all(snapshot: Snapshot, path: ResourcePath, kind: type[T], scene: Scene) -> tuple[T, ...]:
    decoded = []
    for found in snapshot.collection(_url(path)):
        try:
            decoded.append(msgspec.convert(found, type=kind))
        except (msgspec.ValidationError, TypeError, RecursionError):
            scene.undecodable += 1
    return tuple(decoded)


def _implied_slice(service: Service, snapshot: Snapshot) -> EndpointSlice:
    """What the endpoint controller would write: one endpoint for each Pod that is selected."""
    wanted = service.spec.selector or {}
    endpoints = []
    for pod in snapshot.collection(_url(PODS, namespace=service.metadata.namespace)):
        labels = pod["metadata"].get("labels")
        if not isinstance(labels, dict) or not wanted.items() <= labels.items():
            continue
        endpoints.append(
            Endpoint(
                conditions=EndpointConditions(ready=_is_ready(pod)),
                target_ref=EndpointTarget(uid=pod["metadata"]["uid"]),
            )
        )
    return EndpointSlice(endpoints=tuple(endpoints))


def _is_ready(pod: dict[str, Any]) -> bool:
    status = pod.get("status")
    conditions = status.get("conditions") if isinstance(status, dict) else None
    return any(
        isinstance(each, dict) and (each.get("type"), each.get("status")) == ("Ready", "True")
        for each in (conditions if isinstance(conditions, list) else ())
    )


def _metas(snapshot: Snapshot) -> dict[str, Meta]:
    metas = {}
    for found in snapshot.every():
        if found["kind"] == "Event":
            continue
        try:
            metas[found["metadata"]["uid"]] = msgspec.convert(found["metadata"], type=Meta)
        except (msgspec.ValidationError, TypeError, RecursionError):
            continue
    return metas


def _templates(snapshot: Snapshot) -> dict[str, tuple[str, dict[str, str]]]:
    return {
        found["metadata"]["uid"]: (namespace_of(found), labels_of(pod_template(found)))
        for path in (DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS)
        for found in snapshot.collection(_url(path))
    }


def _url(path: ResourcePath, *, namespace: str = "") -> ResourceUrl:
    group = path.api_version.rpartition("/")[0]
    return ResourceUrl(resource=(group, path.plural), namespace=namespace)


def _notes(snapshot: Snapshot, scene: Scene) -> Iterator[Note]:
    for event in _all(snapshot, EVENTS, Event, scene):
        note = note_of(event)
        if note is not None:
            yield note


def _stand_around(observed: Observed, found: Any) -> None:
    meta = found.metadata
    if isinstance(found, Node):
        observed.node(node_state(found))
    elif isinstance(found, PersistentVolumeClaim):
        state = claim_state(found, observed.notes_of(meta.uid))
        observed.claim(namespace=meta.namespace, name=meta.name, state=state)
    elif isinstance(found, CronJob):
        observed.success(meta.uid, found.status.last_successful_time)
