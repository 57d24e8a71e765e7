"""Backups of a server's memory: a folder with a manifest and a file for each collection.

    kausa-backup.json     what it is: written last, so that a folder without it is no backup
    failures.snapshot     as the server packs it (`snapshot`), or our own archive (`scroll`)
    runbooks.snapshot

What is brought back gets collections of its own. Only when every file was found to be what the
manifest says, and the server counts as many points, do the aliases lead to them, both at once, and
those that were in use are deleted. Until then nothing that is in use was touched.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from kausa.memory.errors import InvalidBackupError, MemoryError_, unwritable
from kausa.memory.server.calls import Deadline
from kausa.memory.server.catalog import Catalog, Place
from kausa.memory.store import COLLECTIONS, Collection, Schema
from kausa.telemetry.logs import get_logger

__all__ = ["MANIFEST", "Backups", "Packing", "PackingKind"]

_logger = get_logger("kausa.memory.server")
MANIFEST = "kausa-backup.json"
_FORMAT = "kausa-memory-server"
_VERSION = 1
_CHUNK_BYTES = 1024 * 1024
_CLEANING_SECONDS = 30.0
PackingKind = Literal["snapshot", "scroll"]


class Packing(Protocol):
    """A way to bring a collection into a file and back."""

    makes_collections: bool
    """Whether `unpack` makes the collection, or needs it made and empty."""

    async def pack(self, name: str, target: Path, *, deadline: Deadline) -> int | None:
        """Write a collection into a file that is not there; its points, where they were counted."""

    async def unpack(self, source: Path, name: str, *, sha256: str, deadline: Deadline) -> None:
        """Bring a file into a collection."""


class _File(msgspec.Struct, frozen=True):
    name: str
    sha256: str
    points: int
    """At least so many: between two counts with a snapshot between them, the smaller."""


class _Manifest(msgspec.Struct, frozen=True):
    format: str
    version: int
    packing: PackingKind
    schema: Schema
    server: str
    made_at: str
    files: dict[Collection, _File]


class Backups:
    """Writes and reads them, for the collections of one server."""

    def __init__(
        self, *, catalog: Catalog, packings: Mapping[PackingKind, Packing], write_as: PackingKind
    ) -> None:
        self._catalog = catalog
        self._packings = packings
        self._write_as = write_as

    async def write(self, place: Place, target: Path, *, deadline: Deadline) -> None:
        """Write a generation into this folder.

        Raises `InvalidBackupError` for a folder that is not empty or cannot be written, and
        `MemoryUnavailableError`.
        """
        version = await self._catalog.version(deadline)
        try:
            await asyncio.to_thread(_prepare, target)
            files = {
                collection: await self._pack(collection, name, target, deadline=deadline)
                for collection, name in place.names.items()
            }
            manifest = _Manifest(
                format=_FORMAT,
                version=_VERSION,
                packing=self._write_as,
                schema=place.schema,
                server=str(version),
                made_at=datetime.now(UTC).isoformat(timespec="seconds"),
                files=files,
            )
            await asyncio.to_thread(_finish, target, manifest)
        except OSError as error:
            raise unwritable(target, error) from error

    async def read(self, source: Path, *, expected: Schema | None, deadline: Deadline) -> Place:
        """Put a backup in place of the generation in use, and say where it is.

        Raises `InvalidBackupError` before anything is touched, and `MemoryUnavailableError`.
        """
        manifest = _manifest(source)
        packing = self._packings.get(manifest.packing)
        if packing is None:
            raise InvalidBackupError(
                f"{source} was packed by a server ({manifest.packing}), and this memory is in none"
            )
        if expected is not None and manifest.schema != expected:
            raise InvalidBackupError(
                f"{source} holds vectors of {manifest.schema.model} "
                f"({manifest.schema.dimensions} dimensions, schema {manifest.schema.version}), and "
                f"this memory is of {expected.model} ({expected.dimensions} dimensions, schema "
                f"{expected.version}). Configure that model, restore, and migrate then"
            )
        await asyncio.to_thread(_verify, source, manifest)
        place = Place(manifest.schema, self._catalog.names.restored(manifest.schema))
        try:
            await self._unpack(source, manifest, place, packing=packing, deadline=deadline)
            before = await self._catalog.active(deadline)
            await self._catalog.switch(place, deadline)
        except BaseException:
            await self._clean(place)
            raise
        stale = set(await self._catalog.leftovers(manifest.schema, deadline))
        stale.update(before.names.values() if before is not None else ())
        await self._catalog.remove(sorted(stale), deadline)
        return place

    async def _pack(
        self, collection: Collection, name: str, target: Path, *, deadline: Deadline
    ) -> _File:
        path = target / f"{collection}.{self._write_as}"
        before = await self._catalog.count(name, deadline)
        counted = await self._packings[self._write_as].pack(name, path, deadline=deadline)
        least = min(before, await self._catalog.count(name, deadline))
        digest = await asyncio.to_thread(_digest, path)
        return _File(path.name, digest, counted if counted is not None else least)

    async def _unpack(
        self,
        source: Path,
        manifest: _Manifest,
        place: Place,
        *,
        packing: Packing,
        deadline: Deadline,
    ) -> None:
        if not packing.makes_collections:
            await self._catalog.make(place, points=0, deadline=deadline)
        for collection, name in place.names.items():
            file = manifest.files[collection]
            await packing.unpack(source / file.name, name, sha256=file.sha256, deadline=deadline)
            await self._catalog.complete(
                collection, name, place=place, points=file.points, deadline=deadline
            )
            found = await self._catalog.count(name, deadline)
            if found < file.points:
                raise InvalidBackupError(
                    f"{source}: {file.name} should hold {file.points} points, and {found} came "
                    "back. The memory is as it was"
                )

    async def _clean(self, place: Place) -> None:
        """Delete what did not become a memory, also where time is over."""
        try:
            await self._catalog.remove(place.names.values(), Deadline(_CLEANING_SECONDS))
        except MemoryError_ as error:
            # The next restore deletes it.
            _logger.warning("Could not delete a restore that failed", error=str(error))


def _prepare(target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(target.iterdir()):
        raise InvalidBackupError(f"{target} is not empty: name a folder of its own")


def _finish(target: Path, manifest: _Manifest) -> None:
    half = target / f"{MANIFEST}.half"
    half.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    half.rename(target / MANIFEST)


def _manifest(source: Path) -> _Manifest:
    try:
        raw = (source / MANIFEST).read_bytes()
        manifest = msgspec.json.decode(raw, type=_Manifest)
    except OSError as error:
        raise InvalidBackupError(
            f"{source} is no backup of a memory in a server: {MANIFEST} cannot be read there "
            f"({error.strerror or error})"
        ) from error
    except msgspec.MsgspecError as error:
        raise InvalidBackupError(f"{source / MANIFEST} is damaged: {error}") from error
    if manifest.format != _FORMAT or manifest.version != _VERSION:
        raise InvalidBackupError(
            f"{source} is a backup of another kind ({manifest.format} {manifest.version}); this "
            f"Kausa reads {_FORMAT} {_VERSION}"
        )
    if set(manifest.files) != set(COLLECTIONS):
        raise InvalidBackupError(f"{source / MANIFEST} does not name both collections")
    return manifest


def _verify(source: Path, manifest: _Manifest) -> None:
    for file in manifest.files.values():
        if Path(file.name).name != file.name:
            raise InvalidBackupError(f"{source / MANIFEST} names {file.name!r}, outside of it")
        try:
            right = _digest(source / file.name) == file.sha256
        except OSError as error:
            raise InvalidBackupError(
                f"{source}: {file.name} cannot be read ({error.strerror or error})"
            ) from error
        if not right:
            raise InvalidBackupError(f"{source}: {file.name} is not what was written: damaged")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
