"""A proxy between an operator and the API server that cuts, silences or refuses on command.

It ends TLS itself, with a certificate of its own that its kubeconfig trusts, and speaks to the API
server with the kubeconfig's login. So it sees each request: it can cut the watches alone, and it
knows who wrote what and when, without believing the operator. It lives in a thread and an event
loop of its own; every method may be called from any thread.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import ssl
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import yaml

__all__ = ["CuttingProxy", "Request", "cutting_proxy"]

T = TypeVar("T")
CHUNK_BYTES = 64 * 1024
REMEMBERED_REQUESTS = 100_000
_REQUEST_LINE = re.compile(rb"(GET|HEAD|POST|PUT|PATCH|DELETE) (\S+) HTTP/1\.1\r\n")
_WATCH = re.compile(r"[?&]watch=(?:true|1)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request that came by."""

    at: float
    """By `time.monotonic`, as it arrived here."""
    method: str
    path: str
    """With its query."""

    @property
    def watches(self) -> bool:
        """Whether it asks for a stream of changes."""
        return _WATCH.search(self.path) is not None


@dataclass(slots=True, kw_only=True, eq=False)
class _Connection:
    """One connection of the operator, and ours to the API server."""

    outer: asyncio.StreamWriter
    inner: asyncio.StreamWriter
    watches: bool = False
    """Whether the request that it serves now is a watch."""
    may_speak: asyncio.Event = field(default_factory=asyncio.Event)

    def cut(self) -> None:
        for each in (self.outer, self.inner):
            each.transport.abort()
        self.may_speak.set()


