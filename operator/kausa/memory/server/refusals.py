"""Errors of the client, of HTTP and of gRPC as our own, and whether asking again may help.

What the server says of a request is a fact of the request: asking again changes nothing. That it
has too much to do, is starting, or cannot be reached, passes.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from http import HTTPStatus

import grpc  # type: ignore[import-untyped]
import httpx
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from kausa.memory.errors import MemoryError_, MemoryUnavailableError, UnavailableReason

__all__ = [
    "AlreadyThereError",
    "NotThereError",
    "Refusal",
    "RequestRefusedError",
    "from_status",
    "refusal_of",
]

_MOST_WORDS = 300
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_FULL = ("no space left", "disk space", "out of disk", "out of memory", "resident memory", "quota")
_READ_ONLY = ("read-only", "read only", "write access", "manage access")
_GRPC_STATUS = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.CANCELLED: 503,
    grpc.StatusCode.ABORTED: 503,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNKNOWN: 500,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}


class NotThereError(MemoryUnavailableError):
    """What a request names is not in the server."""


class AlreadyThereError(MemoryUnavailableError):
    """What was to be made is there: somebody was faster, or an answer was lost."""


class RequestRefusedError(MemoryUnavailableError):
    """The server does not take a request as it is, for whatever stands in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error of ours, and what is known of how long it lasts."""

    error: MemoryError_
    passing: bool = False
    """Whether the same request may succeed later."""
    after_seconds: float | None = None
    """How long the server wants to be left alone."""


def refusal_of(error: Exception, *, doing: str, at: str, writes: bool) -> Refusal:
    """What an error of the client means. `at` is the server's address."""
    match error:
        case MemoryError_():
            return Refusal(error=error)
        case ResourceExhaustedResponse():
            return _overloaded(f"{at}, {doing}: {error}", after_seconds=float(error.retry_after_s))
        case UnexpectedResponse():
            return from_status(
                error.status_code or 0,
                error.content.decode(errors="replace"),
                retry_after=error.headers.get("Retry-After"),
                doing=doing,
                at=at,
                writes=writes,
            )
        case grpc.aio.AioRpcError():
            return _from_grpc(error, doing=doing, at=at, writes=writes)
        case ResponseHandlingException(source=httpx.TransportError() as source):
            return _from_transport(source, doing=doing, at=at)
        case httpx.TransportError():
            return _from_transport(error, doing=doing, at=at)
        case ResponseHandlingException(source=source):
            return _strange(f"{type(source).__name__}: {source}", doing=doing, at=at)
        case QdrantException():
            # Retry-After in a form that the client does not read: a moment, not seconds.
            return _overloaded(f"{at}, {doing}: {error}", after_seconds=None)
        case ValueError() if "not found" in str(error):
            # The client's local mode, which speaks through no server.
            return from_status(404, str(error), retry_after=None, doing=doing, at=at, writes=writes)
    return _strange(f"{type(error).__name__}: {error}", doing=doing, at=at)


def from_status(
    status: int, body: str, *, retry_after: str | None, doing: str, at: str, writes: bool
) -> Refusal:
    """What an answer other than success means."""
    words = " ".join(body.split())[:_MOST_WORDS]
    said = f"{at}, {doing}: {status} {words}".rstrip()
    after = _seconds(retry_after)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _overloaded(said, after_seconds=after)
    if any(word in words.lower() for word in _FULL):
        message = f"{said}. The server has no room: give it more, or prune the memory"
        return _unavailable(message, "StoreFull")
    if status in _PASSING:
        return _unavailable(said, "StoreUnavailable", passing=True, after=after)
    if status == HTTPStatus.UNAUTHORIZED:
        message = f"{said}. The API key is missing or not one of the server's: set the right one"
        return _unavailable(message, "StoreUnauthorized")
    if status == HTTPStatus.FORBIDDEN:
        return _forbidden(said, words.lower(), writes=writes)
    if status == HTTPStatus.NOT_FOUND:
        message = f"{said}. What is asked for is not there: was a collection deleted?"
        return Refusal(error=NotThereError(message, reason="StoreUnavailable"))
    if status == HTTPStatus.CONFLICT or "already exists" in words.lower():
        return Refusal(error=AlreadyThereError(said, reason="StoreUnavailable"))
    if status == HTTPStatus.BAD_REQUEST and "dimension" in words.lower():
        return _unavailable(said, "DimensionMismatch")
    if status in {400, 413, 422}:
        message = f"{said}. The server does not take what we ask: its log may say more"
        return Refusal(error=RequestRefusedError(message, reason="StoreRefused"))
    return _unavailable(said, "StoreUnavailable")


