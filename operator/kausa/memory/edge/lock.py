"""One process owns a store's folder. The kernel keeps the lock, so no kill leaves a stale one."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from pathlib import Path

from kausa.memory.errors import MemoryUnavailableError

__all__ = ["FolderLock"]

_RETRY_SECONDS = 0.05


class FolderLock:
    """An exclusive lock on a folder, held until released or until the process is gone.

    Edge locks its log as well, but answers a bare `Exception`; this lock comes first, so that
    "somebody else has it" never has to be read out of an engine's message.
    """

    def __init__(self, folder: Path, *, wait_seconds: float) -> None:
        self._fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._acquire(folder, wait_seconds=wait_seconds)
        except BaseException:
            os.close(self._fd)
            raise
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, _describe_self().encode(), 0)

    def release(self) -> None:
        """Let the next one in."""
        os.close(self._fd)

    def _acquire(self, folder: Path, *, wait_seconds: float) -> None:
        # A predecessor may be on its way out: its operator was killed, it has noticed, it flushes.
        until = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                if time.monotonic() >= until:
                    holder = (
                        os.pread(self._fd, 200, 0).decode(errors="replace") or "another process"
                    )
                    raise MemoryUnavailableError(
                        f"the memory in {folder} is in use by {holder}: one process at a time can "
                        "own it. Stop that one, or give this one a folder of its own",
                        reason="StoreLocked",
                    ) from error
                time.sleep(_RETRY_SECONDS)


def _describe_self() -> str:
    return f"process {os.getppid()} (its worker: {os.getpid()}) on {socket.gethostname()}"
