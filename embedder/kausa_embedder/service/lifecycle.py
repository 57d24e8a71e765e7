"""Where the worker is in its life, what is under way, and what of it a probe should know.

Being full is no illness: a worker that is killed for being busy only makes the others busier. So
`/livez` fails for a broken engine and for nothing else, and `/readyz` does not know of load either;
who comes to a full worker is told 429.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from kausa_embedder.service.contract import EngineLike
from kausa_embedder.service.refusals import Refusal, RefusedError

__all__ = ["Lifecycle"]

Phase = Literal["starting", "serving", "draining", "closing"]


class Lifecycle:
    """The phase, and how much is under way of what may be."""

    def __init__(self, *, engine: EngineLike, max_requests: int, max_bytes: int) -> None:
        self._engine = engine
        self._max_requests = max_requests
        self._max_bytes = max_bytes
        self._bytes = 0
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
        self._check(size)
        self.requests += 1
        self._bytes += size
        self._idle.clear()
        try:
            yield
        finally:
            self.requests -= 1
            self._bytes -= size
            if self.requests == 0:
                self._idle.set()

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

    def _check(self, size: int) -> None:
        why = self.unready
        if why is not None and self.phase != "draining":
            raise RefusedError(
                Refusal(status=503, type="unavailable", message=why, retry_after_seconds=1.0)
            )
        if self.requests >= self._max_requests or (
            self._bytes + size > self._max_bytes and self.requests
        ):
            raise RefusedError(
                Refusal(
                    status=429,
                    type="overloaded",
                    message=f"{self.requests} requests of {self._bytes} bytes are under way, more "
                    "are not taken now.",
                    retry_after_seconds=1.0,
                )
            )
