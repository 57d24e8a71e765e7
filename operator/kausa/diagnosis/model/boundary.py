"""Where the errors of a model's server, and of the libraries that speak with it, end.

Each becomes an `AttemptFailed`: the `ModelError`, and what whoever asks must know to go on.

Nothing that goes wrong here is an answer. A server that began to answer and then says something
else was cut off on the way (a stream without a length may end within a line), so that is a broken
connection. What never spoke the API is no model server, or a page of whatever stands before it:
sending the same once more would not change it, asking when it is back does.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Final

import httpx

from kausa.diagnosis.errors import (
    ModelError,
    ModelMissing,
    ModelProtocolError,
    ModelRefusedQuestion,
    ModelUnavailable,
)
from kausa.diagnosis.model.trust import untrusted_certificate

__all__ = [
    "MOST_RESPONSE_BYTES",
    "AttemptFailed",
    "Boundary",
    "Heard",
    "bound_response",
    "shown_address",
]

MOST_RESPONSE_BYTES: Final = 16 * 1024 * 1024
"""No answer is longer: 8,000 tokens come to 2 MB as Ollama writes them, a line for each."""
_WITHOUT: Final = "the diagnosis goes on without it."
_OF_THE_QUESTION: Final = frozenset(
    {
        httpx.codes.BAD_REQUEST,
        httpx.codes.REQUEST_ENTITY_TOO_LARGE,
        httpx.codes.UNPROCESSABLE_ENTITY,
    }
)
_BUSY: Final = frozenset(
    {
        httpx.codes.REQUEST_TIMEOUT,
        httpx.codes.TOO_MANY_REQUESTS,
        httpx.codes.SERVICE_UNAVAILABLE,
        529,  # "overloaded"
    }
)
_MOST_LOOKED_THROUGH: Final = 4_096
_TOO_LONG_WORDS: Final = re.compile(
    r"context[ _-](?:length|size|window)|too (?:long|large)\b|too many tokens|"
    r"\b(?:exceed\w{0,4}|longer than|more than)\b.{0,60}\btokens\b|"
    r"\btokens\b.{0,60}\b(?:exceed\w{0,4}|must be (?:<=|less))",
    re.IGNORECASE,
)
"""As vLLM, llama.cpp, Ollama, TGI and the hosted ones put it."""
# The client of Ollama says it with Python's own error.
_NOT_REACHED: Final = (
    ConnectionError,
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
)


class AttemptFailed(Exception):
    """One attempt came to nothing."""

    def __init__(
        self, error: ModelError, *, again: bool = False, alive: bool = True, read: bool = True
    ) -> None:
        """`again`: it failed on the way. `alive`: the server works, and refused only this. `read`:
        the server may have read what it was sent.
        """
        super().__init__(str(error))
        self.error = error
        self.again = again
        self.alive = alive
        self.read = read


class _TooLong(ValueError):
    pass


class Heard:
    """What has come of one attempt so far."""

    def __init__(self) -> None:
        self.begun = False
        """Whether a piece of an answer came, in the language of the API."""


class Boundary:
    """Of one server, as one API."""

    def __init__(self, *, where: str, speaks: str, missing: Callable[[], ModelMissing]) -> None:
        """`where`: its address as messages may show it. `speaks`: the API's name. `missing`: what a
        server says with the status 404.
        """
        self._where = where
        self._speaks = speaks
        self._missing = missing

    @contextmanager
    def attempt(self) -> Iterator[Heard]:
        """Turn what httpx and parsers raise into an `AttemptFailed`."""
        heard = Heard()
        try:
            yield heard
        except _TooLong:
            raise AttemptFailed(
                ModelProtocolError(f"What answers at {self._where} sent more than a model writes."),
                alive=False,
            ) from None
        except httpx.UnsupportedProtocol as error:
            raise self._cannot_be_asked(error) from None
        except _NOT_REACHED as error:
            untrusted = untrusted_certificate(error, where=self._where)
            if untrusted is not None:
                # It will be the same one in a moment.
                raise AttemptFailed(ModelUnavailable(untrusted), alive=False, read=False) from None
            raise AttemptFailed(
                ModelUnavailable(
                    f"No model server answers at {self._where} ({type(error).__name__}); {_WITHOUT}"
                ),
                again=True,
                alive=False,
                read=False,
            ) from None
        except httpx.TransportError as error:
            raise self.broke_off(error) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise self._cannot_be_asked(error) from None
        # Answers are built from whatever JSON arrives: an array where an object belongs, or a
        # missing field, is any of these.
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            if heard.begun:
                raise self.broke_off(error) from None
            raise AttemptFailed(
                ModelProtocolError(
                    f"What answers at {self._where} does not speak {self._speaks} "
                    f"({type(error).__name__}): check KAUSA_MODEL_URL."
                ),
                alive=False,
            ) from None

    def broke_off(self, error: Exception | None = None) -> AttemptFailed:
        """The connection ended before the answer did."""
        why = f" ({type(error).__name__})" if error is not None else ""
        return AttemptFailed(
            ModelProtocolError(
                f"The model server at {self._where} broke off before its answer was whole{why}; "
                f"{_WITHOUT}"
            ),
            again=True,
            alive=False,
        )

    def gave_up(self) -> AttemptFailed:
        """It said in the middle of its answer that it cannot go on."""
        return AttemptFailed(
            ModelUnavailable(
                f"The model server at {self._where} gave up in the middle of its answer; its own "
                "log says why."
            ),
            alive=False,
        )

    def refused(
        self, status: int, *, words: object = "", of_question: bool = True
    ) -> AttemptFailed:
        """`words`: what it says beyond its status, which is anybody's text, and is only looked
        through: this message ends in a status. `of_question`: it was asked a question, and not
        which models it has.
        """
        where = self._where
        error: ModelError
        if status == httpx.codes.NOT_FOUND:
            error = self._missing()
        elif status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            error = ModelUnavailable(
                f"The model server at {where} refuses our key (HTTP status {status}): check "
                "KAUSA_MODEL_KEY."
            )
        elif status == httpx.codes.TOO_MANY_REQUESTS:
            error = ModelUnavailable(
                f"The model server at {where} takes no more questions for now (HTTP status "
                f"{status}): its quota is spent or it is busy."
            )
        elif status in _OF_THE_QUESTION and of_question:
            too_long = status == httpx.codes.REQUEST_ENTITY_TOO_LARGE or _is_too_long(words)
            error = ModelRefusedQuestion(
                f"The model server at {where} refuses this question as too long (HTTP status "
                f"{status}): set KAUSA_MODEL_CONTEXT_TOKENS to what the model's window holds there."
                if too_long
                else f"The model server at {where} refuses this question (HTTP status {status}); "
                "its own log says why."
            )
        else:
            error = ModelUnavailable(
                f"The model server at {where} answered with the HTTP status {status}; its own log "
                "says why."
            )
        busy = status in _BUSY
        return AttemptFailed(
            error,
            alive=400 <= status < 500 and not busy,
            read=not (300 <= status < 500 or busy),
        )

    def _cannot_be_asked(self, error: Exception) -> AttemptFailed:
        return AttemptFailed(
            ModelUnavailable(
                f"{self._where} cannot be asked for a model ({type(error).__name__})."
            ),
            alive=False,
            read=False,
        )


def _is_too_long(words: object) -> bool:
    # A library hands on whatever JSON stood there.
    return _TOO_LONG_WORDS.search(str(words)[:_MOST_LOOKED_THROUGH]) is not None


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
