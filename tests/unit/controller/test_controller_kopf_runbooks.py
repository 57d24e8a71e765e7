"""Kopf hands over Runbooks too, and diagnoses go on where it may not."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from support.fake_api_server import line, listing
from support.fake_kind_server import RESOURCES, FakeKindServer, resource, until

from kausa.controller.kopf_host import KopfHost, RunbookHandlers

SERVED = copy.deepcopy(RESOURCES)
SERVED["resources"].append(  # type: ignore[attr-defined]
    {
        "name": "runbooks",
        "singularName": "runbook",
        "kind": "Runbook",
        "namespaced": True,
        "verbs": ["get", "list", "watch"],
    }
)


def runbook(name: str) -> dict[str, Any]:
    return resource(name) | {"kind": "Runbook"}


class FakeServerOfBoth(FakeKindServer):
    """Serves both kinds; Runbooks are answered with 403 where they are `forbidden`."""

    forbidden = False
    patches = 0

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/apis/kausa.dev/v1alpha1":
            return web.json_response(SERVED)
        self.patches += request.method == "PATCH"
        if not request.path.endswith("/runbooks"):
            return await super()._answer(request)
        if self.forbidden:
            return web.json_response({"kind": "Status", "code": 403}, status=403)
        if "watch" not in request.query:
            return web.json_response(listing(runbook("listed")))
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(line("DELETED", runbook("gone")))
        await asyncio.sleep(30)
        return response


@pytest.fixture
async def server() -> AsyncIterator[FakeServerOfBoth]:
    found = FakeServerOfBoth()
    async with found:
        yield found


@contextlib.asynccontextmanager
async def running(
    server: FakeServerOfBoth, *, readable: bool, error: Exception | None = None
) -> AsyncIterator[tuple[list[str], list[tuple[str | None, str]]]]:
    diagnoses: list[str] = []
    runbooks: list[tuple[str | None, str]] = []

    async def diagnosed(body: dict[str, Any]) -> None:
        diagnoses.append(body["metadata"]["name"])

    async def seen(type_: str | None, body: dict[str, Any]) -> None:
        runbooks.append((type_, body["metadata"]["name"]))
        if error is not None:
            raise error

    async def may_be_read() -> bool:
        return readable

    host = KopfHost(
        credentials=server.credentials,
        namespace=None,
        on_change=diagnosed,
        on_delete=diagnosed,
        runbooks=RunbookHandlers(readable=may_be_read, on_event=seen),
    )
    task = asyncio.ensure_future(host.run())
    try:
        yield diagnoses, runbooks
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_runbooks_are_handed_over_and_nothing_is_written_to_them(
    server: FakeServerOfBoth,
) -> None:
    async with running(server, readable=True) as (_, runbooks):
        await until(lambda: {(None, "listed"), ("DELETED", "gone")} <= set(runbooks))
    assert server.patches == 0


async def test_an_error_with_one_runbook_keeps_no_other_from_being_handed_over(
    server: FakeServerOfBoth,
) -> None:
    async with running(server, readable=True, error=ValueError("odd")) as (_, runbooks):
        await until(lambda: {(None, "listed"), ("DELETED", "gone")} <= set(runbooks))


async def test_diagnoses_go_on_where_runbooks_may_not_be_read(server: FakeServerOfBoth) -> None:
    server.forbidden = True
    server.items = [resource("x")]
    async with running(server, readable=False) as (diagnoses, runbooks):
        await until(lambda: "x" in diagnoses)
    assert runbooks == []
