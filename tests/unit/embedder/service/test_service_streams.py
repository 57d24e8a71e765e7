"""A stream of texts: as they are ready, as fast as both sides go, and not cut off."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
import numpy as np
import pytest
from support.embedding_engine import FakeEngine, fake_vector, serving

from kausa_embedder.errors import InferenceError, OverloadedError
from kausa_embedder.service import streaming


@dataclass(slots=True)
class Conversation:
    """A stream from the caller's side: say lines, hear answers, end."""

    response: aiohttp.ClientResponse
    saying: asyncio.Queue[bytes | None]

    async def say(self, *lines: Any) -> None:
        for line in lines:
            raw = line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n"
            await self.saying.put(raw)

    async def end(self) -> None:
        await self.saying.put(None)

    async def hear(self) -> dict[str, Any]:
        line = await asyncio.wait_for(self.response.content.readline(), 5)
        answer: dict[str, Any] = json.loads(line) if line else {}
        return answer

    async def rest(self) -> list[dict[str, Any]]:
        return [json.loads(line) async for line in self.response.content]


@asynccontextmanager
async def conversation(url: str) -> AsyncIterator[Conversation]:
    saying: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def body() -> AsyncIterator[bytes]:
        yield b"\n"  # aiohttp sends a request's head with the first of its body
        while (line := await saying.get()) is not None:
            yield line

    async with (
        aiohttp.ClientSession() as client,
        client.post(url + "/v1/stream", data=body()) as response,
    ):
        assert response.status == 200
        assert response.headers["Content-Type"] == "application/x-ndjson"
        try:
            yield Conversation(response, saying)
        finally:
            response.close()


def text(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "text": name, **more}


async def test_every_text_is_answered_under_its_id() -> None:
    async with serving() as service, conversation(service.url) as stream:
        await stream.say(text("a"), text("b c d e f g h i", kind="query"))
        await stream.end()
        answers = {answer["id"]: answer for answer in await stream.rest()}
        assert answers.keys() == {"a", "b c d e f g h i"}
        short, long = answers["a"], answers["b c d e f g h i"]
        assert (short["tokens"], short["truncated"]) == (1, False)
        assert (long["tokens"], long["truncated"]) == (6, True)
        vector = np.frombuffer(base64.b64decode(short["embedding"]), "<f4")
        assert vector.tolist() == fake_vector("passage: a").tolist()
        assert service.metric("streamed_texts_total") == 2


async def test_a_text_is_bulk_unless_it_says_otherwise() -> None:
    async with serving() as service, conversation(service.url) as stream:
        await stream.say(text("a"))
        await stream.hear()
        await stream.say(text("b", priority="interactive"))
        await stream.hear()
        assert [asked["priority"] for asked in service.engine.asked] == ["bulk", "interactive"]


async def test_what_is_ready_first_is_answered_first() -> None:
    engine = FakeEngine(held={"slow"})
    async with serving(engine) as service, conversation(service.url) as stream:
        await stream.say(text("slow"), text("quick"))
        assert (await stream.hear())["id"] == "quick"
        engine.release()
        assert (await stream.hear())["id"] == "slow"


async def test_an_answer_comes_before_the_caller_has_said_everything() -> None:
    async with serving() as service, conversation(service.url) as stream:
        for name in ("a", "b", "c"):
            await stream.say(text(name))
            assert (await stream.hear())["id"] == name


async def test_no_more_texts_are_worked_on_than_may_be() -> None:
    names = [str(number) for number in range(20)]
    engine = FakeEngine(held=set(names))
    async with (
        serving(engine, stream_texts=3) as service,
        conversation(service.url) as stream,
    ):
        await stream.say(*(text(name) for name in names))
        await stream.end()
        while len(engine.asked) < 3:
            await asyncio.sleep(0.001)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(engine.asked) == 3
        engine.release()
        assert len(await stream.rest()) == 20


