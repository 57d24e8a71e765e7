"""From settings to a store: clients with the right address, key, certificates and patience."""

from __future__ import annotations

import ssl
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from qdrant_client import AsyncQdrantClient

from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.server.calls import Backoff, Calls
from kausa.memory.server.scrolling import ScrollPacking
from kausa.memory.server.settings import ServerSettings
from kausa.memory.server.snapshots import SnapshotPacking
from kausa.memory.server.store import ServerStore
from kausa.memory.waiting import OnWaiting, nobody
from kausa.telemetry.logs import get_logger

__all__ = ["connect"]

_logger = get_logger("kausa.memory.server")
_PORT = 6333
_LONGEST_SECONDS = 3600
"""Every call has a deadline of its own, which ends it sooner."""
_CONNECT_SECONDS = 5.0
_LIMITS = httpx.Limits(
    max_connections=32,
    max_keepalive_connections=8,
    # The server closes a connection that was idle for five seconds: never be just too late.
    keepalive_expiry=3.0,
)
_GRPC_OPTIONS: dict[str, Any] = {
    # After an outage of minutes gRPC would wait for as long again before it looks.
    "grpc.initial_reconnect_backoff_ms": 200,
    "grpc.min_reconnect_backoff_ms": 200,
    "grpc.max_reconnect_backoff_ms": 5000,
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
}


def connect(
    settings: ServerSettings, *, backoff: Backoff | None = None, on_waiting: OnWaiting = nobody
) -> ServerStore:
    """A store in the server that the settings name; nothing is sent before it is used.

    `on_waiting` is told while a call waits for a server that is away.
    """
    if settings.api_key is not None and not settings.encrypted:
        _logger.warning("The API key goes over the network unencrypted", url=_shown(settings.url))
    tls = _tls(settings)
    client = _client(settings, tls=tls)
    http = httpx.AsyncClient(
        base_url=_address(settings.url),
        headers=_headers(settings),
        verify=tls,
        timeout=httpx.Timeout(_LONGEST_SECONDS, connect=_CONNECT_SECONDS),
        limits=_LIMITS,
    )
    calls = Calls(at=_shown(settings.url), backoff=backoff, on_waiting=on_waiting)

    async def let_go() -> None:
        await client.close()
        await http.aclose()

    return ServerStore(
        client=client,
        settings=settings,
        calls=calls,
        packings={
            "snapshot": SnapshotPacking(http=http, calls=calls),
            "scroll": ScrollPacking(client=client, calls=calls),
        },
        let_go=let_go,
    )


def _client(settings: ServerSettings, *, tls: ssl.SSLContext | bool) -> AsyncQdrantClient:
    key = settings.api_key
    with warnings.catch_warnings():
        # It warns of a key without TLS, which was said above, in our log.
        warnings.simplefilter("ignore", UserWarning)
        return AsyncQdrantClient(
            url=_address(settings.url),
            port=_PORT,
            grpc_port=settings.grpc_port,
            prefer_grpc=settings.grpc,
            api_key=key.get_secret_value() if key is not None else None,
            timeout=_LONGEST_SECONDS,
            # It asks in a thread, and only warns; the store asks by itself and refuses.
            check_compatibility=False,
            grpc_options=_grpc_options(settings) if settings.grpc else None,
            limits=_LIMITS,
            verify=tls,
            event_hooks={"request": [_connect_soon]},
        )


async def _connect_soon(request: httpx.Request) -> None:
    """The client has one timeout for all; an address that leads nowhere need not take as long."""
    request.extensions.setdefault("timeout", {})["connect"] = _CONNECT_SECONDS


def _address(url: str) -> str:
    """With the port that Qdrant has, where none is named, and without a slash at the end."""
    parts = urlsplit(url)
    host = parts.netloc if parts.port is not None else f"{parts.netloc}:{_PORT}"
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}"


def _shown(url: str) -> str:
    """For people: without a password that somebody put into the address."""
    parts = urlsplit(_address(url))
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _headers(settings: ServerSettings) -> dict[str, str]:
    key = settings.api_key
    return {"api-key": key.get_secret_value()} if key is not None else {}


def _tls(settings: ServerSettings) -> ssl.SSLContext | bool:
    if not settings.encrypted:
        # There is nothing to verify, and reading all authorities takes 50 ms.
        return False
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        if not settings.verify:
            _logger.warning("Any certificate of the server is taken", url=_shown(settings.url))
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if settings.client_certificate is not None:
            context.load_cert_chain(settings.client_certificate, settings.client_key)
    except (OSError, ssl.SSLError) as error:
        raise _unreadable(error) from error
    return context


def _grpc_options(settings: ServerSettings) -> dict[str, Any]:
    options = dict(_GRPC_OPTIONS)
    if settings.encrypted:
        # Where it is given no authorities, gRPC takes those that it brings along.
        for name, path in (
            ("root_certificates", settings.ca_file),
            ("certificate_chain", settings.client_certificate),
            ("private_key", settings.client_key),
        ):
            if path is not None:
                options[name] = _bytes(path)
    return options


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> MemoryUnavailableError:
    return MemoryUnavailableError(
        f"a certificate or key for the Qdrant server cannot be used: {error}. Check the files "
        "that the settings name",
        reason="StoreUnauthorized",
    )
