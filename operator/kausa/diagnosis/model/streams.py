"""Streams of JSON, one object a line: where lines end, where one was cut off, what is garbage.

JSON may hold U+2028, U+2029 and U+0085 as they are, and most servers write them so, while httpx
and every client above it end a line at each of them. They are escaped on the way in, which no
reader of JSON can tell, so that only a line feed ends a line.

A stream that ends within a line was cut off, and is worth another attempt. A whole line that is no
JSON was written so: it would be written so again.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

import httpx
from pydantic import ValidationError

from kausa.diagnosis.errors import ModelProtocolError
from kausa.diagnosis.model.boundary import AttemptFailed, Heard

__all__ = ["whole_lines", "without_garbage"]

_STREAMS: Final = ("application/x-ndjson", "text/event-stream")
_ESCAPES: Final = (
    ("\u2028".encode(), rb"\u2028"),
    ("\u2029".encode(), rb"\u2029"),
    ("\x85".encode(), rb"\u0085"),
)
_BEGINNINGS: Final = (b"\xe2\x80", b"\xe2", b"\xc2")
"""Of these characters, the longest first."""
_END: Final = b"[DONE]"
_GARBAGE: Final = (
    json.JSONDecodeError,
    ValidationError,
    TypeError,
    AttributeError,
    LookupError,
    RecursionError,
)
"""A field that is missing, or is something else, is any of these."""


async def whole_lines(response: httpx.Response) -> None:
    """A response hook of httpx: each line of what arrives is one that its server wrote."""
    # As JSON is, whatever the header says: half a character could look like the end of a line.
    response.encoding = "utf-8"
    stream = response.stream
    if isinstance(stream, httpx.AsyncByteStream):
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        response.stream = _Lines(stream, is_stream=kind in _STREAMS)


@contextmanager
def without_garbage(heard: Heard, *, where: str) -> Iterator[None]:
    """Turn what parsers raise within an answer into the `AttemptFailed` that is not repeated."""
    try:
        yield
    except (*_GARBAGE, ValueError) as error:
        if not heard.begun or not (isinstance(error, _GARBAGE) or _has_too_many_digits(error)):
            raise
        raise AttemptFailed(
            ModelProtocolError(
                f"The model server at {where} wrote something within its answer that is no part of "
                f"one ({type(error).__name__}); the diagnosis goes on without it."
            ),
            alive=False,
        ) from None


def _is_whole(last: bytes) -> bool:
    """Whether a last line needs no line feed: nothing, JSON, or the mark of the end."""
    line = last.strip()
    said = line if line.startswith(b"{") else line.partition(b":")[2].strip()
    try:
        return not line or said == _END or isinstance(json.loads(said), dict)
    # An object may end within an object that does not.
    except (ValueError, RecursionError) as error:
        # Such a number is garbage, wherever the line ends: whoever reads it says so.
        return _has_too_many_digits(error)


def _has_too_many_digits(error: Exception) -> bool:
    """Whether JSON held a number that Python does not read: what it raises then is no subclass."""
    return type(error) is ValueError


class _Lines(httpx.AsyncByteStream):
    """What another stream holds, with the ends of lines escaped that are none.

    Raises:
        httpx.RemoteProtocolError: it ended within a line.
    """

    def __init__(self, inner: httpx.AsyncByteStream, *, is_stream: bool) -> None:
        self._inner = inner
        self._is_stream = is_stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        held, last = b"", bytearray()
        async for received in self._inner:
            chunk = held + received
            for raw, escaped in _ESCAPES:
                chunk = chunk.replace(raw, escaped)
            # The rest of a character comes with the next chunk.
            held = next((each for each in _BEGINNINGS if chunk.endswith(each)), b"")
            chunk = chunk[: len(chunk) - len(held)]
            if b"\n" in chunk:
                last.clear()
            last += chunk.rpartition(b"\n")[2]
            if chunk:
                yield chunk
        if held:
            yield held
        if self._is_stream and (held or not _is_whole(bytes(last))):
            raise httpx.RemoteProtocolError("the stream ended within a line")

    async def aclose(self) -> None:
        await self._inner.aclose()
