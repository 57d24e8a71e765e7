"""The log of a test, as JSON lines."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator

import structlog

from kausa.telemetry.logs import configure_logs

__all__ = ["captured_log"]


@contextlib.contextmanager
def captured_log(style: str = "json") -> Iterator[io.StringIO]:
    """Everything that is logged meanwhile."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs(style="text" if style == "text" else "json", stream=stream)
    try:
        yield stream
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
