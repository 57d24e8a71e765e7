"""Streaming one log through the scanner: its end first, all of it where that is needed."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final

from kausa.cluster.errors import ClusterError
from kausa.cluster.reader import ClusterReader
from kausa.evidence.logs import LogScanner, LogSummary, is_runtime_excuse

__all__ = ["NO_SUCH_LOG", "read_log"]

NO_SUCH_LOG: Final = frozenset({400, 404})
"""What the API server answers where there is no such log; all else may be better a moment later."""
TAIL_LINES: Final = 1000
TAIL_LIMIT_BYTES: Final = 1024 * 1024
MOST_BYTES: Final = 100 * 1024 * 1024
_PAUSE_SECONDS: Final = 0.02
"""So long is read without letting the rest of the process have its turn."""
_SLICE_BYTES: Final = 32 * 1024
_EXCUSE_LINES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Log:
    """Which log is meant."""

    namespace: str
    pod: str
    container: str
    previous: bool


@dataclass(slots=True, kw_only=True)
class _End:
    """The end of a log, as it was read."""

    chunks: list[bytes] = field(default_factory=list)
    size: int = 0


async def read_log(
    reader: ClusterReader,
    *,
    namespace: str,
    pod: str,
    container: str,
    previous: bool,
    until: float,
) -> LogSummary | None:
    """What a log comes to, or None where the runtime apologises in its place.

    `until` is a time of the monotonic clock: what is not read then is left out.

    Raises:
        ClusterError: the log cannot be read; an ApiError with a status of NO_SUCH_LOG where there
            is none.
    """
    log = _Log(namespace=namespace, pod=pod, container=container, previous=previous)
    end = _End()
    scanner = LogScanner()
    await _stream(
        reader, log, scanner, tail_lines=TAIL_LINES, limit_bytes=TAIL_LIMIT_BYTES, keep=end
    )
    summary = scanner.finish()
    if summary.lines <= _EXCUSE_LINES and is_runtime_excuse(summary.tail):
        return None
    # More lines than asked for come from a reader of files, which begins at the beginning.
    is_end = summary.lines <= TAIL_LINES and end.size < TAIL_LIMIT_BYTES
    if is_end and (summary.lines < TAIL_LINES or summary.fatal is not None):
        return replace(summary, complete=summary.lines < TAIL_LINES)
    return await _whole(reader, log, end=end if is_end else _End(), until=until)


async def _whole(reader: ClusterReader, log: _Log, *, end: _End, until: float) -> LogSummary:
    """All of the log; where there is no time for it, its first part and its end."""
    scanner = LogScanner()
    complete = False
    try:
        async with asyncio.timeout(max(until - time.monotonic(), 0.05)):
            complete = await _stream(reader, log, scanner, limit_bytes=MOST_BYTES) < MOST_BYTES
    except (TimeoutError, ClusterError):
        # Its end was read already, and tells more than nothing.
        complete = False
    if not complete:
        for chunk in (b"\n", *end.chunks):
            scanner.feed(chunk)
    return replace(scanner.finish(), complete=complete)


async def _stream(
    reader: ClusterReader,
    log: _Log,
    scanner: LogScanner,
    *,
    tail_lines: int | None = None,
    limit_bytes: int,
    keep: _End | None = None,
) -> int:
    """Feed the log to the scanner; how many bytes it was."""
    size = 0
    paused = time.monotonic()
    stream = reader.pod_log(
        namespace=log.namespace,
        pod=log.pod,
        container=log.container,
        previous=log.previous,
        tail_lines=tail_lines,
        limit_bytes=limit_bytes,
    )
    async with aclosing(stream) as chunks:
        async for chunk in chunks:
            size += len(chunk)
            if keep is not None:
                keep.chunks.append(chunk)
                keep.size = size
            for start in range(0, len(chunk), _SLICE_BYTES):
                scanner.feed(chunk[start : start + _SLICE_BYTES])
                if time.monotonic() - paused > _PAUSE_SECONDS:
                    await asyncio.sleep(0)
                    paused = time.monotonic()
            if size >= limit_bytes:
                break
    return size
