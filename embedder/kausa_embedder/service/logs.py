"""Structured logs: JSON for machines, aligned text for a terminal. No line has a request's text.

That holds for errors, too: what an exception says may quote what it was about, so that only its
type and the places in the code are written.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Final, Literal, TextIO

__all__ = ["configure_logs", "log_event", "places"]

_FIELDS: Final = "event_fields"
_QUIET: Final = ("aiohttp", "asyncio", "fastembed", "httpx", "huggingface_hub")


def log_event(logger: logging.Logger, level: int, event: str, **fields: object) -> None:
    """One line: what happened, and its particulars as key and value."""
    if logger.isEnabledFor(level):
        logger.log(level, event, extra={_FIELDS: fields})


def places(error: BaseException) -> str:
    """Where an error came from, innermost last, without what it says."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    named = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]
    return " ".join([*named, type(error).__name__])


def configure_logs(
    *, style: Literal["auto", "json", "text"], level: str, stream: TextIO | None = None
) -> None:
    """Send every log line of this process to `stream` (standard error by default)."""
    target = stream or sys.stderr
    as_text = style == "text" or (style == "auto" and target.isatty())
    handler = logging.StreamHandler(target)
    handler.setFormatter(_Text() if as_text else _Json())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _particulars(record: logging.LogRecord) -> dict[str, object]:
    fields = dict(getattr(record, _FIELDS, {}))
    if record.exc_info is not None and isinstance(record.exc_info[1], BaseException):
        fields["error"] = places(record.exc_info[1])
    return fields


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_particulars(record),
        }
        return json.dumps(line, ensure_ascii=False, default=str)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{name}={value}" for name, value in _particulars(record).items())
        return f"{_time(record)} {record.levelname.lower():<8} {record.getMessage():<40} {fields}"
