"""One long request to our worker: texts in, vectors out as they are ready, and no text lost.

Each line is JSON. The window bounds how many texts are on the way; the rest is the connection's own
back-pressure. Where the worker dies, or ends the stream because it drains, another connection is
made and sends what is unanswered. On the wire texts have numbers, so a caller may use an id twice.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from typing import Any

import aiohttp

from kausa.memory.embedding.checking import Identity
from kausa.memory.embedding.replies import AttemptFailed, judge_line, unreachable
from kausa.memory.embedding.transport import Transport
from kausa.memory.embedding.window import Window
from kausa.memory.embedding.wire import decode_vector, malformed
from kausa.memory.errors import MemoryUnavailableError

__all__ = ["STREAM_PATH", "stream_vectors"]

STREAM_PATH = "/v1/stream"
WINDOW = 128


async def stream_vectors(
    transport: Transport,
    identity: Identity,
    texts: AsyncIterable[tuple[str, str]],
    *,
    deadline_seconds: float,
) -> AsyncGenerator[tuple[str, list[float]], None]:
    """Yield each text's vector under its id; see `Embedder.embed_stream`."""
    window = Window(size=WINDOW, deadline_seconds=deadline_seconds)
    source = asyncio.create_task(window.fill(texts), name="embedding-stream-source")
    backoff = transport.make_backoff()
    failure: AttemptFailed | None = None
    try:
        while await window.goes_on():
            try:
                async with aclosing(_connection(transport, identity, window)) as answers:
                    async for answer in answers:
                        yield answer
                        window.progressed()
                        backoff, failure = transport.make_backoff(), None
            except MemoryUnavailableError as error:
                if error.reason == "DeadlineExceeded" and failure is not None:
                    raise failure.error from error  # what kept us from an answer until then
                raise
            except AttemptFailed as failed:
                failure = failed
                pause = backoff.next_seconds(at_least=failed.pause_seconds)
                if not failed.again or window.is_late(after_seconds=pause):
                    raise failed.error from failed
                await asyncio.sleep(pause)
    finally:
        source.cancel()
        await asyncio.gather(source, return_exceptions=True)


async def _connection(
    transport: Transport, identity: Identity, window: Window
) -> AsyncGenerator[tuple[str, list[float]], None]:
    """What comes over one connection, until the worker ends it.

    Raises:
        AttemptFailed: the connection broke, or could not be made.
    """
    async with transport.exchange(
        STREAM_PATH, window.lines(), in_time=window.in_time, fair_seconds=window.deadline_seconds
    ) as content:
        while line := await window.in_time(_read_line(content)):
            if not line.endswith(b"\n"):
                raise unreachable(ConnectionError("cut off in a line"), where="the stream's end")
            answer = _parsed(line)
            if "error" in answer and answer.get("id") is None:
                raise judge_line(answer["error"], text=None)
            number = _number(answer)
            if "error" in answer:
                raise judge_line(answer["error"], text=window.name_of(number))
            model, vector = _embedded(answer)
            name = window.answered(number)
            if name is None:
                raise malformed(f"it answers a text that was not sent ({number})")
            identity.check([vector], model=model, expected=1)
            identity.truncated += answer.get("truncated") is True
            yield name, vector


async def _read_line(content: aiohttp.StreamReader) -> bytes:
    try:
        return await content.readline()
    except ValueError as error:  # longer than the buffer
        raise malformed("a line is too long") from error


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except ValueError as error:
        raise _odd() from error
    if not isinstance(answer, dict):
        raise _odd()
    return answer


def _number(answer: dict[str, Any]) -> int:
    try:
        return int(answer["id"])
    except (ValueError, KeyError, TypeError) as error:
        raise _odd() from error


def _embedded(answer: dict[str, Any]) -> tuple[str, list[float]]:
    try:
        return str(answer["model"]), decode_vector(answer["embedding"])
    except KeyError as error:
        raise _odd() from error


def _odd() -> MemoryUnavailableError:
    return malformed("a line of the stream is not of the agreed shape")
