"""The Pod to look at: the one the streams saw, or a failing one of the target."""

from __future__ import annotations

from typing import Any, cast

from support.dossiers import DEPLOYMENT
from support.fake_store import FakeOwners
from support.pods import container, pod, terminated, waiting

from kausa.cluster.errors import NotFoundError
from kausa.cluster.objects import Pod
from kausa.cluster.owners import Owner
from kausa.controller.identity import identify
from kausa.controller.sighting_documents import new_resource
from kausa.controller.sightings import Sightings
from kausa.controller.subjects import Subject, SubjectFinder
from kausa.detection.pods import detect_pod
from kausa.resources.spec import Trigger
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

    async def pods(self, *, namespace: str) -> tuple[Pod, ...]:
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