class CuttingProxy:
    """Forwards to the API server of a kubeconfig; made by `cutting_proxy`."""

    def __init__(self, *, upstream: tuple[str, int], upstream_tls: ssl.SSLContext) -> None:
        self._upstream = upstream
        self._upstream_tls = upstream_tls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._refusing = False
        self._requests: deque[Request] = deque(maxlen=REMEMBERED_REQUESTS)
        self.kubeconfig = Path()
        """Names this proxy as the API server."""
        self.watches_cut = 0
        """How many watches were cut so far."""

    def open(self, *, folder: Path, tls: ssl.SSLContext, document: dict[str, Any]) -> None:
        """Listen, and write the kubeconfig that leads here."""
        self._thread.start()
        port = self._call(lambda: self._listen(tls))
        cluster = document["clusters"][0]["cluster"]
        for name in ("certificate-authority", "tls-server-name", "proxy-url"):
            cluster.pop(name, None)
        certificate = (folder / "proxy.crt").read_bytes()
        cluster["server"] = f"https://127.0.0.1:{port}"
        cluster["certificate-authority-data"] = base64.b64encode(certificate).decode()
        self.kubeconfig = folder / "proxy.kubeconfig"
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(yaml.safe_dump(document))

    def close(self) -> None:
        """Cut everything and stop listening."""
        self._call(self._end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    def requests(self) -> tuple[Request, ...]:
        """What came by, oldest first; the newest hundred thousand."""
        return self._ask(lambda: tuple(self._requests))

    def cut_watches(self) -> int:
        """Cut every watch that stands; how many they were."""
        return self._ask(lambda: self._cut(lambda each: each.watches))

    def cut_everything(self) -> int:
        """Cut every connection, also those whose request is being answered."""
        return self._ask(lambda: self._cut(lambda _: True))

    def silence_watches(self) -> int:
        """Every watch that stands now stays open and says nothing more, as behind a gateway that
        has forgotten it; how many they were. New connections are as ever.
        """
        return self._ask(self._silence)

    def refuse(self) -> None:
        """Cut everything, and whoever comes, until `admit`."""
        self._ask(lambda: self._refuse(True))
        self.cut_everything()

    def admit(self) -> None:
        """The end of `refuse`."""
        self._ask(lambda: self._refuse(False))

    # -- in its own thread -----------------------------------------------------------------------

    def _call(self, work: Callable[[], Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result(timeout=30)

    def _ask(self, answer: Callable[[], T]) -> T:
        async def run() -> T:
            return answer()

        found: T = self._call(run)
        return found

    async def _listen(self, tls: ssl.SSLContext) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _cut(self, chosen: Callable[[_Connection], bool]) -> int:
        found = [each for each in self._connections if chosen(each)]
        self.watches_cut += sum(each.watches for each in found)
        for each in found:
            each.cut()
        return len(found)

    def _silence(self) -> int:
        found = [each for each in self._connections if each.watches]
        for each in found:
            each.may_speak.clear()
        return len(found)

    def _refuse(self, refusing: bool) -> None:
        self._refusing = refusing

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            # What the other ends do is theirs: a reset, or a cancellation by `close`.
            with contextlib.suppress(OSError, ssl.SSLError, asyncio.CancelledError):
                if not self._refusing:
                    await self._forward(reader, writer)
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._upstream
        answers, inner = await asyncio.open_connection(host, port, ssl=self._upstream_tls)
        connection = _Connection(outer=writer, inner=inner)
        connection.may_speak.set()
        self._connections.add(connection)
        pumps = (
            asyncio.ensure_future(self._pump_requests(connection, reader)),
            asyncio.ensure_future(self._pump_answers(connection, answers)),
        )
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._connections.discard(connection)
            connection.cut()
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump_requests(self, connection: _Connection, reader: asyncio.StreamReader) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            # Nobody sends a second request before the first is answered, so each begins a chunk.
            line = _REQUEST_LINE.match(chunk)
            if line is not None:
                request = Request(
                    at=time.monotonic(), method=line[1].decode(), path=line[2].decode("latin-1")
                )
                connection.watches = request.watches
                self._requests.append(request)
            connection.inner.write(chunk)
            await connection.inner.drain()

    async def _pump_answers(self, connection: _Connection, reader: asyncio.StreamReader) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            await connection.may_speak.wait()
            connection.outer.write(chunk)
            await connection.outer.drain()


@contextlib.contextmanager
def cutting_proxy(kubeconfig: str, *, folder: Path) -> Iterator[CuttingProxy]:
    """A proxy to the API server of a kubeconfig's first cluster, with its first user's login.

    `folder` is made for its files alone: two proxies need two.
    """
    folder.mkdir(parents=True)
    document = yaml.safe_load(Path(kubeconfig).read_text())
    address = urlsplit(document["clusters"][0]["cluster"]["server"])
    assert address.hostname is not None
    proxy = CuttingProxy(
        upstream=(address.hostname, address.port or 443),
        upstream_tls=_upstream_tls(document, folder=folder),
    )
    proxy.open(folder=folder, tls=_own_tls(folder), document=document)
    try:
        yield proxy
    finally:
        proxy.close()


def _upstream_tls(document: dict[str, Any], *, folder: Path) -> ssl.SSLContext:
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    tls = ssl.create_default_context(cafile=_file(cluster, "certificate-authority", folder))
    certificate = _file(user, "client-certificate", folder)
    if certificate is not None:
        tls.load_cert_chain(certificate, _file(user, "client-key", folder))
    # A token needs nothing: the operator's header passes through.
    return tls


def _file(entry: dict[str, str], name: str, folder: Path) -> str | None:
    """Where a kubeconfig's PEM lies as a file; made where it is given inline."""
    inline = entry.get(f"{name}-data")
    if inline is None:
        return entry.get(name)
    path = folder / f"{name}.pem"
    path.touch(mode=0o600)
    path.write_bytes(base64.b64decode(inline))
    return str(path)


def _own_tls(folder: Path) -> ssl.SSLContext:
    certificate, key = folder / "proxy.crt", folder / "proxy.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-subj", "/CN=cutting-proxy", "-days", "2"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-addext", "keyUsage=critical,digitalSignature,keyCertSign"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    return tls
