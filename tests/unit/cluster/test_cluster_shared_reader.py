"""What many ask for in the same moment is read once, and nobody gets what is old."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, cast

import pytest
from support.virtual_time import VirtualTimeLoop

from kausa.cluster.errors import ApiUnreachableError, ClusterError
from kausa.cluster.kinds import KINDS
from kausa.cluster.objects import Event, ObjectReference
from kausa.cluster.paging import Listed
from kausa.cluster.paths import PODS, ResourcePath
from kausa.cluster.reader import Manifest
from kausa.cluster.shared_reader import (
    AVOIDED_SECONDS,
    EVENTS_FRESH_SECONDS,
    FRESH_SECONDS,
    LISTS_FRESH_SECONDS,
    MANY_QUESTIONS,
    MOST_KEPT,
    SEVERAL,
    SharedReader,
)

EVENT_LOOP = VirtualTimeLoop
QUOTAS = KINDS["ResourceQuota"]


class FakeCluster:
    """Answers after a while, and counts what it was asked."""

    def __init__(self, *, seconds: float = 0.1, events: int = 0, whole: bool = True) -> None:
        self.seconds = seconds
        self.asked: Counter[str] = Counter()
        self.error: ClusterError | None = None
        self.events, self.whole = events, whole

    async def _answer(self, what: str) -> None:
        self.asked[what] += 1
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error

    async def manifests(
        self, path: ResourcePath, *, namespace: str | None = None, label_selector: str = ""
    ) -> tuple[Manifest, ...]:
        await self._answer(f"{path.plural} of {namespace} {label_selector}".strip())
        return ({"kind": path.kind},)

    async def manifest(
        self, path: ResourcePath, *, name: str, namespace: str | None = None
    ) -> Manifest | None:
        await self._answer(f"{path.kind}/{name} of {namespace}")
        return {"kind": path.kind}

    async def events_about(self, *, namespace: str, uid: str) -> tuple[Event, ...]:
        await self._answer("events of one")
        return (about(uid),)

    async def events_of(self, *, namespace: str) -> Listed[Event]:
        await self._answer("events of all")
        return Listed([about(f"u{at}") for at in range(self.events)], more=not self.whole)


def about(uid: str) -> Event:
    return Event(involved_object=ObjectReference(kind="Pod", name=uid, uid=uid), reason="BackOff")


def shared(cluster: FakeCluster) -> SharedReader:
    return SharedReader(reader=cast(Any, cluster))


async def test_many_who_ask_at_once_share_one_reading() -> None:
    cluster = FakeCluster()
    reader = shared(cluster)
    found = await asyncio.gather(*(reader.manifests(QUOTAS, namespace="shop") for _ in range(50)))
    assert {len(each) for each in found} == {1}
    assert cluster.asked == {"resourcequotas of shop": 1}


async def test_other_places_and_other_labels_are_other_questions() -> None:
    cluster = FakeCluster()
    reader = shared(cluster)
    await reader.manifests(QUOTAS, namespace="shop")
    await reader.manifests(QUOTAS, namespace="shop", label_selector="app=a")
    await reader.manifests(QUOTAS, namespace="bank")
    assert len(cluster.asked) == 3


async def test_what_is_older_than_a_moment_is_read_again() -> None:
    cluster = FakeCluster()
    reader = shared(cluster)
    await reader.manifests(QUOTAS, namespace="shop")
    await asyncio.sleep(FRESH_SECONDS)
    await reader.manifests(QUOTAS, namespace="shop")
    assert cluster.asked.total() == 2


async def test_age_counts_from_when_a_slow_reading_began() -> None:
    cluster = FakeCluster(seconds=FRESH_SECONDS * 3)
    reader = shared(cluster)
    first = asyncio.ensure_future(reader.manifests(QUOTAS, namespace="shop"))
    await asyncio.sleep(FRESH_SECONDS * 2)
    await reader.manifests(QUOTAS, namespace="shop")
    await first
    assert cluster.asked.total() == 2


async def test_the_pods_of_one_workload_are_kept_for_nobody() -> None:
    cluster = FakeCluster()
    reader = shared(cluster)
    await reader.manifests(PODS, namespace="shop", label_selector="app=a")
    assert len(reader) == 0
    await reader.manifests(PODS, namespace="shop")
    assert len(reader) == 1


async def test_an_error_is_told_to_all_who_wait_and_to_nobody_after_them() -> None:
    cluster = FakeCluster()
    cluster.error = ApiUnreachableError("away")
    reader = shared(cluster)
    waiting = [reader.manifests(QUOTAS, namespace="shop") for _ in range(3)]
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(each, ApiUnreachableError) for each in told)
    cluster.error = None
    await asyncio.sleep(0)
    assert await reader.manifests(QUOTAS, namespace="shop")
    assert cluster.asked.total() == 2


async def test_who_gives_up_does_not_take_the_reading_from_the_others() -> None:
    cluster = FakeCluster()
    reader = shared(cluster)
    first = asyncio.ensure_future(reader.manifests(QUOTAS, namespace="shop"))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(reader.manifests(QUOTAS, namespace="shop"))
    await asyncio.sleep(0)
    first.cancel()
    assert await second
    assert cluster.asked.total() == 1


async def test_what_is_kept_is_bounded_and_forgotten() -> None:
    cluster = FakeCluster()
    reader = shared(cluster)
    for round_ in range(2):
        await asyncio.gather(
            *(reader.manifests(QUOTAS, namespace=f"n{at}") for at in range(MOST_KEPT + 50))
        )
        assert len(reader) <= MOST_KEPT
        assert cluster.asked.total() == (round_ + 1) * (MOST_KEPT + 50)
        await asyncio.sleep(FRESH_SECONDS + 0.1)
        assert len(reader) == 0


async def test_who_asks_alone_for_events_asks_about_one_object() -> None:
    cluster = FakeCluster(events=9)
    reader = shared(cluster)
    for _ in range(30):
        assert len(await reader.events_about(namespace="shop", uid="u1")) == 1
        await asyncio.sleep(FRESH_SECONDS)
    assert cluster.asked == {"events of one": 30}


async def test_where_many_ask_the_events_of_the_namespace_are_read_once_and_told_apart() -> None:
    cluster = FakeCluster(events=400)
    reader = shared(cluster)
    found = await asyncio.gather(
        *(reader.events_about(namespace="shop", uid=f"u{at}") for at in range(400))
    )
    assert [each[0].involved_object.uid for each in found] == [f"u{at}" for at in range(400)]
    assert cluster.asked == {"events of one": MANY_QUESTIONS, "events of all": 1}
    assert await reader.events_about(namespace="shop", uid="nobody") == ()


@pytest.mark.parametrize("rest", [1.0, AVOIDED_SECONDS])
async def test_a_namespace_with_too_many_events_is_asked_object_by_object(rest: float) -> None:
    cluster = FakeCluster(events=5, whole=False)
    reader = shared(cluster)
    for _ in range(2):
        found = await asyncio.gather(
            *(reader.events_about(namespace="shop", uid=f"u{at}") for at in range(40))
        )
        assert all(len(each) == 1 for each in found)
        await asyncio.sleep(rest)
    tried = 2 if rest == AVOIDED_SECONDS else 1
    assert cluster.asked == {"events of one": 80, "events of all": tried}


async def test_a_list_for_which_several_ask_is_kept_somewhat_longer() -> None:
    cluster = FakeCluster()
    reader = shared(cluster)
    for _ in range(SEVERAL):
        await reader.manifests(QUOTAS, namespace="shop")
    await asyncio.sleep(LISTS_FRESH_SECONDS - 0.5)
    await reader.manifests(QUOTAS, namespace="shop")
    assert cluster.asked.total() == 1
    await asyncio.sleep(0.6)
    assert len(reader) == 0
    await reader.manifests(QUOTAS, namespace="shop")
    assert cluster.asked.total() == 2


async def test_one_object_is_never_older_than_a_moment_however_many_ask_for_it() -> None:
    cluster = FakeCluster()
    reader = shared(cluster)
    for _ in range(2):
        await asyncio.gather(
            *(reader.manifest(QUOTAS, name="team", namespace="shop") for _ in range(50))
        )
        await asyncio.sleep(FRESH_SECONDS)
    assert cluster.asked.total() == 2


async def test_a_few_diagnoses_a_second_are_many_who_ask_for_events() -> None:
    cluster = FakeCluster(events=40, seconds=0.01)
    reader = shared(cluster)
    for at in range(40):
        await reader.events_about(namespace="shop", uid=f"u{at}")
        await asyncio.sleep(0.19)
    assert cluster.asked["events of one"] <= 2 * MANY_QUESTIONS
    assert cluster.asked["events of all"] <= 40 * 0.2 / EVENTS_FRESH_SECONDS + 1
