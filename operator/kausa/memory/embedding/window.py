"""The texts of a stream that are on their way: sent or to be sent, and not answered yet.

It reads the source no further than its size, and outlives connections: whatever it holds when one
breaks is sent on the next.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Coroutine
from typing import Any, TypeVar

from kausa.memory.embedding.checking import clip_texts
from kausa.memory.embedding.wire import encode_json
from kausa.memory.errors import MemoryUnavailableError

__all__ = ["Window"]

T = TypeVar("T")


class Window:
    """At most `size` texts between a source and a worker, numbered, each with its id."""

    def __init__(self, *, size: int, deadline_seconds: float) -> None:
        self._size = size
        self._deadline = deadline_seconds
        self._waiting: dict[int, tuple[str, str]] = {}
        self._to_send: deque[int] = deque()
        self._free = asyncio.Semaphore(size)
        self._changed = asyncio.Event()
        self._ended = False
        self._error: Exception | None = None
        self._since = 0.0
        self._timeout: asyncio.Timeout | None = None

    async def fill(self, texts: AsyncIterable[tuple[str, str]]) -> None:
        """Read the source to its end; how it ended is told after the last answer."""
        number = 0
        try:
            async for name, text in texts:
                await self._free.acquire()
                if not self._waiting:
                    self._since = time.monotonic()
                self._waiting[number] = (name, clip_texts([text])[0])
                self._to_send.append(number)
                number += 1
                self._arm()
                self._changed.set()
        except Exception as error:
            self._error = error
        finally:
            self._ended = True
            self._changed.set()

    async def goes_on(self) -> bool:
        """Wait for something to send; False when all is answered and the source has ended.

        Raises whatever the source raised, once what came before is answered.
        """
        while not self._waiting:
            if self._error is not None:
                raise self._error
            if self._ended:
                return False
            await self._change()
        return True

    async def lines(self) -> AsyncIterator[bytes]:
        """What a new connection sends: all that is unanswered, then what comes; ends with it."""
        mine = self._to_send = deque(self._waiting)
        while self._waiting or not self._ended:
            while mine:
                number = mine.popleft()
                yield encode_json({"id": str(number), "text": self._waiting[number][1]}) + b"\n"
            if self._waiting or not self._ended:
                await self._change()

    def name_of(self, number: int) -> str | None:
        """The caller's id of this text, while it waits."""
        name, _ = self._waiting.get(number, (None, ""))
        return name

    def answered(self, number: int) -> str | None:
        """The caller's id of this text, which waits no longer; None for one that does not wait."""
        name, _ = self._waiting.pop(number, (None, ""))
        if name is not None:
            self._free.release()
            self._changed.set()
        return name

    def progressed(self) -> None:
        """An answer was taken: the time of those that wait begins anew."""
        self._since = time.monotonic()

    @property
    def deadline_seconds(self) -> float:
        """How long texts may wait without any answer."""
        return self._deadline

    def is_late(self, *, after_seconds: float = 0.0) -> bool:
        """Whether texts will then have waited for longer than they may."""
        waited = time.monotonic() + after_seconds - self._since
        return bool(self._waiting) and waited > self._deadline

    async def in_time(self, read: Coroutine[Any, Any, T]) -> T:
        """Await this for as long as texts may wait, and without a bound while none does.

        Raises:
            MemoryUnavailableError: (DeadlineExceeded) no answer came.
        """
        try:
            async with asyncio.timeout(None) as self._timeout:
                self._arm()
                return await read
        except TimeoutError as error:
            raise MemoryUnavailableError(
                f"the embedder answered none of {len(self._waiting)} texts for "
                f"{self._deadline:g} s",
                reason="DeadlineExceeded",
            ) from error
        finally:
            self._timeout = None

    def _arm(self) -> None:
        if self._timeout is not None and self._waiting:
            left = self._since + self._deadline - time.monotonic()
            self._timeout.reschedule(asyncio.get_running_loop().time() + left)

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
