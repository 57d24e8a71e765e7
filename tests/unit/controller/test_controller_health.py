"""What the probes answer, before this process leads and while it does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

from support.recording import HandClock

from kausa.controller.health import Health


@dataclass
class FakeWatcher:
    """A stream that has not worked since a moment."""

    failing_since: float | None = None
    forbidden: bool = False
    synced: asyncio.Event = field(default_factory=asyncio.Event)

    def dead_seconds(self, now: float) -> float:
        return 0.0 if self.failing_since is None else now - self.failing_since


@dataclass
class FakeStreams:
    """Streams by their kinds."""

    watchers: dict[str, FakeWatcher]

    @property
    def synced(self) -> bool:
        return all(each.synced.is_set() or each.forbidden for each in self.watchers.values())


def leading(**watchers: FakeWatcher) -> tuple[Health, HandClock]:
    clock = HandClock()
    health = Health(dead_seconds=300, clock=clock)
    health.leads(cast(Any, FakeStreams(watchers)))
    return health, clock


def test_who_stands_by_is_alive_and_ready() -> None:
    health = Health(dead_seconds=300)
    health.api_answered()
    assert (health.livez(), health.readyz()) == (None, None)


def test_nobody_is_ready_before_the_api_server_has_answered() -> None:
    health = Health(dead_seconds=300)
    assert health.livez() is None
    assert health.readyz() == "the API server has not answered yet"


def test_a_stream_that_is_dead_for_longer_than_its_limit_is_named_with_its_time() -> None:
    health, clock = leading(
        pods=FakeWatcher(failing_since=100.0), events=FakeWatcher(failing_since=50.0)
    )
    clock.now = 350.0
    assert health.livez() is None
    clock.now = 401.0
    assert health.livez() == (
        "the watch of events has not worked for 351 s; the watch of pods has not worked for 301 s"
    )


def test_streams_that_work_or_may_not_be_read_keep_nobody_from_living() -> None:
    health, clock = leading(pods=FakeWatcher(), nodes=FakeWatcher(0.0, forbidden=True))
    clock.now = 10_000.0
    assert health.livez() is None


def test_who_leads_is_ready_once_all_that_may_be_read_was_listed() -> None:
    pods, jobs = FakeWatcher(), FakeWatcher()
    health, _ = leading(pods=pods, jobs=jobs, nodes=FakeWatcher(forbidden=True))
    health.api_answered()
    assert health.readyz() == "not listed yet: jobs, pods"
    jobs.synced.set()
    assert health.readyz() == "not listed yet: pods"
    pods.synced.set()
    assert health.readyz() is None
