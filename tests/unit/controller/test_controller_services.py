"""Services that have nobody left to answer are found where Pods fail, and only there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest
from msgspec import structs
from support.dossiers import DEPLOYMENT
from support.fake_store import FakeOwners, FakeStore, overloaded
from support.logs import captured_log
from support.objects import NOW, endpoint_slice, service
from support.pods import container, pod, terminated, waiting
from support.recording import Recording, Working

from kausa.cluster.objects import Pod
from kausa.cluster.owners import Owner
from kausa.cluster.workloads import ENDPOINT_SLICES, SERVICES
from kausa.controller import services
from kausa.controller.services import NAMESPACES_A_ROUND, ServiceSweep

IS_SERVICE = Owner(
    api_version="v1", kind="Service", name="checkout", uid="uid-of-checkout", namespace="shop"
)
LISTED, SLICES = (
    SERVICES.collection(namespace="shop"),
    ENDPOINT_SLICES.collection(namespace="shop"),
)


def crashing(uid: str = "a", *, namespace: str = "shop") -> Pod:
    found = pod(container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=2), uid=uid)
    return structs.replace(found, metadata=structs.replace(found.metadata, namespace=namespace))


class Sweeping(Working):
    """A process of which one Pod fails behind a Service."""

    def __init__(self, *, every_seconds: float = 0.002) -> None:
        owners = FakeOwners(DEPLOYMENT)
        owners.of[IS_SERVICE.uid] = IS_SERVICE
        super().__init__(record=Recording(FakeStore(), owners), clock=lambda: NOW)
        self.client.lists[LISTED] = (service(),)
        self.client.lists[SLICES] = (endpoint_slice(("a", False)),)
        self.sweep = ServiceSweep(
            client=cast(Any, self.client),
            judge=self.judge,
            sightings=self.sightings,
            every_seconds=every_seconds,
        )

    @property
    def fails(self) -> bool:
        """Whether the Service fails."""
        return IS_SERVICE.uid in self.sightings.failing

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self.sweep.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def round(self) -> None:
        """Until every list was read once more, from now on."""
        read = len(self.client.requests)
        await until(lambda: len(self.client.requests) >= read + 6)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "utc_now", lambda: NOW)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.001)


async def test_a_service_whose_pods_all_fail_is_a_failure_that_follows_from_theirs() -> None:
    process = Sweeping()
    process.judge.pod(crashing())
    await process.work()
    async with process.running():
        await until(lambda: process.fails)
    await process.work()
    assert process.recorded() == ["Deployment/checkout", "Service/checkout"]
    ((_, sighting),) = process.sightings.of_owner(IS_SERVICE.uid)
    cause = sighting.symptom.caused_by
    assert cause is not None
    assert (cause.kind, cause.name, cause.reason) == ("Deployment", "checkout", "CrashLoopBackOff")
    (written,) = (
        each.failure for each in process.store.sightings if each.failure and not each.failure.pods
    )
    assert written.caused_by is not None
    assert written.caused_by.diagnosis in {name for _, name in process.sightings.by_resource}


async def test_nothing_is_read_where_no_pod_fails() -> None:
    process = Sweeping()
    async with process.running():
        await asyncio.sleep(0.03)
    assert process.client.requests == []


@pytest.mark.parametrize(
    "slices",
    [
        (endpoint_slice(("a", False), ("b", True)),),
        (endpoint_slice(("a", False)), endpoint_slice(("b", True))),
        (endpoint_slice(("another", False)),),
        (),
    ],
)
async def test_a_service_with_a_ready_pod_or_without_a_failing_one_is_healthy(
    slices: tuple[object, ...],
) -> None:
    process = Sweeping()
    process.client.lists[SLICES] = slices
    process.judge.pod(crashing())
    async with process.running():
        await process.round()
    assert not process.fails


@pytest.mark.parametrize("how", ["its endpoint is ready", "its Pods fail no more", "it vanished"])
async def test_a_service_fails_no_more(how: str) -> None:
    process = Sweeping()
    process.judge.pod(crashing())
    async with process.running():
        await until(lambda: process.fails)
        if how == "it vanished":
            process.client.lists[LISTED] = ()
        elif "ready" in how:
            process.client.lists[SLICES] = (endpoint_slice(("a", True)),)
        else:
            process.judge.gone("a")
        await until(lambda: not process.fails)
        await process.round() if "ready" in how else None
        assert not process.fails


async def test_a_service_that_vanished_is_not_recorded_though_it_waits_for_a_worker() -> None:
    process = Sweeping()
    process.judge.pod(crashing())
    await process.work()
    async with process.running():
        await until(lambda: process.fails)
        process.client.lists[LISTED] = ()
        await until(lambda: not process.fails)
    await process.work()
    assert process.recorded() == ["Deployment/checkout"]


async def test_many_namespaces_are_read_in_turn_a_few_each_round() -> None:
    process = Sweeping(every_seconds=0.2)
    names = [f"team-{number:02}" for number in range(NAMESPACES_A_ROUND + 5)]
    for name in names:
        process.judge.pod(crashing(uid=name, namespace=name))
    async with process.running():
        await until(lambda: len(process.client.requests) >= 2 * NAMESPACES_A_ROUND)
        await asyncio.sleep(0.02)
        assert len(process.client.requests) == 2 * NAMESPACES_A_ROUND
        await until(lambda: len(process.client.requests) >= 4 * NAMESPACES_A_ROUND)
    read = [path.split("/")[4] for path in process.client.requests if path.endswith("/services")]
    first, second = read[:NAMESPACES_A_ROUND], read[NAMESPACES_A_ROUND : 2 * NAMESPACES_A_ROUND]
    assert first == names[:NAMESPACES_A_ROUND]
    assert second == [*names[NAMESPACES_A_ROUND:], *names[: NAMESPACES_A_ROUND - 5]]


async def test_a_namespace_that_cannot_be_read_is_said_once_and_holds_up_no_other() -> None:
    process = Sweeping()
    process.client.lists[SERVICES.collection(namespace="a-first")] = overloaded()
    process.judge.pod(crashing(uid="x", namespace="a-first"))
    process.judge.pod(crashing())
    with captured_log() as log:
        async with process.running():
            await until(lambda: process.fails)
            await process.round()
            assert log.getvalue().count("Services cannot be read") == 1
            process.client.lists[SERVICES.collection(namespace="a-first")] = ()
            await until(lambda: "Services can be read again" in log.getvalue())
