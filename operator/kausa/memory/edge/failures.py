"""Edge raises bare `Exception`s and the kernel raises numbers: here they become our reasons."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from kausa.memory.errors import MemoryUnavailableError, UnavailableReason

__all__ = [
    "OF_A_BACKUP",
    "OF_THE_MEMORY",
    "RESERVE_BYTES",
    "corrupt",
    "ensure_space",
    "reason_of",
    "unavailable",
]

RESERVE_BYTES = 128 * 2**20
"""Free space below which nothing is written.

The engine maps files of 32 MiB that it has not filled yet, and a write to such a page on a full
disk is no error but a SIGBUS, in the middle of whatever it was doing. So it must not come to that.
"""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}
_WORDS: tuple[tuple[str, UnavailableReason], ...] = (
    ("no space left", "StoreFull"),
    ("quota exceeded", "StoreFull"),
    ("file too large", "StoreFull"),
    ("read-only file system", "StoreReadOnly"),
    ("permission denied", "StoreReadOnly"),
    ("operation not permitted", "StoreReadOnly"),
    ("out of bounds", "StoreCorrupt"),
    ("corrupt", "StoreCorrupt"),
    ("unexpected end of file", "StoreCorrupt"),
    ("failed to fill whole buffer", "StoreCorrupt"),
    ("deserialize", "StoreCorrupt"),
)
OF_THE_MEMORY: Mapping[UnavailableReason, str] = {
    "StoreFull": "Make room: a larger volume, or fewer records kept (`kausa memory prune`)",
    "StoreReadOnly": "The operator needs a volume that it may write to",
}
"""What to do, where it is the memory's disk."""
OF_A_BACKUP: Mapping[UnavailableReason, str] = {
    "StoreFull": "Make room there, or name a folder on another disk",
    "StoreReadOnly": "Name a folder that may be written to",
}
"""The same of the disk that a backup is written to."""


def reason_of(error: BaseException) -> UnavailableReason:
    """What an engine's or the kernel's error means for the memory."""
    if isinstance(error, OSError) and error.errno is not None:
        if error.errno in _FULL:
            return "StoreFull"
        if error.errno in _READ_ONLY:
            return "StoreReadOnly"
    words = str(error).lower()
    return next((reason for word, reason in _WORDS if word in words), "StoreUnavailable")


def unavailable(
    doing: str,
    error: BaseException,
    *,
    advice: Mapping[UnavailableReason, str] = OF_THE_MEMORY,
) -> MemoryUnavailableError:
    """The error that says what could not be done, why, and what to do about it."""
    reason = reason_of(error)
    why = str(error)
    if reason == "StoreFull" and isinstance(error, OSError) and error.strerror:
        why = error.strerror  # a file inside, of a name that only we know, is not what is full
    said = advice.get(reason, "")
    message = f"{doing}: {why}" + (f". {said}" if said else "")
    return MemoryUnavailableError(message, reason=reason)


def corrupt(folder: Path, why: object) -> MemoryUnavailableError:
    """What is on the disk cannot be read."""
    return MemoryUnavailableError(
        f"the memory in {folder} is damaged ({why}). Put a backup back (`kausa memory restore`), "
        "or move the folder away and fill a new one from the resources "
        "(`kausa memory sync --rebuild`)",
        reason="StoreCorrupt",
    )


def ensure_space(
    folder: Path,
    *,
    needed: int = 0,
    whose: str = "the memory",
    advice: Mapping[UnavailableReason, str] = OF_THE_MEMORY,
) -> None:
    """Raise `StoreFull` where the disk has no room for this many bytes and the reserve."""
    found = os.statvfs(folder)
    free = found.f_bavail * found.f_frsize
    if free < RESERVE_BYTES + needed:
        raise MemoryUnavailableError(
            f"the disk of {whose} in {folder} has {free >> 20} MiB left, and it needs "
            f"{(RESERVE_BYTES + needed) >> 20}. {advice['StoreFull']}",
            reason="StoreFull",
        )
