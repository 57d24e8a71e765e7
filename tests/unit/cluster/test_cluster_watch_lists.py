"""A watch lists again when it is asked to, says how it is doing, and holds little in memory."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from typing import Any

import msgspec
import pytest
from support.fake_api_server import FakeApiServer, line, listing, status
from support.virtual_time import LoopsTime, VirtualTimeLoop
from support.watching import pod_document, watching

from kausa.cluster import pace, watch
from kausa.cluster.client import Page
from kausa.cluster.objects import Pod
from kausa.cluster.paths import PODS, ResourcePath
from kausa.cluster.watch import ChangeType
from kausa.telemetry.doubling import Doubling

EVENT_LOOP = VirtualTimeLoop

SEEN, DELETED = str(ChangeType.SEEN), str(ChangeType.DELETED)
NODES = ResourcePath(api_version="v1", plural="nodes", kind="Node", namespaced=False)


@pytest.fixture(autouse=True)
def _time_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "time", LoopsTime)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "BACKOFF", Doubling(first_seconds=0.01, longest_seconds=0.01))
    monkeypatch.setattr(watch, "LEAST_SECONDS_BETWEEN_LISTS", 0.0)


async def settled(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_list_that_is_asked_for_ends_the_watch_at_once_and_is_compared() -> None:
    async with FakeApiServer() as server:
        server.answers(listing(pod_document("a"), pod_document("b")))
        server.streams([], hold=30)
        server.answers(listing(pod_document("b"), pod_document("c"), version="9"))
        server.streams([line("ADDED", pod_document("d"))], hold=30)
        async with watching(server) as found:
            assert await found.next(2) == [(SEEN, "a"), (SEEN, "b")]
            await settled(lambda: len(server.requests) == 2)
            asked = LoopsTime.monotonic()
            found.watcher.request_list()
            assert await found.next(4) == [(SEEN, "b"), (SEEN, "c"), (DELETED, "a"), (SEEN, "d")]
            assert LoopsTime.monotonic() - asked < 2
            assert server.requests[3].query["resourceVersion"] == "9"
            tally = found.watcher.tally
            assert (tally.lists, tally.relists, tally.vanished, tally.reconnects) == (2, 0, 1, 0)
            assert found.watcher.objects == 3


async def test_a_list_that_fails_is_made_until_it_works() -> None:
    async with FakeApiServer() as server:
        server.answers(listing(pod_document("a")))
        server.streams([], hold=30)
        server.answers(listing(pod_document("a"), more="next"))
        server.answers(status(500, "InternalError"), code=500)
        server.answers(listing(pod_document("b"), version="9"))
        server.streams([], hold=30)
        async with watching(server) as found:
            await found.next(1)
            await settled(lambda: len(server.requests) == 2)
            found.watcher.request_list()
            assert await found.next(3) == [(SEEN, "a"), (SEEN, "b"), (DELETED, "a")]


async def test_a_list_that_is_asked_for_during_a_list_comes_after_it() -> None:
    async with FakeApiServer() as server:
        server.streams([b'{"metadata":{"resourceVersion":"1"},"items":[]}'], hold=0.1)
        server.streams([], hold=30)
        server.answers(listing(pod_document("b")))
        server.streams([], hold=30)
        async with watching(server) as found:
            await settled(lambda: server.requests)
            found.watcher.request_list()
            assert await found.next(1) == [(SEEN, "b")]
            await settled(lambda: found.watcher.tally.lists == 2)


async def test_lists_that_are_asked_for_all_the_time_keep_their_distance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "LEAST_SECONDS_BETWEEN_LISTS", 0.2)
    async with FakeApiServer() as server:
        for _ in range(20):
            server.answers(listing(pod_document("a")))
            server.streams([], hold=30)
        async with watching(server) as found:
            until = LoopsTime.monotonic() + 0.7
            while LoopsTime.monotonic() < until:
                found.watcher.request_list()
                await asyncio.sleep(0.005)
            assert 3 <= found.watcher.tally.lists <= 5


async def test_everything_is_listed_again_from_time_to_time() -> None:
    async with FakeApiServer() as server:
        server.answers(listing(pod_document("a")))
        server.streams([], hold=30)
        server.answers(listing(pod_document("a")))
        server.streams([], hold=30)
        server.answers(listing())
        server.streams([], hold=30)
        async with watching(server, resync_seconds=0.2) as found:
            assert await found.next(3) == [(SEEN, "a"), (SEEN, "a"), (DELETED, "a")]


async def test_what_happens_is_counted_by_what_it_is() -> None:
    async with FakeApiServer() as server:
        broken = {"metadata": {"uid": "x", "resourceVersion": "7"}, "status": {"phase": 7}}
        server.answers(listing(pod_document("a"), pod_document("b")))
        lines = [
            line("ADDED", pod_document("c")),
            line("MODIFIED", pod_document("c")),
            line("MODIFIED", pod_document("a")),
            line("DELETED", pod_document("b")),
            line("BOOKMARK", {"metadata": {"resourceVersion": "50"}}),
            line("ADDED", broken),
        ]
        server.streams(lines, hold=0.05, cut=True)
        server.answers(status(410, "Expired"), code=410)
        server.answers(listing(pod_document("a"), broken))
        server.streams([], hold=30)
        async with watching(server) as found:
            assert (await found.next(8))[6:] == [(SEEN, "a"), (DELETED, "c")]
            tally = found.watcher.tally
            assert (tally.listed, tally.added, tally.modified) == (3, 1, 2)
            assert (tally.deleted, tally.vanished, tally.bookmarks) == (1, 1, 1)
            assert (tally.undecodable, tally.relists, tally.reconnects) == (2, 1, 1)
            assert tally.bytes_read == sum(map(len, lines))
            # What cannot be read exists all the same, and its version was reached.
            assert server.requests[2].query["resourceVersion"] == "7"
            assert found.watcher.objects == 2


async def test_a_stream_is_dead_from_its_first_failure_until_it_works() -> None:
    async with FakeApiServer() as server:
        server.answers(listing(pod_document("a")))
        for _ in range(5):
            server.answers(status(503, "ServiceUnavailable"), code=503)
        server.streams([line("ADDED", pod_document("b"))], hold=30)
        async with watching(server) as found:
            watcher = found.watcher
            assert watcher.dead_seconds(LoopsTime.monotonic() + 100) == 0
            await found.next(1)
            await settled(lambda: watcher.failing_since is not None)
            since = watcher.failing_since
            assert since is not None
            assert watcher.dead_seconds(since + 7) == 7
            await found.next(1)
            assert watcher.failing_since is None
            assert watcher.dead_seconds(LoopsTime.monotonic() + 100) == 0
            assert watcher.heard_at > since


async def test_a_stream_without_an_answer_is_dead_since_it_was_asked() -> None:
    began = LoopsTime.monotonic()
    async with FakeApiServer() as server:
        server.answers(status(503, "ServiceUnavailable"), code=503)
        async with watching(server) as found:
            await settled(lambda: found.watcher.failing_since is not None)
            since = found.watcher.failing_since
            await settled(lambda: len(server.requests) > 5)
            assert found.watcher.failing_since == since
            assert since is not None
            assert began <= since < began + 1
            assert not found.watcher.synced.is_set()


async def test_a_kind_that_never_changes_is_silent_and_not_dead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pace, "STEADY_SECONDS", 0.05)
    async with FakeApiServer() as server:
        server.answers(listing())
        server.streams([], hold=30)
        async with watching(server, silence_seconds=0.1) as found:
            await settled(lambda: len(server.requests) > 4)
            assert found.watcher.failing_since is None
            assert LoopsTime.monotonic() - found.watcher.heard_at < 0.3


async def test_a_missing_permission_is_told_from_other_failures() -> None:
    async with FakeApiServer() as server:
        server.answers(status(403, "Forbidden", "pods is forbidden"), code=403)
        server.answers(status(403, "Forbidden", "pods is forbidden"), code=403)
        server.streams([b'{"metadata":{},"items":[]}'], hold=0.2)
        server.streams([], hold=30)
        async with watching(server) as found:
            assert not found.watcher.forbidden
            await settled(lambda: found.watcher.forbidden)
            await found.watcher.synced.wait()
            assert not found.watcher.forbidden


async def test_selectors_are_sent_with_lists_and_watches() -> None:
    async with FakeApiServer() as server:
        server.answers(listing(pod_document("a"), more="next")).answers(listing())
        server.streams([], hold=30)
        async with watching(
            server, field_selector="status.phase!=Succeeded", label_selector="app=shop"
        ):
            await settled(lambda: len(server.requests) == 3)
            for request in server.requests:
                assert request.query["fieldSelector"] == "status.phase!=Succeeded"
                assert request.query["labelSelector"] == "app=shop"


@pytest.mark.parametrize("namespace", [None, "shop"])
async def test_a_kind_of_the_whole_cluster_is_watched_in_no_namespace(
    namespace: str | None,
) -> None:
    async with FakeApiServer() as server:
        server.answers(listing(pod_document("a")))
        server.streams([line("DELETED", pod_document("a"))], hold=30)
        async with watching(server, resource=NODES, namespace=namespace) as found:
            assert await found.next(2) == [(SEEN, "a"), (DELETED, "a")]
            assert {request.path for request in server.requests} == {"/api/v1/nodes"}


class _BigPages:
    """A client that says how much memory is taken whenever the next page is asked for."""

    def __init__(self, *, pages: int) -> None:
        self._left = pages
        self.taken: list[int] = []

    async def list_page(self, path: str, *, parameters: Any) -> Page:
        """One page of one big object."""
        assert path == PODS.collection()
        gc.collect()
        self.taken.append(tracemalloc.get_traced_memory()[0])
        self._left -= 1
        items = [{"metadata": {"uid": f"uid-{self._left}"}, "x": "z" * 1_000_000}]
        more = "next" if self._left else ""
        body = msgspec.json.encode({"metadata": {"continue": more}, "items": items})
        return msgspec.json.decode(body, type=Page)

    def stream(self, *_: Any, **__: Any) -> Any:
        """No watch follows."""
        raise asyncio.CancelledError


async def test_a_page_is_let_go_before_the_next_is_read() -> None:
    client = _BigPages(pages=3)
    watcher = watch.Watcher(client=client, resource=PODS, kind=Pod)  # type: ignore[arg-type]
    tracemalloc.start()
    try:
        with pytest.raises(asyncio.CancelledError):
            async for _ in watcher.changes():
                pass
    finally:
        tracemalloc.stop()
    assert watcher.objects == 3
    first, *others = client.taken
    assert max(others) - first < 500_000