async def test_the_bytes_that_are_worked_on_are_bounded_too() -> None:
    names = [str(number) * 600 for number in range(4)]
    engine = FakeEngine(held=set(names))
    async with (
        serving(engine, max_body_bytes=1024) as service,
        conversation(service.url) as stream,
    ):
        await stream.say(*({"id": "x", "text": name} for name in names))
        await stream.end()
        while not engine.asked:
            await asyncio.sleep(0.001)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(engine.asked) == 1
        engine.release()
        assert len(await stream.rest()) == 4


async def test_a_full_queue_is_waited_for_and_nobody_is_refused() -> None:
    full: list[Exception] = [OverloadedError("full", retry_after_seconds=0.001)] * 5
    engine = FakeEngine(errors=full)
    async with serving(engine) as service, conversation(service.url) as stream:
        await stream.say(text("a"), text("b"))
        await stream.end()
        answers = await stream.rest()
        assert {answer["id"] for answer in answers} == {"a", "b"}
        assert all("embedding" in answer for answer in answers)


@pytest.mark.parametrize(
    ("line", "name", "status"),
    [
        (b"{not json\n", None, 400),
        (b'{"id": "a"}\n', None, 422),
        (b'{"id": 7, "text": "x"}\n', None, 422),
        ({"id": "a", "text": "a b c d e f g h", "truncate": False}, "a", 422),
    ],
)
async def test_one_bad_line_harms_no_other(line: Any, name: str | None, status: int) -> None:
    async with serving() as service, conversation(service.url) as stream:
        await stream.say(line)
        answer = await stream.hear()
        assert (answer["id"], answer["error"]["code"]) == (name, status)
        await stream.say(b"\n  \n", text("next"))
        assert (await stream.hear())["id"] == "next"


async def test_a_text_that_fails_is_answered_with_its_error() -> None:
    engine = FakeEngine(errors=[InferenceError("NaN"), KeyError("secret")])
    async with serving(engine) as service, conversation(service.url) as stream:
        await stream.say(text("a"))
        assert (await stream.hear())["error"]["type"] == "inference_failed"
        await stream.say(text("b"))
        answer = await stream.hear()
        assert (answer["id"], answer["error"]["type"]) == ("b", "internal")
        assert "secret" not in str(answer)


async def test_a_body_that_is_not_packed_as_it_says_ends_the_stream_with_its_reason() -> None:
    async with serving() as service, aiohttp.ClientSession(service.url) as client:
        headers = {"Content-Encoding": "gzip"}
        line = json.dumps({"id": "a", "text": "x"}).encode()
        async with client.post("/v1/stream", data=line + b"\n", headers=headers) as response:
            [answer] = [json.loads(each) async for each in response.content]
    assert (answer["id"], answer["error"]["code"]) == (None, 400)
    assert "Content-Encoding" in answer["error"]["message"]


async def test_a_line_without_an_end_is_not_collected_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streaming, "MOST_LINE_BYTES", 1000)
    async with serving() as service, conversation(service.url) as stream:
        await stream.say(text("a"), b'{"id": "b", "text": "' + b"x" * 2000)
        answers = await stream.rest()
        assert {answer["id"] for answer in answers} == {"a", None}
        [refused] = [answer for answer in answers if "error" in answer]
        assert refused["error"]["code"] == 413


async def test_the_last_line_needs_no_end() -> None:
    async with serving() as service, conversation(service.url) as stream:
        await stream.say(b'{"id": "a", "text": "x"}')
        await stream.end()
        assert [answer["id"] for answer in await stream.rest()] == ["a"]


async def test_lines_may_be_cut_anywhere_on_their_way() -> None:
    line = b'{"id": "a", "text": "\xc3\xa4 \xe2\x98\x83"}\n'
    async with serving() as service, conversation(service.url) as stream:
        for byte in line * 2:
            await stream.say(bytes([byte]))
        await stream.end()
        assert [answer["id"] for answer in await stream.rest()] == ["a", "a"]
        assert service.engine.asked[1]["texts"] == ["\u00e4 \u2603"]


