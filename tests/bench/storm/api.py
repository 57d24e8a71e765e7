"""The few requests of the bench, many at a time: a watch whose lines carry the moment they came.

The official client would need more of the two cores than the operator that is measured.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import yaml

__all__ = ["MERGE", "NAMES_ONLY", "Api", "ApiError", "connect", "each"]

T = TypeVar("T")
MERGE = "application/merge-patch+json"
NAMES_ONLY = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
AT_ONCE = 48
ANSWER_SECONDS = 120.0


class ApiError(Exception):
    """The API server refused; `status` is its HTTP status."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"{status}: {said[:300]}")
        self.status = status


class Api:
    """An open connection to one API server."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        accept: str = "application/json",
        **query: str,
    ) -> Any:
        """One request; the decoded answer.

        Raises:
            ApiError: the answer was not a good one.
        """
        data = None if body is None else json.dumps(body).encode()
        headers = {"Accept": accept, "Content-Type": content_type}
        async with self._session.request(
            method, path, data=data, headers=headers, params=query
        ) as answer:
            content = await answer.read()
            if answer.status >= 400:
                raise ApiError(answer.status, content.decode(errors="replace"))
            return json.loads(content)

    async def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        """The objects of a list as the API server has them in its cache, metadata only."""
        found = await self.request("GET", path, accept=NAMES_ONLY, resourceVersion="0", **query)
        # A list of metadata that is empty has null for items.
        items: list[dict[str, Any]] = found["items"] or []
        return items

    async def delete(self, path: str, **query: str) -> None:
        """Deletes one object or a collection, at once.

        What is not there is fine, and so is a collection that is too large for the server's
        minute: the caller looks what is left.
        """
        options = {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}
        try:
            await self.request("DELETE", path, options, **query)
        except ApiError as error:
            if error.status not in (404, 504):
                raise

    async def watch(self, path: str, **query: str) -> AsyncIterator[tuple[float, bytes]]:
        """Every change from now on: the moment it came (monotonic, seconds), and its line.

        Raises:
            ApiError: the stream could not be opened.
        """
        now = await self.request("GET", path, limit="1", **query)
        query |= {"resourceVersion": now["metadata"]["resourceVersion"], "watch": "true"}
        never = aiohttp.ClientTimeout(total=None)
        async with self._session.get(path, params=query, timeout=never) as answer:
            if answer.status != 200:
                raise ApiError(answer.status, await answer.text())
            rest = b""
            async for chunk in answer.content.iter_any():
                came = time.monotonic()
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield came, line


@asynccontextmanager
async def connect(kubeconfig: str) -> AsyncIterator[Api]:
    """A connection with the certificates of a kubeconfig of the local cluster."""
    server, tls = _credentials(kubeconfig)
    async with aiohttp.ClientSession(
        server,
        connector=aiohttp.TCPConnector(ssl=tls, limit=AT_ONCE * 2),
        timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
        read_bufsize=2**20,
        # Packing is the API server's work, on the cores that are measured.
        skip_auto_headers=["Accept-Encoding"],
        headers={"Accept-Encoding": "identity"},
    ) as session:
        yield Api(session)


def _credentials(kubeconfig: str) -> tuple[str, ssl.SSLContext]:
    document = yaml.safe_load(Path(kubeconfig).read_text())
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    return cluster["server"], _tls(cluster["certificate-authority-data"], user)


def _tls(authority: str, user: dict[str, str]) -> ssl.SSLContext:
    tls = ssl.create_default_context(cadata=base64.b64decode(authority).decode())
    with tempfile.TemporaryDirectory() as folder:
        for name in ("client-certificate", "client-key"):
            (Path(folder) / name).write_bytes(base64.b64decode(user[f"{name}-data"]))
        tls.load_cert_chain(f"{folder}/client-certificate", f"{folder}/client-key")
    return tls


async def each(
    things: Iterable[T], work: Callable[[T], Awaitable[object]], *, at_once: int = AT_ONCE
) -> None:
    """Does the work for all things, some at a time; the first error ends it."""
    waiting = iter(things)

    async def worker() -> None:
        for thing in waiting:
            await work(thing)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(worker())
