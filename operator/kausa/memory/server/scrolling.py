"""Packing by reading point after point: works everywhere, and asks nothing of the server's disk.

A file is a sequence of pages, each a length and a MessagePack list of points. What is written while
it is read is in it or not; every point that was there all the time is.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
from qdrant_client import AsyncQdrantClient, models

from kausa.memory.errors import InvalidBackupError
from kausa.memory.schema import DENSE, SPARSE
from kausa.memory.server.calls import Calls, Deadline
from kausa.memory.server.passages import stored, vector_of
from kausa.memory.store import StoredPoint

__all__ = ["ScrollPacking"]

_PAGE_POINTS = 200
_LENGTH = struct.Struct("<I")
_MOST_PAGE_BYTES = 256 * 1024 * 1024


class ScrollPacking:
    """Reads and writes points one page at a time."""

    makes_collections = False

    def __init__(self, *, client: AsyncQdrantClient, calls: Calls) -> None:
        self._client = client
        self._calls = calls

    async def pack(self, name: str, target: Path, *, deadline: Deadline) -> int | None:
        """Write all points of a collection; how many they were."""
        total = 0
        after: models.ExtendedPointId | None = None
        with target.open("xb") as file:
            while True:
                records, after = await self._calls(
                    lambda after=after: self._client.scroll(  # type: ignore[misc]
                        name,
                        limit=_PAGE_POINTS,
                        offset=after,
                        with_payload=True,
                        with_vectors=True,
                        timeout=deadline.on_server,
                    ),
                    doing=f"reading {name}",
                    deadline=deadline,
                )
                total += len(records)
                page = [stored(record) for record in records]
                await asyncio.to_thread(_write, file, page)
                if after is None:
                    return total

    async def unpack(self, source: Path, name: str, *, sha256: str, deadline: Deadline) -> None:
        """Write all points of a file, whose digest was checked already."""
        pages = _pages(source)
        while (page := await asyncio.to_thread(next, pages, None)) is not None:
            if not page:
                continue
            points = [_point(each) for each in page]
            await self._calls(
                lambda points=points: self._client.upsert(name, points, wait=True),  # type: ignore[misc]
                doing=f"writing {name}",
                deadline=deadline,
                writes=True,
            )


def _point(point: StoredPoint) -> models.PointStruct:
    vector: dict[str, list[float] | models.SparseVector] = {DENSE: list(point.dense or ())}
    if point.sparse is not None and point.sparse.indices:
        vector[SPARSE] = vector_of(point.sparse)
    return models.PointStruct(id=point.id, vector=vector, payload=point.payload)


def _write(file: BinaryIO, page: list[StoredPoint]) -> None:
    packed = msgspec.msgpack.encode(page)
    file.write(_LENGTH.pack(len(packed)))
    file.write(packed)


def _pages(source: Path) -> Iterator[list[StoredPoint]]:
    decoder = msgspec.msgpack.Decoder(list[StoredPoint])
    with source.open("rb") as file:
        while header := file.read(_LENGTH.size):
            try:
                (length,) = _LENGTH.unpack(header)
                if length > _MOST_PAGE_BYTES:
                    raise InvalidBackupError(f"{source} is damaged: a page of {length} bytes")
                yield decoder.decode(file.read(length))
            except (struct.error, msgspec.MsgspecError) as error:
                raise InvalidBackupError(f"{source} is damaged: {error}") from error
