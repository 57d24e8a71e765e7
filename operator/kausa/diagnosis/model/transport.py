"""What every way to a model shares: one deadline, repeated attempts, a breaker, and bounds.

Only what fails on the way is sent again (nobody listens, the connection breaks, a stream ends in
its middle), a few times, after random pauses that grow. An answer is an answer: a refusal, an
error of the server, or nonsense comes again for the same question, and asking twice costs twice.

A server's answer is bounded in bytes before anything is made of it, because a line without an end
and a body that unpacks to gigabytes look harmless until they are read.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import httpx

from kausa.diagnosis.errors import (
    ModelDeadlineExceeded,
    ModelError,
    ModelInvalidAnswer,
    ModelUnavailable,
)
from kausa.diagnosis.model.breaker import CircuitBreaker, ModelCircuitOpen

__all__ = [
    "CONNECT_SECONDS",
    "MOST_RESPONSE_BYTES",
    "AttemptFailed",
    "Transport",
    "bound_response",
    "foreign_errors",
    "shown_address",
]

CONNECT_SECONDS: Final = 5.0
MOST_RESPONSE_BYTES: Final = 16 * 1024 * 1024
"""No answer is longer: 8,000 tokens come to 2 MB as Ollama writes them, a line for each."""
AnswerT = TypeVar("AnswerT")
_ATTEMPTS: Final = 3
_FAIR_SECONDS: Final = 5.0
"""Whoever gives a model less time than this cannot say that it is dead."""


class AttemptFailed(Exception):
    """One attempt came to nothing."""

    def __init__(self, error: ModelError, *, again: bool = False, alive: bool = True) -> None:
        """`again`: it failed on the way. `alive`: the server works, and refused only this."""
        super().__init__(str(error))
        self.error = error
        self.again = again
        self.alive = alive


class _TooLong(ValueError):
    pass


class Transport:
    """The attempts at the questions to one model."""

    def __init__(
        self,
        *,
        model: str,
        where: str,
        breaker: CircuitBreaker | None = None,
        first_pause_seconds: float = 0.2,
        longest_pause_seconds: float = 5.0,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """`where` is the server's address as messages may show it."""
        self._model = model
        self._where = where
        self._first_pause = first_pause_seconds
        self._longest_pause = longest_pause_seconds
        self._uniform = uniform
        self.breaker = breaker or CircuitBreaker()

    async def run(
        self,
        attempt: Callable[[], Awaitable[AnswerT]],
        *,
        deadline_seconds: float,
        proves_answers: bool = True,
    ) -> AnswerT:
        """Attempt it until it works or is refused, within the deadline.

        `proves_answers`: False where success says only that the server is there, which is not
        enough to trust it with questions again.

        Raises:
            ModelCircuitOpen: nobody asks at the moment.
            ModelDeadlineExceeded: the time is over.
            ModelError: whatever else the attempts said last.
        """
        admission = self.breaker.admit()
        if admission is None:
            raise self._left_alone()
        tell = self.breaker.abandoned
        try:
            async with asyncio.timeout(deadline_seconds) as clock:
                answer = await self._persist(attempt, ends_in_seconds=deadline_seconds)
            tell = self.breaker.succeeded if proves_answers else tell
            return answer
        except AttemptFailed as failed:
            if not failed.alive:
                tell = self.breaker.failed
            elif proves_answers:
                tell = self.breaker.succeeded
            raise failed.error from failed
        except TimeoutError:
            if not clock.expired():
                raise
            if deadline_seconds >= _FAIR_SECONDS:
                tell = self.breaker.failed
            raise ModelDeadlineExceeded(
                f"The model {self._model} did not answer within {deadline_seconds:g} seconds."
            ) from None
        finally:
            # Once for a question, whatever happened: a short hiccup fails all attempts of one.
            tell(admission)

    async def _persist(
        self, attempt: Callable[[], Awaitable[AnswerT]], *, ends_in_seconds: float
    ) -> AnswerT:
        """The attempts; raises what the last one did."""
        ends_at = time.monotonic() + ends_in_seconds
        pause = self._first_pause
        for left in reversed(range(_ATTEMPTS)):
            try:
                return await attempt()
            except AttemptFailed as failed:
                wait = self._uniform(0.0, pause)
                if not (failed.again and left and time.monotonic() + wait < ends_at):
                    raise
            await asyncio.sleep(wait)
            pause = min(self._longest_pause, pause * 2)
        raise AssertionError("the last attempt returns or raises")

    def _left_alone(self) -> ModelCircuitOpen:
        wait = self.breaker.retry_after_seconds
        until = f"asked again in {wait:.0f} seconds" if wait >= 1 else "being tried again"
        return ModelCircuitOpen(
            f"The model server at {self._where} failed several times in a row; it is {until}."
        )


@contextmanager
def foreign_errors(*, where: str, speaks: str) -> Iterator[None]:
    """Turn what httpx and parsers raise into an `AttemptFailed`; `speaks` names the API."""
    try:
        yield
    except _TooLong:
        raise AttemptFailed(
            ModelInvalidAnswer(f"What answers at {where} sent more than any model writes."),
            alive=False,
        ) from None
    except (ConnectionError, httpx.TransportError) as error:
        unsupported = isinstance(error, httpx.UnsupportedProtocol)
        raise AttemptFailed(
            ModelUnavailable(
                f"No model server answers at {where} ({type(error).__name__}); the diagnosis goes "
                "on without it."
            ),
            again=not unsupported,
            alive=False,
        ) from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise AttemptFailed(
            ModelUnavailable(f"{where} cannot be asked for a model ({type(error).__name__})."),
            alive=False,
        ) from None
    # Answers are built from whatever JSON arrives: an array where an object belongs, or a missing
    # field, is any of these.
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        raise AttemptFailed(
            ModelInvalidAnswer(
                f"What answers at {where} does not speak {speaks} ({type(error).__name__})."
            ),
            alive=False,
        ) from None


async def bound_response(response: httpx.Response) -> None:
    """A response hook of httpx: what arrives is bounded, and is what was sent."""
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise _TooLong  # nobody asked for it, and nobody knows what it unpacks to
    stream = response.stream
    if isinstance(stream, httpx.AsyncByteStream):
        # A pull reports for hours; only its single lines are bounded.
        each_line = response.request.url.path.endswith("/api/pull")
        response.stream = _Bounded(stream, each_line=each_line)


class _Bounded(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, *, each_line: bool) -> None:
        self._inner = inner
        self._each_line = each_line

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        async for chunk in self._inner:
            received += len(chunk)
            if self._each_line and (end := chunk.rfind(b"\n")) >= 0:
                received = len(chunk) - end
            if received > MOST_RESPONSE_BYTES:
                raise _TooLong
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


def shown_address(url: str) -> str:
    """Return the address as messages may show it: without a user, a password and a query."""
    scheme, separator, rest = url.rpartition("://")
    authority, slash, path = rest.partition("/")
    path = path.partition("?")[0].partition("#")[0]
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"
