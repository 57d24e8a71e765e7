"""The kubelet and Prometheus get their answers over HTTP."""

from __future__ import annotations

from collections.abc import Callable

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text
from support.logs import captured_log

from kausa.errors import SettingsError
from kausa.telemetry.metrics import Metrics
from kausa.telemetry.server import ProbeServer


def well() -> str | None:
    return None


def server(
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    livez: Callable[[], str | None] = well,
    readyz: Callable[[], str | None] = well,
) -> ProbeServer:
    return ProbeServer(
        host=host, port=port, livez=livez, readyz=readyz, registry=Metrics().registry
    )


async def get(
    running: ProbeServer, path: str, *, accept: str = "*/*", method: str = "GET"
) -> tuple[int, str, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            method, f"http://127.0.0.1:{running.port}{path}", headers={"Accept": accept}
        ) as response,
    ):
        return response.status, await response.text(), response.headers["Content-Type"]


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_all_is_well(path: str) -> None:
    async with server() as running:
        assert (await get(running, path))[:2] == (200, "ok\n")


async def test_what_is_wrong_is_said_and_each_probe_has_its_own() -> None:
    wrong = "the watch of pods has not worked for 301 s"
    async with server(livez=lambda: wrong) as running:
        assert (await get(running, "/livez"))[:2] == (503, wrong + "\n")
        assert (await get(running, "/readyz"))[0] == 200


async def test_a_probe_is_asked_every_time() -> None:
    answers: list[str | None] = [None, "not listed yet: pods", None]
    async with server(readyz=lambda: answers.pop(0)) as running:
        codes = [(await get(running, "/readyz"))[0] for _ in range(3)]
    assert codes == [200, 503, 200]


async def test_metrics_are_given_in_the_format_that_is_asked_for() -> None:
    async with server() as running:
        code, text, content_type = await get(running, "/metrics")
        assert (code, content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert "kausa_leader" in {family.name for family in parse_text(text)}
        _, text, content_type = await get(
            running, "/metrics", accept="application/openmetrics-text;version=1.0.0"
        )
        assert content_type.startswith("application/openmetrics-text; version=1.0.0")
        families = parse_openmetrics(text)  # type: ignore[no-untyped-call]
        assert "kausa_leader" in {family.name for family in families}


async def test_nothing_else_is_served_and_nothing_can_be_sent() -> None:
    async with server() as running:
        assert (await get(running, "/"))[0] == 404
        assert (await get(running, "/metrics", method="POST"))[0] == 405


async def test_a_port_that_is_taken_is_an_error_that_says_what_to_set() -> None:
    async with server() as running:
        with pytest.raises(SettingsError, match=f"port {running.port} .*KAUSA_PROBE_PORT"):
            async with server(port=running.port):
                pass
        assert (await get(running, "/livez"))[0] == 200


@pytest.mark.parametrize(
    ("host", "port"), [("192.0.2.1", 0), ("no.such.host.invalid", 0), ("127.0.0.1", 99999)]
)
async def test_an_address_that_is_none_is_an_error_too(host: str, port: int) -> None:
    with pytest.raises(SettingsError, match="KAUSA_PROBE_"):
        async with server(host=host, port=port):
            pass


async def test_a_port_is_free_again_at_once() -> None:
    async with server() as first:
        port = first.port
        await get(first, "/livez")
    async with server(port=port) as second:
        assert (await get(second, "/livez"))[0] == 200


async def test_requests_are_not_logged() -> None:
    with captured_log() as log:
        async with server() as running:
            await get(running, "/livez")
    assert log.getvalue() == ""
