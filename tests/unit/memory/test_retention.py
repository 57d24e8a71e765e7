"""Retention over a real store (local mode of the server backend)."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.server_stores import local_stores
from support.store_contract import SCHEMA, SECONDS, point

from kausa.memory.filters import EVERYTHING
from kausa.memory.retention import QuietHours, Retention, RetentionPolicy, prune
from kausa.memory.server.store import ServerStore
from kausa.memory.store import Page

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
NOW = datetime(2026, 6, 1, 2, tzinfo=UTC)
POLICY = RetentionPolicy(days=100, by_outcome={"Open": 10, "SUCCEEDED": 0})


@pytest.fixture
async def store() -> AsyncIterator[ServerStore]:
    async with local_stores() as make:
        store = make()
        await store.open(SCHEMA, deadline_seconds=SECONDS)
        yield store


async def keep(
    store: ServerStore, outcome: str, *, days: float, number: int = 1, cluster: str = "c"
) -> None:
    seen = (NOW - timedelta(days=days)).isoformat()
    points = [
        point(
            uuid.uuid4().int % 10**12,
            cluster=cluster,
            namespace="shop",
            record_id=str(uuid.uuid4()),
            outcome=outcome,
            last_seen=seen,
        )
        for _ in range(number)
    ]
    await store.upsert("failures", points, deadline_seconds=SECONDS)


async def left(store: ServerStore) -> dict[str, int]:
    return await store.facet(
        "failures", "outcome", where=EVERYTHING, limit=10, deadline_seconds=SECONDS
    )


async def test_each_outcome_is_kept_as_long_as_it_may_be(store: ServerStore) -> None:
    for outcome in ("Open", "Resolved", "SUCCEEDED", "FAILED"):
        for days in (5, 50, 500):
            await keep(store, outcome, days=days)
    pruned = await prune(store, POLICY, now=NOW, cluster="c")
    assert dict(pruned.points) == {"Open": 2, "Resolved": 1, "FAILED": 1}
    assert not pruned.more
    assert await left(store) == {"Open": 1, "Resolved": 2, "SUCCEEDED": 3, "FAILED": 2}


async def test_what_lies_exactly_on_the_edge_stays(store: ServerStore) -> None:
    await keep(store, "Open", days=10)
    assert (await prune(store, POLICY, now=NOW, cluster="c")).total == 0


async def test_another_cluster_and_namespace_and_the_runbooks_stay(store: ServerStore) -> None:
    await keep(store, "Open", days=50, cluster="theirs")
    await keep(store, "Open", days=50)
    old = point(1, cluster="c", outcome="Open", last_seen="2020-01-01T00:00:00Z")
    await store.upsert("runbooks", [old], deadline_seconds=SECONDS)
    other = await prune(store, POLICY, now=NOW, cluster="c", namespace="other")
    assert other.total == 0
    assert (await prune(store, POLICY, now=NOW, cluster="c")).total == 1
    assert await left(store) == {"Open": 1}
    assert await store.count("runbooks", where=EVERYTHING, deadline_seconds=SECONDS) == 1
    assert (await prune(store, POLICY, now=NOW, cluster=None)).total == 1


async def test_a_run_deletes_no_more_than_it_may_and_the_next_goes_on(store: ServerStore) -> None:
    await keep(store, "Open", days=50, number=450)
    first = await prune(store, POLICY, now=NOW, cluster="c", most_points=300, pause_seconds=0)
    assert (first.total, first.more) == (300, True)
    second = await prune(store, POLICY, now=NOW, cluster="c", most_points=300, pause_seconds=0)
    assert (second.total, second.more) == (150, False)


async def test_what_is_seen_again_while_it_is_about_to_be_deleted_stays(
    store: ServerStore,
) -> None:
    await keep(store, "Open", days=50, number=2)
    scroll = store.scroll

    async def seen_again(*of: Any, **how: Any) -> Page:
        page = await scroll(*of, **how)
        if page.points:
            now = {"last_seen": NOW.isoformat()}
            await store.set_payload("failures", [page.points[0].id], now, deadline_seconds=SECONDS)
        return page

    store.scroll = seen_again  # type: ignore[method-assign]
    pruned = await prune(store, POLICY, now=NOW, cluster="c", pause_seconds=0)
    assert pruned.total == 1
    assert await left(store) == {"Open": 1}


async def test_a_run_ends_on_whole_records(store: ServerStore) -> None:
    old: dict[str, Any] = {"cluster": "c", "outcome": "Open", "last_seen": "2020-01-01T00:00:00Z"}
    records = [str(uuid.uuid4()) for _ in range(3)]
    points = [
        point(10 * number + chunk, record_id=record, chunk=chunk, **old)
        for number, record in enumerate(records)
        for chunk in range(4)
    ]
    await store.upsert("failures", points, deadline_seconds=SECONDS)
    pruned = await prune(store, POLICY, now=NOW, cluster="c", most_points=1, pause_seconds=0)
    assert (pruned.total, pruned.more) == (4, True)
    chunks = await store.facet(
        "failures", "record_id", where=EVERYTHING, limit=10, deadline_seconds=SECONDS
    )
    assert sorted(chunks.values()) == [4, 4]


async def test_a_dry_run_counts_and_deletes_nothing(store: ServerStore) -> None:
    await keep(store, "Open", days=50, number=3)
    pruned = await prune(store, POLICY, now=NOW, cluster="c", dry_run=True)
    assert dict(pruned.points) == {"Open": 3}
    assert await left(store) == {"Open": 3}


async def test_it_prunes_once_in_a_quiet_part_of_the_day_and_not_at_others(
    store: ServerStore,
) -> None:
    moment = NOW.replace(hour=12)
    retention = Retention(
        store=store, policy=POLICY, cluster="c", clock=lambda: moment, look_seconds=0.001
    )
    await keep(store, "Open", days=50)
    async with asyncio.timeout(5):
        running = asyncio.create_task(retention.run())
        await asyncio.sleep(0.05)
        assert await left(store) == {"Open": 1}
        moment = NOW
        while await left(store):
            await asyncio.sleep(0.001)
        await keep(store, "Open", days=50)
        await asyncio.sleep(0.05)
        assert await left(store) == {"Open": 1}
        moment = NOW + timedelta(days=1)
        while await left(store):
            await asyncio.sleep(0.001)
        running.cancel()


@given(st.times(), st.times(), st.times())
def test_quiet_hours_and_their_opposite_make_a_day(begin: time, end: time, now: time) -> None:
    moment = datetime.combine(NOW.date(), now, tzinfo=UTC)
    covers = QuietHours(begin=begin, end=end).covers(moment)
    if begin == end:
        assert covers
    else:
        assert covers != QuietHours(begin=end, end=begin).covers(moment)
