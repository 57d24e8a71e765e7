"""Backups of a memory, of either backend, checked by putting them back into a scratch memory.

A backup that was never restored is a hope. So where a scratch memory can be had, a folder gets its
name only after the points that came back from it were counted and compared with those in use.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import struct
import tempfile
import time
import uuid
from array import array
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import msgspec

from kausa.memory.errors import InvalidBackupError, MemoryUnavailableError, unwritable
from kausa.memory.filters import EVERYTHING
from kausa.memory.store import COLLECTIONS, Collection, StoredPoint, VectorStore

__all__ = ["BackupReport", "back_up", "put_back"]

_PAGE_POINTS = 200
_HALF = ".kausa-backup-"
_HALF_OLD_SECONDS = 86_400.0
"""No backup takes so long: whoever made the folder was killed."""
_SUMS = struct.Struct("=8f")
_EXACT_BYTES = 12
_NO_UUID = bytes(17)
_SAME = 1e-3
"""Of a sum of a unit vector: a store may bring a vector to length 1 once more."""
Digests: TypeAlias = dict[bytes, bytes]
"""What each point is, in 44 bytes by a key of 16: one of these is held for the whole memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupReport:
    """What was written or put back."""

    folder: Path
    points: Mapping[str, int] = field(default_factory=dict)
    """By collection."""
    checked: bool = False
    """Whether it was put back somewhere and compared."""


async def back_up(
    store: VectorStore,
    target: Path,
    *,
    scratch: VectorStore | None = None,
    scratch_is_beside: bool = False,
    deadline_seconds: float,
) -> BackupReport:
    """Write what a store holds into a folder that is not there yet.

    `store` is open. `scratch` is an empty place of the same backend: every point that stayed as it
    was from before the backup until after it must be there as it is. Whoever made the scratch store
    removes it. `scratch_is_beside`: it takes room on the disk of the folder, not in a server.

    Raises `InvalidBackupError` where the folder is there, cannot be written, or what comes back is
    not what went in, and `MemoryUnavailableError`.
    """
    await asyncio.to_thread(_refuse_what_is_there, target)
    ours = await asyncio.to_thread(_make_half, target)
    half = ours / target.name
    earlier: dict[Collection, Digests] = {}
    try:
        if scratch is not None:
            for each in COLLECTIONS:
                points = _digests(store, each, deadline_seconds=deadline_seconds)
                earlier[each] = {key: digest async for key, digest in points}
        with _as_named(half, target):
            await store.backup(half, deadline_seconds=deadline_seconds)
            if scratch is not None:
                with _no_room_for_a_check(target if scratch_is_beside else None):
                    await scratch.restore(half, deadline_seconds=deadline_seconds)
                    await _open(scratch, deadline_seconds)
                await _compare(store, scratch, earlier=earlier, deadline_seconds=deadline_seconds)
        await asyncio.to_thread(_rename, half, target)
    finally:
        await asyncio.to_thread(shutil.rmtree, ours, ignore_errors=True)
    health = await store.health(deadline_seconds=deadline_seconds)
    return BackupReport(folder=target, points=dict(health.points), checked=scratch is not None)


async def put_back(store: VectorStore, source: Path, *, deadline_seconds: float) -> BackupReport:
    """Put a backup in place of what a store holds; the store need not be open.

    Raises `InvalidBackupError`, and nothing was touched then, and `MemoryUnavailableError`.
    """
    await store.restore(source, deadline_seconds=deadline_seconds)
    health = await store.health(deadline_seconds=deadline_seconds)
    return BackupReport(folder=source, points=dict(health.points), checked=True)


@contextmanager
def _as_named(half: Path, target: Path) -> Iterator[None]:
    """What is said of the folder that the backup is made in, said of the one that was asked for."""
    try:
        yield
    except MemoryUnavailableError as error:
        said = str(error).replace(str(half), str(target))
        raise MemoryUnavailableError(said, reason=error.reason) from error
    except InvalidBackupError as error:
        raise InvalidBackupError(str(error).replace(str(half), str(target))) from error


@contextmanager
def _no_room_for_a_check(target: Path | None) -> Iterator[None]:
    """A full disk of the scratch memory is no full disk of the memory; None leaves it as it is."""
    try:
        yield
    except MemoryUnavailableError as error:
        if target is None or error.reason != "StoreFull":
            raise
        raise MemoryUnavailableError(
            f"the backup cannot be put back beside {target} to be checked, which takes as much "
            f"room once more: the disk of {target.parent} has "
            f"{shutil.disk_usage(target.parent).free >> 20} MiB left. Nothing was kept. Make room "
            "there, name a folder on another disk, or leave the check out (--no-check)",
            reason="StoreFull",
        ) from error


