"""A backup is a folder: Edge's files as they lay after a flush, and what they should be.

The manifest is written last, so a backup that was cut short is none. Files keep their holes: copy
such a folder with a tool that does too (`tar --sparse`, `cp --sparse=always`, `rsync -S`).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import msgspec

from kausa.memory.edge import copying
from kausa.memory.edge.failures import OF_A_BACKUP, unavailable
from kausa.memory.errors import InvalidBackupError
from kausa.memory.store import COLLECTIONS, Generation, Schema

__all__ = ["Manifest", "finish", "prepare", "verified"]

_NAME = "backup.json"
_BACKEND = "edge"


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds."""

    backend: str
    engine: str
    schema: Schema
    points: Mapping[str, int]
    files: Mapping[str, str]
    """By path in the folder, their SHA-256."""
    format: int = 1


def prepare(target: Path) -> None:
    """Make the folder, which must be empty; `InvalidBackupError` where it is not."""
    try:
        target.mkdir(parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise InvalidBackupError(f"{target} is not empty: a backup needs a folder of its own")
    except OSError as error:
        doing = f"the backup's folder {target} cannot be used"
        raise unavailable(doing, error, advice=OF_A_BACKUP) from error


def finish(target: Path, copied: Generation) -> None:
    """Write down what was copied."""
    try:
        copying.sync_tree(target)
        manifest = Manifest(
            backend=_BACKEND,
            engine=_engine(),
            schema=copied.schema,
            points=copied.points,
            files={name: copying.digest(target / name) for name in _files(target)},
        )
        described = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        copying.write_file(target / _NAME, described + b"\n")
    except OSError as error:
        doing = f"the backup in {target} cannot be finished"
        raise unavailable(doing, error, advice=OF_A_BACKUP) from error


def verified(source: Path) -> Manifest:
    """The manifest of a backup that is whole; `InvalidBackupError` for anything else."""
    try:
        manifest = msgspec.json.decode((source / _NAME).read_bytes(), type=Manifest)
    except FileNotFoundError as error:
        raise InvalidBackupError(f"{source} is no backup: it has no {_NAME}") from error
    except (OSError, msgspec.DecodeError) as error:
        raise InvalidBackupError(f"{source / _NAME} cannot be read: {error}") from error
    if (manifest.format, manifest.backend) != (1, _BACKEND):
        raise InvalidBackupError(
            f"{source} is a backup of {manifest.backend!r} in format {manifest.format}, "
            "and the embedded store takes its own in format 1"
        )
    if _minor(manifest.engine) != _minor(_engine()):
        raise InvalidBackupError(
            f"{source} was written by version {manifest.engine} of the engine, and this one is "
            f"{_engine()}: fill a new memory from the resources (`kausa memory sync --rebuild`)"
        )
    if set(manifest.points) != set(COLLECTIONS):
        raise InvalidBackupError(f"{source} does not hold {' and '.join(COLLECTIONS)}")
    _compare(source, manifest)
    return manifest


def _compare(source: Path, manifest: Manifest) -> None:
    try:
        found = set(_files(source))
        if found != set(manifest.files):
            different = sorted(found ^ set(manifest.files))[:3]
            raise InvalidBackupError(f"{source} is not whole: {', '.join(different)}")
        for name, wanted in manifest.files.items():
            if copying.digest(source / name) != wanted:
                raise InvalidBackupError(f"{source / name} is not what was backed up")
    except OSError as error:
        raise InvalidBackupError(f"the backup in {source} cannot be read: {error}") from error


def _files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix()
        for name in COLLECTIONS
        for path in (folder / name).rglob("*")
        if path.is_file()
    )


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _engine() -> str:
    return metadata.version("qdrant-edge-py")
