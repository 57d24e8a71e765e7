"""Packing by the server: a snapshot is made there, fetched, and brought back by an upload.

All over REST, whatever points go over. A snapshot is of one node: with replicas it has everything,
because a collection has one shard. What is made on the server is deleted there after it was
fetched.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
from qdrant_client.http.exceptions import UnexpectedResponse

from kausa.memory.errors import (
    InvalidBackupError,
    MemoryError_,
    MemoryUnavailableError,
    unwritable,
)
from kausa.memory.server.calls import Calls, Deadline
from kausa.telemetry.logs import get_logger

__all__ = ["SnapshotPacking"]

_logger = get_logger("kausa.memory.server")
_CLEANING_SECONDS = 30.0


class _Made(msgspec.Struct):
    name: str
    size: int = 0
    checksum: str | None = None


class _Answer(msgspec.Struct):
    result: _Made


class SnapshotPacking:
    """Speaks REST with the server by a client that has its address, key and certificates."""

    makes_collections = True

    def __init__(self, *, http: httpx.AsyncClient, calls: Calls) -> None:
        self._http = http
        self._calls = calls

    async def pack(self, name: str, target: Path, *, deadline: Deadline) -> int | None:
        """Let the server pack, fetch it, and see that it is what the server packed."""
        made = await self._make(name, deadline)
        path = f"/collections/{quote(name)}/snapshots/{quote(made.name)}"
        try:
            digest = await self._calls(
                lambda: self._fetch(path, target), doing=f"fetching {made.name}", deadline=deadline
            )
            if made.checksum and digest != made.checksum:
                raise MemoryUnavailableError(
                    f"{self._calls.at}: {made.name} did not arrive as it was made",
                    reason="StoreUnavailable",
                )
        finally:
            await self._forget(path)
        return None

    async def unpack(self, source: Path, name: str, *, sha256: str, deadline: Deadline) -> None:
        """Upload; the server makes the collection of it."""
        path = f"/collections/{quote(name)}/snapshots/upload"
        await self._calls(
            lambda: self._upload(path, source, sha256=sha256),
            doing=f"uploading {source.name}",
            deadline=deadline,
            writes=True,
        )

    async def _make(self, name: str, deadline: Deadline) -> _Made:
        body = await self._calls(
            lambda: self._send("POST", f"/collections/{quote(name)}/snapshots"),
            doing=f"making a snapshot of {name}",
            deadline=deadline,
            writes=True,
        )
        try:
            return msgspec.json.decode(body, type=_Answer).result
        except msgspec.MsgspecError as error:
            raise MemoryUnavailableError(
                f"{self._calls.at} made a snapshot and did not say its name: {error}",
                reason="StoreUnavailable",
            ) from error

    async def _fetch(self, path: str, target: Path) -> str:
        digest = hashlib.sha256()
        async with self._http.stream("GET", path) as answer:
            await _check(answer)
            try:
                with target.open("wb") as file:
                    async for chunk in answer.aiter_bytes(chunk_size=1024 * 1024):
                        digest.update(chunk)
                        file.write(chunk)
            except OSError as error:
                # It is our disk, not the server's, nor the way to it: those are errors of httpx.
                raise unwritable(target.parent, error) from error
        return digest.hexdigest()

    async def _forget(self, path: str) -> None:
        try:
            await self._calls(
                lambda: self._send("DELETE", path),
                doing="deleting a snapshot",
                deadline=Deadline(_CLEANING_SECONDS),
                writes=True,
            )
        except MemoryError_ as error:
            _logger.warning("Could not delete a snapshot on the server", error=str(error))

    async def _upload(self, path: str, source: Path, *, sha256: str) -> None:
        parameters = {"wait": "true", "priority": "snapshot", "checksum": sha256}
        try:
            with source.open("rb") as file:
                files = {"snapshot": (source.name, file, "application/octet-stream")}
                await self._send("POST", path, params=parameters, files=files)
        except OSError as error:
            raise InvalidBackupError(
                f"{source} cannot be read: {error.strerror or error}"
            ) from error

    async def _send(self, method: str, path: str, **more: Any) -> bytes:
        answer = await self._http.request(method, path, **more)
        await _check(answer)
        return answer.content


async def _check(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    raise UnexpectedResponse(
        status_code=answer.status_code,
        reason_phrase=answer.reason_phrase,
        content=await answer.aread(),
        headers=answer.headers,
    )
