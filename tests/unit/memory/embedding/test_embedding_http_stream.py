"""A stream over a connection that breaks: every text is answered once, and none is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from support.embedding_engine import FakeEngine, Serving, fake_vector, serving
from support.virtual_time import LoopsTime, VirtualTimeLoop

from kausa.memory.embedding import attempts, http, transport, window
from kausa.memory.embedding.breaker import Backoff, Breaker
from kausa.memory.embedding.checking import Identity
from kausa.memory.embedding.endpoint import Endpoint
from kausa.memory.embedding.http import HttpEmbedder
from kausa.memory.embedding.http_stream import stream_vectors
from kausa.memory.embedding.transport import Transport
from kausa.memory.errors import InvalidRecordError, MemoryUnavailableError
from kausa_embedder.errors import BrokenError, InvalidInputError

EVENT_LOOP = VirtualTimeLoop


@pytest.fixture(autouse=True)
def _time_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (attempts, http, transport, window):
        monkeypatch.setattr(module, "time", LoopsTime)


class CuttingWire:
    """Passes bytes on, and breaks all connections when so many have come back, or when told."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._writers: set[asyncio.StreamWriter] = set()
        self.cuts = 0
        self.cut_after_bytes = 0
        self.port = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, back}
        with suppress(ConnectionError):
            await asyncio.gather(self._pipe(reader, back, False), self._pipe(there, writer, True))
        for each in (writer, back):
            each.close()
            self._writers.discard(each)

    async def _pipe(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, counted: bool
    ) -> None:
        carried = 0
        while data := await source.read(500):
            carried += len(data)
            to.write(data)
            await to.drain()
            if counted and self.cut_after_bytes and carried > self.cut_after_bytes:
                self.cut()
        to.close()

    def cut(self) -> None:
        self.cuts += 1
        for writer in self._writers:
            transport = writer.transport
            transport.abort()


@asynccontextmanager
async def wired(engine: FakeEngine) -> AsyncIterator[tuple[HttpEmbedder, CuttingWire, Serving]]:
    async with serving(engine) as service:
        wire = CuttingWire(int(service.url.rpartition(":")[2]))
        server = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
        endpoint = Endpoint(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        transport = Transport(
            endpoint,
            make_backoff=lambda: Backoff(first_seconds=0.001, longest_seconds=0.001),
            breaker=Breaker(first_pause_seconds=0.01, longest_pause_seconds=0.01),
        )
        embedder = HttpEmbedder(endpoint, transport=transport)
        try:
            yield embedder, wire, service
        finally:
            await embedder.close()
            server.close()
            wire.cut()


async def source(count: int) -> AsyncIterator[tuple[str, str]]:
    for number in range(count):
        yield str(number), f"text {number}"


async def test_a_connection_that_breaks_again_and_again_loses_nothing() -> None:
    async with wired(FakeEngine()) as (embedder, wire, _):
        await embedder.embed(["x"], deadline_seconds=5)
        wire.cut_after_bytes = 3_000
        answers = [a async for a in embedder.embed_stream(source(400), deadline_seconds=5)]
        assert wire.cuts > 5
        assert len(answers) == 400
        assert dict(answers) == {
            str(n): fake_vector(f"passage: text {n}").tolist() for n in range(400)
        }


async def test_a_worker_that_ends_politely_loses_nothing_either() -> None:
    engine = FakeEngine(held={"text 5"})
    async with wired(engine) as (embedder, _, service):
        answers: dict[str, list[float]] = {}

        async def read() -> None:
            async for name, vector in embedder.embed_stream(source(50), deadline_seconds=5):
                answers[name] = vector

        reading = asyncio.create_task(read())
        while len(answers) < 49:
            await asyncio.sleep(0.001)
        service.lifecycle.stop_taking()
        engine.release()
        await asyncio.sleep(0.02)
        service.lifecycle.phase = "serving"  # the next one has its address
        await asyncio.wait_for(reading, 5)
        assert len(answers) == 50


async def test_a_worker_that_does_not_come_back_is_unavailable_at_the_deadline() -> None:
    async with wired(FakeEngine(held={"text 0"})) as (embedder, wire, _):
        await embedder.embed(["x"], deadline_seconds=5)
        wire.cut_after_bytes = 1
        with pytest.raises(MemoryUnavailableError) as gone:
            async for _ in embedder.embed_stream(source(1), deadline_seconds=0.2):
                pass
        assert gone.value.reason == "EmbedderUnavailable"


async def test_a_source_that_rests_has_no_deadline() -> None:
    async def slow() -> AsyncIterator[tuple[str, str]]:
        yield "a", "x"
        await asyncio.sleep(0.6)
        yield "b", "y"

    async with wired(FakeEngine()) as (embedder, _, _service):
        names = [name async for name, _ in embedder.embed_stream(slow(), deadline_seconds=0.5)]
        assert names == ["a", "b"]


async def test_a_reader_who_rests_has_no_deadline() -> None:
    async with wired(FakeEngine()) as (embedder, _, _service):
        names = []
        async for name, _vector in embedder.embed_stream(source(3), deadline_seconds=0.5):
            names.append(name)
            await asyncio.sleep(0.6 if name == "0" else 0)
        assert sorted(names) == ["0", "1", "2"]


async def test_a_text_that_cannot_be_embedded_ends_the_stream() -> None:
    async with wired(FakeEngine()) as (embedder, _, service):
        await embedder.embed(["x"], deadline_seconds=5)
        service.engine.errors.append(InvalidInputError("not this one"))
        with pytest.raises(InvalidRecordError, match=r"text 0 .*not this one"):
            async for _ in embedder.embed_stream(source(1), deadline_seconds=5):
                pass


async def test_a_worker_that_breaks_in_the_middle_is_asked_again() -> None:
    async with wired(FakeEngine()) as (embedder, _, service):
        await embedder.embed(["x"], deadline_seconds=5)
        service.engine.errors += [BrokenError("died")] * 3
        names = {name async for name, _ in embedder.embed_stream(source(20), deadline_seconds=5)}
        assert len(names) == 20


async def test_a_worker_that_takes_a_stream_and_says_nothing_is_a_missed_deadline() -> None:
    """Not even the head of its answer came; it was waited for without end, and nobody knew."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    endpoint = Endpoint(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    breaker = Breaker(failures_to_open=2)
    transport = Transport(endpoint, breaker=breaker)
    for _ in range(2):
        assert not breaker.is_open
        with pytest.raises(MemoryUnavailableError) as late:
            async for _ in stream_vectors(transport, Identity(), source(1), deadline_seconds=1.5):
                pass
        assert late.value.reason == "DeadlineExceeded"
    assert breaker.is_open, "that it is silent is known to all callers"
    await transport.close()
    server.close()


async def test_a_pause_beyond_the_deadline_is_not_begun() -> None:
    async with wired(FakeEngine()) as (embedder, _, service):
        await embedder.embed(["x"], deadline_seconds=5)
        service.lifecycle.stop_taking()  # its answer asks for a pause of a second
        began = asyncio.get_running_loop().time()
        with pytest.raises(MemoryUnavailableError) as away:
            async for _ in embedder.embed_stream(source(1), deadline_seconds=0.5):
                pass
        assert away.value.reason == "EmbedderUnavailable"
        assert asyncio.get_running_loop().time() - began < 0.5
