"""What somebody who looks for a defect is told: sizes and names, and only where it is wanted."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Mapping
from typing import Any

import aiohttp

from kausa.telemetry.debugging import Debugging
from kausa.telemetry.metrics import Metrics
from kausa.telemetry.server import ProbeServer


def server(debugging: Debugging | None) -> ProbeServer:
    return ProbeServer(
        host="127.0.0.1",
        port=0,
        livez=lambda: None,
        readyz=lambda: None,
        registry=Metrics().registry,
        debugging=debugging,
    )


async def page(running: ProbeServer, path: str) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{running.port}{path}") as response,
    ):
        text = await response.text()
        return response.status, json.loads(text) if response.status == 200 else text


def refuses() -> Mapping[str, object]:
    raise LookupError("shop/checkout has the password hunter2")


async def test_nothing_is_told_unless_it_is_wanted() -> None:
    async with server(None) as running:
        assert (await page(running, "/debug/memory"))[0] == 404
        assert (await page(running, "/debug/models"))[0] == 404


async def test_sizes_are_asked_for_when_somebody_looks() -> None:
    held = [1, 2, 3]
    debugging = Debugging()
    debugging.observe_size("queue", lambda: len(held), most=50_000)
    debugging.observe_size("watch.pods", lambda: 7)
    async with server(debugging) as running:
        assert (await page(running, "/debug/memory"))[1]["parts"] == {
            "queue": {"entries": 3, "most": 50_000},
            "watch.pods": {"entries": 7, "most": None},
        }
        held.clear()
        found = (await page(running, "/debug/memory"))[1]
    assert found["parts"]["queue"]["entries"] == 0
    assert 1_000_000 < found["process"]["resident_bytes"] < 10**11
    assert found["process"]["most_resident_bytes"] >= 1_000_000
    assert found["process"]["tasks"] >= 1
    assert found["process"]["open_files"] >= 3
    assert len(found["garbage"]["generations"]) == 3


async def test_allocations_are_told_where_python_traces_them_and_not_else() -> None:
    async with server(Debugging()) as running:
        assert (await page(running, "/debug/memory"))[1]["allocations"] is None
        tracemalloc.start()
        try:
            kept = [str(number) * 10 for number in range(2_000)]
            allocations = (await page(running, "/debug/memory"))[1]["allocations"]
        finally:
            tracemalloc.stop()
    assert kept
    assert allocations["traced_bytes"] > 0
    assert len(allocations["largest"]) <= 25
    lines = [each["line"] for each in allocations["largest"]]
    assert any("test_telemetry_debugging.py:" in each for each in lines)
    assert not any(each.startswith("/") for each in lines)


async def test_models_are_told_of_and_one_that_cannot_tell_hides_no_other() -> None:
    debugging = Debugging()
    debugging.observe_model("embedder", lambda: {"model": "offline"})
    debugging.observe_model("model", refuses)
    async with server(debugging) as running:
        status, found = await page(running, "/debug/models")
    assert status == 200
    assert found == {"embedder": {"model": "offline"}, "model": {"error": "LookupError"}}
