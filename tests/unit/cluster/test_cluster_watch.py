"""The watch delivers every change, whatever the API server does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import structlog
from aiohttp import web
from support.fake_api_server import FakeApiServer, line, listing, status
from support.virtual_time import LoopsTime, VirtualTimeLoop

from kausa.cluster import errors, pace
from kausa.cluster.client import KubernetesClient
from kausa.cluster.objects import Pod
from kausa.cluster.pace import BACKOFF
from kausa.cluster.paths import PODS
from kausa.cluster.watch import Change, ChangeType, Watcher
from kausa.telemetry.doubling import Doubling

EVENT_LOOP = VirtualTimeLoop


@pytest.fixture(autouse=True)
def _time_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "time", LoopsTime)


def document(uid: str, version: str = "2") -> dict[str, Any]:
    return {"metadata": {"name": f"pod-{uid}", "uid": uid, "resourceVersion": version}}


@pytest.fixture(autouse=True)
def _short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "BACKOFF", Doubling(first_seconds=0.01, longest_seconds=0.01))


async def collect(
    server: FakeApiServer, *, until: int, silence: float = 5.0
) -> tuple[list[tuple[str, str]], Watcher[Pod]]:
    """The first changes, as (type, uid)."""
    found: list[tuple[str, str]] = []
    async with KubernetesClient(server.credentials) as client:
        watcher = Watcher(client=client, resource=PODS, kind=Pod, silence_seconds=silence)

        async def read() -> None:
            change: Change[Pod]
            async for change in watcher.changes():
                found.append((str(change.type), change.uid))
                if len(found) == until:
                    return

        async with asyncio.timeout(5):
            await read()
    return found, watcher


SEEN, DELETED = str(ChangeType.SEEN), str(ChangeType.DELETED)


async def test_a_list_in_pages_and_then_the_changes_are_delivered() -> None:
    async with FakeApiServer() as server:
        server.answers(listing(document("a"), more="next")).answers(listing(document("b")))
        server.streams([line("ADDED", document("c")), line("DELETED", document("a"))], hold=1)
        found, _ = await collect(server, until=4)
        assert found == [(SEEN, "a"), (SEEN, "b"), (SEEN, "c"), (DELETED, "a")]
        assert server.requests[1].query["continue"] == "next"
        assert server.requests[2].query["allowWatchBookmarks"] == "true"


async def test_a_cut_connection_resumes_from_the_last_version_bookmarks_included() -> None:
    async with FakeApiServer() as server:
        server.answers(listing(document("a")))
        server.streams(
            [line("BOOKMARK", {"metadata": {"resourceVersion": "77"}})], hold=0.05, cut=True
        )
        server.streams([line("MODIFIED", document("a", "78"))], hold=1)
        found, _ = await collect(server, until=2)
        assert found == [(SEEN, "a"), (SEEN, "a")]
        assert server.requests[2].query["resourceVersion"] == "77"


@pytest.mark.parametrize("shape", ["in the stream", "as status of the watch", "of a continue"])
async def test_what_vanished_in_a_gap_is_delivered_as_deleted_after_a_410(shape: str) -> None:
    gone = status(410, "Expired", "too old resource version")
    async with FakeApiServer() as server:
        server.answers(listing(document("a"), document("b")))
        if shape == "in the stream":
            server.streams([line("ERROR", gone)])
        else:
            server.answers(gone, code=410)
        if shape == "of a continue":
            server.answers(listing(document("b"), more="page")).answers(gone, code=410)
        server.answers(listing(document("b"), document("c"), version="9"))
        server.streams([], hold=1)
        found, _ = await collect(server, until=5 if shape != "of a continue" else 6)
        assert (DELETED, "a") in found
        assert (DELETED, "b") not in found
        assert (SEEN, "c") in found


async def test_other_errors_in_the_stream_are_waited_out() -> None:
    async with FakeApiServer() as server:
        server.answers(listing(document("a")))
        server.streams([line("ERROR", status(500, "InternalError", "etcd timeout"))])
        server.answers(status(503, "ServiceUnavailable"), code=503)
        server.streams([line("ADDED", document("b"))], hold=1)
        found, _ = await collect(server, until=2)
        assert found == [(SEEN, "a"), (SEEN, "b")]


async def test_what_came_before_an_error_and_together_with_it_is_delivered() -> None:
    error = line("ERROR", status(500, "InternalError", "etcd timeout"))
    async with FakeApiServer() as server:
        server.answers(listing(document("a")))
        server.streams([line("ADDED", document("b", "3")) + error])
        server.streams([line("ADDED", document("c", "4"))], hold=1)
        found, _ = await collect(server, until=3)
        assert found == [(SEEN, "a"), (SEEN, "b"), (SEEN, "c")]
        assert server.requests[2].query["resourceVersion"] == "3"


async def test_a_silent_connection_is_given_up_and_made_anew() -> None:
    async with FakeApiServer() as server:
        server.answers(listing(document("a")))
        server.streams([], hold=3)
        server.streams([line("ADDED", document("b"))], hold=1)
        found, _ = await collect(server, until=2, silence=0.1)
        assert found[-1] == (SEEN, "b")


async def test_an_object_that_cannot_be_read_is_skipped_and_counted() -> None:
    async with FakeApiServer() as server:
        broken = {"metadata": {"uid": "x"}, "status": {"phase": 7}}
        server.answers(listing(document("a"), broken))
        server.streams([b"not json\n", line("ADDED", broken), line("ADDED", document("b"))], hold=1)
        found, watcher = await collect(server, until=2)
        assert found == [(SEEN, "a"), (SEEN, "b")]
        assert watcher.undecodable == 3


async def test_a_missing_permission_is_waited_out_until_it_is_granted() -> None:
    async with FakeApiServer() as server:
        server.answers(status(403, "Forbidden", "pods is forbidden"), code=403)
        server.answers(listing(document("a")))
        found, _ = await collect(server, until=1)
        assert found == [(SEEN, "a")]


@pytest.fixture
def whole_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as in production, and without the luck."""
    monkeypatch.setattr(pace, "BACKOFF", BACKOFF)
    monkeypatch.setattr("random.uniform", lambda _, high: high)


