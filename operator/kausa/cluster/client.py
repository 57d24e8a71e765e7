"""A small client of the API server: get, list, logs, apply, create, replace, dry run, watch lines.

aiohttp is here anyway (Kopf brings it) and msgspec decodes an answer into the few fields we use, so
a general client would cost memory and time for nothing (see the notes on clients in
ARCHITECTURE.md). Every request has a deadline, and every failure comes out as a ClusterError.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, TypeVar

import aiohttp
import msgspec

from kausa.cluster.credentials import Credentials, Token
from kausa.cluster.errors import (
    ApiUnreachableError,
    ClusterError,
    LeadershipLostError,
    UndecodableError,
    UntrustedServerError,
    api_error,
)
from kausa.cluster.http_stream import open_stream
from kausa.cluster.objects import ListMeta
from kausa.cluster.paths import PODS

__all__ = ["KubernetesClient", "Page"]

T = TypeVar("T")
REQUEST_TIMEOUT_SECONDS = 30.0
LONGEST_ERROR_BYTES = 64 * 1024
MAXIMUM_ANSWER_BYTES = 64 * 1024 * 1024
USER_AGENT = "kausa"
APPLY_PATCH = "application/apply-patch+yaml"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
DRY_RUN = MappingProxyType(
    {"dryRun": "All", "fieldManager": "kausa-dry-run", "fieldValidation": "Strict"}
)


class _Cause(msgspec.Struct):
    reason: str = ""


class _Details(msgspec.Struct):
    kind: str | None = None
    causes: tuple[_Cause, ...] | None = None


class _Status(msgspec.Struct, kw_only=True):
    """The API server's own account of an error."""

    reason: str = ""
    message: str = ""
    details: _Details | None = None


class Page(msgspec.Struct, frozen=True):
    """One page of a list, its items not decoded yet: one bad object must not lose the others."""

    metadata: ListMeta
    items: tuple[msgspec.Raw, ...] = ()


