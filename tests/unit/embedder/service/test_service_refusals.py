"""Every way not to be answered: the status, the words, and that no text gets into the log."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import zlib
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from support.embedding_engine import MOST_TEXTS, FakeEngine, serving

from kausa_embedder import errors
from kausa_embedder.service.logs import configure_logs

SECRET = "sk-a-text-of-somebody"


async def ask(
    url: str, body: Any, *, path: str = "/v1/embeddings", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any], aiohttp.ClientResponse]:
    data = body if isinstance(body, bytes) else json.dumps(body)
    async with (
        aiohttp.ClientSession(url) as client,
        client.post(path, data=data, headers=headers) as response,
    ):
        return response.status, await response.json(), response


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (errors.OverloadedError("full", retry_after_seconds=2.4), 429, "overloaded"),
        (errors.TooLargeError("too many"), 413, "too_large"),
        (errors.TooLongError("too long"), 422, "too_long"),
        (errors.InvalidInputError("not a text"), 422, "invalid"),
        (errors.ExpiredError("late"), 504, "expired"),
        (errors.InferenceError("NaN"), 500, "inference_failed"),
        (errors.BrokenError("a stage died"), 503, "unavailable"),
        (errors.ClosedError("closed"), 503, "unavailable"),
    ],
)
async def test_every_error_of_the_engine_has_a_status(
    error: Exception, status: int, word: str
) -> None:
    async with serving(FakeEngine(errors=[error])) as service:
        got, answer, _ = await ask(service.url, {"input": "x"})
        assert (got, answer["error"]) == (
            status,
            {"type": word, "message": str(error), "code": status},
        )
        assert service.metric("rejected_total", reason=word) == 1


async def test_overload_says_when_to_come_again_in_whole_seconds() -> None:
    full = [errors.OverloadedError("full", retry_after_seconds=s) for s in (0.05, 2.4)]
    async with serving(FakeEngine(errors=list(full))) as service:
        for seconds, milliseconds in (("1", "50"), ("3", "2400")):
            _, _, response = await ask(service.url, {"input": "x"})
            assert response.headers["Retry-After"] == seconds
            assert response.headers["Retry-After-Ms"] == milliseconds


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{not json", 400),
        (b"", 400),
        (b"\xff\xfe", 400),
        (b"[]", 422),
        ({}, 422),
        ({"input": [1, 2, 3]}, 422),
        ({"input": "x", "kind": "poem"}, 422),
        ({"input": "x", "priority": 1}, 422),
        ({"input": "x", "encoding_format": "hex"}, 422),
        ({"input": "x", "dimensions": 3}, 422),
        ({"input": ["x"] * (MOST_TEXTS + 1)}, 413),
    ],
)
async def test_what_is_malformed_is_the_callers_fault(body: Any, status: int) -> None:
    async with serving() as service:
        got, answer, _ = await ask(service.url, body)
        assert got == status
        assert answer["error"]["code"] == status


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "compress", "gzip, gzip"])
@pytest.mark.parametrize("path", ["/v1/embeddings", "/rerank"])
async def test_a_body_that_is_not_packed_as_it_says_is_the_callers_fault(
    encoding: str, path: str
) -> None:
    async with serving() as service, aiohttp.ClientSession(service.url) as client:
        body = json.dumps({"input": "x", "query": "x", "documents": ["x"]}).encode()
        headers = {"Content-Encoding": encoding}
        async with client.post(path, data=body, headers=headers) as response:
            assert response.status == 400
            said = await response.text()
        assert "ncoding" in said
        assert not service.engine.asked


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity"])
async def test_a_body_that_is_packed_as_it_says_is_read(encoding: str) -> None:
    packings: dict[str, Callable[[bytes], bytes]] = {
        "gzip": lambda body: gzip.compress(body),
        "deflate": lambda body: zlib.compress(body),
    }
    pack = packings.get(encoding, bytes)
    async with serving() as service, aiohttp.ClientSession(service.url) as client:
        body = pack(json.dumps({"input": "x"}).encode())
        headers = {"Content-Encoding": encoding}
        async with client.post("/v1/embeddings", data=body, headers=headers) as response:
            assert response.status == 200, await response.text()


async def test_a_packed_body_is_bounded_by_what_it_comes_to() -> None:
    async with serving(max_body_bytes=2048) as service:
        body = gzip.compress(json.dumps({"input": "x" * 100_000}).encode())
        assert len(body) < 2048
        async with (
            aiohttp.ClientSession(service.url) as client,
            client.post(
                "/v1/embeddings", data=body, headers={"Content-Encoding": "gzip"}
            ) as response,
        ):
            assert response.status == 413


@pytest.mark.parametrize(
    "body",
    [
        {"query": "x"},
        {"query": "x", "documents": "x"},
        {"query": "x", "documents": [], "top_n": 0},
        {"query": 1, "documents": []},
    ],
)
async def test_a_malformed_question_is_refused(body: Any) -> None:
    async with serving() as service:
        assert (await ask(service.url, body, path="/rerank"))[0] == 422


async def test_a_weight_must_be_a_number_that_weighs() -> None:
    async with serving() as service:
        for weight in ("-1", "NaN", "1e999", "1e308"):
            body = b'{"query": "x", "documents": ["x"], "weights": {"x": %s}}' % weight.encode()
            assert (await ask(service.url, body, path="/v1/score-late"))[0] in (400, 422)


async def test_a_long_text_is_refused_where_it_must_not_be_cut() -> None:
    async with serving() as service:
        body = {"input": "a b c d e f g h", "truncate": False}
        got, answer, _ = await ask(service.url, body)
        assert (got, answer["error"]["type"]) == (422, "too_long")


@pytest.mark.parametrize("told", [True, False])
async def test_a_body_beyond_the_bound_is_413(told: bool) -> None:
    async def parts() -> Any:
        for _ in range(4):
            yield b" " * 1024

    async with serving(max_body_bytes=2048) as service, aiohttp.ClientSession() as client:
        body: Any = b" " * 4096 if told else parts()
        async with client.post(service.url + "/rerank", data=body) as response:
            assert response.status == 413
            assert (await response.json())["error"]["type"] == "too_large"
        assert service.engine.asked == []


async def test_other_methods_and_places_have_the_same_shape_of_error() -> None:
    async with serving() as service, aiohttp.ClientSession(service.url) as client:
        for path, status in (("/rerank", 405), ("/nowhere", 404)):
            async with client.get(path) as response:
                assert response.status == status
                assert (await response.json())["error"]["code"] == status


@pytest.mark.parametrize("value", ["-1", "1.5", "soon", "", "9" * 20, "\u0663"])
async def test_a_deadline_is_a_whole_number(value: str) -> None:
    async with serving() as service:
        got, _, _ = await ask(service.url, {"input": "x"}, headers={"X-Deadline-Ms": value})
        assert got == 422


async def test_a_deadline_travels_and_is_bounded() -> None:
    loop = asyncio.get_running_loop()
    async with serving(default_deadline_seconds=5, longest_deadline_seconds=50) as service:
        before = loop.time()
        for value in ("2000", "9999999", None):
            headers = {"X-Deadline-Ms": value} if value else {}
            await ask(service.url, {"input": "x"}, headers=headers)
        given = [asked["deadline"] - before for asked in service.engine.asked]
        assert given == [pytest.approx(2, abs=1), pytest.approx(50, abs=1), pytest.approx(5, abs=1)]


async def test_a_body_that_never_comes_is_not_waited_for() -> None:
    async with serving() as service:
        port = int(service.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /rerank HTTP/1.1\r\nHost: x\r\nX-Deadline-Ms: 50\r\nContent-Length: 9\r\n\r\n"
        )
        assert b" 504 " in await asyncio.wait_for(reader.readline(), 5)
        writer.close()


async def test_too_many_requests_are_refused_before_they_are_read() -> None:
    engine = FakeEngine(held={"x"})
    async with serving(engine, max_requests=1) as service:
        first = asyncio.create_task(ask(service.url, {"input": "x"}))
        while not engine.asked:
            await asyncio.sleep(0.001)
        got, answer, response = await ask(service.url, {"input": "y"})
        assert (got, answer["error"]["type"]) == (429, "overloaded")
        assert response.headers["Retry-After"] == "1"
        engine.release()
        assert (await first)[0] == 200
        assert (await ask(service.url, {"input": "y"}))[0] == 200


async def test_bodies_under_way_are_bounded_together() -> None:
    engine = FakeEngine(held={"x" * 600_000})
    async with serving(engine, max_bytes=1024 * 1024) as service:
        first = asyncio.create_task(ask(service.url, {"input": "x" * 600_000}))
        while not engine.asked:
            await asyncio.sleep(0.001)
        assert (await ask(service.url, {"input": "y" * 600_000}))[0] == 429
        assert (await ask(service.url, {"input": "y"}))[0] == 200
        engine.release()
        assert (await first)[0] == 200


async def test_an_unforeseen_error_says_where_and_never_what() -> None:
    log = io.StringIO()
    configure_logs(style="json", level="debug", stream=log)
    async with serving(FakeEngine(errors=[KeyError(SECRET), ValueError(SECRET)])) as service:
        for path, body in (
            ("/v1/embeddings", {"input": SECRET}),
            ("/rerank", {"query": SECRET, "documents": [SECRET]}),
        ):
            got, answer, _ = await ask(service.url, body, path=path)
            assert (got, answer["error"]["type"]) == (500, "internal")
            assert SECRET not in str(answer)
        await ask(service.url, {"input": SECRET, "kind": SECRET})
    assert "KeyError" in log.getvalue()
    assert "embedding_engine.py" in log.getvalue()
    assert SECRET not in log.getvalue()