async def watch_for(seconds: float, server: FakeApiServer) -> list[bool]:
    """Which of the requests in this time were watches."""
    async with KubernetesClient(server.credentials) as client:
        watcher = Watcher(client=client, resource=PODS, kind=Pod)

        async def read() -> None:
            async for _ in watcher.changes():
                pass

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(seconds):
                await read()
    return ["watch" in request.query for request in server.requests]


@pytest.mark.usefixtures("whole_backoff")
@pytest.mark.parametrize("lines", [[], [b"not json\n"], [line("ADDED", {"metadata": 7})]])
async def test_a_watch_that_ends_at_once_does_not_become_a_hot_loop(lines: list[bytes]) -> None:
    async with FakeApiServer() as server:
        server.answers(listing(document("a")))
        server.streams(lines)
        assert 1 < len(await watch_for(0.6, server)) < 8


@pytest.mark.usefixtures("whole_backoff")
@pytest.mark.parametrize("shape", ["of the watch", "of a continue", "after an empty watch"])
async def test_a_version_that_is_always_expired_does_not_become_a_storm_of_lists(
    shape: str,
) -> None:
    gone = (status(410, "Expired"), 410)
    watches = 0

    def choose(request: web.Request) -> tuple[Any, int]:
        nonlocal watches
        if "watch" in request.query:
            watches += 1
            return ({}, 200) if shape == "after an empty watch" and watches % 2 else gone
        if "continue" in request.query:
            return gone
        return listing(document("a"), more="page" if shape == "of a continue" else ""), 200

    async with FakeApiServer() as server:
        server.answers_by(choose)
        assert 1 < len(await watch_for(0.6, server)) < 12


@pytest.mark.usefixtures("whole_backoff")
async def test_a_watch_that_expires_after_each_first_line_does_not_become_a_storm_of_lists() -> (
    None
):
    async with FakeApiServer() as server:
        for _ in range(50):
            server.answers(listing(document("a")))
            server.streams([line("ADDED", document("b")), line("ERROR", status(410, "Expired"))])
        assert 1 < len(await watch_for(0.6, server)) < 12


