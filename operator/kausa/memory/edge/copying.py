"""Copies of a store's files that keep their holes: most of their length was never written."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

__all__ = [
    "bytes_on_disk",
    "copy_tree",
    "digest",
    "remove",
    "sync_folder",
    "sync_tree",
    "write_file",
]

_PIECE = 8 * 2**20
_BLOCK = 64 * 1024
_NOTHING = bytes(_BLOCK)


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder into one that is not there yet; OSError."""
    target.mkdir(parents=True)
    for path in sorted(source.iterdir()):
        if path.is_dir():
            copy_tree(path, target / path.name)
        elif path.is_file() and not path.is_symlink():
            _copy_file(path, target / path.name)


def sync_tree(folder: Path) -> None:
    """Bring a folder to disk; OSError.

    After all copies and not after each: the first file then waits for what was written of all.
    """
    for root, _, names in os.walk(folder):
        for name in names:
            _sync(Path(root) / name, os.O_RDONLY)
        sync_folder(Path(root))


def digest(path: Path) -> str:
    """A SHA-256 of what stands in the file and where, whether or not its holes were kept."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        found.update(size.to_bytes(8, "big"))
        for start, end in _written(file.fileno(), size):
            for at in range(start - start % _BLOCK, end, _BLOCK):
                block = os.pread(file.fileno(), _BLOCK, at)
                if block != _NOTHING[: len(block)]:
                    found.update(at.to_bytes(8, "big") + block)
    return found.hexdigest()


def bytes_on_disk(folder: Path) -> int:
    """What the folder takes up, holes not counted; files that go meanwhile count nothing."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += (Path(root) / name).lstat().st_blocks * 512
    return total


def remove(folder: Path) -> None:
    """Delete a folder, if it is there; OSError."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)


def write_file(path: Path, content: bytes) -> None:
    """Put the whole content there or leave what was there; OSError."""
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to disk; OSError."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy_file(source: Path, target: Path) -> None:
    with source.open("rb") as old, target.open("xb") as new:
        size = os.fstat(old.fileno()).st_size
        new.truncate(size)
        for start, end in _written(old.fileno(), size):
            while start < end:
                piece = os.pread(old.fileno(), min(_PIECE, end - start), start)
                if not piece:
                    break
                start += os.pwrite(new.fileno(), piece, start)


def _written(descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    """The stretches of a file that hold something; the whole of it where nobody can tell."""
    end = 0
    while end < size:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
            end = os.lseek(descriptor, start, os.SEEK_HOLE)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return  # a hole to the end
            raise
        yield start, end
