"""Which files of a folder are taken in, and as what; bounded, and never outside of the folder."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from kausa.errors import KausaError
from kausa.evidence.logs import LogScanner, LogSummary
from kausa.recall.runbook_library import RUNBOOK_SUFFIXES

__all__ = [
    "FileKind",
    "Found",
    "LeftOut",
    "check_folder",
    "read_log_file",
    "read_text_file",
    "walk",
]

MOST_FILES: Final = 10_000
DEEPEST: Final = 8
MOST_TEXT_BYTES: Final = 1024 * 1024
"""Of a runbook: the API takes 64 KiB of one, a book is no runbook."""
MOST_LOG_BYTES: Final = 512 * 1024 * 1024
"""Of a log, unpacked; what comes after is not read."""
_CHUNK: Final = 256 * 1024
_LOGS: Final = (".log", ".log.gz")
_OBJECTS: Final = (".json", ".yaml", ".yml")


class FileKind(StrEnum):
    """What a file is by its name."""

    RUNBOOK = "runbooks"
    LOG = "logs"
    OBJECTS = "manifests and Events"


@dataclass(frozen=True, slots=True)
class Found:
    """A file to take in."""

    path: Path
    name: str
    """Its path below the folder, with `/`."""
    kind: FileKind


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that is not taken in, and why, in words that follow a colon."""

    name: str
    why: str
    broken: bool = True
    """False where it is simply nothing that is read here, such as a picture."""


def check_folder(folder: Path) -> None:
    """Refuse what is no folder, before anything is begun.

    Raises:
        KausaError: it is none; the message says what to give.
    """
    if not folder.is_dir():
        what = "this is no folder" if folder.exists() else "there is no such folder"
        raise KausaError(f"{folder}: {what}. Give folders with Markdown, logs or kubectl's files.")


def walk(folder: Path) -> Iterator[Found | LeftOut]:
    """Every file below a folder, in the order of their names; hidden ones are passed over.

    Raises:
        KausaError: it is no folder, cannot be read, or holds too much.
    """
    check_folder(folder)
    real, count = folder.resolve(), 0
    for here, folders, names in os.walk(folder, onerror=_cannot_list):
        below = sorted(each for each in folders if not each.startswith("."))
        folders[:] = below
        if len(Path(here).relative_to(folder).parts) >= DEEPEST:
            folders.clear()
            for each in below:
                name = (Path(here) / each).relative_to(folder).as_posix()
                yield LeftOut(f"{name}/", f"it lies more than {DEEPEST} folders deep")
        for name in sorted(each for each in names if not each.startswith(".")):
            count += 1
            if count > MOST_FILES:
                raise KausaError(
                    f"{folder}: it holds more than {MOST_FILES} files. Name a folder that holds "
                    "nothing but what is to be ingested."
                )
            yield _classified(Path(here) / name, folder, real)


def _classified(path: Path, folder: Path, real: Path) -> Found | LeftOut:
    name = path.relative_to(folder).as_posix()
    if path.is_symlink() and not path.resolve().is_relative_to(real):
        return LeftOut(name, "a link that leads out of the folder")
    if not path.is_file():
        return LeftOut(name, "no plain file")
    low = name.lower()
    if low.endswith(RUNBOOK_SUFFIXES):
        return Found(path, name, FileKind.RUNBOOK)
    if low.endswith(_LOGS):
        return Found(path, name, FileKind.LOG)
    if low.endswith(_OBJECTS):
        return Found(path, name, FileKind.OBJECTS)
    return LeftOut(name, "neither Markdown, nor a log, nor JSON or YAML", broken=False)


def read_text_file(path: Path) -> str:
    """A text file, whole.

    Raises:
        KausaError: it is too large, no text, or cannot be read; without its name.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_TEXT_BYTES + 1)
    except OSError as error:
        raise KausaError(f"it cannot be read: {error.strerror or error}") from error
    if len(data) > MOST_TEXT_BYTES:
        raise KausaError(
            f"it is larger than {MOST_TEXT_BYTES >> 10} KiB; cut it into several files"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise KausaError(f"it is no text (byte {error.start} is not UTF-8)") from None


def read_log_file(path: Path) -> LogSummary:
    """What a log comes to, read in bounded memory.

    Raises:
        KausaError: it is no text, or cannot be read; without its name.
    """
    scanner, left = LogScanner(), MOST_LOG_BYTES
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
            while left > 0 and (chunk := file.read(min(_CHUNK, left))):
                if b"\0" in chunk and left == MOST_LOG_BYTES:
                    raise KausaError("it is no text: it holds zero bytes")
                left -= len(chunk)
                scanner.feed(chunk)
    except (OSError, EOFError, zlib.error) as error:
        raise KausaError(f"it cannot be read: {error}") from error
    return scanner.finish()


def _cannot_list(error: OSError) -> None:
    raise KausaError(f"{error.filename}: this folder cannot be read: {error.strerror}.")
