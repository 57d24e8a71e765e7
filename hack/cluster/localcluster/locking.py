"""One command at a time: a lock that the kernel drops when its holder dies, so a kill leaves
nothing to clean.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localcluster.console import say
from localcluster.errors import ClusterError

# A cold build takes minutes, and the one who waits wants the cluster that comes after it.
TIMEOUT_S = 1200.0


@contextmanager
def exclusive(lock: Path, *, timeout_s: float = TIMEOUT_S) -> Iterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+") as held:
        _acquire(held.fileno(), lock, timeout_s=timeout_s)
        held.seek(0)
        held.truncate()
        held.write(str(os.getpid()))
        held.flush()
        yield


def _acquire(descriptor: int, lock: Path, *, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    said = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = lock.read_text().strip() or "?"
            if time.monotonic() > deadline:
                raise ClusterError(f"Another command (pid {holder}) holds {lock}.") from None
            if not said:
                say(f"Waiting for another cluster command (pid {holder}) to end.")
                said = True
            time.sleep(0.2)
        else:
            return
