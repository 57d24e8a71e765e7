"""A projected token is read again in time, and never more often than that is of use."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from support.fake_api_server import FakeApiServer, status

from kausa.cluster import credentials as module
from kausa.cluster.client import KubernetesClient
from kausa.cluster.credentials import Credentials, Token, TokenSource, read_token_file
from kausa.cluster.errors import UnauthorizedError
from kausa.cluster.objects import Pod


class CountedFile:
    """A token in a file, as a kubelet projects it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "token"
        self.reads = 0

    def holds(self, value: str) -> None:
        """The kubelet replaces the file by another one, which is there in one step."""
        new = self.path.with_suffix(".new")
        new.write_text(value)
        new.rename(self.path)

    def source(self) -> TokenSource:
        read = read_token_file(self.path)

        def counted() -> Token:
            self.reads += 1
            return read()

        return counted


@pytest.fixture
def file(tmp_path: Path) -> CountedFile:
    found = CountedFile(tmp_path)
    found.holds("first")
    return found


def sent(server: FakeApiServer) -> list[str]:
    return [request.headers["Authorization"] for request in server.requests]


async def ask(client: KubernetesClient) -> None:
    await client.get("/api", kind=Pod)


async def test_within_a_minute_the_file_is_not_read_again(file: CountedFile) -> None:
    assert module.TOKEN_FILE_LIFETIME_SECONDS == 60
    async with FakeApiServer() as server:
        server.answers({})
        async with KubernetesClient(Credentials(server=server.url, token_source=file.source())) as (
            client
        ):
            for _ in range(3):
                await ask(client)
        assert file.reads == 1


async def test_after_a_minute_a_new_token_is_sent(
    file: CountedFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TOKEN_FILE_LIFETIME_SECONDS", 0.05)
    async with FakeApiServer() as server:
        server.answers({})
        async with KubernetesClient(Credentials(server=server.url, token_source=file.source())) as (
            client
        ):
            await ask(client)
            file.holds("second")
            await asyncio.sleep(0.06)
            await ask(client)
        assert sent(server) == ["Bearer first", "Bearer second"]


async def test_a_token_that_is_refused_is_read_again_at_once(file: CountedFile) -> None:
    async with FakeApiServer() as server:
        server.answers(status(401, "Unauthorized"), code=401).answers({})
        async with KubernetesClient(Credentials(server=server.url, token_source=file.source())) as (
            client
        ):
            with pytest.raises(UnauthorizedError):
                await ask(client)
            file.holds("second")
            await ask(client)
        assert sent(server) == ["Bearer first", "Bearer second"]


async def test_many_requests_at_once_read_the_file_once(file: CountedFile) -> None:
    async with FakeApiServer() as server:
        server.answers({})
        async with KubernetesClient(Credentials(server=server.url, token_source=file.source())) as (
            client
        ):
            await asyncio.gather(*(ask(client) for _ in range(20)))
        assert file.reads == 1
        assert len(server.requests) == 20


async def test_a_late_refusal_does_not_throw_a_newer_token_away(
    file: CountedFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TOKEN_FILE_LIFETIME_SECONDS", 0.05)
    async with FakeApiServer() as server:
        server.answers(status(401, "Unauthorized"), code=401, after=0.3).answers({})
        async with KubernetesClient(Credentials(server=server.url, token_source=file.source())) as (
            client
        ):
            late = asyncio.ensure_future(ask(client))
            await asyncio.sleep(0.1)
            monkeypatch.setattr(module, "TOKEN_FILE_LIFETIME_SECONDS", 60.0)
            await ask(client)
            with pytest.raises(UnauthorizedError):
                await late
            await ask(client)
        assert file.reads == 2
