"""What one attempt at a request is made of: the time it is told, its answer, its double."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp

from kausa.memory.embedding.replies import AttemptFailed
from kausa.memory.embedding.wire import malformed
from kausa.memory.errors import MemoryError_

__all__ = ["hedge", "read_bounded", "told_milliseconds", "wait_or_raise"]

MOST_ANSWER_BYTES = 64 * 1024 * 1024


def told_milliseconds(left_seconds: float) -> int:
    """The deadline that the server is told: ours, less what its answer takes to come back."""
    return max(1, int(1000 * (left_seconds - min(0.25, left_seconds * 0.1))))


async def wait_or_raise(seconds: float, *, ends_at: float, otherwise: MemoryError_) -> None:
    """Pause, or raise at once where the time is not enough to do something afterwards."""
    if time.monotonic() + seconds >= ends_at:
        raise otherwise
    await asyncio.sleep(seconds)


async def read_bounded(response: aiohttp.ClientResponse) -> bytes:
    """The whole answer; `AttemptFailed` where it is more than any embedder sends."""
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > MOST_ANSWER_BYTES:
            raise AttemptFailed(malformed("it is too long"), again=False, alive=True)
    return bytes(content)


async def hedge(
    attempt: Callable[[], Coroutine[Any, Any, bytes]], *, after_seconds: float | None
) -> bytes:
    """The first good answer of at most two attempts, the second begun when the first is slow."""
    if after_seconds is None:
        return await attempt()
    attempts = {asyncio.create_task(attempt())}
    try:
        done, _ = await asyncio.wait(attempts, timeout=after_seconds)
        if not done:
            attempts.add(asyncio.create_task(attempt()))
        pending = set(attempts)
        while True:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            good = [task for task in done if task.exception() is None]
            if good or not pending:
                return (good or list(done))[0].result()
    finally:
        for task in attempts:
            task.cancel()
        await asyncio.gather(*attempts, return_exceptions=True)
