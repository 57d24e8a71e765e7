"""Backups of a memory, of either backend, checked by putting them back into a scratch memory.

A backup that was never restored is a hope. So where a scratch memory can be had, a folder gets its
name only after the points that came back from it were counted and compared with those in use.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import msgspec

from kausa.memory.errors import InvalidBackupError, MemoryUnavailableError
from kausa.memory.filters import EVERYTHING
from kausa.memory.store import COLLECTIONS, Collection, VectorStore

__all__ = ["BackupReport", "back_up", "put_back"]

_PAGE_POINTS = 200
_HALF = ".half"
Digests: TypeAlias = dict[str, bytes]


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
    deadline_seconds: float,
) -> BackupReport:
    """Write what a store holds into a folder that is not there yet.

    `store` is open. `scratch` is an empty place of the same backend: every point that stayed as it
    was from before the backup until after it must be there as it is. Whoever made the scratch store
    removes it.

    Raises `InvalidBackupError` where the folder is there, cannot be written, or what comes back is
    not what went in, and `MemoryUnavailableError`.
    """
    await asyncio.to_thread(_refuse_what_is_there, target)
    half = target.with_name(target.name + _HALF)
    await asyncio.to_thread(shutil.rmtree, half, ignore_errors=True)
    earlier: dict[Collection, Digests] = {}
    if scratch is not None:
        for each in COLLECTIONS:
            earlier[each] = await _digests(store, each, deadline_seconds=deadline_seconds)
    try:
        await store.backup(half, deadline_seconds=deadline_seconds)
        if scratch is not None:
            await scratch.restore(half, deadline_seconds=deadline_seconds)
            await _open(scratch, deadline_seconds)
            await _compare(store, scratch, earlier=earlier, deadline_seconds=deadline_seconds)
        await asyncio.to_thread(_rename, half, target)
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, half, ignore_errors=True)
        raise
    health = await store.health(deadline_seconds=deadline_seconds)
    return BackupReport(folder=target, points=dict(health.points), checked=scratch is not None)


async def put_back(store: VectorStore, source: Path, *, deadline_seconds: float) -> BackupReport:
    """Put a backup in place of what a store holds; the store need not be open.

    Raises `InvalidBackupError`, and nothing was touched then, and `MemoryUnavailableError`.
    """
    await store.restore(source, deadline_seconds=deadline_seconds)
    health = await store.health(deadline_seconds=deadline_seconds)
    return BackupReport(folder=source, points=dict(health.points), checked=True)


async def _compare(
    store: VectorStore,
    scratch: VectorStore,
    *,
    earlier: Mapping[Collection, Digests],
    deadline_seconds: float,
) -> None:
    for collection in COLLECTIONS:
        now = await _digests(store, collection, deadline_seconds=deadline_seconds)
        came = await _digests(scratch, collection, deadline_seconds=deadline_seconds)
        unchanged = now.items() & earlier[collection].items()
        lost = sorted(id_ for id_, _ in unchanged - came.items())
        if lost:
            raise InvalidBackupError(
                f"{len(lost)} of {len(unchanged)} points of {collection} did not come back from "
                f"the backup as they are, {lost[0]} among them. Nothing was kept: back up again"
            )


async def _digests(
    store: VectorStore, collection: Collection, *, deadline_seconds: float
) -> Digests:
    """What each point is, in a few bytes."""
    found: Digests = {}
    after = None
    while True:
        page = await store.scroll(
            collection,
            where=EVERYTHING,
            limit=_PAGE_POINTS,
            after=after,
            deadline_seconds=deadline_seconds,
        )
        for each in page.points:
            raw = msgspec.json.encode(each.payload, order="deterministic")
            found[each.id] = hashlib.blake2b(raw, digest_size=12).digest()
        after = page.after
        if after is None:
            return found


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


def _rename(half: Path, target: Path) -> None:
    try:
        # An empty folder of that name is taken over.
        half.rename(target)
    except OSError as error:
        raise InvalidBackupError(
            f"{target} cannot be written: {error.strerror or error}"
        ) from error