@pytest.mark.usefixtures("whole_backoff")
async def test_a_watch_that_delivers_and_is_cut_again_and_again_is_resumed_later_each_time() -> (
    None
):
    async with FakeApiServer() as server:
        server.answers(listing(document("a")))
        server.streams([line("MODIFIED", document("a"))], hold=0.01, cut=True)
        with structlog.testing.capture_logs() as logs:
            asked = await watch_for(1.0, server)
        # After 0.2, 0.4 and 0.8 s.
        assert asked == [False, True, True, True]
        assert not logs


@pytest.mark.usefixtures("whole_backoff")
async def test_a_watch_that_has_lasted_makes_the_pauses_short_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pace, "STEADY_SECONDS", 0.05)
    async with FakeApiServer() as server:
        server.answers(listing(document("a")))
        server.streams([line("MODIFIED", document("a"))], hold=0.08, cut=True)
        assert len(await watch_for(1.0, server)) >= 4


async def test_a_watch_that_ends_after_its_own_time_is_made_anew_and_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pace, "STEADY_SECONDS", 0.01)
    monkeypatch.setattr(pace, "BACKOFF", Doubling(first_seconds=60.0, longest_seconds=60.0))
    async with FakeApiServer() as server:
        server.answers(listing(document("a")))
        for _ in range(3):
            server.streams([], hold=0.05)
        server.streams([line("ADDED", document("b"))], hold=1)
        with structlog.testing.capture_logs() as logs:
            found, _ = await collect(server, until=2)
        assert found[-1] == (SEEN, "b")
        assert not logs


@pytest.mark.usefixtures("whole_backoff")
async def test_the_watch_is_back_with_its_first_line_not_with_its_end() -> None:
    async with FakeApiServer() as server:
        server.answers(listing(document("a")))
        server.answers(status(503, "ServiceUnavailable"), code=503)
        server.streams([line("ADDED", document("b"))], hold=30)
        with structlog.testing.capture_logs() as logs:
            await collect(server, until=2)
        assert [each["event"] for each in logs] == [
            "Watch failed, trying again until it is back",
            "Watch is back",
        ]


@pytest.mark.parametrize(
    "odd",
    [
        {"code": "500"},
        {"code": None, "reason": 7, "message": []},
        {"code": True},
        {"code": 10**30},
        {"code": "410\n"},
        {"code": "410"},
        {"reason": "Expired"},
        [],
        "text",
        None,
        7,
    ],
)
async def test_an_odd_error_in_the_stream_does_not_end_the_watch(odd: Any) -> None:
    async with FakeApiServer() as server:
        server.answers(listing(document("a")))
        server.streams([line("ERROR", odd)])
        server.answers_by(
            lambda request: (
                ({"type": "ADDED", "object": document("b")}, 200)
                if "watch" in request.query
                else (listing(document("b")), 200)
            )
        )
        server.streams([line("ADDED", document("b"))], hold=1)
        found, _ = await collect(server, until=2)
        assert found == [(SEEN, "a"), (SEEN, "b")]


@pytest.mark.parametrize(
    "bad",
    [
        b'{"type":"ADDED","object":"\xff"}\n',
        b'{"type":"ERROR","object":"\xff"}\n',
        b'{"type":"ADDED","object":' + b"[" * 100_000 + b"}\n",
        b'{"type":7,"object":{}}\n',
        b"[]\n",
    ],
)
async def test_a_line_of_any_bytes_does_not_end_the_watch(bad: bytes) -> None:
    async with FakeApiServer() as server:
        server.answers(listing(document("a")))
        server.streams([bad])
        server.streams([line("ADDED", document("b"))], hold=1)
        found, _ = await collect(server, until=2)
        assert found[-1] == (SEEN, "b")


async def test_lists_that_expire_after_a_watch_that_worked_do_not_become_a_storm() -> None:
    pauses = 0

    async def count(_: float) -> None:
        nonlocal pauses
        pauses += 1

    pace_ = pace.Pace(kind="pods")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kausa.cluster.pace.asyncio.sleep", count)
        pace_.begins()
        pace_.listed()
        pace_.watches()
        pace_.delivers()
        for _ in range(10):
            pace_.begins()
            await pace_.expired(errors.GoneError("expired", status=410))
    assert pauses == 10
