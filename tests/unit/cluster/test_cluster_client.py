"""Every failure of a request comes out as an error of ours, with what the API server said."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from support.fake_api_server import FakeApiServer, status

from kausa.cluster import errors
from kausa.cluster.client import KubernetesClient
from kausa.cluster.credentials import Credentials, Token, read_token_file
from kausa.cluster.objects import Pod

CONNECTIONS = 64


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (401, errors.UnauthorizedError),
        (403, errors.ForbiddenError),
        (404, errors.NotFoundError),
        (409, errors.ConflictError),
        (410, errors.GoneError),
        (422, errors.ApiError),
        (429, errors.OverloadedError),
        (503, errors.OverloadedError),
    ],
)
async def test_an_http_status_becomes_the_most_specific_error(
    code: int, expected: type[errors.ApiError]
) -> None:
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.answers(status(code, "Because", "pods is no good"), code=code)
        with pytest.raises(expected, match="pods is no good") as caught:
            await client.get("/api/v1/pods/x", kind=Pod)
        assert type(caught.value) is expected
        assert caught.value.status == code


async def test_an_error_that_is_not_json_is_said_all_the_same() -> None:
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.answers("a proxy's page", code=502)
        with pytest.raises(errors.OverloadedError, match="a proxy's page"):
            await client.get("/api", kind=Pod)


async def test_nobody_listening_is_unreachable() -> None:
    async with KubernetesClient(Credentials(server="http://127.0.0.1:9")) as client:
        with pytest.raises(errors.ApiUnreachableError, match=r"127\.0\.0\.1:9"):
            await client.get("/api", kind=Pod)


async def test_no_answer_in_time_is_unreachable() -> None:
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.streams([], hold=2)
        with pytest.raises(errors.ApiUnreachableError, match="no answer in time"):
            await client.get("/api", kind=Pod, timeout_seconds=0.1)


async def test_an_answer_of_another_shape_is_undecodable() -> None:
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.answers({"metadata": []})
        with pytest.raises(errors.UndecodableError):
            await client.get("/api", kind=Pod)


async def test_an_apply_names_its_field_manager() -> None:
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.answers({"kind": "Thing"})
        assert await client.apply("/x", {"a": 1}, manager="kausa-test") == {"kind": "Thing"}
        (request,) = server.requests
        assert request.query["fieldManager"] == "kausa-test"
        assert request.headers["Content-Type"] == "application/apply-patch+yaml"


async def test_a_token_is_asked_for_again_when_it_has_expired() -> None:
    given = iter(("first", "second"))

    def source() -> Token:
        return Token(value=next(given), valid_until=time.monotonic() - 1)

    async with FakeApiServer() as server:
        server.answers({})
        credentials = Credentials(server=server.url, token_source=source)
        async with KubernetesClient(credentials) as client:
            await client.get("/api", kind=Pod)
            await client.get("/api", kind=Pod)
        sent = [request.headers["Authorization"] for request in server.requests]
        assert sent == ["Bearer first", "Bearer second"]


def test_a_token_file_is_read_and_its_absence_is_explained(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("abc\n")
    assert read_token_file(file)().value == "abc"
    file.unlink()
    with pytest.raises(errors.KubeconfigError, match="cannot be read"):
        read_token_file(file)()


def test_credentials_never_show_their_secrets_when_printed() -> None:
    secret = "-".join(("not", "to", "be", "seen"))
    shown = repr(Credentials(server="https://x", password=secret, key_pem=secret))
    assert secret not in shown


async def test_a_namespace_that_is_going_is_told_from_a_missing_permission() -> None:
    refused = status(403, "Forbidden", "unable to create new content in namespace shop")
    refused["details"] = {"causes": [{"reason": "NamespaceTerminating", "field": "x"}]}
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.answers(refused, code=403)
        with pytest.raises(errors.NamespaceTerminatingError):
            await client.create("/api", {})


async def test_a_replacement_sends_the_whole_object_and_gives_what_it_became() -> None:
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.answers({"metadata": {"resourceVersion": "8"}})
        sent = {"metadata": {"resourceVersion": "7"}}
        assert await client.replace("/x", sent) == {"metadata": {"resourceVersion": "8"}}
        (request,) = server.requests
        assert (request.method, request.headers["Content-Type"]) == ("PUT", "application/json")


async def test_a_replacement_of_what_has_changed_is_a_conflict() -> None:
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.answers(status(409, "Conflict", "the object has been modified"), code=409)
        with pytest.raises(errors.ConflictError):
            await client.replace("/x", {})


async def test_an_answer_that_is_too_large_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kausa.cluster.client.MAXIMUM_ANSWER_BYTES", 1000)
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.answers({"x": "y" * 2000})
        with pytest.raises(errors.UndecodableError, match="larger than 1000 bytes"):
            await client.get("/api", kind=Pod)


@pytest.mark.parametrize("write", ["apply", "create", "replace"])
async def test_who_may_not_write_any_more_sends_nothing_and_still_reads(write: str) -> None:
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.answers({})
        client.fence(lambda: False)
        given = {"manager": "kausa-streams"} if write == "apply" else {}
        with pytest.raises(errors.LeadershipLostError):
            await getattr(client, write)("/api/v1/namespaces/shop/events/x", {}, **given)
        await client.get("/api/v1/pods/x", kind=Pod)
        assert [each.method for each in server.requests] == ["GET"]


async def test_who_may_write_again_does() -> None:
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.answers({})
        client.fence(lambda: True)
        await client.create("/api/v1/namespaces/shop/events", {})
        assert [each.method for each in server.requests] == ["POST"]


class _BusyServer(FakeApiServer):
    """Keeps every answer until it is free."""

    def __init__(self) -> None:
        super().__init__()
        self.free = asyncio.Event()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        await self.free.wait()
        return web.json_response({})


async def test_a_write_that_waited_for_a_connection_is_not_sent_when_the_lease_was_lost() -> None:
    async with _BusyServer() as server, KubernetesClient(server.credentials) as client:
        leads = True
        client.fence(lambda: leads)
        reads = [
            asyncio.ensure_future(client.get("/api", kind=dict[str, Any]))
            for _ in range(CONNECTIONS)
        ]
        while len(server.requests) < CONNECTIONS:
            await asyncio.sleep(0.01)
        write = asyncio.ensure_future(client.create("/x", {}))
        await asyncio.sleep(0.1)
        assert not write.done()
        leads = False
        server.free.set()
        with pytest.raises(errors.LeadershipLostError):
            await write
        await asyncio.gather(*reads)
        assert {each.method for each in server.requests} == {"GET"}
        # What was not sent has kept no connection.
        leads = True
        async with asyncio.timeout(5):
            await asyncio.gather(*(client.create("/x", {}) for _ in range(CONNECTIONS)))


async def test_writes_that_are_not_sent_use_no_connection_up() -> None:
    async with _BusyServer() as server, KubernetesClient(server.credentials) as client:
        server.free.set()
        asked = 0

        def at_first_only() -> bool:
            nonlocal asked
            asked += 1
            return asked % 2 == 1

        client.fence(at_first_only)
        async with asyncio.timeout(5):
            for _ in range(2 * CONNECTIONS):
                with pytest.raises(errors.LeadershipLostError):
                    await client.replace("/x", {})
            await client.get("/api", kind=dict[str, Any])
        assert [each.method for each in server.requests] == ["GET"]


async def test_a_write_that_waited_for_a_token_is_not_sent_when_the_lease_was_lost() -> None:
    leads = True

    def source() -> Token:
        nonlocal leads
        leads = False
        return Token(value="late", valid_until=time.monotonic() + 60)

    async with FakeApiServer() as server:
        server.answers({})
        credentials = Credentials(server=server.url, token_source=source)
        async with KubernetesClient(credentials) as client:
            client.fence(lambda: leads)
            with pytest.raises(errors.LeadershipLostError):
                await client.create("/x", {})
        assert not server.requests
