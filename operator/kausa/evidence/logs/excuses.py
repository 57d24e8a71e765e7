"""What the container runtime answers in place of a log, with status 200."""

from __future__ import annotations

from typing import Final

__all__ = ["EXCUSE_CHARACTERS", "is_runtime_excuse"]

EXCUSE_CHARACTERS: Final = 2048
"""No excuse is longer."""
_EXCUSES: Final = (
    "unable to retrieve container logs for",
    "failed to try resolving symlinks in path",
    "failed to open log file",
    "failed to create fsnotify watcher",
    "rpc error: code = NotFound desc = an error occurred when try to find container",
    "Error from server (BadRequest): previous terminated container",
    "Error from server (NotFound)",
)


def is_runtime_excuse(text: str) -> bool:
    """True where the container runtime's apology came back in place of a log."""
    text = text.lstrip()
    return text.startswith(_EXCUSES) and text.count("\n") <= 1 and len(text) <= EXCUSE_CHARACTERS
