"""An answer without end, read with as little work for each change as there can be.

A watch brings every change as an HTTP chunk of its own, and aiohttp passes each through some ten
Python calls: 4 us of a Pod's change and 2 us of an Event's, a third of all that one may cost us. So
the streams, and nothing else, read HTTP themselves: one GET on a connection of its own, bytes
received straight into one buffer, and each chunk copied out of it once, when it is looked at. No
redirects, no compression, no proxies: Kubernetes' watches have none, and neither has the rest of
our client.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote, urlencode, urlsplit

from kausa.cluster.errors import ApiUnreachableError, UndecodableError, UntrustedServerError
from kausa.cluster.http_framing import Framing, Head, framing_of, read_head

__all__ = ["StreamedAnswer", "open_stream"]

SMALLEST_BUFFER = 16 * 1024
"""The head of the answer must find room in it."""
MOST_AT_ONCE = 512 * 1024
"""Received in one go. To be woken costs as much as two Pods do, so a busy stream is given room for
many: with a quarter of it a change costs a seventh more, with twice as much it costs no less."""
LARGEST_BUFFER = 2 * MOST_AT_ONCE
"""A busy stream's: while what came last is read there must be room for as much again, because to
stop receiving and to begin again takes longer than to receive."""
HAPPY_EYEBALLS_SECONDS = 0.25


class _Receiver(asyncio.BufferedProtocol):
    """Holds what has come and was not taken yet; stops reading while its buffer is full."""

    def __init__(self) -> None:
        self.buffer = bytearray(SMALLEST_BUFFER)
        self.start = self.end = 0
        self.ended = False
        self.error: Exception | None = None
        self._view = memoryview(self.buffer)
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None

    # -- called by the transport -----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """There is a connection."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where to put what comes; never empty, because a full buffer pauses the transport."""
        return self._view[self.end : self.end + MOST_AT_ONCE]

    def buffer_updated(self, nbytes: int) -> None:
        """So much has been put there."""
        self.end += nbytes
        if self.end == len(self.buffer) and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """Nothing more will come."""
        self.ended = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed, or broken."""
        self.ended, self.error = True, exc
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # -- called by the reader --------------------------------------------------------------------

    async def more(self) -> None:
        """Wait until more has come, or nothing more will."""
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def taken(self, upto: int) -> None:
        """All before is done with: its place is free for what comes, and no view of it is left."""
        was_full, rest = self.end == len(self.buffer), self._view[upto : self.end]
        if was_full and len(self.buffer) < LARGEST_BUFFER:
            self.buffer = bytearray(min(LARGEST_BUFFER, 4 * len(self.buffer)))
            self._view = memoryview(self.buffer)
        self._view[: len(rest)] = rest
        self.start, self.end = 0, len(rest)
        if was_full and not self.ended and self._transport is not None:
            self._transport.resume_reading()


class StreamedAnswer:
    """The answer to one GET."""

    def __init__(self, receiver: _Receiver, *, what: str, silence_seconds: float) -> None:
        self._receiver = receiver
        self._what = what
        self._silence_seconds = silence_seconds
        self._framing: Framing | None = None
        self.head = Head(status=0, reason="")

    async def read_head(self) -> None:
        """Wait for the head; called once, before anything else."""
        receiver = self._receiver
        while True:
            end = receiver.buffer.find(b"\r\n\r\n", receiver.start, receiver.end)
            if end >= 0:
                self.head = read_head(bytes(receiver.buffer[receiver.start : end]))
                receiver.taken(end + 4)
                if self.head.status >= 200:
                    self._framing = framing_of(self.head)
                    return
            elif receiver.end == len(receiver.buffer):
                raise UndecodableError(f"{self._what}: the head of the answer does not end.")
            else:
                await self._more()

    async def pieces(self) -> AsyncIterator[Iterator[bytes]]:
        """The body: the pieces of all that has come, each time; ends where the body does.

        Pieces are mostly a server's writes, and are to be read to their end before the next.

        Raises:
            ApiUnreachableError: the connection broke, or nothing came for too long.
            UndecodableError: from the pieces too, where the answer does not keep to HTTP.
        """
        framing, receiver = self._framing, self._receiver
        if framing is None:
            raise UndecodableError(f"{self._what}: the head of the answer was not read.")
        while True:
            start, end = receiver.start, receiver.end
            if end > start:
                yield framing.take(receiver.buffer, start, end)
                receiver.taken(framing.upto)
                progress = framing.upto > start
            else:
                progress = False
            if framing.complete or (receiver.ended and framing.may_end_anywhere):
                return
            if not progress:
                await self._more()

    async def beginning(self, most: int) -> bytes:
        """The first bytes of the body, at least as many as that where it has them."""
        found = b""
        async for pieces in self.pieces():
            found += b"".join(pieces)
            if len(found) >= most:
                break
        return found

    async def _more(self) -> None:
        receiver = self._receiver
        if receiver.ended:
            why = f" ({receiver.error})" if receiver.error is not None else ""
            raise ApiUnreachableError(f"{self._what}: the connection was cut off{why}.")
        async with asyncio.timeout(self._silence_seconds):
            await receiver.more()


@asynccontextmanager
async def open_stream(
    *,
    server: str,
    path: str,
    parameters: Mapping[str, str],
    headers: Mapping[str, str],
    ssl_context: ssl.SSLContext | None,
    connect_seconds: float,
    silence_seconds: float,
) -> AsyncIterator[StreamedAnswer]:
    """GET `path` of `server` (a URL, perhaps with a path of its own); closed at the end.

    Raises:
        ApiUnreachableError: no connection, no answer in time, or the connection broke.
        UndecodableError: whoever answers does not speak HTTP/1.1.
    """
    parts, what = urlsplit(server), f"GET {server}{path}"
    port = parts.port or (443 if parts.scheme == "https" else 80)
    target = quote(parts.path + path, safe="/%:@!$&'()*+,;=~") + "?" + urlencode(parameters)
    receiver, transport = _Receiver(), None
    try:
        async with asyncio.timeout(connect_seconds):
            transport, _ = await asyncio.get_running_loop().create_connection(
                lambda: receiver,
                parts.hostname or "",
                port,
                ssl=ssl_context,
                happy_eyeballs_delay=HAPPY_EYEBALLS_SECONDS,
            )
        transport.write(_request(target, {"Host": parts.netloc, **headers}))
        answer = StreamedAnswer(receiver, what=what, silence_seconds=silence_seconds)
        await answer.read_head()
        yield answer
    except TimeoutError as error:
        raise ApiUnreachableError(f"{what}: no answer in time.") from error
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message or "it cannot be verified"
        raise UntrustedServerError(f"{what}: its certificate is not trusted ({why}).") from error
    except OSError as error:
        raise ApiUnreachableError(f"{what}: {error}.") from error
    finally:
        if transport is not None:
            transport.abort()
            await asyncio.sleep(0)  # The socket is closed in the loop's next turn.


def _request(target: str, headers: Mapping[str, str]) -> bytes:
    """One GET, after which the connection is of no use any more."""
    all_headers = {**headers, "Accept-Encoding": "identity", "Connection": "close"}
    lines = [f"GET {target} HTTP/1.1", *(f"{name}: {all_headers[name]}" for name in all_headers)]
    if any("\r" in line or "\n" in line for line in lines):
        raise UndecodableError("A header of a request holds the end of a line.")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
