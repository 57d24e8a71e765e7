"""A log comes in chunks, no more of it than was asked for, and its errors are ours."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from support.fake_api_server import FakeApiServer, status

from kausa.cluster import errors
from kausa.cluster.client import KubernetesClient


def log_of(
    client: KubernetesClient,
    *,
    previous: bool = False,
    tail_lines: int | None = None,
    limit_bytes: int | None = None,
    timeout_seconds: float = 5,
) -> AsyncGenerator[bytes, None]:
    return client.pod_log(
        namespace="shop",
        pod="api-1",
        container="api",
        previous=previous,
        tail_lines=tail_lines,
        limit_bytes=limit_bytes,
        timeout_seconds=timeout_seconds,
    )


async def test_a_log_is_streamed_with_what_was_asked_for() -> None:
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.streams([b"one\n", b"two\n", b"three\n"])
        stream = log_of(client, previous=True, tail_lines=3, limit_bytes=7)
        async with aclosing(stream) as chunks:
            assert b"".join([chunk async for chunk in chunks]) == b"one\ntwo"
        (request,) = server.requests
        assert request.path == "/api/v1/namespaces/shop/pods/api-1/log"
        assert dict(request.query) == {
            "container": "api",
            "previous": "true",
            "tailLines": "3",
            "limitBytes": "7",
        }


async def test_all_of_a_log_is_asked_for_without_limits() -> None:
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.streams([b"one\n", b"two\n"])
        chunks = log_of(client)
        assert b"".join([chunk async for chunk in chunks]) == b"one\ntwo\n"
        assert dict(server.requests[0].query) == {"container": "api", "previous": "false"}


async def test_no_such_log_is_an_error_at_the_first_chunk() -> None:
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.answers(status(400, "BadRequest", "previous terminated container"), code=400)
        with pytest.raises(errors.ApiError, match="previous terminated container"):
            await anext(log_of(client, previous=True))


async def test_a_log_that_does_not_end_in_time_is_unreachable() -> None:
    async with FakeApiServer() as server, KubernetesClient(server.credentials) as client:
        server.streams([b"one\n"], hold=2)
        chunks = log_of(client, timeout_seconds=0.2)
        assert await anext(chunks) == b"one\n"
        with pytest.raises(errors.ApiUnreachableError, match="no answer in time"):
            await anext(chunks)
