"""Kopf's handlers hand over to our loop and lose no error."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator

import pytest
from support.fake_api_server import line
from support.fake_kind_server import FakeKindServer, resource, running, until
from support.logs import captured_log

from kausa.cluster.errors import OverloadedError
from kausa.controller import kopf_host


@pytest.fixture
async def server() -> AsyncIterator[FakeKindServer]:
    found = FakeKindServer()
    async with found:
        yield found


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    with captured_log() as stream:
        yield stream


async def test_what_appears_and_what_goes_is_handed_over(
    server: FakeKindServer, log: io.StringIO
) -> None:
    server.items = [resource()]
    server.watch_line = line("DELETED", resource("gone"))
    async with running(server, None) as seen:
        await until(lambda: {"x", "-gone"} <= set(seen))


@pytest.mark.parametrize(
    "error", [ValueError("nobody thought of it"), OverloadedError("x", status=503)]
)
async def test_an_error_of_a_handler_is_said(
    server: FakeKindServer, log: io.StringIO, error: Exception
) -> None:
    server.items = [resource()]
    async with running(server, error) as seen:
        await until(lambda: seen and "ould not diagnose" in log.getvalue())
    assert str(error) in log.getvalue()


async def test_it_ends_at_once_when_it_is_asked_to(server: FakeKindServer) -> None:
    async with running(server, None):
        await until(lambda: server.watches >= 1)
        before = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - before < kopf_host.STOP_WITHIN_SECONDS
