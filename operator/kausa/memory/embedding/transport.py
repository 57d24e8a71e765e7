"""Requests to an embedder: sent again while there is time for it, and failures in our words.

Embedding the same text twice does no harm, so whatever fails on the way is sent again: until the
caller's deadline, with pauses that grow and differ. A server that says how long it wants to be left
alone is. What the server says about the request itself is final. The deadline travels along, a
little shorter than ours, so that the server drops what nobody waits for and still can say so.

Callers share a breaker. Where it is open, whoever is not patient hears so at once; a diagnosis does
not wait for a memory that is known to be away.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import aiohttp

from kausa.errors import SettingsError
from kausa.memory.embedding.attempts import (
    hedge,
    read_bounded,
    told_milliseconds,
    wait_or_raise,
)
from kausa.memory.embedding.breaker import Backoff, Breaker
from kausa.memory.embedding.endpoint import Endpoint
from kausa.memory.embedding.replies import AttemptFailed, judge, unreachable
from kausa.memory.embedding.wire import encode_json, malformed
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.waiting import OnWaiting, Waiting, nobody

__all__ = ["Transport"]

CONNECT_SECONDS = 3.0
FAIR_SECONDS = 1.0
"""Whoever gives the embedder less time than this cannot say that it is dead."""
SILENT_SECONDS = 5.0
"""An attempt without an answer for so long is told of: a batch takes a second or two."""
CONNECTIONS = 64


class Transport:
    """Connections to one endpoint. Nothing is opened before the first request."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        hedge_after_seconds: float | None = None,
        breaker: Breaker | None = None,
        make_backoff: Callable[[], Backoff] = Backoff,
        on_waiting: OnWaiting = nobody,
    ) -> None:
        """`hedge_after_seconds`: ask a second time where no answer came for so long, and take the
        first of both; None never does. It costs the server up to twice the work. `on_waiting` is
        told while a call goes on that has no answer yet.
        """
        self._endpoint = endpoint
        self._hedge_after = hedge_after_seconds
        self._breaker = breaker or Breaker()
        self.make_backoff = make_backoff
        self._on_waiting = on_waiting
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self._trouble = ""

    async def ask(
        self, method: str, path: str, body: object = None, *, ends_at: float, patient: bool = False
    ) -> Any:
        """The answer's JSON.

        `ends_at` is a moment of `time.monotonic`. `patient` waits for an embedder that is known to
        be away, for as long as there is time.

        Raises:
            MemoryUnavailableError: with one of the reasons that `protocol.py` lists.
        """
        content = None if body is None else encode_json(body)

        async def attempt() -> bytes:
            async with self._request(method, path, content, ends_at=ends_at) as response:
                return await read_bounded(response)

        async def hedged() -> bytes:
            return await hedge(attempt, after_seconds=self._hedge_after)

        answer = await self._persist(hedged, ends_at=ends_at, patient=patient)
        try:
            return json.loads(answer)
        except ValueError as error:
            raise malformed("it is not JSON") from error

    @asynccontextmanager
    async def exchange(
        self,
        path: str,
        body: AsyncIterator[bytes],
        *,
        in_time: Callable[[Coroutine[Any, Any, aiohttp.ClientResponse]], Awaitable[Any]],
        fair_seconds: float,
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """One attempt at a request that is written while its answer is read.

        `in_time` bounds the wait for the answer's begin. An embedder that is silent for
        `fair_seconds`, there or inside, is taken for dead unless that is too short to say so.

        Raises:
            AttemptFailed: also for what fails inside, while the answer is read.
            MemoryUnavailableError: (DeadlineExceeded) whatever `in_time` raises.
        """
        if wait := self._breaker.wait_seconds(time.monotonic()):
            raise AttemptFailed(self._away(), again=True, alive=False, pause_seconds=wait)
        blames = fair_seconds >= FAIR_SECONDS
        async with self._watched(blames_silence=blames), AsyncExitStack() as stack:
            request = self._request("POST", path, body, ends_at=None)
            response = await in_time(stack.enter_async_context(request))
            self._breaker.succeeded()
            try:
                yield response.content
            finally:
                response.close()  # whatever is still written to it has no reader any more

    async def close(self) -> None:
        """Close all connections; what is under way fails."""
        self._closed = True
        await self._forget_session()

    # -- attempts --------------------------------------------------------------------------------

    async def _persist(
        self,
        attempt: Callable[[], Coroutine[Any, Any, bytes]],
        *,
        ends_at: float,
        patient: bool,
    ) -> bytes:
        backoff = self.make_backoff()
        failure: AttemptFailed | None = None
        while True:
            await self._admitted(ends_at, patient=patient, failure=failure)
            try:
                left = ends_at - time.monotonic()
                async with self._watched(blames_silence=left >= FAIR_SECONDS):
                    async with asyncio.timeout(left):
                        with self._told_if_silent(ends_at):
                            return await attempt()
            except AttemptFailed as failed:
                if not failed.again:
                    raise failed.error from failed
                failure = failed
            except TimeoutError as error:
                if failure is not None:  # what kept us from an answer until now
                    raise failure.error from error
                raise MemoryUnavailableError(
                    f"the embedder at {self._endpoint.shown} did not answer in time",
                    reason="DeadlineExceeded",
                ) from error
            pause = backoff.next_seconds(at_least=failure.pause_seconds)
            self._tell(str(failure), ends_at=ends_at, pause=pause)
            await wait_or_raise(pause, ends_at=ends_at, otherwise=failure.error)

    async def _admitted(
        self, ends_at: float, *, patient: bool, failure: AttemptFailed | None
    ) -> None:
        """Wait until the breaker lets us ask, or say that it does not."""
        while wait := self._breaker.wait_seconds(time.monotonic()):
            error = failure.error if failure else self._away()
            if not patient and failure is None:
                raise error
            self._tell(str(error), ends_at=ends_at, pause=wait)
            await wait_or_raise(wait, ends_at=ends_at, otherwise=error)

    @contextmanager
    def _told_if_silent(self, ends_at: float) -> Iterator[None]:
        """Tell of an attempt that takes long."""

        def tell() -> None:
            shown = self._endpoint.shown
            why = f"the embedder at {shown} has not answered for {SILENT_SECONDS:g} s"
            self._tell(why, ends_at=ends_at)

        timer = asyncio.get_running_loop().call_later(SILENT_SECONDS, tell)
        try:
            yield
        finally:
            timer.cancel()

    def _tell(self, why: str, *, ends_at: float, pause: float = 0.0) -> None:
        """Who has no time for another attempt does not wait."""
        left = ends_at - time.monotonic()
        if pause < left:
            self._on_waiting(Waiting(part="embedder", why=why, left_seconds=left))

    @asynccontextmanager
    async def _watched(self, *, blames_silence: bool = False) -> AsyncIterator[None]:
        """Tell the breaker how it went."""
        began = time.monotonic()
        try:
            yield
        except AttemptFailed as failed:
            if failed.alive:
                self._breaker.succeeded()
            else:
                self._trouble = str(failed)
                self._breaker.failed(time.monotonic())
            raise
        except (TimeoutError, MemoryUnavailableError) as error:
            # It was told a deadline shorter than ours, and did not even say that it has passed.
            late = isinstance(error, TimeoutError) or error.reason == "DeadlineExceeded"
            if late and blames_silence and time.monotonic() - began >= 0.9 * FAIR_SECONDS:
                self._trouble = f"the embedder at {self._endpoint.shown} does not answer"
                self._breaker.failed(time.monotonic())
            else:
                self._breaker.abandoned()
            raise
        except BaseException:
            self._breaker.abandoned()
            raise
        self._breaker.succeeded()

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        body: bytes | AsyncIterator[bytes] | None,
        *,
        ends_at: float | None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer of a request that went well, else `AttemptFailed`."""
        headers = {"Content-Type": "application/json"}
        if ends_at is not None:
            headers["X-Deadline-Ms"] = str(told_milliseconds(ends_at - time.monotonic()))
        try:
            session = self._opened()
            async with session.request(
                method,
                self._endpoint.root + path,
                data=body,
                headers=headers,
                allow_redirects=False,  # a redirect would carry texts to wherever it points
            ) as response:
                if response.status != 200:
                    raise judge(
                        response.status,
                        await read_bounded(response),
                        headers=response.headers,
                        where=self._endpoint.shown,
                    )
                yield response
        except (aiohttp.ClientSSLError, ssl.SSLError) as error:
            # Certificates are renewed while we run: the files are read anew next time.
            await self._forget_session()
            raise unreachable(error, where=self._endpoint.shown) from error
        except (aiohttp.ClientError, OSError) as error:
            raise unreachable(error, where=self._endpoint.shown) from error

    # -- connections -----------------------------------------------------------------------------

    def _opened(self) -> aiohttp.ClientSession:
        if self._closed:
            raise MemoryUnavailableError("the embedder is closed", reason="Closed")
        if self._session is None:
            try:
                tls = self._endpoint.tls()
            except SettingsError as error:
                raise MemoryUnavailableError(str(error), reason="EmbedderUnavailable") from error
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS, ssl=tls),
                headers=self._endpoint.headers(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                auto_decompress=False,
            )
        return self._session

    async def _forget_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _away(self) -> MemoryUnavailableError:
        return MemoryUnavailableError(
            f"{self._trouble}; it failed several times in a row and is left alone for some seconds",
            reason="EmbedderUnavailable",
        )
