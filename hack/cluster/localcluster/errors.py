"""What can go wrong, each as one sentence for the person who typed the command.

ClusterError          the command failed                       exit code 1
+-- CannotRun         this machine lacks something             exit code 2
+-- ComponentFailed   a component did not do its part; carries the end of its log
"""

from __future__ import annotations

from pathlib import Path

LOG_LINES = 20


class ClusterError(Exception):
    """The command failed; the message says why."""

    exit_code = 1


class CannotRun(ClusterError):
    """Nothing was started, because this machine lacks something."""

    exit_code = 2


class ComponentFailed(ClusterError):
    """A component died or was not ready in time."""

    def __init__(self, message: str, *, log: Path | None = None) -> None:
        super().__init__(message if log is None else f"{message}\n{last_lines(log)}")


def last_lines(log: Path, count: int = LOG_LINES) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()[-count:]
    except OSError:
        return f"  ({log} cannot be read)"
    return "\n".join([f"  the end of {log}:", *(f"  | {line}" for line in lines)])
