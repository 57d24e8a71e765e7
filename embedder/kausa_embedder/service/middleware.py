"""What happens around every request: let in, counted, bounded in time, and told why not."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from weakref import WeakKeyDictionary

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import SecretStr

from kausa_embedder.service.lifecycle import Lifecycle
from kausa_embedder.service.logs import log_event, places
from kausa_embedder.service.metrics import Metrics
from kausa_embedder.service.refusals import Refusal, RefusedError, refusal_of

__all__ = ["OPEN_PATHS", "STREAM_PATH", "admit", "authorize", "deadline_of", "observe", "spread"]

OPEN_PATHS = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked by the kubelet and by Prometheus, who have no token; they hold nothing of anybody."""
STREAM_PATH = "/v1/stream"
DEADLINE_HEADER = "X-Deadline-Ms"
CLIENT_GONE = 499
_BODILESS = frozenset({"GET", "HEAD"})
_UNPACKED = frozenset({"", "identity"})
_ENCODINGS = frozenset({"gzip", "deflate"})
"""Such as the HTTP parser unpacks by itself; a body of another would come as it is."""

_log = logging.getLogger(__name__)


def observe(metrics: Metrics) -> Middleware:
    """Count every request, and turn every error into an answer. The outermost one."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = time.monotonic()
        code = CLIENT_GONE
        try:
            response = await _answered(request, handler, metrics)
            code = response.status
            return response
        finally:
            seconds = time.monotonic() - began
            route = _route(request)
            metrics.answered(route=route, code=code, seconds=seconds)
            if code == CLIENT_GONE:
                metrics.rejected(reason="cancelled")
            log_event(_log, logging.DEBUG, "Request ended", route=route, code=code, seconds=seconds)

    return middleware


async def _answered(request: web.Request, handler: Handler, metrics: Metrics) -> web.StreamResponse:
    try:
        return await handler(request)
    except ConnectionError:
        # The caller left while we read or wrote. There is nobody to answer to, and any other error
        # would be written to the log with a traceback for each of them.
        raise asyncio.CancelledError from None
    except Exception as error:
        refusal = refusal_of(error)
        if refusal is None:
            log_event(
                _log, logging.ERROR, "Request failed", route=_route(request), error=places(error)
            )
            refusal = Refusal(
                status=500, type="internal", message="An error of the worker; its log says where."
            )
        metrics.rejected(reason=refusal.type)
        return refusal.response()


def authorize(
    token: SecretStr | None,
) -> Middleware:
    """Let in who has the token; compared in constant time, so that nobody guesses it by parts."""
    expected = None if token is None else f"Bearer {token.get_secret_value()}".encode()

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if expected is not None and request.path not in OPEN_PATHS:
            given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
            if not hmac.compare_digest(given, expected):
                raise RefusedError(
                    Refusal(
                        status=401,
                        type="unauthorized",
                        message="This worker asks for its token: Authorization: Bearer ...",
                    )
                )
        return await handler(request)

    return middleware


def admit(lifecycle: Lifecycle, *, max_body_bytes: int) -> Middleware:
    """Take what there is room for, before any of its body is read."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method in _BODILESS:
            return await handler(request)
        packed = _is_packed(request)
        if request.path == STREAM_PATH:
            taking = lifecycle.stream()
        else:
            size = request.content_length
            if size is None or packed:
                size = max_body_bytes  # it does not say what it comes to, and is bounded by this
            elif size > max_body_bytes:
                raise web.HTTPRequestEntityTooLarge(max_size=max_body_bytes, actual_size=size)
            taking = lifecycle.request(size=size)
        with taking:
            response = await handler(request)
        if lifecycle.phase != "serving" and not response.prepared:
            response.force_close()  # the next request had better go to another worker
        return response

    return middleware


def _is_packed(request: web.Request) -> bool:
    """Whether the body grows when it is read.

    Raises:
        RefusedError: it is packed in a way that nobody here unpacks.
    """
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding in _UNPACKED:
        return False
    if encoding not in _ENCODINGS:
        raise RefusedError(
            Refusal(
                status=400,
                type="invalid",
                message="The body's Content-Encoding is not known here: send it as it is, or "
                f"packed by {' or '.join(sorted(_ENCODINGS))}.",
            )
        )
    return True


def spread(*, after_seconds: float) -> Middleware:
    """End connections of some age between two requests.

    A Service chooses a worker for a connection and not for a request, so that whoever keeps its
    connections would never find the workers that were added since.
    """
    first_seen: WeakKeyDictionary[object, float] = WeakKeyDictionary()

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        now = time.monotonic()
        transport = request.transport  # None where the caller is gone already
        since = first_seen.setdefault(transport, now) if transport is not None else now
        response = await handler(request)
        if now - since > after_seconds and not response.prepared:
            response.force_close()
        return response

    return middleware


def deadline_of(request: web.Request, *, default_seconds: float, longest_seconds: float) -> float:
    """The moment in `time.monotonic()` at which nobody waits for this request any more.

    Raises:
        RefusedError: the header is not a number of milliseconds.
    """
    value = request.headers.get(DEADLINE_HEADER)
    if value is None:
        return time.monotonic() + default_seconds
    if not (value.isascii() and value.isdigit() and len(value) <= 12):
        raise RefusedError(
            Refusal(
                status=422,
                type="invalid",
                message=f"{DEADLINE_HEADER} is a whole number of milliseconds.",
            )
        )
    return time.monotonic() + min(longest_seconds, int(value) / 1000)


def _route(request: web.Request) -> str:
    """The route's own path, so that nobody can make labels of it."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"
