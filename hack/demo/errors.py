"""What can go wrong, each as a sentence for the person who typed `make demo`.

DemoError       the demo cannot go on; the message says what happened, what it means, where to look
+-- RunsAlready another demo holds the lock
Interrupted     Ctrl-C, a closed terminal, a kill: no error, and the reason to remove everything
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class DemoError(Exception):
    """The demo cannot go on."""


class RunsAlready(DemoError):
    """Another demo holds the lock."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        super().__init__(
            f"A demo runs already (pid {pid}). Ctrl-C in its terminal ends it, and so does "
            "`make demo-down`."
        )


class Interrupted(KeyboardInterrupt):
    """Somebody wants the demo to end; not an Exception, so nothing on the way swallows it."""


def with_log(message: str, log: Path, *, lines: int = 12) -> str:
    """The message, and the end of the log that explains it."""
    return "\n".join(
        [message, f"  the end of {log}:", *(f"  | {each}" for each in tail(log, lines))]
    )


def tail(log: Path, lines: int) -> Sequence[str]:
    try:
        return log.read_text(errors="replace").splitlines()[-lines:]
    except OSError:
        return ["(it cannot be read)"]