def _forbidden(said: str, words: str, *, writes: bool) -> Refusal:
    if writes or any(word in words for word in _READ_ONLY):
        message = f"{said}. The API key may read, not write: give one that may do both"
        return _unavailable(message, "StoreReadOnly")
    message = f"{said}. The API key may not do this: give one with access to our collections"
    return _unavailable(message, "StoreUnauthorized")


def _from_grpc(error: grpc.aio.AioRpcError, *, doing: str, at: str, writes: bool) -> Refusal:
    words = error.details() or error.code().name
    if error.code() is grpc.StatusCode.UNAVAILABLE and _is_distrust(words):
        return _distrust(words, doing=doing, at=at)
    trailing = {key: value for key, value in error.trailing_metadata() or ()}
    retry_after = trailing.get("retry-after")
    return from_status(
        _GRPC_STATUS.get(error.code(), 500),
        words,
        retry_after=str(retry_after) if retry_after is not None else None,
        doing=doing,
        at=at,
        writes=writes,
    )


def _from_transport(error: httpx.TransportError, *, doing: str, at: str) -> Refusal:
    if isinstance(error, httpx.UnsupportedProtocol):
        return _strange(str(error), doing=doing, at=at)
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return _distrust(str(cause), doing=doing, at=at)
        cause = cause.__cause__ or cause.__context__
    words = str(error) or type(error).__name__
    if _is_distrust(words):
        return _distrust(words, doing=doing, at=at)
    return _unavailable(
        f"{at} cannot be reached, {doing}: {words}. Start the server, or correct KAUSA_MEMORY_URL",
        "StoreUnavailable",
        passing=True,
    )


def _is_distrust(words: str) -> bool:
    lowered = words.lower()
    return "certificate" in lowered or "handshake" in lowered or "ssl_error" in lowered


def _distrust(words: str, *, doing: str, at: str) -> Refusal:
    return _unavailable(
        f"{at}, {doing}: TLS failed, nothing was sent: {words[:_MOST_WORDS]}. Name the server's "
        "authority as CA file, check that the address is one of the certificate's names, and that "
        "the server takes our certificate",
        "StoreUnauthorized",
    )


def _strange(words: str, *, doing: str, at: str) -> Refusal:
    return _unavailable(
        f"{at}, {doing}: not an answer of Qdrant ({words[:_MOST_WORDS]}). Is it its address?",
        "StoreUnavailable",
    )


def _overloaded(said: str, *, after_seconds: float | None) -> Refusal:
    error = MemoryUnavailableError(said, reason="StoreOverloaded")
    return Refusal(error=error, passing=True, after_seconds=after_seconds)


def _unavailable(
    message: str,
    reason: UnavailableReason,
    *,
    passing: bool = False,
    after: float | None = None,
) -> Refusal:
    error = MemoryUnavailableError(message, reason=reason)
    return Refusal(error=error, passing=passing, after_seconds=after)


def _seconds(text: str | None) -> float | None:
    try:
        seconds = float(text) if text is not None else None
    except ValueError:
        return None
    return seconds if seconds is not None and 0 <= seconds < 1e6 else None