async def test_a_worker_that_ends_answers_what_it_has_read() -> None:
    engine = FakeEngine(held={"slow"})
    async with serving(engine) as service, conversation(service.url) as stream:
        await stream.say(text("slow"))
        while not engine.asked:
            await asyncio.sleep(0.001)
        service.lifecycle.stop_taking()
        await stream.say(text("late"))
        engine.release()
        assert [answer["id"] for answer in await stream.rest()] == ["slow"]
        await asyncio.wait_for(service.lifecycle.idle(), 5)


async def test_a_caller_who_leaves_is_not_worked_for() -> None:
    engine = FakeEngine(held={"slow"})
    async with serving(engine) as service:
        async with conversation(service.url) as stream:
            await stream.say(text("slow"))
            while not engine.asked:
                await asyncio.sleep(0.001)
        await asyncio.wait_for(service.lifecycle.idle(), 5)
        assert engine.left == 1


async def test_a_stream_is_not_begun_while_the_model_loads() -> None:
    async with (
        serving(started=False) as service,
        aiohttp.ClientSession() as client,
        client.post(service.url + "/v1/stream", data=b"") as response,
    ):
        assert response.status == 503


async def test_open_streams_leave_room_for_who_brings_one_request() -> None:
    """Each was counted with a whole body once: sixteen that were idle turned everybody away."""
    async with serving(max_bytes=1024 * 1024 * 8) as service, AsyncExitStack() as streams:
        for _ in range(6):
            await streams.enter_async_context(conversation(service.url))
        async with aiohttp.ClientSession(service.url) as client:
            async with client.post("/v1/stream", data=b"") as seventh:
                assert seventh.status == 429
            body = {"input": "x" * 1_000_000}
            async with client.post("/v1/embeddings", json=body) as answer:
                assert answer.status == 200


async def test_streams_share_what_they_may_hold_and_each_goes_on() -> None:
    names = [f"{number} {'x' * 700_000}" for number in range(3)]
    engine = FakeEngine(held=set(names))
    async with (
        serving(engine, max_bytes=1024 * 1024 * 3) as service,
        conversation(service.url) as one,
        conversation(service.url) as other,
    ):
        await one.say(*({"id": "x", "text": name} for name in names))
        while not engine.asked:
            await asyncio.sleep(0.001)
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert len(engine.asked) == 1, "the second line is more than streams may hold"
        await other.say(text("y"))
        assert (await other.hear())["id"] == "y"
        engine.release()
        assert [(await one.hear())["id"] for _ in names] == ["x"] * 3


async def test_a_stream_that_brings_nothing_ends_and_gives_its_room_back() -> None:
    async with (
        serving(stream_idle_seconds=0.02) as service,
        conversation(service.url) as stream,
    ):
        await stream.say(text("a"))
        assert [answer["id"] for answer in await stream.rest()] == ["a"]
        await asyncio.wait_for(service.lifecycle.idle(), 5)


async def test_a_stream_whose_text_takes_long_is_not_idle() -> None:
    engine = FakeEngine(held={"slow"})
    async with (
        serving(engine, stream_idle_seconds=0.02) as service,
        conversation(service.url) as stream,
    ):
        await stream.say(text("slow"))
        await asyncio.sleep(0.06)
        engine.release()
        assert (await stream.hear())["id"] == "slow"


@pytest.mark.slow
async def test_a_caller_who_does_not_read_is_cut_off() -> None:
    async with serving(stream_idle_seconds=0.05, stream_texts=4000) as service:
        port = int(service.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        line = json.dumps({"id": "i" * 200, "text": "x"}).encode() + b"\n"
        head = f"POST /v1/stream HTTP/1.1\r\nHost: x\r\nContent-Length: {10**9}\r\n\r\n"
        writer.write(head.encode())
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            async with asyncio.timeout(5):
                while not writer.is_closing():
                    writer.write(line * 500)
                    await writer.drain()
                    await asyncio.sleep(0.001)
        await asyncio.wait_for(service.lifecycle.idle(), 5)
        writer.close()
        del reader
