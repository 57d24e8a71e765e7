"""The watch delivers every change, whatever the API server does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.fake_api_server import FakeApiServer, line, listing, status

from kausa.cluster import watch
from kausa.cluster.client import KubernetesClient
from kausa.cluster.objects import Pod
from kausa.cluster.paths import PODS
from kausa.cluster.watch import Change, ChangeType, Watcher


def document(uid: str, version: str = "2") -> dict[str, Any]:
    return {"metadata": {"name": f"pod-{uid}", "uid": uid, "resourceVersion": version}}


@pytest.fixture(autouse=True)
def _short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LONGEST_BACKOFF_SECONDS", 0.01)


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
