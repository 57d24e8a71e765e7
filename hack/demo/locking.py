"""One demo at a time: a lock that the kernel drops when its holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from hack.demo.errors import RunsAlready


@contextlib.contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Raises RunsAlready, with the holder's pid, where the lock is held."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with lock.open("a+") as held:
            _acquire(held.fileno(), lock)
            # Whoever held it before us may have removed the file, and then it locks nothing.
            if _names(lock, held.fileno()):
                held.truncate(0)
                held.write(str(os.getpid()))
                held.flush()
                yield
                return


def _acquire(descriptor: int, lock: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RunsAlready(_holder(lock)) from None


def _holder(lock: Path) -> int:
    try:
        return int(lock.read_text())
    except (OSError, ValueError):
        return 0


def _names(lock: Path, descriptor: int) -> bool:
    try:
        return lock.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        lock.parent.mkdir(parents=True, exist_ok=True)
        return False
