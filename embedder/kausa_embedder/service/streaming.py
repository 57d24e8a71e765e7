"""`POST /v1/stream`: a text a line in, a vector a line out, in order of completion.

Back-pressure is the connection's own: only so many texts are worked on at a time, and no further
line is read while they are. Where the engine's queue is full a text waits here and is not refused,
because whoever streams wants all of them and none at once. A caller who does not read is not read
either. When the worker ends, it reads no further, answers what it has read, and closes. So does a
stream that has brought no text for a while; one whose caller does not read is cut off.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from kausa_embedder.errors import OverloadedError, TooLargeError
from kausa_embedder.service.contract import EmbeddedLike, EngineLike
from kausa_embedder.service.lifecycle import Lifecycle
from kausa_embedder.service.logs import log_event, places
from kausa_embedder.service.metrics import Metrics
from kausa_embedder.service.middleware import STREAM_PATH
from kausa_embedder.service.refusals import Refusal, refusal_of
from kausa_embedder.service.wire import StreamText, encode_vector, to_json

__all__ = ["Streaming"]

MOST_LINE_BYTES = 1024 * 1024
LONGEST_PAUSE_SECONDS = 0.25
"""Between two attempts to get a text into a full queue."""


_log = logging.getLogger(__name__)


class Streaming:
    """The handler of streams."""

    def __init__(
        self,
        *,
        engine: EngineLike,
        lifecycle: Lifecycle,
        metrics: Metrics,
        most_texts: int,
        most_bytes: int,
        idle_seconds: float,
    ) -> None:
        """`most_texts` and `most_bytes` of one stream are worked on at a time; it ends when for
        `idle_seconds` no text came and none was inside.
        """
        self._engine = engine
        self._lifecycle = lifecycle
        self._metrics = metrics
        self._most_texts = most_texts
        self._most_bytes = most_bytes
        self._idle_seconds = idle_seconds

    def add_to(self, application: web.Application) -> None:
        """Under its path."""
        application.router.add_post(STREAM_PATH, self.stream)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Answer until the caller has no more, or leaves, or the worker ends."""
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        room = _Room(
            texts=self._most_texts,
            size=self._most_bytes,
            lifecycle=self._lifecycle,
            idle_seconds=self._idle_seconds,
        )
        writing = asyncio.Lock()

        async def write(answer: dict[str, object]) -> None:
            async with writing:  # one waits for a slow reader, the others for their turn
                try:
                    async with asyncio.timeout(self._idle_seconds):
                        await response.write(to_json(answer) + b"\n")
                except TimeoutError:
                    if request.transport is not None:
                        request.transport.abort()  # what lies in its buffer is not read, either
                    raise ConnectionResetError("the caller does not read") from None

        async def answer(line: bytes, taken: int) -> None:
            try:
                await write(await self._told(line))
            finally:
                room.leave(len(line), taken=taken)

        async def read() -> None:
            try:
                async with room.open():
                    async for line in _lines(request):
                        taken = await room.enter(len(line))
                        group.create_task(answer(line, taken))
            except (TooLargeError, web.RequestPayloadError) as error:
                await write({"id": None, **self._refused(error).body})
            except TimeoutError:
                pass  # nobody brings anything: whoever has more opens another

        try:
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(read())
                with self._lifecycle.when_closing(reading.cancel):
                    await asyncio.wait([reading])
        except* ConnectionError as gone:
            raise ConnectionResetError("the caller left") from gone
        await response.write_eof()
        return response

    async def _told(self, line: bytes) -> dict[str, object]:
        """The answer to a line."""
        name: str | None = None
        try:
            asked = StreamText.model_validate_json(line)
            name = asked.id
            embedded = await self._embedded(asked)
        except Exception as error:
            return {"id": name, **self._refused(error).body}
        self._metrics.streamed()
        return {
            "id": name,
            "model": self._engine.info.model,
            "embedding": encode_vector(embedded.vectors[0]),
            "tokens": embedded.tokens[0],
            "truncated": embedded.truncated[0],
        }

    async def _embedded(self, asked: StreamText) -> EmbeddedLike:
        while True:
            try:
                return await self._engine.embed(
                    [asked.text],
                    kind=asked.kind,
                    priority=asked.priority,
                    truncate=asked.truncate,
                    deadline=None,
                )
            except OverloadedError as full:
                pause = min(LONGEST_PAUSE_SECONDS, full.retry_after_seconds)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret

    def _refused(self, error: Exception) -> Refusal:
        refusal = refusal_of(error)
        if refusal is None:
            log_event(_log, logging.ERROR, "Text of a stream failed", error=places(error))
            refusal = Refusal(
                status=500, type="internal", message="An error of the worker; its log says where."
            )
        self._metrics.rejected(reason=refusal.type)
        return refusal


class _Room:
    """Bounds what is worked on. One task enters; many leave.

    A line that is alone inside is what the stream itself is counted with; others are taken from
    what all streams may have. So where that is used up each stream goes on, a line at a time.
    """

    def __init__(self, *, texts: int, size: int, lifecycle: Lifecycle, idle_seconds: float) -> None:
        self._texts = texts
        self._size = size
        self._lifecycle = lifecycle
        self._idle_seconds = idle_seconds
        self._inside = 0
        self._inside_size = 0
        self._left = asyncio.Event()
        self._timeout: asyncio.Timeout | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Enter in here. TimeoutError when it was empty for too long."""
        async with asyncio.timeout(self._idle_seconds) as self._timeout:
            try:
                yield
            finally:
                self._timeout = None

    async def enter(self, size: int) -> int:
        """Wait for room; what is larger than all room enters alone. What was taken for it."""
        taken = 0
        while self._inside:
            fits = self._inside < self._texts and self._inside_size + size <= self._size
            if fits and self._lifecycle.take(size):
                taken = size
                break
            self._left.clear()
            await self._left.wait()
        self._inside += 1
        self._inside_size += size
        if self._timeout is not None:
            self._timeout.reschedule(None)
        return taken

    def leave(self, size: int, *, taken: int) -> None:
        """Make room."""
        self._inside -= 1
        self._inside_size -= size
        self._lifecycle.give_back(taken)
        self._left.set()
        if not self._inside and self._timeout is not None:
            now = asyncio.get_running_loop().time()
            self._timeout.reschedule(now + self._idle_seconds)


async def _lines(request: web.Request) -> AsyncIterator[bytes]:
    """The lines of the body; empty ones are left out.

    Raises:
        TooLargeError: one is longer than may be.
    """
    rest = b""
    async for chunk in request.content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line.strip():
                yield line
        if len(rest) > MOST_LINE_BYTES:
            raise TooLargeError(
                f"a line has more than {MOST_LINE_BYTES} bytes; nothing after it is read"
            )
    if rest.strip():
        yield rest
