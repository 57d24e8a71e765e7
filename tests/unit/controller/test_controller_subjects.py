"""The Pod to look at: the one the streams saw, or a failing one of the target."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import pytest
from support.dossiers import DEPLOYMENT
from support.fake_store import FakeOwners
from support.pods import container, pod, terminated, waiting

from kausa.cluster.errors import ForbiddenError, NotFoundError
from kausa.cluster.objects import Event, ObjectReference, Pod
from kausa.cluster.owners import Owner
from kausa.cluster.paths import ResourcePath
from kausa.controller.identity import identify
from kausa.controller.sighting_documents import new_resource
from kausa.controller.sightings import Sighting, Sightings
from kausa.controller.subjects import Subject, SubjectFinder
from kausa.detection.counting import FailureCount
from kausa.detection.pods import detect_pod
from kausa.resources.category import Category
from kausa.resources.condition import RESOLVED, ConditionStatus, set_condition
from kausa.resources.failure import Failure
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.spec import Trigger
from kausa.resources.status import FailureDiagnosisStatus
from kausa.telemetry.clock import utc_now

HEALTHY = pod(container({"running": {}}, ready=True), uid="h", name="checkout-h")
FAILING = pod(
    container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=2),
    uid="f",
    name="checkout-f",
)


class FakePods:
    """A namespace of Pods."""

    def __init__(self, *pods: Pod) -> None:
        self.found = pods

    async def pods(self, *, namespace: str, node: str = "") -> tuple[Pod, ...]:
        return self.found

    async def pod(self, *, namespace: str, name: str) -> Pod:
        for each in self.found:
            if each.metadata.name == name:
                return each
        raise NotFoundError("no such Pod", status=404)


async def find(*pods: Pod, owner: Owner = DEPLOYMENT, target: Owner = DEPLOYMENT) -> Subject | None:
    finder = SubjectFinder(
        reader=cast(Any, FakePods(*pods)),
        owners=cast(Any, FakeOwners(owner)),
        sightings=Sightings(),
        cluster="test",
    )
    return await finder.find(
        new_resource(name="mine", owner=target, container=None, trigger=Trigger.MANUAL)
    )


async def test_a_failing_pod_of_the_target_comes_before_a_healthy_one() -> None:
    subject = await find(HEALTHY, FAILING)
    assert subject is not None
    assert subject.pod.metadata.name == "checkout-f"
    assert subject.symptom is not None


async def test_a_target_whose_pods_are_healthy_is_looked_at_all_the_same() -> None:
    subject = await find(HEALTHY)
    assert subject is not None
    assert subject.symptom is None


async def test_a_target_without_a_pod_has_no_subject() -> None:
    other = Owner(api_version="apps/v1", kind="Deployment", name="x", uid="", namespace="shop")
    assert await find(HEALTHY, owner=other) is None


async def test_a_pod_is_found_by_its_name_and_is_its_own_owner() -> None:
    target = Owner(api_version="v1", kind="Pod", name="checkout-f", uid="f", namespace="shop")
    subject = await find(HEALTHY, FAILING, target=target)
    assert subject is not None
    assert subject.owner.kind == "Pod"
    gone = Owner(api_version="v1", kind="Pod", name="gone", uid="g", namespace="shop")
    assert await find(HEALTHY, target=gone) is None


async def test_of_two_failures_of_a_pod_the_one_that_the_resource_is_named_for_is_taken() -> None:
    crash = container(waiting("CrashLoopBackOff"), name="a", last=terminated(3), restarts=2)
    image = container(waiting("ImagePullBackOff"), name="b", image="")
    both = pod(crash, image, uid="f", name="checkout-f")
    second = detect_pod(both, now=utc_now()).symptoms[1]
    identity = identify(cluster="test", owner=DEPLOYMENT, symptom=second)
    finder = SubjectFinder(
        reader=cast(Any, FakePods(both)),
        owners=cast(Any, FakeOwners(DEPLOYMENT)),
        sightings=Sightings(),
        cluster="test",
    )
    made = new_resource(
        name=identity.name, owner=DEPLOYMENT, container=None, trigger=Trigger.AUTOMATIC
    )
    subject = await finder.find(made)
    assert subject is not None
    assert subject.symptom == second


RUNS = pod(
    container({"running": {}}, name="api", last=terminated(3), restarts=2),
    uid="f",
    name="checkout-f",
)
"""Between two crashes, for a moment."""


def recorded(*, over: bool = False, trigger: Trigger = Trigger.AUTOMATIC) -> FailureDiagnosis:
    """What an earlier process wrote of the container api."""
    conditions = set_condition(
        (),
        type=RESOLVED,
        status=ConditionStatus.TRUE if over else ConditionStatus.FALSE,
        reason="Known",
        message="",
        now=utc_now(),
    )
    made = new_resource(name="mine", owner=DEPLOYMENT, container="api", trigger=trigger)
    failure = Failure(
        category=Category.CRASH_LOOP,
        reason="CrashLoopBackOff",
        container="api",
        exit_code=3,
        fingerprint="0" * 16,
        first_seen=utc_now(),
        last_seen=utc_now(),
        occurrences=2,
    )
    status = FailureDiagnosisStatus(failure=failure, conditions=conditions)
    return made.model_copy(update={"status": status})


async def found_by_a_new_process(resource: FailureDiagnosis, *pods: Pod) -> Subject | None:
    finder = SubjectFinder(
        reader=cast(Any, FakePods(*pods)),
        owners=cast(Any, FakeOwners(DEPLOYMENT)),
        sightings=Sightings(),
        cluster="test",
    )
    return await finder.find(resource)


async def test_a_new_process_takes_a_container_between_two_crashes_for_a_failing_one() -> None:
    subject = await found_by_a_new_process(recorded(), RUNS)
    assert subject is not None
    assert subject.symptom is not None
    assert (subject.symptom.reason, subject.symptom.exit_code) == ("CrashLoopBackOff", 3)


@pytest.mark.parametrize("made", [recorded(over=True), recorded(trigger=Trigger.MANUAL)])
async def test_what_is_over_or_was_asked_for_is_seen_as_it_is_now(made: FailureDiagnosis) -> None:
    subject = await found_by_a_new_process(made, RUNS)
    assert subject is not None
    assert subject.symptom is None


# -- targets without Pods --------------------------------------------------------------------------


class FakeWorld(FakePods):
    """Pods, and one object of another kind with its Events."""

    def __init__(
        self, *pods: Pod, manifest: dict[str, Any] | None = None, events: tuple[Event, ...] = ()
    ) -> None:
        super().__init__(*pods)
        self.manifest_, self.events = manifest, events
        self.asked: list[str] = []

    async def manifest(self, path: ResourcePath, *, name: str, namespace: str) -> Any:
        self.asked.append(path.kind)
        if isinstance(self.manifest_, Exception):
            raise self.manifest_
        return self.manifest_

    async def events_about(self, *, namespace: str, uid: str) -> tuple[Event, ...]:
        self.asked.append(f"events in {namespace}")
        return self.events


def owner_of(kind: str, api_version: str = "v1") -> Owner:
    return Owner(api_version=api_version, kind=kind, name="it", uid="it-uid", namespace="shop")


async def find_in(
    world: FakePods,
    target: Owner,
    *,
    there: bool = True,
    sightings: Sightings | None = None,
    container: str | None = None,
) -> Subject | None:
    owners = FakeOwners(DEPLOYMENT)
    if there:
        owners.named[(target.kind, target.name)] = target
    finder = SubjectFinder(
        reader=cast(Any, world),
        owners=cast(Any, owners),
        sightings=sightings or Sightings(),
        cluster="test",
    )
    return await finder.find(
        new_resource(name="mine", owner=target, container=container, trigger=Trigger.MANUAL)
    )


@pytest.mark.parametrize(
    "kind",
    ["Service", "Ingress", "PersistentVolumeClaim", "ConfigMap", "NetworkPolicy", "CronJob"],
)
async def test_an_object_without_pods_is_looked_at_itself(kind: str) -> None:
    subject = await find_in(FakeWorld(), owner_of(kind))
    assert subject is not None
    assert (subject.shown_by.kind, subject.shown_by.namespace) == (kind, "shop")
    assert subject.pod.metadata.uid == ""
    assert subject.symptom is None


@pytest.mark.parametrize("kind", ["Node", "PersistentVolume"])
async def test_what_belongs_to_no_namespace_is_shown_without_one(kind: str) -> None:
    subject = await find_in(FakeWorld(), owner_of(kind))
    assert subject is not None
    assert subject.shown_by.namespace == ""


async def test_a_target_that_is_not_there_has_no_subject() -> None:
    assert await find_in(FakeWorld(), owner_of("Service"), there=False) is None


async def test_nobody_reads_a_secret_because_somebody_asks() -> None:
    world = FakeWorld()
    assert await find_in(world, owner_of("Secret")) is None
    assert not world.asked


async def test_a_container_of_what_has_no_pods_is_not_found() -> None:
    assert await find_in(FakeWorld(), owner_of("Service"), container="api") is None


LIMITED = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "it", "namespace": "shop", "uid": "it-uid", "generation": 1},
    "spec": {"replicas": 2},
    "status": {
        "observedGeneration": 1,
        "conditions": [
            {
                "type": "Progressing",
                "status": "False",
                "reason": "ProgressDeadlineExceeded",
                "message": "has timed out progressing",
                "lastUpdateTime": "2026-01-01T00:00:00Z",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }
        ],
    },
}


async def test_a_workload_that_fails_though_it_has_no_pod_shows_how() -> None:
    world = FakeWorld(manifest=LIMITED)
    subject = await find_in(world, owner_of("Deployment", "apps/v1"))
    assert subject is not None
    assert subject.symptom is not None
    assert subject.symptom.reason == "ProgressDeadlineExceeded"
    assert subject.shown_by.kind == "Deployment"
    assert "events in shop" in world.asked


async def test_what_a_kubelet_says_of_its_node_is_read_by_the_nodes_name() -> None:
    now = utc_now()
    said = Event(
        type="Warning",
        reason="SystemOOM",
        message="System OOM encountered",
        count=9,
        first_timestamp=now - timedelta(minutes=30),
        last_timestamp=now,
        involved_object=ObjectReference(kind="Node", name="it", uid="it"),
    )

    class ByName(FakeWorld):
        async def events_about(self, *, namespace: str, uid: str) -> tuple[Event, ...]:
            return self.events if (namespace, uid) == ("default", "it") else ()

    node = {"metadata": {"name": "it", "uid": "it-uid"}}
    subject = await find_in(ByName(manifest=node, events=(said,)), owner_of("Node"))
    assert subject is not None
    assert subject.symptom is not None
    assert subject.symptom.reason == "SystemOOM"


async def test_a_workload_that_fails_comes_before_its_pods_that_are_well() -> None:
    target = Owner(
        api_version="apps/v1", kind="Deployment", name="checkout", uid="owner-uid", namespace="shop"
    )
    named = {**LIMITED, "metadata": {**LIMITED["metadata"], "name": "checkout"}}  # type: ignore[dict-item]
    failing = await find_in(FakeWorld(HEALTHY, manifest=named), target)
    assert failing is not None
    assert failing.symptom is not None
    well = await find_in(FakeWorld(HEALTHY, manifest={**named, "status": {}}), target)
    assert well is not None
    assert well.pod is HEALTHY


@pytest.mark.parametrize("manifest", [None, {"metadata": "odd"}, ForbiddenError("no", status=403)])
async def test_what_cannot_be_read_or_has_an_odd_shape_shows_no_symptom(manifest: Any) -> None:
    subject = await find_in(FakeWorld(manifest=manifest), owner_of("Deployment", "apps/v1"))
    assert subject is not None
    assert subject.symptom is None


async def test_a_replica_set_finds_its_pods_though_a_deployment_stands_above() -> None:
    made = pod(
        container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=2),
        owner={"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "it", "uid": "it-uid"},
    )
    subject = await find_in(FakeWorld(made), owner_of("ReplicaSet", "apps/v1"))
    assert subject is not None
    assert subject.pod is made
    assert subject.symptom is not None


async def test_what_the_streams_know_of_the_target_is_taken() -> None:
    sightings, target = Sightings(), owner_of("Service")
    (symptom,) = detect_pod(FAILING, now=utc_now()).symptoms
    sightings.add(
        ("shop", "another"),
        Sighting(
            owner=target,
            shown_by=ObjectReference(kind="Service", name="it", uid="it-uid"),
            symptom=symptom,
            fingerprint="f",
            count=FailureCount(first_seen=utc_now(), last_seen=utc_now()),
            turned_at=utc_now(),
        ),
    )
    subject = await find_in(FakeWorld(), target, sightings=sightings)
    assert subject is not None
    assert subject.symptom is symptom
