"""Kopf ends on some errors of the API server, and is started again."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator

import pytest
from support.fake_api_server import line, status
from support.fake_kind_server import FakeKindServer, running, until
from support.logs import captured_log

pytestmark = pytest.mark.integration


@pytest.fixture
async def server() -> AsyncIterator[FakeKindServer]:
    found = FakeKindServer()
    async with found:
        yield found


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    with captured_log() as stream:
        yield stream


async def test_kopf_is_started_again_when_it_ends_by_itself(
    server: FakeKindServer, log: io.StringIO
) -> None:
    server.watch_line = line("ERROR", status(500, "InternalError", "etcd timeout"))
    async with running(server, None):
        await until(lambda: server.watches >= 2)
    assert "Kopf ended, starting it again" in log.getvalue()
