"""Structured logs: JSON for machines, aligned text for a terminal, one shape for every line.

Foreign loggers (Kopf, aiohttp, asyncio) go through the same renderer, so that a log is never half
JSON and half prose. No line carries text from the cluster that has not passed redaction.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import Processor

__all__ = ["Logger", "configure_logs", "get_logger"]

Logger = structlog.stdlib.BoundLogger

_QUIET = {
    # Kopf logs every retry of every request, and tracebacks of what it recovers from. What it and
    # its handlers meet is said once, by `kausa.controller.kopf_host`.
    "kopf": logging.CRITICAL,
    "aiohttp": logging.WARNING,
    "asyncio": logging.WARNING,
    "httpx": logging.WARNING,
    # They write headers and whole requests, a key that they cannot send included.
    "httpcore": logging.WARNING,
    "openai": logging.WARNING,
    "fastembed": logging.WARNING,
    # Says of every batch of spans that it could not be sent; `telemetry.otlp` says it once.
    "opentelemetry": logging.CRITICAL,
}


def get_logger(name: str) -> Logger:
    """A logger whose lines name the part of the program they come from."""
    logger: Logger = structlog.stdlib.get_logger(name)
    return logger


def configure_logs(
    *,
    style: Literal["auto", "json", "text"] = "auto",
    level: str = "info",
    stream: TextIO | None = None,
) -> None:
    """Send every log line of this process to `stream` (standard error by default)."""
    target = stream or sys.stderr
    as_text = style == "text" or (style == "auto" and target.isatty())
    shared: list[Processor] = [
        _printable,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=target.isatty(), sort_keys=False, timestamp_key="time")
        if as_text
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, quiet_level in _QUIET.items():
        logging.getLogger(name).setLevel(max(quiet_level, logging.getLevelName(level.upper())))


def _printable(_: object, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A value may hold what a failing program printed: no line breaks, no terminal commands."""
    for name, value in line.items():
        if isinstance(value, str) and not value.isprintable():
            line[name] = "".join(each if each.isprintable() else " " for each in value)
    return line
