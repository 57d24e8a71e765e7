"""Where the worker is in its life, what is under way, and what of it a probe should know.

Being full is no illness: a worker that is killed for being busy only makes the others busier. So
`/livez` fails for a broken engine and for nothing else, and `/readyz` does not know of load either;
who comes to a full worker is told 429.

Streams stay open for hours and mostly hold nothing, so they pay for the lines that are worked on,
and all together they never take everything: whoever brings one request finds room.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from kausa_embedder.service.contract import EngineLike
from kausa_embedder.service.refusals import Refusal, RefusedError

__all__ = ["STREAM_BYTES", "STREAM_SHARE", "Lifecycle"]

STREAM_SHARE = 0.75
"""Of the requests and the bytes, what streams may take."""
STREAM_BYTES = 1024 * 1024
"""What an open stream is counted with: the line that is coming in, or its only one inside."""
Phase = Literal["starting", "serving", "draining", "closing"]


class Lifecycle:
    """The phase, and how much is under way of what may be."""

    def __init__(self, *, engine: EngineLike, max_requests: int, max_bytes: int) -> None:
        self._engine = engine
        self._max_requests = max_requests
        self._max_bytes = max_bytes
        self._bytes = 0
        self._streams = 0
        self._stream_bytes = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.phase: Phase = "starting"
        self.requests = 0
        """Under way."""
        self._when_closing: set[Callable[[], object]] = set()

    @property
    def sick(self) -> str | None:
        """Why the process should be started anew; None where not."""
        return self._engine.failure

    @property
    def unready(self) -> str | None:
        """Why no requests should come; None where they should."""
        if self._engine.failure is not None:
            return f"broken: {self._engine.failure}"
        if self.phase == "starting":
            return "starting: the model is being loaded and warmed"
        if self.phase != "serving":
            return "draining: this worker is ending"
        return None if self._engine.ready else "the engine is not ready"

    @contextmanager
    def request(self, *, size: int) -> Iterator[None]:
        """Take a request whose body has so many bytes.

        Raises:
            RefusedError: 503 while starting, broken or closing; 429 where there are too many.
        """
        self._check()
        # One that is larger than all room is taken alone.
        alone = self.requests == self._streams
        full = self.requests >= self._max_requests
        if full or (not alone and self._bytes + self._stream_bytes + size > self._max_bytes):
            raise self._overloaded()
        self._bytes += size
        try:
            with self._under_way():
                yield
        finally:
            self._bytes -= size

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Take a stream; what its lines need beyond `STREAM_BYTES` is asked for with `take`.

        Raises:
            RefusedError: as `request`; 429 also where streams have their share.
        """
        self._check()
        most = max(1, int(self._max_requests * STREAM_SHARE))
        if self._streams and (
            self._streams >= most
            or self.requests >= self._max_requests
            or self._stream_bytes + STREAM_BYTES > self._max_bytes * STREAM_SHARE
        ):
            raise self._overloaded()
        self._streams += 1
        self._stream_bytes += STREAM_BYTES
        try:
            with self._under_way():
                yield
        finally:
            self._streams -= 1
            self._stream_bytes -= STREAM_BYTES

    def take(self, size: int) -> bool:
        """Count so many bytes to a stream, or say that streams have all that they may."""
        if self._stream_bytes + size > self._max_bytes * STREAM_SHARE:
            return False
        self._stream_bytes += size
        return True

    def give_back(self, size: int) -> None:
        """What was taken is not held any more."""
        self._stream_bytes -= size

    def serve(self) -> None:
        """The engine has started."""
        if self.phase == "starting":
            self.phase = "serving"

    def drain(self) -> None:
        """Say that the worker ends, and still take what comes."""
        self.phase = "draining"

    def stop_taking(self) -> None:
        """Take nothing further."""
        self.phase = "closing"
        for stop in list(self._when_closing):
            stop()

    @contextmanager
    def when_closing(self, stop: Callable[[], object]) -> Iterator[None]:
        """Call this at the moment in which nothing further is taken; at once if that is over."""
        if self.phase == "closing":
            stop()
        self._when_closing.add(stop)
        try:
            yield
        finally:
            self._when_closing.discard(stop)

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        await self._idle.wait()

    @contextmanager
    def _under_way(self) -> Iterator[None]:
        self.requests += 1
        self._idle.clear()
        try:
            yield
        finally:
            self.requests -= 1
            if self.requests == 0:
                self._idle.set()

    def _check(self) -> None:
        why = self.unready
        if why is not None and self.phase != "draining":
            raise RefusedError(
                Refusal(status=503, type="unavailable", message=why, retry_after_seconds=1.0)
            )

    def _overloaded(self) -> RefusedError:
        return RefusedError(
            Refusal(
                status=429,
                type="overloaded",
                message=f"{self.requests} requests ({self._streams} of them streams) of "
                f"{self._bytes + self._stream_bytes} bytes are under way, more are not taken now.",
                retry_after_seconds=1.0,
            )
        )
