"""Services whose Pods are no endpoints, and namespaces with more than one list holds."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, cast

import pytest
from msgspec import structs
from support.dossiers import DEPLOYMENT
from support.fake_store import FakeClient, FakeOwners, FakeStore
from support.objects import NOW, endpoint_slice, service
from support.pods import condition, container, pod, terminated, waiting
from support.recording import Recording, Working

from kausa.cluster.client import Page
from kausa.cluster.objects import Pod
from kausa.cluster.owners import Owner
from kausa.cluster.paths import PODS
from kausa.cluster.workloads import ENDPOINT_SLICES, SERVICES, EndpointSlice, Service
from kausa.controller import services
from kausa.controller.service_backing import MOST_ASKED, MOST_PODS, MOST_SLICES
from kausa.controller.services import MOST_SERVICES, ServiceSweep

SERVICE_UID = "uid-of-checkout"
LISTED, SLICES, LISTED_PODS = (
    each.collection(namespace="shop") for each in (SERVICES, ENDPOINT_SLICES, PODS)
)
BY_LABEL = "app=checkout"
OWN_SLICES = "kubernetes.io/service-name=checkout"


def unschedulable(uid: str = "a") -> Pod:
    said = condition("PodScheduled", "False", "Unschedulable", "0/3 nodes are available: 3 x.")
    return pod(uid=uid, phase="Pending", node="", conditions=(said,))


class Selecting(FakeClient):
    """Answers lists by label with what is kept for that label."""

    def __init__(self) -> None:
        super().__init__()
        self.by_label: dict[tuple[str, str], tuple[object, ...]] = {}
        self.asked: list[tuple[str, str]] = []

    async def list_page(self, path: str, *, parameters: Mapping[str, str]) -> Page:
        label = parameters.get("labelSelector", "")
        if not label:
            return await super().list_page(path, parameters=parameters)
        self.asked.append((path, label))
        whole = self.lists.get(path, ())
        self.lists[path] = self.by_label.get((path, label), ())
        try:
            return await super().list_page(path, parameters=parameters)
        finally:
            self.lists[path] = whole


class Sweeping(Working):
    """A process of which one Pod that is no endpoint fails behind a Service."""

    def __init__(self) -> None:
        owners = FakeOwners(DEPLOYMENT)
        owners.of[SERVICE_UID] = Owner(
            api_version="v1", kind="Service", name="checkout", uid=SERVICE_UID, namespace="shop"
        )
        super().__init__(
            record=Recording(FakeStore(), owners), clock=lambda: NOW, client=Selecting()
        )
        self.lists[LISTED] = (service(),)
        self.lists[SLICES] = (endpoint_slice(),)
        self.by_label[LISTED_PODS, BY_LABEL] = (unschedulable(),)
        self.sweep = ServiceSweep(
            client=cast(Any, self.client),
            judge=self.judge,
            sightings=self.sightings,
            every_seconds=0.002,
        )
        self.judge.pod(unschedulable())

    @property
    def lists(self) -> dict[str, tuple[object, ...] | Exception]:
        return self.client.lists

    @property
    def by_label(self) -> dict[tuple[str, str], tuple[object, ...]]:
        return cast(Selecting, self.client).by_label

    @property
    def asked(self) -> list[tuple[str, str]]:
        """What was read by label."""
        return cast(Selecting, self.client).asked

    @property
    def fails(self) -> bool:
        """Whether the Service fails."""
        return SERVICE_UID in self.sightings.failing

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self.sweep.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def rounds(self, number: int = 2) -> None:
        """Until the Services were read so many times more and looked at."""
        read = self.client.requests.count(LISTED)
        await until(lambda: self.client.requests.count(LISTED) > read + number)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "utc_now", lambda: NOW)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.001)


def named(name: str) -> Service:
    found = service(selector={"app": name})
    return structs.replace(found, metadata=structs.replace(found.metadata, name=name, uid=name))


def many_slices(*last: EndpointSlice) -> tuple[EndpointSlice, ...]:
    """More slices than are read at once; of our Service only those that come last."""
    other = endpoint_slice()
    labels = structs.replace(other.metadata.labels, service_name="another")  # type: ignore[type-var]
    other = structs.replace(other, metadata=structs.replace(other.metadata, labels=labels))
    return (*(other for _ in range(MOST_SLICES)), *last)


async def test_a_service_whose_pods_are_all_unschedulable_follows_from_their_failure() -> None:
    process = Sweeping()
    await process.work()
    async with process.running():
        await until(lambda: process.fails)
    await process.work()
    assert process.recorded() == ["Deployment/checkout", "Service/checkout"]
    ((_, sighting),) = process.sightings.of_owner(SERVICE_UID)
    assert "none of the 1 Pods behind it is ready, and 1 of them fail" in sighting.symptom.message
    cause = sighting.symptom.caused_by
    assert cause is not None
    assert (cause.kind, cause.name) == ("Deployment", "checkout")


async def test_a_service_whose_selector_fits_no_failing_pod_is_healthy() -> None:
    process = Sweeping()
    process.by_label[LISTED_PODS, BY_LABEL] = (pod(uid="z", phase="Pending"),)
    async with process.running():
        await process.rounds()
    assert (LISTED_PODS, BY_LABEL) in process.asked
    assert not process.fails


async def test_no_pod_is_read_where_endpoints_name_all_that_fail() -> None:
    process = Sweeping()
    process.judge.gone("a")
    process.judge.pod(
        pod(container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=2), uid="b")
    )
    process.lists[SLICES] = (endpoint_slice(("b", False)),)
    process.lists[LISTED] = (service(), named("another"))
    async with process.running():
        await until(lambda: process.fails)
    assert process.asked == []


async def test_nothing_more_is_read_of_a_service_with_a_ready_endpoint() -> None:
    process = Sweeping()
    process.lists[SLICES] = (endpoint_slice(("z", True)),)
    async with process.running():
        await process.rounds()
    assert process.asked == []
    assert not process.fails


async def test_a_ready_endpoint_beyond_what_is_read_at_once_is_found() -> None:
    process = Sweeping()
    ready = endpoint_slice(("a", False), ("z", True))
    process.lists[SLICES] = many_slices(ready)
    process.by_label[SLICES, OWN_SLICES] = (ready,)
    async with process.running():
        await process.rounds()
        assert not process.fails
        process.by_label[SLICES, OWN_SLICES] = (endpoint_slice(("a", False)),)
        await until(lambda: process.fails)


async def test_nothing_is_said_of_a_service_with_more_endpoints_than_can_be_read() -> None:
    process = Sweeping()
    own = tuple(endpoint_slice(("a", False)) for _ in range(MOST_SLICES + 1))
    process.lists[SLICES] = own
    process.by_label[SLICES, OWN_SLICES] = own
    async with process.running():
        await until(lambda: len(process.asked) > 2 * MOST_SLICES / 100)
    assert not process.fails


async def test_a_failing_service_is_not_well_because_its_failing_pod_is_beyond_what_is_read() -> (
    None
):
    process = Sweeping()
    async with process.running():
        await until(lambda: process.fails)
        starting = tuple(pod(uid=f"z{number}", phase="Pending") for number in range(MOST_PODS))
        process.by_label[LISTED_PODS, BY_LABEL] = (*starting, unschedulable())
        await process.rounds()
        assert process.fails
        process.by_label[LISTED_PODS, BY_LABEL] = starting
        await until(lambda: not process.fails)


async def test_a_failing_service_beyond_what_is_read_is_not_taken_for_gone() -> None:
    process = Sweeping()
    async with process.running():
        await until(lambda: process.fails)
        process.lists[LISTED] = tuple(named(f"a{number}") for number in range(MOST_SERVICES + 1))
        process.judge.gone("a")
        before = len(process.client.requests)
        await until(lambda: len(process.client.requests) > before + 2 * MOST_SERVICES / 100 + 4)
        assert process.fails


async def test_of_many_services_a_few_are_looked_at_in_each_round_and_all_in_turn() -> None:
    process = Sweeping()
    names = [f"s{number:02}" for number in range(MOST_ASKED + 5)]
    process.lists[LISTED] = tuple(named(name) for name in names)
    for name in names:
        process.by_label[LISTED_PODS, f"app={name}"] = (unschedulable(),)
    async with process.running():
        await until(lambda: all(name in process.sightings.failing for name in names))
    first = [label for _, label in process.asked[:MOST_ASKED]]
    second = [label for _, label in process.asked[MOST_ASKED : MOST_ASKED + 5]]
    assert first == [f"app={name}" for name in names[:MOST_ASKED]]
    assert second == [f"app={name}" for name in names[MOST_ASKED:]]
