"""Requests to a server that does as the test says: refuses, dies, hangs, comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from kausa.memory.embedding import transport as transport_module
from kausa.memory.embedding.breaker import Backoff, Breaker
from kausa.memory.embedding.endpoint import Endpoint
from kausa.memory.embedding.transport import Transport
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.waiting import Waiting

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Script:
    """What the server does next; the last of it for ever."""

    steps: list[Answer]
    seen: list[web.BaseRequest] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.seen.append(request)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        return await step(request)


async def good(_: web.BaseRequest) -> web.Response:
    return web.json_response({"good": True})


async def dies(request: web.BaseRequest) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hangs(_: web.BaseRequest) -> web.Response:
    await asyncio.sleep(3600)
    return web.Response()


def says(status: int, **headers: str) -> Answer:
    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(
            status=status, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    return answer


def quick() -> Backoff:
    return Backoff(first_seconds=0.001, longest_seconds=0.001)


def hopeless() -> Backoff:
    """Its first pause is beyond every deadline here."""
    return Backoff(first_seconds=60, uniform=lambda _, high: high)


@asynccontextmanager
async def talking(
    *steps: Answer, token: str | None = None, **options: Any
) -> AsyncIterator[tuple[Transport, Script]]:
    script = Script(list(steps))
    runner = web.ServerRunner(web.Server(script.handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    script.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    endpoint = Endpoint(url=script.url, token=SecretStr(token) if token else None)
    transport = Transport(endpoint, **{"make_backoff": quick, **options})
    try:
        yield transport, script
    finally:
        await transport.close()
        await runner.cleanup()


async def ask(transport: Transport, *, seconds: float = 5.0, patient: bool = False) -> Any:
    ends_at = time.monotonic() + seconds
    return await transport.ask("POST", "/x", {"a": 1}, ends_at=ends_at, patient=patient)


async def reason_of(asking: Awaitable[Any]) -> str:
    with pytest.raises(MemoryUnavailableError) as raised:
        await asking
    return raised.value.reason


@pytest.mark.parametrize("trouble", [dies, says(503), says(502), says(429)])
async def test_trouble_that_passes_is_not_noticed(trouble: Answer) -> None:
    async with talking(trouble, trouble, good) as (transport, script):
        assert await ask(transport) == {"good": True}
        assert len(script.seen) == 3


@pytest.mark.parametrize("status", [400, 401, 404, 413, 422, 500, 504])
async def test_what_will_not_pass_is_not_tried_again(status: int) -> None:
    async with talking(says(status), good) as (transport, script):
        await reason_of(ask(transport))
        assert len(script.seen) == 1


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (dies, "EmbedderUnavailable"),
        (says(503), "EmbedderUnavailable"),
        (says(429), "EmbedderOverloaded"),
    ],
)
async def test_trouble_that_stays_is_named_at_the_deadline(trouble: Answer, reason: str) -> None:
    async with talking(trouble, make_backoff=hopeless) as (transport, _):
        assert await reason_of(ask(transport)) == reason


async def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    async with talking(says(429, Retry_After="20")) as (transport, script):
        began = time.monotonic()
        assert await reason_of(ask(transport, seconds=10)) == "EmbedderOverloaded"
        assert time.monotonic() - began < 5
        assert len(script.seen) == 1


async def test_the_server_is_left_alone_for_as_long_as_it_says() -> None:
    async with talking(says(429, Retry_After_Ms="150"), good) as (transport, _):
        began = time.monotonic()
        await ask(transport)
        assert time.monotonic() - began >= 0.15


async def test_the_deadline_is_passed_on_a_little_shorter() -> None:
    async with talking(good) as (transport, script):
        await ask(transport, seconds=10)
        told = int(script.seen[0].headers["X-Deadline-Ms"])
        assert 8_000 < told < 10_000


async def test_a_server_that_hangs_is_a_missed_deadline() -> None:
    async with talking(hangs) as (transport, _):
        assert await reason_of(ask(transport, seconds=0.05)) == "DeadlineExceeded"


async def test_nobody_listening_is_unavailable() -> None:
    async with talking(good) as (_, script):
        gone = Transport(Endpoint(url=script.url), make_backoff=hopeless)
    assert await reason_of(ask(gone)) == "EmbedderUnavailable"
    await gone.close()


async def test_the_token_is_sent_and_never_told() -> None:
    async with talking(says(401), token="very-secret") as (transport, script):
        with pytest.raises(MemoryUnavailableError) as refused:
            await ask(transport)
        assert script.seen[0].headers["Authorization"] == "Bearer very-secret"
        assert "very-secret" not in str(refused.value)
        assert "token" in str(refused.value)


async def test_a_server_that_is_no_embedder_leads_to_the_variable_of_its_address() -> None:
    async with talking(says(404)) as (transport, _):
        with pytest.raises(MemoryUnavailableError, match=r"404: is it an embedder.*EMBEDDER_URL"):
            await ask(transport)


async def test_a_redirect_is_not_followed() -> None:
    async with talking(says(307, Location="/elsewhere"), good) as (transport, script):
        assert await reason_of(ask(transport)) == "EmbedderFailed"
        assert len(script.seen) == 1


async def test_what_is_not_json_is_an_answer_that_cannot_be_used() -> None:
    async with talking(says(200)) as (transport, _):
        assert await reason_of(ask(transport)) == "EmbedderFailed"


def opening() -> Breaker:
    return Breaker(failures_to_open=2, first_pause_seconds=0.05, longest_pause_seconds=0.05)


async def test_a_server_known_to_be_away_is_not_waited_for() -> None:
    breaker = Breaker(failures_to_open=2, first_pause_seconds=30)
    async with talking(dies, breaker=breaker) as (transport, script):
        assert await reason_of(ask(transport, seconds=0.5)) == "EmbedderUnavailable"
        assert len(script.seen) == 2
        began = time.monotonic()
        with pytest.raises(MemoryUnavailableError, match=r"cannot be reached.*left alone") as away:
            await ask(transport, seconds=60)
        assert away.value.reason == "EmbedderUnavailable"
        assert time.monotonic() - began < 5
        assert len(script.seen) == 2


async def test_who_is_patient_waits_until_it_is_back() -> None:
    breaker = opening()
    for _ in range(2):
        breaker.failed(time.monotonic())
    assert breaker.is_open
    async with talking(dies, good, breaker=breaker) as (transport, script):
        assert await ask(transport, patient=True) == {"good": True}
        assert len(script.seen) == 2
        assert not breaker.is_open


async def test_who_gives_too_little_time_does_not_declare_it_dead() -> None:
    breaker = opening()
    async with talking(hangs, breaker=breaker) as (transport, script):
        for _ in range(3):
            assert await reason_of(ask(transport, seconds=0.02)) == "DeadlineExceeded"
        assert not breaker.is_open
        script.steps = [good]
        assert await ask(transport) == {"good": True}


async def test_a_full_server_is_not_a_dead_one() -> None:
    breaker = opening()
    async with talking(*[says(429)] * 5, good, breaker=breaker) as (transport, script):
        asking = asyncio.create_task(ask(transport))
        while len(script.seen) < 5:
            assert not breaker.is_open
            await asyncio.sleep(0)
        assert await asking == {"good": True}


async def test_who_waits_is_told_at_once_what_for_and_how_long_at_most() -> None:
    told: list[Waiting] = []
    async with talking(says(503), dies, good, on_waiting=told.append) as (transport, script):
        await ask(transport, seconds=5)
        first, second = told
        assert (first.part, second.part) == ("embedder", "embedder")
        assert "answered 503" in first.why
        assert script.url in second.why
        assert "start it, or correct KAUSA_EMBEDDER_URL" in second.why
        assert 4 < second.left_seconds <= first.left_seconds <= 5


async def test_who_is_patient_with_a_server_known_to_be_away_is_told_so_too() -> None:
    breaker, told = opening(), list[Waiting]()
    for _ in range(2):
        breaker.failed(time.monotonic())
    async with talking(good, breaker=breaker, on_waiting=told.append) as (transport, _):
        await ask(transport, patient=True)
        assert told


async def test_a_server_that_is_silent_for_long_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "SILENT_SECONDS", 0.01)
    told: list[Waiting] = []

    async def slow(_: web.BaseRequest) -> web.Response:
        await asyncio.sleep(0.1)
        return web.json_response({"good": True})

    async with talking(slow, on_waiting=told.append) as (transport, _):
        await ask(transport)
        assert ["has not answered for 0.01 s" in each.why for each in told] == [True]
    assert not told[1:]


async def test_who_has_no_time_to_ask_again_does_not_wait() -> None:
    told: list[Waiting] = []
    async with talking(dies, make_backoff=hopeless, on_waiting=told.append) as (transport, _):
        await reason_of(ask(transport))
        assert not told


async def test_a_second_attempt_overtakes_a_slow_first() -> None:
    async with talking(hangs, good, hedge_after_seconds=0.02) as (transport, script):
        assert await ask(transport) == {"good": True}
        assert len(script.seen) == 2


async def test_no_second_attempt_is_made_unless_it_is_asked_for() -> None:
    async with talking(hangs, good) as (transport, script):
        await reason_of(ask(transport, seconds=0.1))
        assert len(script.seen) == 1


async def test_a_quick_answer_needs_no_second_attempt() -> None:
    async with talking(good, hedge_after_seconds=5) as (transport, script):
        await ask(transport)
        assert len(script.seen) == 1


async def test_a_refusal_of_the_first_is_not_the_end_of_the_second() -> None:
    async def fails_late(_: web.BaseRequest) -> web.Response:
        await asyncio.sleep(0.05)
        return web.Response(status=500)

    async def good_later(_: web.BaseRequest) -> web.Response:
        await asyncio.sleep(0.1)
        return web.json_response({"good": True})

    async with talking(fails_late, good_later, hedge_after_seconds=0.02) as (transport, _):
        assert await ask(transport) == {"good": True}


async def test_after_close_nothing_is_sent() -> None:
    async with talking(good) as (transport, script):
        await ask(transport)
        await transport.close()
        assert await reason_of(ask(transport)) == "Closed"
        assert len(script.seen) == 1