async def _compare(
    store: VectorStore,
    scratch: VectorStore,
    *,
    earlier: Mapping[Collection, Digests],
    deadline_seconds: float,
) -> None:
    for collection in COLLECTIONS:
        before, unchanged = earlier[collection], Digests()
        async for key, digest in _digests(store, collection, deadline_seconds=deadline_seconds):
            # Taken out of the one as it comes into the other: the memory is held once.
            if _is_same(digest, before.pop(key, None)):
                unchanged[key] = digest
        expected = len(unchanged)
        async for key, digest in _digests(scratch, collection, deadline_seconds=deadline_seconds):
            if _is_same(digest, unchanged.get(key)):
                del unchanged[key]
        if unchanged:
            raise InvalidBackupError(
                f"{len(unchanged)} of {expected} points of {collection} did not come back from the "
                f"backup as they are, {_id_of(min(unchanged))} among them. Nothing was kept: back "
                "up again"
            )


async def _digests(
    store: VectorStore, collection: Collection, *, deadline_seconds: float
) -> AsyncIterator[tuple[bytes, bytes]]:
    """Every point of a collection, vectors included."""
    after = None
    while True:
        page = await store.scroll(
            collection,
            where=EVERYTHING,
            limit=_PAGE_POINTS,
            after=after,
            with_vectors=True,
            deadline_seconds=deadline_seconds,
        )
        for each in page.points:
            yield _key_of(each.id), _digest(each)
        after = page.after
        if after is None:
            return


def _key_of(id_: str) -> bytes:
    """Ids are UUIDs; what is none is kept as it is, longer than one."""
    try:
        return uuid.UUID(id_).bytes
    except ValueError:
        return _NO_UUID + id_.encode()


def _id_of(key: bytes) -> str:
    if len(key) >= len(_NO_UUID):
        return key.removeprefix(_NO_UUID).decode()
    return str(uuid.UUID(bytes=key))


def _is_same(one: bytes, other: bytes | None) -> bool:
    """Payload and words to the byte, the vector as near as a store brings it back."""
    if other is None or one[:_EXACT_BYTES] != other[:_EXACT_BYTES]:
        return False
    sums = zip(*(_SUMS.unpack_from(each, _EXACT_BYTES) for each in (one, other)), strict=True)
    # A NaN is not the same as anything.
    return all(abs(a - b) <= _SAME for a, b in sums)


def _digest(point: StoredPoint) -> bytes:
    """Of payload and words a hash, of the vector sums over its parts."""
    digest = hashlib.blake2b(
        msgspec.json.encode(point.payload, order="deterministic"), digest_size=_EXACT_BYTES
    )
    if point.sparse is not None:
        for index, value in sorted(zip(point.sparse.indices, point.sparse.values, strict=True)):
            digest.update(index.to_bytes(8, "little") + array("f", [value]).tobytes())
    dense = point.dense or ()
    # How long it is, so that one without a vector is not one of zeros.
    digest.update(len(dense).to_bytes(4, "little"))
    return digest.digest() + array("f", [sum(dense[part::8]) for part in range(8)]).tobytes()


async def _open(store: VectorStore, deadline_seconds: float) -> None:
    """Open what was just put back, whatever model it is of."""
    generations = await store.generations(deadline_seconds=deadline_seconds)
    active = next((each.schema for each in generations if each.active), None)
    if active is None:
        raise MemoryUnavailableError(
            "a backup was put back, and nothing is there", reason="StoreCorrupt"
        )
    await store.open(active, deadline_seconds=deadline_seconds)


def _refuse_what_is_there(target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InvalidBackupError(f"{target} is there already: name a folder that is not")


def _make_half(target: Path) -> Path:
    """A folder beside the target, of a name that nobody else gives; old ones are removed."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for each in target.parent.glob(f"{_HALF}*"):
            if time.time() - each.lstat().st_mtime > _HALF_OLD_SECONDS:
                shutil.rmtree(each, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=_HALF, dir=target.parent))
    except OSError as error:
        raise unwritable(target.parent, error) from error


def _rename(half: Path, target: Path) -> None:
    try:
        # An empty folder of that name is taken over.
        half.rename(target)
    except OSError as error:
        raise unwritable(target, error) from error
