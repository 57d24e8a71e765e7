"""Everything that the memory raises on purpose.

    KausaError
    `- MemoryError_
       |- MemoryUnavailableError   it cannot answer now; `reason` is the word for a condition
       |- InvalidRecordError       a record is malformed, on its way in or out
       |- InvalidBackupError       a folder is not a backup, or not one that fits
       `- InvalidFilterError       a filter asks what no index can answer (`filters.py`)

Errors of Edge (every one a bare `Exception`), of a Qdrant server, of the embedder, of pipes and of
processes end in `edge/`, `server/` and `embedding/`. Facts come first: whoever catches
`MemoryUnavailableError` goes on without memory and says so.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from kausa.errors import KausaError

__all__ = [
    "InvalidBackupError",
    "InvalidRecordError",
    "MemoryError_",
    "MemoryUnavailableError",
    "UnavailableReason",
    "deadline",
    "unwritable",
]

UnavailableReason = Literal[
    "Closed",
    "DeadlineExceeded",
    "DimensionMismatch",
    "EmbedderFailed",
    "EmbedderMissing",
    "EmbedderOverloaded",
    "EmbedderUnavailable",
    "ModelMismatch",
    "SchemaMismatch",
    "StoreCorrupt",
    "StoreFull",
    "StoreLocked",
    "StoreOverloaded",
    "StoreReadOnly",
    "StoreRefused",
    "StoreUnauthorized",
    "StoreUnavailable",
]


class MemoryError_(KausaError):
    """Something is wrong with the failure memory."""


class MemoryUnavailableError(MemoryError_):
    """The memory cannot answer now. The diagnosis goes on without it."""

    def __init__(self, message: str, *, reason: UnavailableReason) -> None:
        super().__init__(message)
        self.reason: UnavailableReason = reason
        """One stable CamelCase word, fit for a condition's `reason`."""


class InvalidRecordError(MemoryError_):
    """A failure record does not have the shape that its version promises."""


class InvalidBackupError(MemoryError_):
    """A folder is not a backup of a memory, or not one that this memory can take."""


def unwritable(folder: Path, error: OSError) -> InvalidBackupError:
    """A backup cannot be written into this folder."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    advice = "Make room there, or name a folder on another disk" if full else "Name another folder"
    return InvalidBackupError(f"{folder} cannot be written: {error.strerror or error}. {advice}")


@asynccontextmanager
async def deadline(seconds: float, *, doing: str) -> AsyncIterator[None]:
    """Bound what happens inside; a timeout of somebody else inside stays what it is."""
    timeout = asyncio.timeout(seconds)
    try:
        async with timeout:
            yield
    except TimeoutError as error:
        if not timeout.expired():
            raise
        raise MemoryUnavailableError(
            f"{doing} took longer than {seconds:g} s", reason="DeadlineExceeded"
        ) from error
