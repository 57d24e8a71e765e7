"""The answer to a watch, as it comes over the network: whole, bounded, and never left hanging."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from kausa.cluster.errors import ApiUnreachableError, UndecodableError, UntrustedServerError
from kausa.cluster.http_stream import (
    LARGEST_BUFFER,
    StreamedAnswer,
    _Receiver,
    open_stream,
)

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
NO_HEADERS: Mapping[str, str] = {}
Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def answered(
    answering: Answering,
    *,
    silence: float = 5.0,
    headers: Mapping[str, str] = NO_HEADERS,
    parameters: Mapping[str, str] = NO_HEADERS,
    tls: ssl.SSLContext | None = None,
    trust: ssl.SSLContext | None = None,
) -> AsyncIterator[StreamedAnswer]:
    """An answer of a server that does `answering` to every connection."""

    handlers: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.append(asyncio.current_task())
        with suppress(ConnectionError, asyncio.CancelledError, ssl.SSLError):
            await answering(reader, writer)
        writer.close()
        with suppress(ConnectionError, asyncio.CancelledError, ssl.SSLError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    scheme = "https" if tls is not None else "http"
    try:
        async with (
            asyncio.timeout(10),
            open_stream(
                server=f"{scheme}://127.0.0.1:{port}/base",
                path="/api/v1/pods",
                parameters=parameters,
                headers=headers,
                ssl_context=trust,
                connect_seconds=5.0,
                silence_seconds=silence,
            ) as answer,
        ):
            yield answer
    finally:
        server.close()
        for each in handlers:
            if each is not None:
                each.cancel()
                await asyncio.wait({each})


def says(*pieces: bytes, pause: float = 0.01) -> Answering:
    """Send the pieces one after another, and close."""

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return answering


async def body_of(answer: StreamedAnswer) -> bytes:
    return b"".join([each async for each in chunks_of(answer)])


async def chunks_of(answer: StreamedAnswer) -> AsyncIterator[bytes]:
    """All that has come, at a time."""
    async for pieces in answer.pieces():
        found = b"".join(pieces)
        if found:
            yield found


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_the_body_comes_out_whole_however_it_is_cut(size: int) -> None:
    sent = HEAD + b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    pieces = [sent[start : start + size] for start in range(0, len(sent), size)]
    async with answered(says(*pieces, pause=0)) as answer:
        assert answer.head.status == 200
        assert await body_of(answer) == b"hello world"


async def test_a_change_is_given_out_when_it_comes_and_not_when_the_next_one_does() -> None:
    go_on = asyncio.Event()

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"4\r\none\n\r\n")
        await go_on.wait()
        writer.write(b"4\r\ntwo\n\r\n0\r\n\r\n")

    async with answered(answering) as answer:
        chunks = chunks_of(answer)
        assert await anext(chunks) == b"one\n"
        go_on.set()
        assert [each async for each in chunks] == [b"two\n"]


async def test_the_request_names_host_path_parameters_and_headers() -> None:
    asked: list[bytes] = []

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")

    selected = {"fieldSelector": "status.phase!=Succeeded", "watch": "true"}
    sent = {"Authorization": "Bearer abc"}
    async with answered(answering, parameters=selected, headers=sent) as answer:
        assert await body_of(answer) == b""
    first, *lines = asked[0].decode().split("\r\n")
    query = "fieldSelector=status.phase%21%3DSucceeded&watch=true"
    assert first == f"GET /base/api/v1/pods?{query} HTTP/1.1"
    assert {"Authorization: Bearer abc", "Connection: close"} < set(lines)
    assert any(line.startswith("Host: 127.0.0.1:") for line in lines)


async def test_a_header_cannot_smuggle_in_another_one() -> None:
    with pytest.raises(UndecodableError):
        async with answered(says(HEAD), headers={"Authorization": "Bearer a\r\nX: y"}):
            pass


@pytest.mark.parametrize(
    "sent", [b"", HEAD[:20], HEAD, HEAD + b"5\r\nhel", HEAD + b"5\r\nhello\r\n"]
)
async def test_a_connection_that_is_cut_off_is_unreachable(sent: bytes) -> None:
    with pytest.raises(ApiUnreachableError, match="cut off"):
        async with answered(says(sent)) as answer:
            await body_of(answer)


async def test_what_came_before_the_cut_is_given_out() -> None:
    async with answered(says(HEAD + b"5\r\nhello\r\n")) as answer:
        chunks = chunks_of(answer)
        assert await anext(chunks) == b"hello"
        with pytest.raises(ApiUnreachableError):
            await anext(chunks)


@pytest.mark.parametrize("sent", [b"", HEAD, HEAD + b"5\r\nhello\r\n"])
async def test_silence_is_given_up(sent: bytes) -> None:
    with pytest.raises(ApiUnreachableError, match="no answer in time"):
        async with answered(says(sent, pause=3), silence=0.05) as answer:
            await body_of(answer)


async def test_an_interim_answer_is_passed_over() -> None:
    async with answered(says(b"HTTP/1.1 103 Early Hints\r\n\r\n", HEAD + b"0\r\n\r\n")) as answer:
        assert answer.head.status == 200
        assert await body_of(answer) == b""


async def test_a_head_without_end_is_refused() -> None:
    with pytest.raises(UndecodableError, match="does not end"):
        async with answered(says(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000)):
            pass


async def test_no_more_is_held_than_the_buffer_while_nobody_reads() -> None:
    sent, total = 0, 16 * LARGEST_BUFFER
    line = b"%x\r\n%s\r\n" % (8192, b"x" * 8191 + b"\n")

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(HEAD)
        for _ in range(total // 8192):
            writer.write(line)
            await writer.drain()
            sent += 8192
        writer.write(b"0\r\n\r\n")

    async with answered(answering) as answer:
        chunks = chunks_of(answer)
        largest = len(await anext(chunks))
        await asyncio.sleep(0.2)
        assert sent < total  # The rest waits at the server, not here.
        received = largest
        async for each in chunks:
            largest, received = max(largest, len(each)), received + len(each)
        assert received == total
        assert largest <= LARGEST_BUFFER


async def test_a_stream_that_is_read_is_stopped_only_while_its_buffer_grows() -> None:
    pauses: list[int] = []
    pause = _Receiver.buffer_updated

    def counted(self: _Receiver, nbytes: int) -> None:
        pause(self, nbytes)
        if self.end == len(self.buffer):
            pauses.append(self.end)

    line = b"%x\r\n%s\r\n" % (8192, b"x" * 8191 + b"\n")
    total = 16 * LARGEST_BUFFER // 8192
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_Receiver, "buffer_updated", counted)
        async with answered(says(HEAD + line * total + b"0\r\n\r\n")) as answer:
            assert len(await body_of(answer)) == total * 8192
    # Each time it finds a larger one afterwards, until there is room for two readings.
    assert pauses == sorted(set(pauses))
    assert all(each < LARGEST_BUFFER for each in pauses)


async def test_nobody_listening_is_unreachable() -> None:
    with pytest.raises(ApiUnreachableError, match=r"127\.0\.0\.1:9"):
        async with open_stream(
            server="http://127.0.0.1:9",
            path="/api",
            parameters={},
            headers={},
            ssl_context=None,
            connect_seconds=5.0,
            silence_seconds=5.0,
        ):
            pass


def _certificate(folder: Path) -> tuple[Path, Path]:
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    made = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    names = ("-subj", "/CN=api", "-addext", "subjectAltName=IP:127.0.0.1")
    subprocess.run([*made, *names, "-keyout", key, "-out", certificate], check=True)
    return key, certificate


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    key, certificate = _certificate(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)

    body = says(HEAD + b"5\r\nhello\r\n0\r\n\r\n")
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with answered(body, tls=tls, trust=trusting) as answer:
        assert await body_of(answer) == b"hello"
    with pytest.raises(UntrustedServerError, match="not trusted"):
        async with answered(body, tls=tls, trust=ssl.create_default_context()):
            pass