class KubernetesClient:
    """One authenticated connection pool to one API server. Close it, or use `async with`."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._ssl = credentials.ssl_context()
        self._token: Token | None = None
        self._reading_token = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None
        self._may_write: Callable[[], bool] = lambda: True

    async def __aenter__(self) -> KubernetesClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the pool; idempotent."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    # -- reading ---------------------------------------------------------------------------------

    async def get(
        self, path: str, *, kind: type[T], timeout_seconds: float = REQUEST_TIMEOUT_SECONDS
    ) -> T:
        """One object, decoded as `kind`."""
        return _decode(await self._read("GET", path, timeout_seconds=timeout_seconds), kind)

    async def list_page(
        self,
        path: str,
        *,
        parameters: Mapping[str, str],
        timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
    ) -> Page:
        """One page of a collection."""
        body = await self._read("GET", path, parameters=parameters, timeout_seconds=timeout_seconds)
        return _decode(body, Page)

    async def pod_log(
        self,
        *,
        namespace: str,
        pod: str,
        container: str,
        previous: bool,
        tail_lines: int | None = None,
        limit_bytes: int | None = None,
        timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
    ) -> AsyncGenerator[bytes, None]:
        """The chunks of a container's log, the oldest first; close it where you end early.

        It begins with the last `tail_lines` lines, or with the first, and ends after `limit_bytes`
        bytes. The whole of it takes at most `timeout_seconds`.

        Raises:
            ApiUnreachableError: the time is over, or the connection broke, before the log ended.
        """
        parameters = {"container": container, "previous": "true" if previous else "false"}
        if tail_lines is not None:
            parameters["tailLines"] = str(tail_lines)
        if limit_bytes is not None:
            parameters["limitBytes"] = str(limit_bytes)
        async with self._request(
            "GET",
            PODS.object(namespace=namespace, name=pod) + "/log",
            parameters=parameters,
            timeout=aiohttp.ClientTimeout(total=timeout_seconds),
        ) as response:
            left = limit_bytes
            async for chunk in response.content.iter_any():
                yield chunk if left is None else chunk[:left]
                if left is not None:
                    left -= len(chunk)
                    if left <= 0:
                        return

    @asynccontextmanager
    async def stream(
        self, path: str, *, parameters: Mapping[str, str], silence_seconds: float
    ) -> AsyncIterator[AsyncIterator[Iterator[bytes]]]:
        """The pieces of an answer without end, all that have come at a time; raises when nothing
        comes for `silence_seconds`.
        """
        token = await self._current_token()
        async with open_stream(
            server=self._credentials.server,
            path=path,
            parameters=parameters,
            headers=self._headers(token),
            ssl_context=self._ssl,
            connect_seconds=REQUEST_TIMEOUT_SECONDS,
            silence_seconds=silence_seconds,
        ) as answer:
            head = answer.head
            if head.status == 401 and self._token is token:
                self._token = None
            if head.status >= 300:
                body = await answer.beginning(LONGEST_ERROR_BYTES)
                raise _failure(status=head.status, reason=head.reason, body=body)
            yield answer.pieces()

    # -- writing our own resources ---------------------------------------------------------------

    def fence(self, may_write: Callable[[], bool]) -> None:
        """Ask this before every write; where it says no, LeadershipLostError is raised instead.

        A process that was stopped for a while does not know that it leads no more until it looks.
        It is asked again when a connection is there, right before the first byte is sent: to wait
        for a token and for one of the connections may take longer than to lose the Lease.
        """
        self._may_write = may_write

    async def apply(
        self,
        path: str,
        document: Mapping[str, Any],
        *,
        manager: str,
        timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
    ) -> dict[str, Any]:
        """Server-side apply: what `document` says is so, and is ours. Creates what is not there."""
        body = await self._read(
            "PATCH",
            path,
            parameters={"fieldManager": manager, "force": "true"},
            document=document,
            content_type=APPLY_PATCH,
            timeout_seconds=timeout_seconds,
        )
        return _decode(body, dict[str, Any])

    async def create(
        self,
        path: str,
        document: Mapping[str, Any],
        *,
        timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
    ) -> None:
        """Create one object; ConflictError where the name is taken."""
        await self._read("POST", path, document=document, timeout_seconds=timeout_seconds)

    async def replace(
        self,
        path: str,
        document: Mapping[str, Any],
        *,
        timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
    ) -> dict[str, Any]:
        """Put a whole object in the place of the one that `document` was made from, as it is now.

        Raises:
            ConflictError: somebody has changed it since (its `metadata.resourceVersion`).
        """
        body = await self._read("PUT", path, document=document, timeout_seconds=timeout_seconds)
        return _decode(body, dict[str, Any])

    # -- asking what would be ---------------------------------------------------------------------

    async def dry_run(
        self,
        path: str,
        patch: Mapping[str, Any],
        *,
        timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
    ) -> None:
        """Have the API server check a strategic merge patch as if it were applied; nothing changes.

        That it is a dry run cannot be left out by who calls, and is looked at before it is sent.
        Raises a ForbiddenError without the right, or where admission refuses; else an ApiError.
        """
        if "?" in path:
            raise UndecodableError(f"{path[:100]!r} is not the path of an object.")
        await self._read(
            "PATCH",
            path,
            parameters=DRY_RUN,
            document=patch,
            content_type=STRATEGIC_MERGE_PATCH,
            timeout_seconds=timeout_seconds,
        )

    # -- one way out -----------------------------------------------------------------------------

    async def _read(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        document: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        timeout_seconds: float,
    ) -> bytes:
        self._check_fence(method, path)
        timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        async with self._request(
            method,
            path,
            parameters=parameters,
            body=msgspec.json.encode(document) if document is not None else None,
            content_type=content_type,
            timeout=timeout,
        ) as response:
            parts, size = [], 0
            async for part in response.content.iter_any():
                parts.append(part)
                size += len(part)
                if size > MAXIMUM_ANSWER_BYTES:
                    raise UndecodableError(
                        f"{method} {path}: the answer is larger than {MAXIMUM_ANSWER_BYTES} bytes."
                    )
            return b"".join(parts)

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        timeout: aiohttp.ClientTimeout,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        token = await self._current_token()
        headers = self._headers(token)
        if body is not None:
            headers["Content-Type"] = content_type
        what = f"{method} {self._credentials.server}{path}"
        try:
            async with self._open_session().request(
                method,
                self._credentials.server + path,
                params=parameters,
                data=body,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                if response.status == 401 and self._token is token:
                    self._token = None  # another request may have a newer one by now
                if response.status >= 300:
                    raise await _error(response)
                yield response
        except TimeoutError as error:
            raise ApiUnreachableError(f"{what}: no answer in time.") from error
        except aiohttp.ClientConnectorCertificateError as error:
            why = getattr(error.certificate_error, "verify_message", "") or "it cannot be verified"
            raise UntrustedServerError(
                f"{what}: its certificate is not trusted ({why})."
            ) from error
        except aiohttp.ClientError as error:
            detail = str(error) or type(error).__name__
            raise ApiUnreachableError(f"{what}: {detail}.") from error

    def _headers(self, token: Token | None) -> dict[str, str]:
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json, */*"}
        authorization = self._credentials.authorization(token=token)
        if authorization:
            headers["Authorization"] = authorization
        return headers

    async def _current_token(self) -> Token | None:
        source = self._credentials.token_source
        if source is None or self._is_current(self._token):
            return self._token
        async with self._reading_token:
            # Whoever waited here finds what the first has read.
            if not self._is_current(self._token):
                # A token may come from a plugin that runs a program: not on the event loop.
                self._token = await asyncio.to_thread(source)
            return self._token

    @staticmethod
    def _is_current(token: Token | None) -> bool:
        return token is not None and token.valid_until >= time.monotonic()

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self._ssl or False, limit=64)
            tracing = aiohttp.TraceConfig()
            # Despite its name it comes before the headers are written, and after the connection.
            tracing.on_request_headers_sent.append(self._before_it_is_sent)
            self._session = aiohttp.ClientSession(
                connector=connector, auto_decompress=True, trace_configs=[tracing]
            )
        return self._session

    def _check_fence(self, method: str, path: str) -> None:
        if method != "GET" and not self._may_write():
            raise LeadershipLostError(f"{method} {path}: not sent, another operator leads now.")

    async def _before_it_is_sent(
        self, _session: object, _context: object, request: aiohttp.TraceRequestHeadersSentParams
    ) -> None:
        self._check_fence(request.method, request.url.path)
        ours = request.method != "PATCH" or request.headers.get("Content-Type") == APPLY_PATCH
        if not ours and request.url.query.getall("dryRun", []) != ["All"]:
            raise ClusterError(f"{request.url.path}: a patch that is no dry run is never sent.")


async def _error(response: aiohttp.ClientResponse) -> Exception:
    body = await response.content.read(LONGEST_ERROR_BYTES)
    return _failure(status=response.status, reason=response.reason or "", body=body)


def _failure(*, status: int, reason: str, body: bytes) -> Exception:
    try:
        said = msgspec.json.decode(body, type=_Status)
    except (msgspec.DecodeError, msgspec.ValidationError):
        said = _Status(message=body[:300].decode(errors="replace").strip())
    details = said.details or _Details()
    return api_error(
        status=status,
        reason=said.reason or reason,
        message=said.message,
        causes=[cause.reason for cause in details.causes or ()],
        kind=details.kind or "",
    )


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise UndecodableError(f"The API server's answer cannot be read ({error}).") from error
